-- What statistics say about the facts, written between core and marts by analytics/ (as the transformer) and read by dbt
-- as sources. Each step replaces all of its rows, and writes its line into ops.model_builds in the same transaction.

create table core.revenue_forecast_series (
    series text not null check (series in ('shop', 'category', 'store')),
    series_key bigint not null,
    as_of date not null,
    whole_weeks bigint not null,
    why_missing text check (why_missing in ('too_little_history', 'no_recent_sales')),
    method text,
    baseline_method text,
    wape_pct numeric(18, 1),
    baseline_wape_pct numeric(18, 1),
    bias_pct numeric(18, 1),
    mase numeric(18, 2),
    coverage_pct numeric(18, 1),
    backtests bigint,
    primary key (series, series_key),
    check ((method is null) = (why_missing is not null))
);
comment on table core.revenue_forecast_series is 'How each series of weekly net sales is forecast, and how the method did in the back-test. One row per series (shop, category or store).';

create table core.revenue_forecast_weeks (
    series text not null,
    series_key bigint not null,
    week_start_date date not null,
    weeks_ahead smallint not null,
    estimate_cents bigint,
    low_cents bigint,
    high_cents bigint,
    primary key (series, series_key, week_start_date),
    check (low_cents <= estimate_cents and estimate_cents <= high_cents)
);
comment on table core.revenue_forecast_weeks is 'Estimated net sales of the 8 weeks after as_of, with their 80 % band; null where there is no forecast. One row per series and week.';

create table core.sales_anomaly_flags (
    sale_date date not null,
    subject text not null check (subject in ('shop', 'category', 'order')),
    subject_key bigint not null,
    as_of date not null,
    direction text not null check (direction in ('high', 'low')),
    seen_cents bigint not null,
    expected_cents bigint,
    low_cents bigint,
    high_cents bigint,
    score numeric(18, 2) not null,
    reason text not null,
    cause text not null,
    cause_detail text not null,
    load_id bigint,
    primary key (sale_date, subject, subject_key)
);
comment on table core.sales_anomaly_flags is 'Days, days of a category and orders that were far from the usual, with the reason. One row per day and subject.';
