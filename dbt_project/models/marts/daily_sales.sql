-- Money on the day it happened: sales on the day they were sold, returns on the day they came back. An order is
-- counted on its order day, so a day with returns only has no orders (docs/decisions/0006).
with

orders_by_place as (

    select
        sale_date,
        orders,
        guest_orders,
        units,
        gross_sales_cents,
        returns_cents,
        discounts_cents,
        net_sales_cents
    from {{ ref('agg_orders_daily') }}

),

buyers as (

    select
        order_date,
        customers
    from {{ ref('agg_buyers_daily') }}

),

days as (

    select
        sale_date,
        {{ added_up([
            'orders', 'guest_orders', 'units', 'gross_sales_cents', 'returns_cents', 'discounts_cents',
            'net_sales_cents'
        ]) }}
    from orders_by_place
    group by sale_date

),

daily_sales as (

    select
        days.sale_date,
        days.orders,
        days.units,
        coalesce(buyers.customers, 0) as customers,
        days.guest_orders,
        days.gross_sales_cents,
        days.returns_cents,
        days.discounts_cents,
        days.net_sales_cents,
        {{ average_order_value_cents('days.gross_sales_cents', 'days.discounts_cents', 'days.orders') }}
            as average_order_value_cents
    from days
    left join buyers on days.sale_date = buyers.order_date

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
