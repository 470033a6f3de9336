-- What each delivery brought by day and by kind: the past that the arrival gate compares the next ones with.
create table ops.load_days (
    load_id bigint not null references raw.loads,
    sale_date date not null,
    line_count bigint not null,
    net_cents bigint not null,
    primary key (load_id, sale_date)
);
comment on table ops.load_days is 'What a delivery brought, by day; written by the arrival gate. One row per delivery of sales and day.';

create table ops.load_mix (
    load_id bigint not null references raw.loads,
    dimension text not null check (dimension in ('category', 'store', 'channel')),
    value text not null,
    line_count bigint not null,
    primary key (load_id, dimension, value)
);
comment on table ops.load_mix is 'The 50 most frequent categories, stores and channels of a delivery; written by the arrival gate. One row per delivery of sales, dimension and value.';

alter table ops.load_metrics
    add column limits jsonb not null default '{}',
    add column busiest_day_lines bigint,
    add column best_day_cents bigint;
comment on column ops.load_metrics.limits is 'The block gate of the contract it was read by.';
comment on column ops.load_metrics.busiest_day_lines is 'Lines of the day that has most; null until the gate saw it.';
comment on column ops.load_metrics.best_day_cents is 'Net of the day that sold most; null until the gate saw it.';

create function ops.note_load_days(loads bigint[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
-- Adds what these deliveries brought, in one pass over their rows; those noted before are left alone.
declare
    stretch record;
    wanted bigint[] := array(
        select unnest(loads) except select load_id from ops.load_days where load_id = any(loads)
    );
begin
    for stretch in select s.* from raw.stretches(wanted) as s loop
        -- literals, so that months are left out when it is planned
        execute format(
            'with counted as materialized (
                select load_id, sale_date, category, store, channel, count(*) as line_count, sum(net_cents) as net_cents
                from raw.sales_lines
                where load_id between %s and %s and sale_date between %L and %L
                group by grouping sets ((load_id, sale_date), (load_id, category), (load_id, store), (load_id, channel))
            ),
            days as (
                insert into ops.load_days (load_id, sale_date, line_count, net_cents)
                select load_id, sale_date, line_count, net_cents from counted where sale_date is not null
            ),
            kinds as (
                select
                    c.load_id, k.dimension, k.value, c.line_count,
                    row_number() over (partition by c.load_id, k.dimension order by c.line_count desc, k.value) as place
                from counted as c
                cross join lateral (
                    values (''category'', c.category), (''store'', c.store), (''channel'', c.channel)
                ) as k (dimension, value)
                where k.value is not null
            )
            insert into ops.load_mix (load_id, dimension, value, line_count)
            select load_id, dimension, value, line_count from kinds where place <= 50',
            stretch.first_load, stretch.last_load, stretch.first_date, stretch.last_date
        );
    end loop;
    update ops.load_metrics as m
    set busiest_day_lines = d.lines, best_day_cents = d.cents
    from (
        select load_id, max(line_count) as lines, max(net_cents) as cents
        from ops.load_days where load_id = any(wanted)
        group by load_id
    ) as d
    where d.load_id = m.load_id;
end
$$;

-- deliveries that came before this was counted have a past too
select ops.note_load_days(array(select load_id from raw.loads where status = 'approved' and holds = 'sales'));
