"""The shape of a mart: its columns and its grain key, read from the database's own catalogue.

Put here: what publication and verification need to know about a table before they compare its rows.
Never here: rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

from warehouse.errors import ShopxError

COLUMNS = """
    select a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull
    from pg_attribute as a
    where a.attrelid = to_regclass(format('%%I.%%I', %s::text, %s::text))
        and a.attnum > 0 and not a.attisdropped
    order by a.attnum
"""

# A key is the primary key, else a unique index that treats nulls as equal (or whose columns cannot be null).
KEYS = """
    select
        i.indisprimary,
        array(
            select a.attname::text
            from unnest(i.indkey::int2[]) with ordinality as k(attnum, place)
            inner join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = k.attnum
            where k.place <= i.indnkeyatts
            order by k.place
        ) as key_columns
    from pg_index as i
    where i.indrelid = to_regclass(format('%%I.%%I', %s::text, %s::text))
        and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null
        and (
            i.indisprimary or i.indnullsnotdistinct
            or not exists (
                select from unnest(i.indkey::int2[]) as k(attnum)
                inner join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = k.attnum
                where not a.attnotnull
            )
        )
    order by i.indisprimary desc, i.indnkeyatts, i.indexrelid
    limit 1
"""


@dataclass(frozen=True)
class Shape:
    """Columns of a table with their types, in order; `key` is its grain key, `nullable` what may be null."""

    schema: str
    table: str
    types: dict[str, str]
    key: tuple[str, ...]
    nullable: frozenset[str]


def shape_of(connection: psycopg.Connection[Any], *, schema: str, table: str) -> Shape | None:
    """The shape of a table, or None when there is no such table; `key` is empty when it has no grain key."""
    columns = connection.execute(COLUMNS, [schema, table]).fetchall()
    if not columns:
        return None
    found = connection.execute(KEYS, [schema, table]).fetchone()
    return Shape(
        schema=schema,
        table=table,
        types={name: kind for name, kind, _ in columns},
        key=tuple(found[1]) if found else (),
        nullable=frozenset(name for name, _, not_null in columns if not not_null),
    )


def mart_shape(connection: psycopg.Connection[Any], *, schema: str, table: str) -> Shape:
    """The shape of a mart.

    Raises ShopxError when the table is missing or has no grain key, because then rows cannot be told apart.
    """
    shape = shape_of(connection, schema=schema, table=table)
    if shape is None:
        raise ShopxError(
            f"{schema}.{table} does not exist, though the project declares it; run ./shopx dbt build."
        )
    if not shape.key:
        raise ShopxError(
            f"{schema}.{table} has no grain key (a primary key, or a unique index with nulls not distinct), "
            "so its rows cannot be compared; add one to the model's constraints or indexes."
        )
    return shape


def tables_in(connection: psycopg.Connection[Any], *, schema: str) -> list[str]:
    """Names of the ordinary and partitioned tables of a schema, sorted."""
    rows = connection.execute(
        "select c.relname from pg_class as c where c.relnamespace = to_regnamespace(%s) "
        "and c.relkind in ('r', 'p') order by c.relname",
        [schema],
    ).fetchall()
    return [row[0] for row in rows]
