-- What each delivery is complete for, and the fold that says which rows are current.

create table raw.load_scopes (
    load_id bigint not null references raw.loads,
    store text,
    first_date date not null,
    last_date date not null,
    constraint load_scopes_run_forward check (last_date >= first_date),
    unique nulls not distinct (load_id, store, first_date)
);
comment on table raw.load_scopes is 'The days a delivery is complete for, when it delivers days. One row per load, store and stretch of days.';
comment on column raw.load_scopes.store is 'The store; null: every store; empty text: the rows that name no store.';

alter table raw.loads
    add column released_as text check (released_as in ('orders', 'events', 'days', 'lines', 'match')),
    add column path_values jsonb not null default '{}',
    add column choices jsonb not null default '{}';
comment on column raw.loads.mode is 'What the delivery means: days (complete for its scope), orders (each order it holds is complete), lines (changed lines), events (every row is new), match (only copies beyond those current are new); null until decided.';
comment on column raw.loads.released_as is 'The meaning a person gave it; stronger than the contract and than what its rows show.';
comment on column raw.loads.path_values is 'What the place of the file says about its rows, e.g. {"store": "north"}.';
comment on column raw.loads.choices is 'While held for its meaning: each answer with its effect, e.g. {"orders": {"rows": 3, "cents": 120}}.';

create function raw.fold(loads bigint[], modes text[], repeats bigint[], first_day date, last_day date)
returns setof raw.sales_lines language sql stable as $$
-- The current rows between two days, where `loads` count and mean `modes` (in parallel), without the lines in
-- `repeats`. A row is current unless a later delivery of its source replaces it.
-- The same rule stands in dbt's stg_sales_lines (with the build's frozen loads) and, on purpose in other words,
-- in publication/: change all three.
with counting as materialized (
    select
        l.load_id, l.source, l.delivery_no, given.mode,
        -- the first delivery of a source, often its whole past, has nothing to replace
        l.delivery_no > min(l.delivery_no) over (partition by l.source) as can_replace
    from unnest(loads, modes) as given (load_id, mode)
    inner join raw.loads as l on l.load_id = given.load_id
),
orders as (
    select c.source, x.order_key, max(c.delivery_no) as delivery_no
    from raw.sales_lines as x
    inner join counting as c on x.load_id = c.load_id
    where c.can_replace and c.mode = 'orders' and x.order_id is not null
    group by c.source, x.order_key
),
lines as (
    select c.source, x.order_key, x.line_number, max(c.delivery_no) as delivery_no
    from raw.sales_lines as x
    inner join counting as c on x.load_id = c.load_id
    where c.can_replace and c.mode in ('lines', 'days') and x.order_id is not null and x.line_number is not null
    group by c.source, x.order_key, x.line_number
),
days as (
    select c.source, s.store, day.day::date as day, max(c.delivery_no) as delivery_no
    from counting as c
    inner join raw.load_scopes as s on c.load_id = s.load_id
    cross join lateral generate_series(
        greatest(s.first_date, first_day)::timestamp, least(s.last_date, last_day)::timestamp, interval '1 day'
    ) as day (day)
    where c.can_replace and c.mode = 'days'
    group by c.source, s.store, day.day
)
select r.*
from raw.sales_lines as r
inner join counting as c on r.load_id = c.load_id
left join orders as o
    on r.order_key = o.order_key and c.source = o.source and c.delivery_no < o.delivery_no and r.order_id is not null
left join lines as n
    on r.order_key = n.order_key and r.line_number = n.line_number and c.source = n.source
    and c.delivery_no < n.delivery_no and r.order_id is not null
left join days as d
    on r.sale_date = d.day and coalesce(r.store, '') = d.store and c.source = d.source
    and c.delivery_no < d.delivery_no
left join days as e
    on r.sale_date = e.day and e.store is null and c.source = e.source and c.delivery_no < e.delivery_no
-- a join, for the function is inlined: in a condition, what is given as `repeats` is worked out for every row
left join unnest(repeats) as again (order_line_key) on r.order_line_key = again.order_line_key
where
    r.sale_date between first_day and last_day
    and o.delivery_no is null and n.delivery_no is null and d.delivery_no is null and e.delivery_no is null
    and again.order_line_key is null
$$;

create function raw.match_repeats(loads bigint[], modes text[], known bigint[], again bigint[])
returns bigint[] language plpgsql stable as $$
-- The order_line_keys of `match` deliveries that were current already when they came: delivery by delivery, since
-- what one adds the next one meets. Only the deliveries in `again` are worked out; `known` are the repeats of the
-- others. Empty, at no cost, where no load means match.
declare
    repeats bigint[] := known;
    matching record;
    found bigint[];
begin
    for matching in
        select l.load_id, l.source, l.delivery_no, l.first_date, l.last_date
        from unnest(loads, modes) as given (load_id, mode)
        inner join raw.loads as l on l.load_id = given.load_id
        where given.mode = 'match' and l.first_date is not null and l.load_id = any(again)
        order by l.delivery_no
    loop
        select coalesce(array_agg(copies.order_line_key), '{}') into found
        from (
            select
                r.order_line_key,
                r.is_mine,
                row_number() over (each_line order by r.is_mine desc, r.order_line_key) as copy,
                count(*) filter (where not r.is_mine) over each_line as have
            from (
                select
                    x.*,
                    x.load_id = matching.load_id as is_mine,
                    case when x.order_id is not null then x.order_key end as known_order
                from raw.fold(
                    (
                        select array_agg(l.load_id order by l.load_id)
                        from unnest(loads, modes) as given (load_id, mode)
                        inner join raw.loads as l on l.load_id = given.load_id
                        where l.source = matching.source and l.delivery_no <= matching.delivery_no
                    ),
                    (
                        select array_agg(given.mode order by l.load_id)
                        from unnest(loads, modes) as given (load_id, mode)
                        inner join raw.loads as l on l.load_id = given.load_id
                        where l.source = matching.source and l.delivery_no <= matching.delivery_no
                    ),
                    repeats, matching.first_date, matching.last_date
                ) as x
            ) as r
            window each_line as (
                partition by
                    r.known_order, r.line_number, r.sale_date, r.sold_at, r.line_type, r.product_id, r.product_name,
                    r.customer_id, r.store, r.quantity_thousandths, r.gross_cents, r.discount_cents, r.net_cents
            )
        ) as copies
        where copies.is_mine and copies.copy <= copies.have;
        repeats := repeats || found;
    end loop;
    return repeats;
end
$$;

create function raw.match_repeats(loads bigint[], modes text[])
returns bigint[] language sql stable as $$
select raw.match_repeats(loads, modes, '{}', loads)
$$;

create function raw.current_lines(loads bigint[], modes text[], first_day date, last_day date)
returns setof raw.sales_lines language sql stable as $$
-- The current rows between two days, where `loads` count and mean `modes`.
select * from raw.fold(loads, modes, raw.match_repeats(loads, modes), first_day, last_day)
$$;

create table ops.build_repeats (
    build_id bigint not null references ops.builds,
    order_line_key bigint not null,
    primary key (build_id, order_line_key)
);
comment on table ops.build_repeats is 'Lines of match deliveries that were current already, and so are not counted again. One row per build and line; worked out when the build opens.';

create or replace function ops.open_build(
    opened_by text, as_of_override date default null, full_refresh boolean default false
)
returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
-- One transaction: abandons an unfinished build, stamps every unpublished change, freezes the counting loads.
-- Their scopes need no freezing: they are only ever added, before their load is approved.
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
    insert into ops.build_repeats (build_id, order_line_key)
    select new_build, unnest(raw.match_repeats(array_agg(load_id order by load_id), array_agg(mode order by load_id)))
    from ops.build_loads where build_id = new_build;
    return new_build;
end
$$;

create view ops.held_loads as
select
    l.load_id, l.feed, l.delivered_name, l.held_reason, l.held_message, c.choice,
    (c.effect ->> 'rows')::bigint as rows_change,
    (c.effect ->> 'cents')::bigint as cents_change,
    'shopx release ' || l.load_id || coalesce(' --as ' || c.choice, '') as command
from raw.loads as l
left join lateral (
    select key as choice, value as effect from jsonb_each(l.choices)
    union all
    select key, '{}'::jsonb from jsonb_each(coalesce(l.reading -> 'choices', '{}'))
) as c on true
where l.status = 'held';
comment on view ops.held_loads is 'What waits for a person, with each answer and what it would change. One row per held load and choice.';
