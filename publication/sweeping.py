"""What a killed run left in the schemas of the models, taken away before the next build opens.

Put here: dropping leftovers that no run can need any more.
Never here: finding out whether any are left (debris.py tells that to `shopx verify`).
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

# A partition without a parent was being swapped; PostgreSQL names the index of a rebuild that was cut short.
LEFTOVERS = """
    select
        n.nspname, c.relname,
        case c.relkind
            when 'v' then 'view' when 'm' then 'materialized view' when 'i' then 'index' else 'table'
        end
    from pg_class as c
    inner join pg_namespace as n on n.oid = c.relnamespace
    left join pg_index as i on i.indexrelid = c.oid
    where n.nspname in ('staging', 'core', 'core_parts', 'marts_next') and (
        (c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition and c.relname ~ '__dbt_(tmp|backup)')
        or (c.relkind = 'r' and not c.relispartition and n.nspname = 'core_parts')
        or (c.relkind = 'i' and not i.indisvalid and c.relname ~ '_cc(new|old)[0-9]*$')
    )
    order by 1, 2
"""


def sweep(connection: psycopg.Connection[Any]) -> list[str]:
    """Drop what killed runs left; returns its names. Called under the driver's lock, before a build opens.

    What somebody holds a lock on, or what something else needs, stays for the next time.
    """
    swept = []
    for schema, name, kind in connection.execute(LEFTOVERS).fetchall():
        statement = sql.SQL("drop {} if exists {}").format(sql.SQL(kind), sql.Identifier(schema, name))
        try:
            with connection.transaction():
                connection.execute("select set_config('lock_timeout', '1s', true)")
                connection.execute(statement)
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DependentObjectsStillExist):
            continue
        swept.append(f"{schema}.{name}")
    return swept
