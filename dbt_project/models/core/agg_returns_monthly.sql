-- What came back, by the month it came back and the month it had been sold where the data says so.
{{ config(post_hook=["{{ grain_key(['sale_month', 'order_month']) }}", "{{ analyze() }}"]) }}

with

returns as (

    select
        sale_date,
        returned_order_key,
        quantity,
        net_cents
    from {{ ref('fct_order_lines') }}
    where
        counts_as_revenue
        and line_type = 'return'

),

orders as (

    select
        order_key,
        order_date
    from {{ ref('fct_orders') }}

),

agg_returns_monthly as (

    select
        date_trunc('month', returns.sale_date)::date as sale_month,
        date_trunc('month', orders.order_date)::date as order_month,
        count(*) as line_count,
        (-sum(returns.quantity))::numeric(18, 3) as units_returned,
        (sum(returns.net_cents))::bigint as returns_cents
    from returns
    left join orders on returns.returned_order_key = orders.order_key
    group by
        date_trunc('month', returns.sale_date),
        date_trunc('month', orders.order_date)

)

select
    sale_month,
    order_month,
    line_count,
    units_returned,
    returns_cents
from agg_returns_monthly
