-- Where the monthly partitions of core stand. dbt makes them, beside a parent in core (docs/partitions.md).
create schema core_parts;
comment on schema core_parts is 'Partitions of the tables in core, read through those only. A schema of their own, because BI tools list every table of core.';

create function ops.follow_swap(replaced regclass, replacement regclass) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
-- dbt swaps a new table for an old one by renaming both, then drops the old one together with every view that reads
-- it. Called between the two, this makes those views read the new table; they keep their owner, rights and comments.
-- dbt's own views are left to it: it makes them again after what they read. A view that cannot follow refuses the swap.
declare
    reader record;
begin
    if exists (
        select from pg_class
        where oid in (replaced, replacement) and pg_get_userbyid(relowner) <> 'shopx_transformer'
    ) then
        raise exception '% and % are not both made by dbt', replaced, replacement;
    end if;
    for reader in
        select distinct v.oid::regclass as name, v.reloptions, pg_get_userbyid(v.relowner) as owner
        from pg_depend as d
        inner join pg_rewrite as r on d.objid = r.oid
        inner join pg_class as v on r.ev_class = v.oid
        where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass
            and d.refobjid = replaced and pg_get_userbyid(v.relowner) <> 'shopx_transformer'
    loop
        begin
            execute format(
                'create or replace view %s %s as %s',
                reader.name,
                'with (' || array_to_string(reader.reloptions, ', ') || ')',
                replace(
                    pg_get_viewdef(reader.name),
                    (select relname from pg_class where oid = replaced),
                    (select relname from pg_class where oid = replacement)
                )
            );
        exception when others then
            raise exception '% is made anew, but the view % of % cannot read the new one: %',
                replacement, reader.name, reader.owner, sqlerrm
                using hint = 'Drop the view, build again, and make it again.';
        end;
    end loop;
end
$$;
