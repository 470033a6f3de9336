-- Each period by sales representative. Commission is a share of net sales, so what comes back takes it back, at the
-- rate that held on the day. Sales without a representative are a row without a rank, so that all rows add up.
with

periods as (

    select
        period,
        period_name,
        period_number,
        first_date,
        last_date,
        has_previous
    from {{ ref('dim_periods') }}

),

spans as (

    select
        period,
        span,
        first_date,
        last_date
    from {{ ref('dim_period_spans') }}
    where span <> 'year_before'

),

reps as (

    select
        sales_rep_key,
        sales_rep_name,
        region
    from {{ ref('dim_sales_reps') }}

),

rates as (

    select
        sales_rep_key,
        valid_from_date,
        valid_to_date,
        commission_rate
    from {{ ref('dim_sales_rep_rates') }}

),

days as (

    select
        sales.sale_date,
        sales.sales_rep_key,
        sales.orders,
        sales.units,
        sales.gross_sales_cents,
        sales.discounts_cents,
        sales.returns_cents,
        sales.net_sales_cents,
        sales.lines_with_cost,
        sales.cost_cents,
        sales.net_sales_with_cost_cents,
        (round(sales.net_sales_cents * rates.commission_rate))::bigint as commission_cents,
        case when rates.commission_rate is not null then sales.net_sales_cents else 0 end as net_sales_with_rate_cents
    from {{ ref('agg_sales_reps_daily') }} as sales
    left join rates
        on
            sales.sales_rep_key = rates.sales_rep_key
            and sales.sale_date >= rates.valid_from_date
            and sales.sale_date <= coalesce(rates.valid_to_date, sales.sale_date)

),

sums as (

    select
        spans.period,
        days.sales_rep_key,
        {{ added_up([
            'orders', 'units', 'gross_sales_cents', 'discounts_cents', 'returns_cents', 'net_sales_cents',
            'lines_with_cost', 'cost_cents', 'net_sales_with_cost_cents', 'net_sales_with_rate_cents'
        ], span='this') }},
        (sum(days.commission_cents) filter (where spans.span = 'this'))::bigint as commission_cents,
        {{ added_up(['orders', 'net_sales_cents'], span='previous', prefix='previous_') }}
    from spans
    inner join days on days.sale_date between spans.first_date and spans.last_date
    group by
        spans.period,
        days.sales_rep_key

),

measured as (

    select
        sums.period,
        sums.sales_rep_key,
        reps.sales_rep_name,
        reps.region,
        sums.sales_rep_key <> {{ unknown_key() }} as is_ranked,
        periods.period_name,
        periods.period_number,
        periods.first_date,
        periods.last_date,
        sums.orders,
        sums.units,
        sums.gross_sales_cents,
        sums.discounts_cents,
        sums.returns_cents,
        sums.net_sales_cents,
        sums.net_sales_with_cost_cents,
        {{ average_order_value_cents('sums.gross_sales_cents', 'sums.discounts_cents', 'sums.orders') }}
            as average_order_value_cents,
        {{ gross_profit_cents('sums.') }} as gross_profit_cents,
        sums.net_sales_with_rate_cents,
        sums.commission_cents,
        case when periods.has_previous then sums.previous_orders end as previous_orders,
        case when periods.has_previous then sums.previous_net_sales_cents end as previous_net_sales_cents
    from sums
    inner join periods on sums.period = periods.period
    inner join reps on sums.sales_rep_key = reps.sales_rep_key

),

sales_rep_performance as (

    select
        period,
        sales_rep_key,
        sales_rep_name,
        region,
        period_name,
        period_number,
        first_date,
        last_date,
        case
            when is_ranked
                then (row_number() over (
                    partition by period, is_ranked
                    order by net_sales_cents desc, gross_sales_cents desc, sales_rep_name asc, sales_rep_key asc
                ))::integer
        end as sales_rank,
        (count(*) filter (where is_ranked) over (partition by period))::integer as peers,
        (round(avg(net_sales_cents) filter (where is_ranked) over (partition by period)))::bigint
            as peer_average_net_sales_cents,
        orders,
        units,
        gross_sales_cents,
        discounts_cents,
        returns_cents,
        net_sales_cents,
        {{ percent_of('net_sales_cents', 'sum(net_sales_cents) over (partition by period)') }} as net_sales_share_pct,
        average_order_value_cents,
        net_sales_with_cost_cents,
        gross_profit_cents,
        {{ percent_of('gross_profit_cents', 'net_sales_with_cost_cents') }} as gross_margin_pct,
        net_sales_with_rate_cents,
        commission_cents,
        previous_net_sales_cents,
        net_sales_cents - previous_net_sales_cents as net_sales_change_cents,
        {{ change_pct('net_sales_cents', 'previous_net_sales_cents', 'previous_orders') }} as net_sales_change_pct,
        {{ why_no_percent('previous_net_sales_cents', 'previous_orders') }} as why_no_change_pct
    from measured

)

select
    period,
    sales_rep_key,
    sales_rep_name,
    region,
    period_name,
    period_number,
    first_date,
    last_date,
    sales_rank,
    peers,
    peer_average_net_sales_cents,
    orders,
    units,
    gross_sales_cents,
    discounts_cents,
    returns_cents,
    net_sales_cents,
    net_sales_share_pct,
    average_order_value_cents,
    net_sales_with_cost_cents,
    gross_profit_cents,
    gross_margin_pct,
    net_sales_with_rate_cents,
    commission_cents,
    previous_net_sales_cents,
    net_sales_change_cents,
    net_sales_change_pct,
    why_no_change_pct
from sales_rep_performance
