-- The periods that every dashboard offers, seen from as_of, and the days each is compared with. Both ends are
-- inclusive. `last_…` is the last complete one; `…_to_date` ends on as_of and is compared with as many days of the one
-- before. The year before starts 364 days earlier, on the same weekdays; a period longer than that is compared with
-- the one before it. What starts before the first sale is no base: comparing with it would mislead.
with

build as (

    select as_of
    from {{ ref('stg_build') }}

),

history as (

    select min(sale_date) as first_sale_date
    from {{ ref('agg_orders_daily') }}

),

-- seen from the day after as_of, which is "today": a month that has just ended is the last month
seen as (

    select
        build.as_of,
        history.first_sale_date,
        date_trunc('week', build.as_of)::date as week_start,
        date_trunc('month', build.as_of)::date as month_start,
        date_trunc('quarter', build.as_of)::date as quarter_start,
        date_trunc('year', build.as_of)::date as year_start,
        build.as_of + 1 as today,
        date_trunc('week', build.as_of + 1)::date as this_week,
        date_trunc('month', build.as_of + 1)::date as this_month,
        date_trunc('quarter', build.as_of + 1)::date as this_quarter,
        date_trunc('year', build.as_of + 1)::date as this_year
    from build
    cross join history

),

periods as (

    select
        periods.period,
        periods.period_name,
        periods.period_number::smallint as period_number,
        periods.first_date,
        periods.last_date,
        periods.previous_first_date,
        least(periods.previous_last_date, periods.first_date - 1) as previous_last_date
    from seen
    cross join
        lateral (
            values
            (1, 'yesterday', 'Last day', seen.as_of, seen.as_of, seen.as_of - 1, seen.as_of - 1),
            (2, 'last_7_days', 'Last 7 days', seen.as_of - 6, seen.as_of, seen.as_of - 13, seen.as_of - 7),
            (3, 'last_28_days', 'Last 28 days', seen.as_of - 27, seen.as_of, seen.as_of - 55, seen.as_of - 28),
            (4, 'last_91_days', 'Last 91 days', seen.as_of - 90, seen.as_of, seen.as_of - 181, seen.as_of - 91),
            (5, 'week_to_date', 'Week to date', seen.week_start, seen.as_of, seen.week_start - 7, seen.as_of - 7),
            (
                6, 'month_to_date', 'Month to date', seen.month_start, seen.as_of,
                {{ months_before('seen.month_start', 1) }},
                {{ months_before('seen.month_start', 1) }} + (seen.as_of - seen.month_start)
            ),
            (
                7, 'quarter_to_date', 'Quarter to date', seen.quarter_start, seen.as_of,
                {{ months_before('seen.quarter_start', 3) }},
                {{ months_before('seen.quarter_start', 3) }} + (seen.as_of - seen.quarter_start)
            ),
            (
                8, 'year_to_date', 'Year to date', seen.year_start, seen.as_of,
                {{ months_before('seen.year_start', 12) }},
                {{ months_before('seen.year_start', 12) }} + (seen.as_of - seen.year_start)
            ),
            (
                9, 'last_week', 'Last week', seen.this_week - 7, seen.this_week - 1,
                seen.this_week - 14, seen.this_week - 8
            ),
            (
                10, 'last_month', 'Last month', {{ months_before('seen.this_month', 1) }}, seen.this_month - 1,
                {{ months_before('seen.this_month', 2) }}, {{ months_before('seen.this_month', 1) }} - 1
            ),
            (
                11, 'last_quarter', 'Last quarter', {{ months_before('seen.this_quarter', 3) }}, seen.this_quarter - 1,
                {{ months_before('seen.this_quarter', 6) }}, {{ months_before('seen.this_quarter', 3) }} - 1
            ),
            (
                12, 'last_year', 'Last year', {{ months_before('seen.this_year', 12) }}, seen.this_year - 1,
                {{ months_before('seen.this_year', 24) }}, {{ months_before('seen.this_year', 12) }} - 1
            ),
            (
                13, 'last_12_months', 'Last 12 months', {{ months_before('seen.today', 12) }}, seen.as_of,
                {{ months_before('seen.today', 24) }}, {{ months_before('seen.today', 12) }} - 1
            ),
            (14, 'all_time', 'All time', seen.first_sale_date, seen.as_of, null, null)
        )
            as periods (
                period_number, period, period_name, first_date, last_date, previous_first_date, previous_last_date
            )
    where periods.first_date <= periods.last_date

),

bases as (

    select
        period,
        previous_first_date,
        previous_last_date,
        case when last_date - first_date < 364 then first_date - 364 else previous_first_date end
            as year_before_first_date,
        case when last_date - first_date < 364 then last_date - 364 else previous_last_date end
            as year_before_last_date
    from periods
    where period <> 'all_time'

),

dim_periods as (

    select
        periods.period,
        periods.period_name,
        periods.period_number,
        periods.first_date,
        periods.last_date,
        periods.last_date - periods.first_date + 1 as period_days,
        coalesce(periods.first_date >= history.first_sale_date, false) as is_covered,
        bases.previous_first_date,
        bases.previous_last_date,
        coalesce(bases.previous_first_date >= history.first_sale_date, false) as has_previous,
        bases.year_before_first_date,
        bases.year_before_last_date,
        coalesce(bases.year_before_first_date >= history.first_sale_date, false) as has_year_before
    from periods
    left join bases on periods.period = bases.period
    cross join history

)

select
    period,
    period_name,
    period_number,
    first_date,
    last_date,
    period_days,
    is_covered,
    previous_first_date,
    previous_last_date,
    has_previous,
    year_before_first_date,
    year_before_last_date,
    has_year_before
from dim_periods
