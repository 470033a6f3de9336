-- One open alert per cause: raising it again renews its message.
create unique index alerts_one_open on ops.alerts (kind, subject) where resolved_at is null;
comment on table ops.alerts is 'What needs a person: kind, subject and the sentence with the next command. One open row per cause.';

create or replace function ops.open_build(
    opened_by text, as_of_override date default null, full_refresh boolean default false
)
returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
-- One transaction: abandons an unfinished build, stamps every unpublished change, freezes the counting loads.
-- Where every delivery was withdrawn, the build is of nothing, as of the day of the last publication.
-- Raises no_data_found when nothing ever counted, because a warehouse without data has no as_of.
declare
    new_build bigint;
    latest date;
begin
    lock table ops.builds in share row exclusive mode;
    update ops.builds set status = 'abandoned', closed_at = now() where status = 'open';
    select coalesce(
        as_of_override,
        (select max(last_date) from raw.loads where status = 'approved'),
        (select as_of from ops.publications order by publication_id desc limit 1)
    ) into latest;
    if latest is null then
        raise exception 'nothing to build: no approved load yet' using errcode = 'no_data_found';
    end if;
    insert into ops.builds (opened_by, as_of, full_refresh)
    values (opened_by, latest, open_build.full_refresh)
    returning build_id into new_build;
    update ops.changes set build_id = new_build where publication_id is null;
    insert into ops.build_loads (build_id, load_id, delivery_no, feed, source, mode)
    select new_build, load_id, delivery_no, feed, source, mode
    from raw.loads where status = 'approved';
    return new_build;
end
$$;
