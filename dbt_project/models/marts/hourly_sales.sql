-- As daily_sales, by the hour of the shop's own clock. What was delivered without a time stands under hour null.
{{ config(post_hook="{{ grain_key(['sale_date', 'sale_hour']) }}") }}

with

sales_by_store as (

    select
        sale_date,
        sale_hour,
        orders,
        guest_orders,
        units,
        gross_sales_cents,
        returns_cents,
        discounts_cents,
        net_sales_cents
    from {{ ref('agg_sales_hourly') }}

),

buyers as (

    select
        order_date,
        order_hour,
        customers
    from {{ ref('agg_buyers_hourly') }}

),

hours as (

    select
        sale_date,
        sale_hour,
        {{ added_up([
            'orders', 'guest_orders', 'units', 'gross_sales_cents', 'returns_cents', 'discounts_cents',
            'net_sales_cents'
        ]) }}
    from sales_by_store
    group by
        sale_date,
        sale_hour

),

hourly_sales as (

    select
        hours.sale_date,
        (nullif(hours.sale_hour, -1))::smallint as sale_hour,
        hours.orders,
        hours.units,
        coalesce(buyers.customers, 0) as customers,
        hours.guest_orders,
        hours.gross_sales_cents,
        hours.returns_cents,
        hours.discounts_cents,
        hours.net_sales_cents,
        {{ average_order_value_cents('hours.gross_sales_cents', 'hours.discounts_cents', 'hours.orders') }}
            as average_order_value_cents
    from hours
    left join buyers
        on
            hours.sale_date = buyers.order_date
            and hours.sale_hour = buyers.order_hour

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
