-- How far months, weekdays and hours stand from the usual 100. Months by the ratio to the centred moving average of 12
-- months (classical decomposition: Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., 3.4), so
-- that steady growth is no season; weekdays and hours over the last 52 whole weeks. A day without sales counts as 0.
with

build as (

    select as_of
    from {{ ref('stg_build') }}

),

sales_by_place as (

    select
        sale_date,
        orders,
        net_sales_cents
    from {{ ref('agg_orders_daily') }}

),

sales_by_hour as (

    select
        sale_date,
        sale_hour,
        orders,
        net_sales_cents
    from {{ ref('agg_sales_hourly') }}
    where sale_hour >= 0

),

calendar as (

    select
        date_day,
        day_of_week,
        month_start_date
    from {{ ref('dim_dates') }}

),

sales_by_day as (

    select
        sale_date,
        sum(orders) as orders,
        sum(net_sales_cents) as net_sales_cents
    from sales_by_place
    where sale_date <= (select build.as_of from build)
    group by sale_date

),

history as (

    select
        build.as_of,
        (date_trunc('month', min(sales_by_day.sale_date) - 1) + interval '1 month')::date as first_whole_month,
        date_trunc('month', build.as_of + 1)::date as after_last_whole_month,
        least(floor((build.as_of + 1 - min(sales_by_day.sale_date))::numeric / 7), 52)::integer as whole_weeks
    from build
    left join sales_by_day on true
    group by build.as_of

),

-- one row per calendar day since the first sale, closed days included
days as (

    select
        calendar.date_day,
        calendar.day_of_week,
        calendar.month_start_date,
        coalesce(sales_by_day.orders, 0) as orders,
        coalesce(sales_by_day.net_sales_cents, 0) as net_sales_cents
    from calendar
    left join sales_by_day on calendar.date_day = sales_by_day.sale_date

),

slots as (

    select
        'month' as season,
        slot::smallint as slot,
        to_char(make_date(2000, slot, 1), 'FMMonth') as slot_name
    from generate_series(1, 12) as slot

    union all

    -- 3 January 2000 was a Monday
    select
        'weekday' as season,
        slot::smallint as slot,
        to_char(date '2000-01-02' + slot, 'FMDay') as slot_name
    from generate_series(1, 7) as slot

    union all

    select
        'hour' as season,
        slot::smallint as slot,
        to_char(slot, 'FM00') || ':00' as slot_name
    from generate_series(0, 23) as slot

),

months as (

    select
        days.month_start_date,
        extract(month from days.month_start_date)::smallint as slot,
        avg(days.net_sales_cents) as net_sales_cents,
        avg(days.orders) as orders
    from days
    inner join history
        on
            days.month_start_date >= history.first_whole_month
            and days.month_start_date < history.after_last_whole_month
    group by days.month_start_date

),

-- the average of the 12 months around it: half of the month 6 before and of the month 6 after, the 11 between whole
trends as (

    select
        month_start_date,
        slot,
        net_sales_cents,
        orders,
        (
            avg(net_sales_cents) over (order by month_start_date rows between 6 preceding and 5 following)
            + avg(net_sales_cents) over (order by month_start_date rows between 5 preceding and 6 following)
        ) / 2 as net_sales_trend,
        (
            avg(orders) over (order by month_start_date rows between 6 preceding and 5 following)
            + avg(orders) over (order by month_start_date rows between 5 preceding and 6 following)
        ) / 2 as orders_trend,
        row_number() over (order by month_start_date) as month_number,
        count(*) over () as month_count
    from months

),

month_ratios as (

    select
        slot,
        avg(net_sales_cents / nullif(greatest(net_sales_trend, 0), 0)) as net_sales_ratio,
        avg(orders / nullif(orders_trend, 0)) as orders_ratio,
        avg(net_sales_cents) as net_sales_cents,
        count(*) as observations
    from trends
    where month_number > 6 and month_number <= month_count - 6
    group by slot

),

by_month as (

    select
        'month' as season,
        slot,
        100 * net_sales_ratio / nullif(greatest(avg(net_sales_ratio) over (), 0), 0) as net_sales_index,
        100 * orders_ratio / nullif(avg(orders_ratio) over (), 0) as orders_index,
        net_sales_cents,
        observations,
        count(*) over () = 12 as is_enough
    from month_ratios

),

weekdays as (

    select
        days.day_of_week as slot,
        avg(days.net_sales_cents) as net_sales_cents,
        avg(days.orders) as orders,
        count(*) as observations
    from days
    inner join history
        on
            days.date_day > history.as_of - 7 * history.whole_weeks
            and days.date_day <= history.as_of
    group by days.day_of_week

),

by_weekday as (

    select
        'weekday' as season,
        slot,
        100 * net_sales_cents / nullif(greatest(avg(net_sales_cents) over (), 0), 0) as net_sales_index,
        100 * orders / nullif(avg(orders) over (), 0) as orders_index,
        net_sales_cents,
        observations,
        observations >= {{ var('seasonality_min_weeks') }} as is_enough
    from weekdays

),

hours as (

    select
        sales_by_hour.sale_hour as slot,
        sum(sales_by_hour.net_sales_cents) as net_sales_cents,
        sum(sales_by_hour.orders) as orders
    from sales_by_hour
    inner join history
        on
            sales_by_hour.sale_date > history.as_of - 364
            and sales_by_hour.sale_date <= history.as_of
    group by sales_by_hour.sale_hour

),

timed_days as (

    select count(distinct sales_by_hour.sale_date) as observations
    from sales_by_hour
    inner join history
        on
            sales_by_hour.sale_date > history.as_of - 364
            and sales_by_hour.sale_date <= history.as_of

),

by_hour as (

    select
        'hour' as season,
        slots.slot,
        100 * hours.net_sales_cents / nullif(greatest(avg(hours.net_sales_cents) over (), 0), 0) as net_sales_index,
        100 * hours.orders / nullif(avg(hours.orders) over (), 0) as orders_index,
        hours.net_sales_cents / nullif(timed_days.observations, 0) as net_sales_cents,
        timed_days.observations,
        timed_days.observations >= {{ var('seasonality_min_timed_days') }} as is_enough
    from slots
    left join hours on slots.slot = hours.slot
    cross join timed_days
    where slots.season = 'hour'

),

measured as (

    select * from by_month

    union all

    select * from by_weekday

    union all

    select * from by_hour

),

seasonality as (

    select
        slots.season,
        slots.slot,
        slots.slot_name,
        case when measured.is_enough then (round(measured.net_sales_index, 1))::numeric(18, 1) end as net_sales_index,
        case when measured.is_enough then (round(measured.orders_index, 1))::numeric(18, 1) end as orders_index,
        (round(measured.net_sales_cents))::bigint as average_net_sales_cents,
        coalesce(measured.observations, 0) as observations,
        case
            when measured.is_enough and measured.net_sales_index is null then 'no_sales'
            when measured.is_enough then null
            when slots.season = 'hour' and measured.observations = 0 then 'no_times_delivered'
            else 'too_little_history'
        end as why_missing
    from slots
    left join measured
        on
            slots.season = measured.season
            and slots.slot = measured.slot

)

select
    season,
    slot,
    slot_name,
    net_sales_index,
    orders_index,
    average_net_sales_cents,
    observations,
    why_missing
from seasonality
