-- What was decided, built, checked and published; kept over time.
create schema ops;

create table ops.settings (
    name text primary key,
    value text not null
);
comment on table ops.settings is 'Facts fixed by the first approved load, e.g. currency. One row per fact.';

create table ops.load_metrics (
    load_id bigint primary key references raw.loads,
    feed text not null,
    rows_delivered bigint not null,
    rows_accepted bigint not null,
    rows_rejected bigint not null,
    reject_share double precision not null,
    max_reject_share double precision not null,
    missing_order_ids bigint not null,
    missing_products bigint not null,
    missing_customers bigint not null,
    first_date date,
    last_date date,
    earliest_allowed_date date not null,
    latest_allowed_date date not null,
    amount_cents bigint not null,
    smallest_sale_cents bigint,
    largest_line_cents bigint,
    return_lines bigint not null,
    amount_cents_recounted bigint not null
);
comment on table ops.load_metrics is 'What the arrival gate looks at: measured values beside their limits. One row per landed load.';
comment on column ops.load_metrics.reject_share is 'rows_rejected / rows_delivered; 0 while fewer than 20 rows were rejected (a small file may hold a few bad rows).';

create table ops.gate_results (
    gate_result_id bigint generated always as identity primary key,
    load_id bigint not null references raw.loads,
    expectation text not null,
    column_name text,
    observed text,
    limit_value text,
    severity text not null check (severity in ('hold', 'warn')),
    passed boolean not null,
    checked_at timestamptz not null default now()
);
create index gate_results_load on ops.gate_results (load_id);

create table ops.publications (
    publication_id bigint generated always as identity primary key,
    build_id bigint,
    kind text not null default 'publish' check (kind in ('publish', 'rollback')),
    published_at timestamptz not null default now(),
    as_of date not null,
    complete_through date not null,
    loads bigint not null,
    held_loads bigint not null,
    rejected_rows bigint not null,
    rows_deleted bigint not null default 0,
    rows_inserted bigint not null default 0
);

create table ops.publication_loads (
    publication_id bigint not null references ops.publications,
    load_id bigint not null references raw.loads,
    primary key (publication_id, load_id)
);

create table ops.changes (
    change_id bigint generated always as identity primary key,
    load_id bigint references raw.loads,
    kind text not null check (kind in ('approve', 'release', 'withdraw', 'replay', 'master_data')),
    changed_by text not null,
    why text,
    changed_at timestamptz not null default now(),
    build_id bigint,
    publication_id bigint references ops.publications
);
comment on table ops.changes is 'Each decision about what counts. A change is done once a publication of a build that stamped it commits.';
create index changes_pending on ops.changes (change_id) where publication_id is null;

create table ops.builds (
    build_id bigint generated always as identity primary key,
    opened_at timestamptz not null default now(),
    opened_by text not null,
    as_of date not null,
    full_refresh boolean not null default false,
    status text not null default 'open' check (status in ('open', 'published', 'failed', 'abandoned')),
    closed_at timestamptz,
    publication_id bigint references ops.publications
);
create unique index builds_one_open on ops.builds ((true)) where status = 'open';
alter table ops.changes add foreign key (build_id) references ops.builds;
alter table ops.publications add foreign key (build_id) references ops.builds;

create table ops.build_loads (
    build_id bigint not null references ops.builds,
    load_id bigint not null references raw.loads,
    delivery_no bigint not null,
    feed text not null,
    source text not null,
    mode text not null,
    primary key (build_id, load_id)
);
comment on table ops.build_loads is 'The loads that count, frozen when a build opens: staging reads these, never a live status.';

create table ops.model_builds (
    build_id bigint not null references ops.builds,
    model text not null,
    built_at timestamptz not null default clock_timestamp(),
    primary key (build_id, model)
);
comment on table ops.model_builds is 'Which model was made in which build; written in the transaction that makes it.';

create table ops.audit_results (
    audit_result_id bigint generated always as identity primary key,
    build_id bigint not null references ops.builds,
    kind text not null check (kind in ('dbt', 'expectation', 'reconciliation', 'completeness')),
    name text not null,
    observed text,
    limit_value text,
    passed boolean not null,
    message text,
    checked_at timestamptz not null default now()
);
create index audit_results_build on ops.audit_results (build_id);

create table ops.reconciliation (
    build_id bigint not null references ops.builds,
    identity text not null,
    scope text not null,
    expected_cents bigint not null,
    actual_cents bigint not null,
    difference_cents bigint generated always as (actual_cents - expected_cents) stored,
    primary key (build_id, identity, scope)
);
comment on table ops.reconciliation is 'The money sums that must agree before publication. One row per build, identity and scope (total, feed, day).';

create table ops.alerts (
    alert_id bigint generated always as identity primary key,
    raised_at timestamptz not null default now(),
    kind text not null,
    subject text not null,
    message text not null,
    resolved_at timestamptz
);

-- The driver of a build holds this lock on a connection of its own until it publishes or gives up.
create function ops.driver_lock_key() returns bigint language sql immutable as $$ select 7236017504251::bigint $$;

create function ops.current_build() returns bigint language sql stable as $$
    -- the newest build that was not abandoned: the open one while a build runs, else the last finished one
    select max(build_id) from ops.builds where status <> 'abandoned'
$$;

create function ops.open_build(opened_by text, as_of_override date default null, full_refresh boolean default false)
returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
-- One transaction: abandons an unfinished build, stamps every unpublished change, freezes the counting loads.
-- Raises no_data_found when no load counts, because a warehouse without data has no as_of.
declare
    new_build bigint;
    latest date;
begin
    lock table ops.builds in share row exclusive mode;
    update ops.builds set status = 'abandoned', closed_at = now() where status = 'open';
    select max(last_date) into latest from raw.loads where status = 'approved';
    if coalesce(as_of_override, latest) is null then
        raise exception 'nothing to build: no approved load yet' using errcode = 'no_data_found';
    end if;
    insert into ops.builds (opened_by, as_of, full_refresh)
    values (opened_by, coalesce(as_of_override, latest), open_build.full_refresh)
    returning build_id into new_build;
    update ops.changes set build_id = new_build where publication_id is null;
    insert into ops.build_loads (build_id, load_id, delivery_no, feed, source, mode)
    select new_build, load_id, delivery_no, feed, source, mode
    from raw.loads where status = 'approved';
    return new_build;
end
$$;

create function ops.assert_build(expected bigint) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
-- Raises unless `expected` is the open build: a model must not write for a build that another driver has replaced.
-- The row stays share-locked until the caller's transaction ends, so no other build can open in mid-write.
begin
    perform from ops.builds where build_id = expected and status = 'open' for share;
    if not found then
        raise exception 'build % is not open any more: another run has opened its own build; start again', expected;
    end if;
end
$$;

-- What readers may see of the ledger (no names, no bytes).
create view ops.loads as
select
    load_id, delivery_no, feed, source, delivered_name, mode, rows_delivered, rows_accepted, rows_rejected,
    rows_duplicate, amount_cents, currency, first_date, last_date, status, held_reason, held_message,
    duplicate_of, first_seen_at, landed_at, decided_at, decided_by
from raw.loads;

create view ops.pipeline_health as
select
    l.feed,
    count(*) filter (where l.status = 'approved') as loads_counting,
    count(*) filter (where l.status = 'held') as loads_held,
    count(*) filter (where l.status in ('landing', 'landed')) as loads_waiting,
    sum(l.rows_delivered) as rows_delivered,
    sum(l.rows_rejected) as rows_rejected,
    max(l.last_date) filter (where l.status = 'approved') as last_date,
    max(l.landed_at) as last_landed_at,
    (select max(p.publication_id) from ops.publications as p) as publication_id,
    (select count(*) from ops.changes as c where c.publication_id is null) as changes_unpublished
from raw.loads as l
group by l.feed;
comment on view ops.pipeline_health is 'Live state of each feed. One row per feed.';
