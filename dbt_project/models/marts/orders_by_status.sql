-- What the shop system says of its orders, for the days of the bridge: how many there are of each status, which of
-- them count, and what those bring that do not. Money here stands with its whole order, on the order day.
{{ config(post_hook="{{ grain_key(['order_date', 'order_status']) }}") }}

with

build as (

    select as_of
    from {{ ref('stg_build') }}

),

orders as (

    select
        order_date,
        order_status,
        is_completed_order,
        net_cents,
        uncounted_cents
    from {{ ref('fct_orders') }}
    where order_date > (select build.as_of - {{ var('sales_bridge_days') }} from build)

),

orders_by_status as (

    select
        order_date,
        order_status,
        count(*) as documents,
        count(*) filter (where is_completed_order) as orders,
        sum(net_cents)::bigint as net_sales_cents,
        sum(uncounted_cents)::bigint as uncounted_cents
    from orders
    group by
        order_date,
        order_status

)

select
    order_date,
    order_status,
    documents,
    orders,
    net_sales_cents,
    uncounted_cents
from orders_by_status
