-- Distinct customers cannot be summed: a day's number is counted anew from its orders.
{{ config(post_hook="{{ analyze() }}") }}

with

orders as (

    select
        order_date,
        customer_key
    from {{ ref('fct_orders') }}
    where
        is_completed_order
        and customer_key <> {{ unknown_key() }}

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
