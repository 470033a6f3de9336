-- Estimates come from analytics/ (docs/decisions/0061-revenue-forecast.md); here they get names and words. Every
-- series has its 8 weeks, without figures where there is no ground for any.
with

series as (

    select
        series,
        series_key,
        as_of,
        whole_weeks,
        why_missing,
        method,
        baseline_method,
        wape_pct,
        baseline_wape_pct,
        bias_pct,
        mase,
        coverage_pct,
        backtests
    from {{ source('analytics', 'revenue_forecast_series') }}

),

weeks as (

    select
        series,
        series_key,
        week_start_date,
        weeks_ahead,
        estimate_cents,
        low_cents,
        high_cents
    from {{ source('analytics', 'revenue_forecast_weeks') }}

),

categories as (

    select
        category_key,
        category
    from {{ ref('dim_categories') }}

),

stores as (

    select
        store_key,
        store_name
    from {{ ref('dim_stores') }}

),

words as (

    select
        'last_week' as baseline_method,
        'repeating the last week' as baseline

    union all

    select
        'same_week_last_year' as baseline_method,
        'repeating last year' as baseline

),

revenue_forecast as (

    select
        weeks.series,
        weeks.series_key,
        case weeks.series
            when 'shop' then 'The shop'
            when 'category' then coalesce(categories.category, 'Without a category')
            when 'store' then coalesce(stores.store_name, 'Without a store')
        end as series_name,
        weeks.week_start_date,
        weeks.week_start_date + 6 as week_end_date,
        weeks.weeks_ahead,
        weeks.estimate_cents,
        weeks.low_cents,
        weeks.high_cents,
        series.method,
        series.wape_pct,
        series.bias_pct,
        series.mase,
        series.baseline_method,
        series.baseline_wape_pct,
        series.coverage_pct,
        series.backtests,
        series.whole_weeks,
        series.why_missing,
        case
            when series.why_missing = 'too_little_history'
                then format(
                    'No estimate: %s whole weeks of sales are known, and it takes {{ var('forecast_min_weeks') }}.',
                    series.whole_weeks
                )
            when series.why_missing = 'no_recent_sales'
                then 'No estimate: nothing was sold in the last 8 whole weeks.'
            when series.method = series.baseline_method
                then format(
                    'Estimate, %s: nothing did better. Over %s weeks of the past it would have missed by '
                    '%s %% on average.',
                    words.baseline,
                    series.backtests,
                    series.wape_pct
                )
            else
                format(
                    'Estimate. Over %s weeks of the past it would have missed by %s %% on average, %s by %s %%.',
                    series.backtests,
                    series.wape_pct,
                    words.baseline,
                    series.baseline_wape_pct
                )
        end as explanation,
        series.as_of
    from weeks
    inner join series
        on
            weeks.series = series.series
            and weeks.series_key = series.series_key
    left join words on series.baseline_method = words.baseline_method
    left join categories
        on
            weeks.series = 'category'
            and weeks.series_key = categories.category_key
    left join stores
        on
            weeks.series = 'store'
            and weeks.series_key = stores.store_key

)

select
    series,
    series_key,
    series_name,
    week_start_date,
    week_end_date,
    weeks_ahead,
    estimate_cents,
    low_cents,
    high_cents,
    method,
    wape_pct,
    bias_pct,
    mase,
    baseline_method,
    baseline_wape_pct,
    coverage_pct,
    backtests,
    whole_weeks,
    why_missing,
    explanation,
    as_of
from revenue_forecast
