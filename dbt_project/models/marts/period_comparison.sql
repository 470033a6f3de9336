-- Each period against the equal one before and against the same weekdays a year before. Percentages only where the
-- base carries them, day counts always; why net sales changed is told in cents that add up to the change.
with

periods as (

    select
        period,
        period_name,
        period_number
    from {{ ref('dim_periods') }}

),

spans as (

    select
        period,
        span,
        first_date,
        last_date,
        span_days,
        is_covered
    from {{ ref('dim_period_spans') }}

),

days as (

    select
        sale_date,
        {{ added_up([
            'orders', 'units', 'gross_sales_cents', 'discounts_cents', 'returns_cents', 'net_sales_cents',
            'lines_with_cost', 'cost_cents', 'net_sales_with_cost_cents'
        ]) }}
    from {{ ref('agg_orders_daily') }}
    group by sale_date

),

sums as (

    select
        spans.period,
        spans.span,
        spans.first_date,
        spans.last_date,
        spans.span_days,
        spans.is_covered,
        {{ added_up([
            'orders', 'units', 'gross_sales_cents', 'discounts_cents', 'returns_cents', 'net_sales_cents',
            'lines_with_cost', 'cost_cents', 'net_sales_with_cost_cents'
        ]) }}
    from spans
    left join days on days.sale_date between spans.first_date and spans.last_date
    group by
        spans.period,
        spans.span,
        spans.first_date,
        spans.last_date,
        spans.span_days,
        spans.is_covered

),

measured as (

    select
        period,
        span,
        first_date,
        last_date,
        span_days,
        is_covered,
        orders,
        units,
        gross_sales_cents + discounts_cents as sold_cents,
        returns_cents,
        net_sales_cents,
        {{ average_order_value_cents('gross_sales_cents', 'discounts_cents', 'orders') }}
            as average_order_value_cents,
        {{ gross_profit_cents() }} as gross_profit_cents
    from sums

),

paired as (

    select
        this.period,
        base.span as compared_with,
        periods.period_name,
        periods.period_number,
        this.first_date,
        this.last_date,
        this.span_days as period_days,
        base.first_date as base_first_date,
        base.last_date as base_last_date,
        base.span_days as base_days,
        case
            when not base.is_covered then 'history_too_short'
            when this.span_days <> base.span_days then 'other_number_of_days'
            when this.span_days % 7 <> 0 and (this.first_date - base.first_date) % 7 <> 0 then 'other_weekdays'
        end as caution,
        this.orders,
        this.units,
        this.sold_cents,
        this.returns_cents,
        this.net_sales_cents,
        this.average_order_value_cents,
        this.gross_profit_cents,
        case when base.is_covered then base.orders end as base_orders,
        case when base.is_covered then base.units end as base_units,
        case when base.is_covered then base.sold_cents end as base_sold_cents,
        case when base.is_covered then base.returns_cents end as base_returns_cents,
        case when base.is_covered then base.net_sales_cents end as base_net_sales_cents,
        case when base.is_covered then base.average_order_value_cents end as base_average_order_value_cents,
        case when base.is_covered then base.gross_profit_cents end as base_gross_profit_cents
    from measured as this
    inner join measured as base
        on
            this.period = base.period
            and this.span = 'this'
            and base.span <> 'this'
    inner join periods on this.period = periods.period

),

explained as (

    select
        *,
        -- so many orders more or fewer, at what an order brought before; the rest of what was sold is their value
        (round((orders - base_orders)::numeric * base_sold_cents / nullif(base_orders, 0)))::bigint
            as change_by_orders_cents,
        returns_cents - base_returns_cents as change_by_returns_cents
    from paired

),

period_comparison as (

    select
        period,
        compared_with,
        period_name,
        period_number,
        first_date,
        last_date,
        period_days,
        base_first_date,
        base_last_date,
        base_days,
        caution,
        orders,
        base_orders,
        orders - base_orders as orders_change,
        {{ change_pct('orders', 'base_orders', 'base_orders') }} as orders_change_pct,
        units,
        base_units,
        net_sales_cents,
        base_net_sales_cents,
        net_sales_cents - base_net_sales_cents as net_sales_change_cents,
        {{ change_pct('net_sales_cents', 'base_net_sales_cents', 'base_orders') }} as net_sales_change_pct,
        {{ why_no_percent('base_net_sales_cents', 'base_orders') }} as why_no_net_sales_pct,
        change_by_orders_cents,
        sold_cents - base_sold_cents - change_by_orders_cents as change_by_order_value_cents,
        change_by_returns_cents,
        average_order_value_cents,
        base_average_order_value_cents,
        average_order_value_cents - base_average_order_value_cents as average_order_value_change_cents,
        {{ change_pct('average_order_value_cents', 'base_average_order_value_cents', 'base_orders') }}
            as average_order_value_change_pct,
        returns_cents,
        base_returns_cents,
        gross_profit_cents,
        base_gross_profit_cents,
        gross_profit_cents - base_gross_profit_cents as gross_profit_change_cents,
        {{ change_pct('gross_profit_cents', 'base_gross_profit_cents', 'base_orders') }} as gross_profit_change_pct
    from explained

)

select
    period,
    compared_with,
    period_name,
    period_number,
    first_date,
    last_date,
    period_days,
    base_first_date,
    base_last_date,
    base_days,
    caution,
    orders,
    base_orders,
    orders_change,
    orders_change_pct,
    units,
    base_units,
    net_sales_cents,
    base_net_sales_cents,
    net_sales_change_cents,
    net_sales_change_pct,
    why_no_net_sales_pct,
    change_by_orders_cents,
    change_by_order_value_cents,
    change_by_returns_cents,
    average_order_value_cents,
    base_average_order_value_cents,
    average_order_value_change_cents,
    average_order_value_change_pct,
    returns_cents,
    base_returns_cents,
    gross_profit_cents,
    base_gross_profit_cents,
    gross_profit_change_cents,
    gross_profit_change_pct
from period_comparison
