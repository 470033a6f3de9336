-- Distinct customers cannot be summed: a day's number is counted anew from its orders.
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
        customer_key
    from {{ ref('fct_orders') }}
    where
        is_completed_order
        and customer_key <> {{ unknown_key() }}
        and {{ on_build_days('order_date') }}

),

agg_buyers_daily as (

    select
        order_date,
        count(distinct customer_key) as customers
    from orders
    group by order_date

)

select
    order_date,
    customers
from agg_buyers_daily
