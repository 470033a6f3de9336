-- The month is that of the line: a return stands in the month in which it came back.
{{ config(post_hook="{{ analyze() }}") }}

with

lines as (

    select
        order_customer_key,
        sale_date,
        order_flag,
        net_cents
    from {{ ref('fct_order_lines') }}
    where
        counts_as_revenue
        and order_customer_key <> {{ unknown_key() }}

),

agg_customers_monthly as (

    select
        date_trunc('month', sale_date)::date as sale_month,
        order_customer_key as customer_key,
        count(*) as line_count,
        sum(order_flag)::bigint as orders,
        sum(net_cents)::bigint as net_sales_cents
    from lines
    group by
        date_trunc('month', sale_date)::date,
        order_customer_key

)

select
    sale_month,
    customer_key,
    line_count,
    orders,
    net_sales_cents
from agg_customers_monthly
