-- Fails if a day counts another number of orders or guests than stand on it in fct_orders.
with

orders as (

    select
        order_date,
        count(*) as orders,
        count(*) filter (where customer_key = {{ unknown_key() }}) as guest_orders
    from {{ ref('fct_orders') }}
    where is_completed_order
    group by order_date

),

days as (

    select
        sale_date,
        orders,
        guest_orders
    from {{ ref('daily_sales') }}

)

select
    coalesce(days.sale_date, orders.order_date) as sale_date,
    days.orders as orders_of_day,
    orders.orders
from days
full join orders on days.sale_date = orders.order_date
where
    coalesce(days.orders, 0) <> coalesce(orders.orders, 0)
    or coalesce(days.guest_orders, 0) <> coalesce(orders.guest_orders, 0)
