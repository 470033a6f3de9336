-- Distinct customers cannot be summed: an hour's number is counted anew from its orders.
{{ config(
    materialized="incremental",
    incremental_strategy="slices",
    unique_key="order_date",
    post_hook="{{ analyze() }}",
) }}

with

orders as (

    select
        order_date,
        order_hour,
        customer_key
    from {{ ref('fct_orders') }}
    where
        is_completed_order
        and customer_key <> {{ unknown_key() }}
        and {{ on_build_days('order_date') }}

),

agg_buyers_hourly as (

    select
        order_date,
        coalesce(order_hour, -1)::smallint as order_hour,
        count(distinct customer_key) as customers
    from orders
    group by
        order_date,
        coalesce(order_hour, -1)::smallint

)

select
    order_date,
    order_hour,
    customers
from agg_buyers_hourly
