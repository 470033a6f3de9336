-- The month is that of the line: a return stands in the month in which it came back.
{{ config(
    materialized="incremental",
    incremental_strategy="additive",
    unique_key=["sale_month", "customer_key"],
    post_hook="{{ analyze() }}",
) }}

with

lines as (

    select
        sign,
        order_customer_key,
        sale_date,
        order_flag,
        net_cents
    from {{ changed_lines() }}
    where
        counts_as_revenue
        and order_customer_key <> {{ unknown_key() }}

),

agg_customers_monthly as (

    select
        date_trunc('month', sale_date)::date as sale_month,
        order_customer_key as customer_key,
        {{ sum_of_lines() }} as line_count,
        {{ sum_of_lines('order_flag') }} as orders,
        {{ sum_of_lines('net_cents') }} as net_sales_cents
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
