-- What a build has to make anew: the orders that its changes touch, found when it opens in time that follows the
-- batch and not the history. Models read ops.build_slices; what is whole, and why, stands in ops.builds.

create table raw.order_loads (
    order_key bigint not null,
    load_id bigint not null,
    sale_date date not null,
    primary key (order_key, load_id, sale_date)
);
comment on table raw.order_loads is 'Where an order stands in raw.sales_lines, for loads that ever counted; written when a build opens. A row without order id needs none: its order_key says its load. One row per order, load and day.';

alter table ops.builds
    add column is_whole boolean not null default true,
    add column whole_because text,
    add column base_build bigint references ops.builds,
    add column first_new_load bigint not null default 1,
    add column touched_orders bigint,
    add column touched_days bigint;
comment on column ops.builds.is_whole is 'Every model is made of everything, instead of the touched orders alone.';
comment on column ops.builds.base_build is 'The published build that this one starts from; null: none was published.';
comment on column ops.builds.first_new_load is 'From this load on nothing was in any model before; earlier loads may have been.';
comment on column ops.builds.touched_orders is 'Orders made anew; null in a whole build.';

alter table ops.model_builds
    add column checksum text,
    add column is_whole boolean not null default true;
comment on column ops.model_builds.checksum is 'Of the model''s definition: another one than the last makes the model whole.';
comment on column ops.model_builds.is_whole is 'The model was made of everything, so what is made of it must be too.';
create index model_builds_last on ops.model_builds (model, built_at desc);

create table ops.build_slices (
    build_id bigint not null references ops.builds,
    kind text not null check (kind in ('order', 'day', 'customer', 'product')),
    key bigint,
    sale_date date,
    is_known boolean not null,
    unique nulls not distinct (build_id, kind, key, sale_date)
);
comment on table ops.build_slices is 'What a build makes anew, unless it is whole; kept until the next publication. One row per build, kind, key and day: each touched order with every day on which it stands or stood, and each of those days (key null).';
comment on column ops.build_slices.is_known is 'It was there before the new loads of this build, so models may hold rows of it.';

create function raw.stretches(loads bigint[])
returns table (first_load bigint, last_load bigint, first_date date, last_date date)
language sql stable as $$
-- These deliveries of sales as runs with no other delivery between, each to be read by one range of load_id.
select min(load_id), max(load_id), min(first_date), max(last_date)
from (
    select
        l.load_id, l.first_date, l.last_date, wanted.load_id is not null as is_wanted,
        row_number() over (order by l.load_id)
        - row_number() over (partition by wanted.load_id is not null order by l.load_id) as run
    from raw.loads as l
    left join (select distinct unnest(loads) as load_id) as wanted on l.load_id = wanted.load_id
    where l.holds = 'sales' and l.first_date is not null
) as numbered
where is_wanted
group by run
order by min(load_id)
$$;

create function raw.index_orders(month date) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
-- Lets a month of raw.sales_lines find its rows by order. Only months in which known orders are touched need that,
-- so a first load never pays for it. False where the month has the index, is empty, or is being loaded into.
declare
    name text := 'sales_lines_' || to_char(month, 'YYYYMM');
begin
    if to_regclass('raw_parts.' || name) is null or to_regclass('raw_parts.' || name || '_orders') is not null then
        return false;
    end if;
    -- never wait for a load that may take minutes and itself wait for us: the next build finds the month free
    execute format('lock table raw_parts.%I in share mode nowait', name);
    execute format('create index %I on raw_parts.%I (order_key)', name || '_orders', name);
    return true;
exception
    when lock_not_available then return false;
end
$$;

create function raw.summarize_loads(first_day date, last_day date) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
-- Lets the months between two days find the rows of a load at once: what was loaded since the last vacuum stands in no
-- range of the index on load_id yet, and is read to the end each time.
declare
    part regclass;
begin
    for part in
        select i.indexrelid::regclass
        from generate_series(date_trunc('month', first_day), last_day, interval '1 month') as month
        inner join pg_index as i on i.indrelid = to_regclass('raw_parts.sales_lines_' || to_char(month, 'YYYYMM'))
        inner join pg_class as c on c.oid = i.indexrelid
        inner join pg_am as a on a.oid = c.relam
        where a.amname = 'brin'
    loop
        perform brin_summarize_new_values(part);
    end loop;
end
$$;

create function ops.note_orders(build bigint) returns void language plpgsql as $$
-- Adds the loads that count for the first time to raw.order_loads.
declare
    stretch record;
begin
    for stretch in
        select s.*
        from raw.stretches(array(
            select b.load_id
            from ops.build_loads as b
            where b.build_id = build
            except
            -- every load of an earlier build was noted by it; an older one that counts again is met by `on conflict`
            select e.load_id
            from ops.build_loads as e
            where
                e.build_id < build
                and e.build_id >= coalesce((select base_build from ops.builds where build_id = build), 0)
        )) as s
    loop
        perform raw.summarize_loads(stretch.first_date, stretch.last_date);
        -- literals, so that months are left out when it is planned
        execute format(
            'insert into raw.order_loads (order_key, load_id, sale_date)
            select distinct order_key, load_id, sale_date
            from raw.sales_lines
            where load_id between %s and %s and sale_date between %L and %L and order_id is not null
            order by order_key, load_id, sale_date
            on conflict do nothing',
            stretch.first_load, stretch.last_load, stretch.first_date, stretch.last_date
        );
    end loop;
end
$$;

create function ops.touch_rows(build bigint, loads bigint[], only_lines bigint[] default null) returns void
language plpgsql as $$
-- Adds the orders of these loads' rows (or of these lines of them) to the slices of a build.
declare
    stretch record;
    first_new bigint := (select first_new_load from ops.builds where build_id = build);
begin
    for stretch in select s.* from raw.stretches(loads) as s loop
        execute format(
            'insert into ops.build_slices (build_id, kind, key, sale_date, is_known)
            select $1, ''order'', order_key, sale_date, bool_or(load_id < $2)
            from raw.sales_lines
            where load_id between %s and %s and sale_date between %L and %L %s
            group by order_key, sale_date
            on conflict (build_id, kind, key, sale_date)
            do update set is_known = true where excluded.is_known and not build_slices.is_known',
            stretch.first_load, stretch.last_load, stretch.first_date, stretch.last_date,
            case when only_lines is not null then 'and order_line_key in (select unnest($3))' end
        ) using build, first_new, only_lines;
    end loop;
end
$$;

create function ops.touch_days(build bigint, base bigint, loads bigint[]) returns void language plpgsql as $$
-- Adds the orders on the days for which these deliveries of days are, or were, complete: what they replace, and
-- what comes back without them.
declare
    first_day date;
    last_day date;
begin
    select min(s.first_date), max(s.last_date) into first_day, last_day
    from raw.load_scopes as s
    where s.load_id = any(loads);
    if first_day is null then
        return;
    end if;
    execute format(
        'with days as (
            select distinct l.source, s.store, each_day.day::date as day
            from raw.load_scopes as s
            inner join raw.loads as l on l.load_id = s.load_id
            cross join lateral generate_series(s.first_date::timestamp, s.last_date::timestamp, interval ''1 day'')
                as each_day (day)
            where s.load_id = any($3)
        ),
        counting as (
            select distinct load_id, source from ops.build_loads where build_id in ($1, $2)
        )
        insert into ops.build_slices (build_id, kind, key, sale_date, is_known)
        select $1, ''order'', r.order_key, r.sale_date,
            bool_or(r.load_id < (select first_new_load from ops.builds where build_id = $1))
        from raw.sales_lines as r
        inner join counting as c on c.load_id = r.load_id
        inner join days as d
            on d.source = c.source and d.day = r.sale_date and coalesce(d.store, r.store, '''') = coalesce(r.store, '''')
        where r.sale_date between %L and %L
        group by r.order_key, r.sale_date
        on conflict (build_id, kind, key, sale_date)
            do update set is_known = true where excluded.is_known and not build_slices.is_known',
        first_day, last_day
    ) using build, base, loads;
end
$$;

create function ops.make_whole(build bigint, because text) returns void language plpgsql as $$
begin
    delete from ops.build_slices where build_id = build;
    update ops.builds
    set is_whole = true, whole_because = because, touched_orders = null, touched_days = null
    where build_id = build;
end
$$;

create function ops.settle_slices(build bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
-- Gives every touched order all of its days, and says whether picking them out is still worth it. Called when a
-- build opens, and again by a dimension whose changes touch lines.
declare
    orders bigint;
    days bigint;
    month date;
begin
    if (select is_whole from ops.builds where build_id = build) then
        return;
    end if;
    insert into ops.build_slices (build_id, kind, key, sale_date, is_known)
    select build, 'order', touched.key, stands.sale_date, bool_or(stands.load_id < b.first_new_load)
    from (select distinct s.key from ops.build_slices as s where s.build_id = build and s.kind = 'order') as touched
    inner join ops.builds as b on b.build_id = build
    -- one look into the index per order, however the planner reckons; joined it would read the table to the end
    cross join lateral (
        select o.sale_date, o.load_id from raw.order_loads as o where o.order_key = touched.key offset 0
    ) as stands
    group by touched.key, stands.sale_date
    on conflict (build_id, kind, key, sale_date)
            do update set is_known = true where excluded.is_known and not build_slices.is_known;

    insert into ops.build_slices (build_id, kind, sale_date, is_known)
    select build, 'day', s.sale_date, bool_or(s.is_known)
    from ops.build_slices as s
    where s.build_id = build and s.kind = 'order'
    group by s.sale_date
    on conflict (build_id, kind, key, sale_date)
            do update set is_known = true where excluded.is_known and not build_slices.is_known;

    select count(distinct s.key) filter (where s.kind = 'order'), count(*) filter (where s.kind = 'day')
    into orders, days
    from ops.build_slices as s where s.build_id = build;
    if days > 400 then
        perform ops.make_whole(build, 'more than 400 days are touched');
        return;
    end if;
    -- an order has two to three lines, and a picked line costs about ten times one that is made with all others
    if orders > 50000 and orders * 20 > (
        select sum(l.rows_accepted) from ops.build_loads as b inner join raw.loads as l using (load_id)
        where b.build_id = build
    ) then
        perform ops.make_whole(build, 'too large a part of all orders is touched');
        return;
    end if;
    update ops.builds as b set touched_orders = orders, touched_days = days where b.build_id = build;

    for month in
        select distinct date_trunc('month', s.sale_date)::date
        from ops.build_slices as s where s.build_id = build and s.kind = 'day' and s.is_known
    loop
        perform raw.index_orders(month);
    end loop;
    analyze ops.build_slices;
end
$$;

create function ops.touched_loads(build bigint) returns bigint[] language sql stable as $$
-- Deliveries of sales that count now and did not in the base build, or the other way round, or differ in meaning, and
-- those with a decision that no publication holds. Where there is no base: all.
select coalesce(array_agg(t.load_id order by t.load_id), '{}')
from (
    select coalesce(now.load_id, before.load_id) as load_id
    from (
        select * from ops.build_loads
        where build_id = (select base_build from ops.builds where build_id = build)
    ) as before
    full join (select * from ops.build_loads where build_id = build) as now on now.load_id = before.load_id
    where (now.delivery_no, now.feed, now.source, now.mode)
        is distinct from (before.delivery_no, before.feed, before.source, before.mode)
    union
    select c.load_id from ops.changes as c where c.build_id = build and c.publication_id is null
) as t
inner join raw.loads as l on l.load_id = t.load_id
where l.holds = 'sales' and l.first_date is not null
$$;

create function ops.find_slices(build bigint) returns void language plpgsql as $$
-- What differs between the last published build and this one, and whatever unpublished builds since have written:
-- deliveries added, removed, read again or of another meaning, persons erased from them, days they replace or
-- uncover, repeats that come or go.
declare
    base bigint;
    because text;
    touched bigint[];
    of_days bigint[];
    repeats bigint[];
    touched_rows bigint;
    all_rows bigint;
begin
    select
        b.base_build,
        case
            when b.full_refresh then 'a full refresh was asked for'
            when b.base_build is null then 'nothing was published yet'
            when exists (
                select from ops.builds as u
                where
                    u.build_id > b.base_build and u.build_id < build and u.is_whole
                    and exists (select from ops.model_builds as m where m.build_id = u.build_id)
            ) then 'a whole build was begun and never published'
        end
    into base, because
    from ops.builds as b where b.build_id = build;
    if because is not null then
        perform ops.make_whole(build, because);
        return;
    end if;

    touched := ops.touched_loads(build);
    select
        coalesce(sum(l.rows_accepted) filter (where l.load_id in (select unnest(touched))), 0),
        coalesce(sum(l.rows_accepted), 0)
    into touched_rows, all_rows
    from raw.loads as l
    where l.load_id in (select unnest(touched)) or l.load_id in (select b.load_id from ops.build_loads as b where b.build_id = build);
    if touched_rows > 100000 and touched_rows * 8 > all_rows then
        perform ops.make_whole(build, 'too large a part of all rows is new or changed');
        return;
    end if;
    update ops.builds set is_whole = false where build_id = build;

    perform ops.touch_rows(build, touched);

    select array_agg(distinct b.load_id) into of_days
    from ops.build_loads as b
    where b.build_id in (base, build) and b.mode = 'days' and b.load_id in (select unnest(touched));
    perform ops.touch_days(build, base, of_days);

    select array_agg(r.order_line_key) into repeats
    from (
        select order_line_key from ops.build_repeats where build_id in (base, build)
        group by order_line_key having count(*) = 1
    ) as r;
    perform ops.touch_rows(
        build,
        array(
            select distinct b.load_id
            from ops.build_loads as b
            where
                b.build_id in (base, build)
                and b.delivery_no in (select again / 10000000000 from unnest(repeats) as again)
        ),
        repeats
    );

    -- what an unpublished build since then has written may have to go again
    insert into ops.build_slices (build_id, kind, key, sale_date, is_known)
    select distinct build, 'order', s.key, s.sale_date, true
    from ops.build_slices as s
    where
        s.build_id > base and s.build_id < build and s.kind = 'order'
        and exists (select from ops.model_builds as m where m.build_id = s.build_id)
    on conflict (build_id, kind, key, sale_date) do update set is_known = true;

    perform ops.settle_slices(build);
end
$$;

create function ops.note_repeats(build bigint) returns void language plpgsql as $$
-- The repeats of match deliveries; those that no touched delivery can have changed are the base build's.
declare
    again bigint[];
begin
    select coalesce(array_agg(m.load_id), '{}') into again
    from ops.build_loads as m
    where
        m.build_id = build and m.mode = 'match'
        and exists (
            select from unnest(ops.touched_loads(build)) as t (load_id)
            inner join raw.loads as l on l.load_id = t.load_id
            where l.source = m.source and l.delivery_no <= m.delivery_no
        );
    insert into ops.build_repeats (build_id, order_line_key)
    select build, unnest(raw.match_repeats(
        array_agg(b.load_id order by b.load_id),
        array_agg(b.mode order by b.load_id),
        array(
            select r.order_line_key
            from ops.build_repeats as r
            inner join ops.build_loads as m on m.build_id = build and m.delivery_no = r.order_line_key / 10000000000
            where
                r.build_id = (select base_build from ops.builds where build_id = build)
                and m.mode = 'match' and not m.load_id = any(again)
        ),
        again
    ))
    from ops.build_loads as b where b.build_id = build;
end
$$;

create or replace function ops.open_build(
    opened_by text, as_of_override date default null, full_refresh boolean default false
)
returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
-- One transaction: abandons an unfinished build, stamps every unpublished change, freezes the counting loads, and
-- finds what they touch. Their scopes need no freezing: they are only ever added, before their load is approved.
-- Where every delivery was withdrawn, the build is of nothing, as of the day of the last publication.
-- Raises no_data_found when nothing ever counted, because a warehouse without data has no as_of.
declare
    new_build bigint;
    base bigint;
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
    select max(build_id) into base from ops.builds where status = 'published';
    insert into ops.builds (opened_by, as_of, full_refresh, base_build, first_new_load)
    select
        open_build.opened_by, latest, open_build.full_refresh, base, coalesce(max(b.load_id) + 1, 1)
    from ops.build_loads as b where b.build_id >= base
    returning build_id into new_build;
    update ops.changes set build_id = new_build where publication_id is null;
    insert into ops.build_loads (build_id, load_id, delivery_no, feed, source, mode)
    select new_build, load_id, delivery_no, feed, source, mode
    from raw.loads where status = 'approved';
    perform ops.note_orders(new_build);
    perform ops.note_repeats(new_build);
    delete from ops.build_slices where build_id < base;
    perform ops.find_slices(new_build);
    -- without fresh figures the planner takes a build for one load and reads raw.sales_lines once per load
    analyze ops.build_loads, raw.loads;
    return new_build;
end
$$;
