-- Money stands on the day it happened, a return on the day it came back; an order on its order day.
with

lines as (

    select
        sale_date,
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
        customer_key
    from {{ ref('fct_orders') }}
    where is_completed_order

),

lines_by_day as (

    select
        sale_date,
        {{ sales_measures() }}
    from lines
    group by sale_date

),

orders_by_day as (

    select
        order_date,
        count(*) as orders,
        count(distinct customer_key) filter (where customer_key <> {{ unknown_key() }}) as customers,
        count(*) filter (where customer_key = {{ unknown_key() }}) as guest_orders
    from orders
    group by order_date

),

daily_sales as (

    select
        lines_by_day.sale_date,
        coalesce(orders_by_day.orders, 0) as orders,
        lines_by_day.units,
        coalesce(orders_by_day.customers, 0) as customers,
        coalesce(orders_by_day.guest_orders, 0) as guest_orders,
        lines_by_day.gross_sales_cents,
        lines_by_day.returns_cents,
        lines_by_day.discounts_cents,
        lines_by_day.net_sales_cents,
        {{ average_order_value_cents(
            'lines_by_day.gross_sales_cents', 'lines_by_day.discounts_cents', 'orders_by_day.orders'
        ) }} as average_order_value_cents
    from lines_by_day
    left join orders_by_day on lines_by_day.sale_date = orders_by_day.order_date

)

select
    sale_date,
    orders,
    units,
    customers,
    guest_orders,
    gross_sales_cents,
    returns_cents,
    discounts_cents,
    net_sales_cents,
    average_order_value_cents
from daily_sales
