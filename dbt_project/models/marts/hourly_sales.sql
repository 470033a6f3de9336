-- As daily_sales, by the hour of the shop's own clock. What was delivered without a time stands under hour null.
{{ config(post_hook="{{ grain_key(['sale_date', 'sale_hour']) }}") }}

with

lines as (

    select
        sale_date,
        sale_hour,
        line_type,
        quantity,
        gross_cents,
        discount_cents,
        net_cents
    from {{ ref('fct_order_lines') }}
    where counts_as_revenue

),

orders as (

    select
        order_date,
        order_hour,
        customer_key
    from {{ ref('fct_orders') }}
    where is_completed_order

),

lines_by_hour as (

    select
        sale_date,
        sale_hour,
        {{ sales_measures() }}
    from lines
    group by
        sale_date,
        sale_hour

),

orders_by_hour as (

    select
        order_date,
        order_hour,
        count(*) as orders,
        count(distinct customer_key) filter (where customer_key <> {{ unknown_key() }}) as customers,
        count(*) filter (where customer_key = {{ unknown_key() }}) as guest_orders
    from orders
    group by
        order_date,
        order_hour

),

hourly_sales as (

    select
        lines_by_hour.sale_date,
        lines_by_hour.sale_hour,
        coalesce(orders_by_hour.orders, 0) as orders,
        lines_by_hour.units,
        coalesce(orders_by_hour.customers, 0) as customers,
        coalesce(orders_by_hour.guest_orders, 0) as guest_orders,
        lines_by_hour.gross_sales_cents,
        lines_by_hour.returns_cents,
        lines_by_hour.discounts_cents,
        lines_by_hour.net_sales_cents,
        {{ average_order_value_cents(
            'lines_by_hour.gross_sales_cents', 'lines_by_hour.discounts_cents', 'orders_by_hour.orders'
        ) }} as average_order_value_cents
    from lines_by_hour
    left join orders_by_hour
        on
            lines_by_hour.sale_date = orders_by_hour.order_date
            and coalesce(lines_by_hour.sale_hour, -1) = coalesce(orders_by_hour.order_hour, -1)

)

select
    sale_date,
    sale_hour,
    orders,
    units,
    customers,
    guest_orders,
    gross_sales_cents,
    returns_cents,
    discounts_cents,
    net_sales_cents,
    average_order_value_cents
from hourly_sales
