-- Who bought when and where, for what cannot be added up: buyers of any period and place, new and returning ones. The
-- last days only, so that it does not grow with the history.
with

build as (

    select as_of
    from {{ ref('stg_build') }}

),

orders as (

    select
        order_date,
        customer_key,
        place_key
    from {{ ref('fct_orders') }}
    where
        is_completed_order
        and customer_key <> {{ unknown_key() }}
        and order_date > (select build.as_of - {{ var('buyers_days') }} from build)

),

customers as (

    select
        customer_key,
        first_order_date
    from {{ ref('agg_customers') }}

),

buyers as (

    select
        order_date,
        customer_key,
        place_key,
        count(*) as orders
    from orders
    group by
        order_date,
        customer_key,
        place_key

),

buyers_daily as (

    select
        buyers.order_date,
        buyers.customer_key,
        buyers.place_key,
        buyers.orders,
        customers.first_order_date
    from buyers
    inner join customers on buyers.customer_key = customers.customer_key

)

select
    order_date,
    customer_key,
    place_key,
    orders,
    first_order_date
from buyers_daily
