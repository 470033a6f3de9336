-- Each period by region, country, store and channel, best first. Levels are different cuts of the same sales: never
-- add up rows of two levels. What names no region is a row of its own, so that each level adds up to the period.
{{ config(post_hook="{{ grain_key(['period', 'level', 'store_key', 'member']) }}") }}

with

periods as (

    select
        period,
        period_name,
        period_number,
        first_date,
        last_date,
        has_previous,
        has_year_before
    from {{ ref('dim_periods') }}

),

spans as (

    select
        period,
        span,
        first_date,
        last_date
    from {{ ref('dim_period_spans') }}

),

places as (

    select
        place_key,
        store_key,
        store_name,
        region,
        country,
        channel
    from {{ ref('dim_places') }}

),

days as (

    select
        sale_date,
        place_key,
        orders,
        units,
        gross_sales_cents,
        discounts_cents,
        returns_cents,
        net_sales_cents,
        lines_with_cost,
        cost_cents,
        net_sales_with_cost_cents
    from {{ ref('agg_orders_daily') }}

),

sales_by_place as (

    select
        spans.period,
        spans.span,
        days.place_key,
        {{ added_up([
            'orders', 'units', 'gross_sales_cents', 'discounts_cents', 'returns_cents', 'net_sales_cents',
            'lines_with_cost', 'cost_cents', 'net_sales_with_cost_cents'
        ]) }}
    from spans
    inner join days on days.sale_date between spans.first_date and spans.last_date
    group by
        spans.period,
        spans.span,
        days.place_key

),

sales_by_member as (

    select
        sales_by_place.period,
        levels.level,
        levels.store_key,
        levels.member,
        {{ added_up([
            'orders', 'units', 'gross_sales_cents', 'discounts_cents', 'returns_cents', 'net_sales_cents',
            'lines_with_cost', 'cost_cents', 'net_sales_with_cost_cents'
        ], span='this') }},
        {{ added_up(['orders', 'net_sales_cents'], span='previous', prefix='previous_') }},
        {{ added_up(['orders', 'net_sales_cents'], span='year_before', prefix='year_before_') }}
    from sales_by_place
    inner join places on sales_by_place.place_key = places.place_key
    cross join
        lateral (
            values
            ('region', null, places.region),
            ('country', null, places.country),
            ('store', places.store_key, places.store_name),
            ('channel', null, places.channel)
        ) as levels (level, store_key, member)
    group by
        sales_by_place.period,
        levels.level,
        levels.store_key,
        levels.member

),

compared as (

    select
        periods.period,
        sales_by_member.level,
        sales_by_member.store_key,
        sales_by_member.member,
        periods.period_name,
        periods.period_number,
        periods.first_date,
        periods.last_date,
        sales_by_member.orders,
        sales_by_member.units,
        sales_by_member.gross_sales_cents,
        sales_by_member.discounts_cents,
        sales_by_member.returns_cents,
        sales_by_member.net_sales_cents,
        {{ average_order_value_cents(
            'sales_by_member.gross_sales_cents', 'sales_by_member.discounts_cents', 'sales_by_member.orders'
        ) }} as average_order_value_cents,
        sales_by_member.cost_cents,
        sales_by_member.net_sales_with_cost_cents,
        {{ gross_profit_cents('sales_by_member.') }}
            as gross_profit_cents,
        case when periods.has_previous then sales_by_member.previous_orders end as previous_orders,
        case when periods.has_previous then sales_by_member.previous_net_sales_cents end
            as previous_net_sales_cents,
        case when periods.has_year_before then sales_by_member.year_before_orders end as year_before_orders,
        case when periods.has_year_before then sales_by_member.year_before_net_sales_cents end
            as year_before_net_sales_cents
    from sales_by_member
    inner join periods on sales_by_member.period = periods.period

),

regional_performance as (

    select
        period,
        level,
        store_key,
        member,
        period_name,
        period_number,
        first_date,
        last_date,
        (row_number() over (
            partition by period, level
            order by net_sales_cents desc, gross_sales_cents desc, member asc, store_key asc
        ))::integer as sales_rank,
        orders,
        units,
        gross_sales_cents,
        discounts_cents,
        returns_cents,
        net_sales_cents,
        {{ percent_of('net_sales_cents', 'sum(net_sales_cents) over (partition by period, level)') }}
            as net_sales_share_pct,
        average_order_value_cents,
        cost_cents,
        net_sales_with_cost_cents,
        gross_profit_cents,
        {{ percent_of('gross_profit_cents', 'net_sales_with_cost_cents') }} as gross_margin_pct,
        previous_orders,
        previous_net_sales_cents,
        net_sales_cents - previous_net_sales_cents as net_sales_change_cents,
        {{ change_pct('net_sales_cents', 'previous_net_sales_cents', 'previous_orders') }} as net_sales_change_pct,
        {{ why_no_percent('previous_net_sales_cents', 'previous_orders') }} as why_no_change_pct,
        year_before_net_sales_cents,
        {{ change_pct('net_sales_cents', 'year_before_net_sales_cents', 'year_before_orders') }}
            as net_sales_year_change_pct
    from compared

)

select
    period,
    level,
    store_key,
    member,
    period_name,
    period_number,
    first_date,
    last_date,
    sales_rank,
    orders,
    units,
    gross_sales_cents,
    discounts_cents,
    returns_cents,
    net_sales_cents,
    net_sales_share_pct,
    average_order_value_cents,
    cost_cents,
    net_sales_with_cost_cents,
    gross_profit_cents,
    gross_margin_pct,
    previous_orders,
    previous_net_sales_cents,
    net_sales_change_cents,
    net_sales_change_pct,
    why_no_change_pct,
    year_before_net_sales_cents,
    net_sales_year_change_pct
from regional_performance
