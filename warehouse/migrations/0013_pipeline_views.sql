-- What arrived, what the gates said, what waits for a person and what readers see: the views of the Pipeline page, and
-- the checks behind them kept with their reason.

create table ops.gate_runs (
    gate_run_id bigint generated always as identity primary key,
    checked_at timestamptz not null default now(),
    checked_by text not null,
    loads bigint not null,
    checks bigint not null,
    checks_failed bigint not null
);
comment on table ops.gate_runs is 'Each time the arrival gate judged what had landed. One row per batch.';

alter table ops.gate_results
    add column gate_run_id bigint references ops.gate_runs,
    add column reason text,
    add column message text;
comment on table ops.gate_results is 'What each check of the arrival gate saw, and its limit; kept for 400 days. One row per gate run, load and check.';
comment on column ops.gate_results.reason is 'Code of what a failure means (docs/reasons.md).';
comment on column ops.gate_results.message is 'The failure as a sentence; null where the check passed.';
create index gate_results_checked on ops.gate_results (checked_at);

create function ops.drop_old_gate_results() returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
-- Retention of the gate's results; the decisions themselves (ops.changes) stay for ever. Returns how many went.
declare
    gone bigint;
begin
    delete from ops.gate_results where checked_at < now() - interval '400 days';
    get diagnostics gone = row_count;
    delete from ops.gate_runs as g
    where
        g.checked_at < now() - interval '400 days'
        and not exists (select from ops.gate_results as r where r.gate_run_id = g.gate_run_id);
    return gone;
end
$$;

-- What waits for a person: each answer, what it says, and what it would change.
drop view ops.held_loads;
create view ops.held_loads as
select
    l.load_id, l.feed, l.delivered_name, l.held_reason, l.held_message, c.choice,
    (c.effect ->> 'rows')::bigint as rows_change,
    (c.effect ->> 'cents')::bigint as cents_change,
    case
        when c.choice = 'withdraw' then 'shopx withdraw ' || l.load_id
        when c.choice = 'as it is' then 'shopx release ' || l.load_id
        else 'shopx release ' || l.load_id || ' --as ' || c.choice
    end as command,
    c.effect ->> 'says' as says,
    (c.effect ->> 'added')::bigint as rows_added,
    (c.effect ->> 'taken')::bigint as rows_taken,
    (c.effect ->> 'rejected')::bigint as rows_rejected,
    (c.effect ->> 'first_date')::date as first_date,
    (c.effect ->> 'last_date')::date as last_date,
    coalesce(l.currency, (select value from ops.settings where name = 'currency')) as currency,
    coalesce(l.decided_at, l.landed_at, l.first_seen_at) as held_since,
    c.place as choice_number
from raw.loads as l
cross join lateral (
    select
        answers.key as choice, answers.effect,
        row_number() over (order by answers.place, answers.key) as place
    from (
        select key, value as effect, 1 as place from jsonb_each(l.choices)
        union all
        -- answers whose effect was not worked out
        select key, '{}', 1 from jsonb_each(coalesce(l.reading -> 'choices', '{}')) where not l.choices ? key
        union all
        select
            'as it is',
            jsonb_build_object(
                'says', 'its accepted rows count', 'rows', l.rows_accepted, 'added', l.rows_accepted, 'taken', 0,
                'cents', l.amount_cents, 'rejected', l.rows_rejected, 'first_date', l.first_date,
                'last_date', l.last_date
            ),
            2
        where l.choices = '{}' and l.reading -> 'choices' is null and l.held_reason <> 'FOREIGN_CURRENCY'
        union all
        select 'withdraw', '{"says": "it is left out", "rows": 0, "added": 0, "taken": 0, "cents": 0}', 3
    ) as answers
) as c
where l.status = 'held';
comment on view ops.held_loads is 'What waits for a person, with each answer and what it would change. One row per held load and choice.';

create view ops.pipeline_loads as
select
    l.load_id, l.delivery_no, l.feed, l.source, l.delivered_name, l.holds,
    case
        when l.status = 'held' then 'HELD'
        when l.status = 'duplicate' then 'REPEAT'
        when l.status = 'failed' then 'FAILED'
        when l.status = 'withdrawn' then 'WITHDRAWN'
        when l.status in ('landing', 'landed') then 'WAITING'
        when l.rows_rejected > 0 then 'IN WITH REJECTS'
        else 'IN'
    end as verdict,
    l.status, l.mode, l.rows_delivered, l.rows_accepted, l.rows_rejected, l.rows_duplicate, l.amount_cents,
    coalesce(l.currency, (select value from ops.settings where name = 'currency')) as currency,
    l.first_date, l.last_date, l.held_reason, l.held_message, l.duplicate_of, l.first_seen_at, l.landed_at,
    l.first_seen_at::date as delivered_date,
    l.decided_at, l.decided_by, d.why as decided_why,
    coalesce(k.checks, 0) as checks, coalesce(k.checks_failed, 0) as checks_failed, k.warnings,
    l.status = 'approved' and p.load_id is not null as is_published
from raw.loads as l
left join lateral (
    select
        count(*) as checks,
        count(*) filter (where not g.passed) as checks_failed,
        string_agg(g.message, '; ' order by g.gate_result_id) filter (
            where not g.passed and g.severity = 'warn'
        ) as warnings
    from ops.gate_results as g
    where
        g.load_id = l.load_id
        and g.gate_run_id is not distinct from (select max(o.gate_run_id) from ops.gate_results as o where o.load_id = l.load_id)
) as k on true
left join lateral (
    select c.why from ops.changes as c where c.load_id = l.load_id order by c.change_id desc limit 1
) as d on true
left join ops.publication_loads as p
    on p.load_id = l.load_id and p.publication_id = (select max(publication_id) from ops.publications);
comment on view ops.pipeline_loads is 'Every delivery with its verdict, its checks, and who decided and why. One row per load.';
comment on column ops.pipeline_loads.is_published is 'It counts in what readers see now.';

create view ops.pipeline_checks as
select
    g.gate_run_id, g.load_id, l.feed, l.delivered_name, g.reason, g.expectation, g.column_name,
    g.observed, g.limit_value, g.severity, g.passed, g.message, g.checked_at
from ops.gate_results as g
inner join raw.loads as l on l.load_id = g.load_id;
comment on view ops.pipeline_checks is 'What each check of the arrival gate saw, and its limit. One row per gate run, load and check.';

create view ops.pipeline_rejects as
select
    r.load_id, l.feed, l.delivered_name, l.first_seen_at::date as delivered_date, r.reason, r.rows_rejected,
    r.examples[1] as example_1, r.examples[2] as example_2, r.examples[3] as example_3,
    'shopx rejects ' || r.load_id || ' --xlsx to_correct.xlsx' as command
from raw.loads as l
inner join lateral (
    select
        numbered.load_id, numbered.reason, max(numbered.place) as rows_rejected,
        array_agg(numbered.message order by numbered.place) filter (where numbered.place <= 3) as examples
    from (
        select
            x.load_id, said.reason, said.message,
            row_number() over (partition by said.reason order by x.line_number, x.sheet_row) as place
        from raw.rejected_rows as x
        -- one row may fail twice for one reason, in two of its columns
        cross join lateral (
            select distinct on (told.reason) told.reason, told.message
            from unnest(x.reasons, x.messages) as told (reason, message)
        ) as said
        where x.load_id = l.load_id
    ) as numbered
    group by numbered.load_id, numbered.reason
) as r on true
where l.rows_rejected > 0 and l.status <> 'withdrawn';
comment on view ops.pipeline_rejects is 'Refused rows by reason, with three of them. One row per load and reason; a row with two reasons counts in both.';

create view ops.pipeline_decisions as
select
    c.change_id, c.load_id, l.feed, l.delivered_name, c.kind, c.changed_by, c.why, c.changed_at,
    c.publication_id, c.publication_id is not null as is_published
from ops.changes as c
left join raw.loads as l on l.load_id = c.load_id;
comment on view ops.pipeline_decisions is 'Who let what count or took it out, when and why. One row per decision.';

create view ops.pipeline_reconciliation as
select
    r.build_id, b.publication_id, b.as_of, r.identity, r.scope,
    split_part(r.scope, ' ', 1) as scope_kind,
    case when r.scope like 'feed %' then substr(r.scope, 6) end as feed,
    case when r.scope like 'day ____-__-__%' then substr(r.scope, 5, 10)::date end as sale_date,
    r.expected_cents, r.actual_cents, r.difference_cents, r.difference_cents = 0 as agrees
from ops.reconciliation as r
inner join ops.builds as b on b.build_id = r.build_id
where r.build_id = (select max(build_id) from ops.reconciliation);
comment on view ops.pipeline_reconciliation is 'The sums that must agree, of the newest build that was audited: in total, by feed, and each day that differs. One row per identity and scope.';

create view ops.pipeline_builds as
select
    b.build_id, b.opened_at, b.closed_at, b.opened_by, b.as_of, b.status, b.is_whole, b.whole_because, b.publication_id,
    coalesce(a.checks, 0) as checks, coalesce(a.checks_failed, 0) as checks_failed, a.failures
from ops.builds as b
left join lateral (
    select
        count(*) as checks,
        count(*) filter (where not x.passed) as checks_failed,
        string_agg(coalesce(x.message, x.name), '; ' order by x.audit_result_id) filter (where not x.passed) as failures
    from ops.audit_results as x
    where x.build_id = b.build_id
) as a on true;
comment on view ops.pipeline_builds is 'Each attempt to publish, with what its audit found. One row per build.';

create view ops.pipeline_publications as
select
    p.publication_id, p.build_id, p.kind, p.published_at, p.as_of, p.complete_through, p.loads, p.held_loads,
    p.rejected_rows, p.rows_deleted, p.rows_inserted, b.opened_by,
    extract(epoch from p.published_at - b.opened_at)::float8 as seconds,
    p.publication_id = (select max(publication_id) from ops.publications) as is_current
from ops.publications as p
left join ops.builds as b on b.build_id = p.build_id;
comment on view ops.pipeline_publications is 'What readers were shown, and since when. One row per publication.';

create view ops.pipeline_alerts as
select alert_id, raised_at, kind, subject, message, resolved_at, resolved_at is null as is_open
from ops.alerts;
comment on view ops.pipeline_alerts is 'What needs, or needed, a person. One row per cause.';

drop view ops.pipeline_health;
create view ops.pipeline_health as
-- The feed clock is read in business days: how far the feed reaches, how far it usually goes with one delivery, and
-- whether other feeds are further than its next delivery would be.
with ends as (
    select
        feed, last_date,
        last_date - lag(last_date) over (partition by feed order by last_date) as gap_days,
        row_number() over (partition by feed order by last_date desc) as place
    from (
        select distinct feed, last_date from raw.loads
        where status = 'approved' and last_date is not null
    ) as days
),
rhythm as (
    select feed, percentile_disc(0.5) within group (order by gap_days) as usual_gap_days
    from ends
    where gap_days is not null and place <= 20
    group by feed
    having count(*) >= 3
),
feeds as (
    select
        l.feed,
        min(l.holds) as holds,
        count(*) filter (where l.status = 'approved') as loads_counting,
        count(*) filter (where l.status = 'held') as loads_held,
        count(*) filter (where l.status in ('landing', 'landed')) as loads_waiting,
        count(*) filter (where l.status = 'failed') as loads_failed,
        coalesce(sum(l.rows_delivered) filter (where l.status <> 'withdrawn'), 0)::bigint as rows_delivered,
        coalesce(sum(l.rows_rejected) filter (where l.status <> 'withdrawn'), 0)::bigint as rows_rejected,
        max(l.last_date) filter (where l.status = 'approved') as last_date,
        max(l.first_seen_at) as last_delivered_at,
        max(l.landed_at) as last_landed_at
    from raw.loads as l
    group by l.feed
)
select
    f.feed, f.holds, f.loads_counting, f.loads_held, f.loads_waiting, f.loads_failed, f.rows_delivered, f.rows_rejected,
    case when f.rows_delivered > 0 then f.rows_rejected::float8 / f.rows_delivered end as reject_share,
    f.last_date, f.last_delivered_at, f.last_landed_at, r.usual_gap_days,
    f.last_date + r.usual_gap_days as expected_date,
    coalesce(
        f.holds = 'sales' and f.last_date + r.usual_gap_days
        <= max(f.last_date) filter (where f.holds = 'sales') over (), false
    ) as is_behind,
    (select max(p.publication_id) from ops.publications as p) as publication_id,
    (select count(*) from ops.changes as c where c.publication_id is null) as changes_unpublished
from feeds as f
left join rhythm as r on r.feed = f.feed;
comment on view ops.pipeline_health is 'Live state and clock of each feed. One row per feed.';
comment on column ops.pipeline_health.usual_gap_days is 'Median days from the end of one delivery to the end of the next, of the last 20; null before the fourth.';
comment on column ops.pipeline_health.expected_date is 'The business day that the next delivery should reach.';
comment on column ops.pipeline_health.is_behind is 'Another feed of sales already reaches the day that this one''s next delivery should reach.';
