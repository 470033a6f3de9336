"""What a run may leave behind, and what readers may reach: checks of the database's own catalogue.

Put here: leftovers (temporary tables, invalid indexes, unfinished builds, orphaned queries, slots) and
privileges.
Never here: rows or sums (promises.py).
"""

from __future__ import annotations

from publication.promises import Check

SCHEMAS = (
    "('raw', 'raw_parts', 'ops', 'staging', 'core', 'core_parts', 'marts_next', 'marts', 'marts_previous', "
    "'public')"
)

DRIVEN = """exists (
    select from pg_locks where locktype = 'advisory' and granted and objsubid = 1
        and database = (select oid from pg_database where datname = current_database())
        and (classid::bigint << 32) | objid::bigint = ops.driver_lock_key()
)"""

DEBRIS = [
    Check(
        "I9",
        "no temporary or backup table of a killed dbt run is left",
        "{schema}.{name} is left over; drop it",
        f"""
        select n.nspname as schema, c.relname as name
        from pg_class as c inner join pg_namespace as n on n.oid = c.relnamespace
        where n.nspname in {SCHEMAS} and c.relkind in ('r', 'v', 'm', 'p')
            and c.relname ~ '__dbt_(tmp|backup)' and not {DRIVEN}
        order by 1, 2 limit 1
        """,  # noqa: S608
    ),
    Check(
        "I9",
        "every partition belongs to a table",
        "core_parts.{name} is a partition of no table; drop it",
        """
        select c.relname as name from pg_class as c
        where c.relnamespace = 'core_parts'::regnamespace and c.relkind = 'r' and not c.relispartition
        order by 1 limit 1
        """,
    ),
    Check(
        "I9",
        "every index is valid",
        "index {schema}.{name} is invalid: its table {table} is not protected by it; reindex or drop it",
        f"""
        select n.nspname as schema, c.relname as name, i.indrelid::regclass::text as table
        from pg_index as i
        inner join pg_class as c on c.oid = i.indexrelid
        inner join pg_namespace as n on n.oid = c.relnamespace
        where n.nspname in {SCHEMAS} and not (i.indisvalid and i.indisready) and not {DRIVEN}
        order by 1, 2 limit 1
        """,  # noqa: S608
    ),
    Check(
        "I9",
        "no build is open without a run that drives it",
        "build {build_id} of {opened_by} is open since {opened_at:%Y-%m-%d %H:%M}, but nobody drives it; "
        "the next ./shopx run closes it",
        f"""
        select build_id, opened_by, opened_at from ops.builds where status = 'open' and not {DRIVEN}
        order by build_id limit 1
        """,  # noqa: S608
    ),
    Check(
        "I9",
        "no query of a killed build runs on",
        "server process {pid} of {role} runs a query since {since:%Y-%m-%d %H:%M}, but no build is driven",
        f"""
        select pid, usename as role, query_start as since
        from pg_stat_activity
        where datname = current_database() and usename = 'shopx_transformer' and state <> 'idle'
            and not {DRIVEN}
        order by pid limit 1
        """,  # noqa: S608
    ),
    Check(
        "I9",
        "no prepared transaction and no replication slot holds anything back",
        "{kind} {name} is left over",
        """
        select 'prepared transaction' as kind, gid as name
        from pg_prepared_xacts where database = current_database()
        union all
        select 'replication slot', slot_name from pg_replication_slots
        where database = current_database() and not active
        limit 1
        """,
    ),
]

READER_FENCE = [
    Check(
        "I12",
        "readers can read every mart",
        "{role} may not read marts.{name}; the next publication grants it again",
        """
        select r.role, c.relname as name
        from pg_class as c cross join (values ('shopx_reader'), ('shopx_analyst')) as r (role)
        where c.relnamespace = 'marts'::regnamespace and c.relkind in ('r', 'p', 'v')
            and not has_table_privilege(r.role, c.oid, 'select')
        order by 2, 1 desc limit 1
        """,
    ),
    Check(
        "I12",
        "the reader reads marts and the views of ops, and nothing else",
        "shopx_reader may {what} {schema}.{name}; revoke it",
        f"""
        select p.what, n.nspname as schema, c.relname as name
        from pg_class as c
        inner join pg_namespace as n on n.oid = c.relnamespace
        cross join (values ('select'), ('insert'), ('update'), ('delete'), ('truncate')) as p (what)
        where n.nspname in {SCHEMAS} and c.relkind in ('r', 'p', 'v', 'm')
            and has_schema_privilege('shopx_reader', n.oid, 'usage')
            and has_table_privilege('shopx_reader', c.oid, p.what)
            and not (p.what = 'select' and (n.nspname = 'marts' or (n.nspname = 'ops' and c.relkind = 'v')))
        order by 2, 3, 1 limit 1
        """,  # noqa: S608
    ),
    Check(
        "I12",
        "the reader can neither create anything nor call what changes something",
        "shopx_reader may {what}; revoke it",
        f"""
        select * from (
            select 'create in schema ' || nspname as what from pg_namespace
            where nspname in {SCHEMAS} and has_schema_privilege('shopx_reader', oid, 'create')
            union all
            select 'create temporary tables'
            where has_database_privilege('shopx_reader', current_database(), 'temporary')
            union all
            select 'call ' || p.oid::regprocedure::text
            from pg_proc as p
            where p.pronamespace in ('raw'::regnamespace, 'ops'::regnamespace) and p.provolatile = 'v'
                and has_schema_privilege('shopx_reader', p.pronamespace, 'usage')
                and has_function_privilege('shopx_reader', p.oid, 'execute')
            union all
            select 'act as ' || r.rolname
            from pg_roles as r
            where r.rolname like 'shopx%%' and r.rolname <> 'shopx_reader'
                and pg_has_role('shopx_reader', r.oid, 'member')
        ) as t order by what limit 1
        """,  # noqa: S608
    ),
]
