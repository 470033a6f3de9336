"""Numbers that are none: NaN and infinity pass every range and spoil every sum.

Put here: finding the first one in a schema, whatever its tables are.
Never here: what a number may be (expectations/).
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

NUMBERS = """
    select c.relname, array_agg(a.attname::text order by a.attnum)
    from pg_attribute as a
    inner join pg_class as c on c.oid = a.attrelid
    where c.relnamespace = to_regnamespace(%s) and c.relkind in ('r', 'p')
        and a.attnum > 0 and not a.attisdropped
        and a.atttypid in ('numeric'::regtype, 'double precision'::regtype, 'real'::regtype)
    group by c.relname
    order by c.relname
"""


def not_a_number(connection: psycopg.Connection[Any], *, schema: str) -> str | None:
    """The first column of the schema that holds NaN or an infinity, with how many; None where none does."""
    for table, columns in connection.execute(NUMBERS, [schema]).fetchall():
        counts = connection.execute(
            sql.SQL("select {} from {}").format(
                sql.SQL(", ").join(
                    # to PostgreSQL NaN equals itself
                    sql.SQL("count(*) filter (where {} in ('NaN', 'Infinity', '-Infinity'))").format(
                        sql.Identifier(column)
                    )
                    for column in columns
                ),
                sql.Identifier(schema, table),
            )
        ).fetchone()
        for column, count in zip(columns, counts or (), strict=True):
            if count:
                return (
                    f"{schema}.{table}.{column} holds {count:,} values that are no number (NaN or infinity)"
                )
    return None
