-- Fails if the hours of a day differ from the day in money, units or orders.
with

hours as (

    select
        sale_date,
        sum(orders) as orders,
        sum(units) as units,
        sum(gross_sales_cents) as gross_sales_cents,
        sum(returns_cents) as returns_cents,
        sum(net_sales_cents) as net_sales_cents
    from {{ ref('hourly_sales') }}
    group by sale_date

),

days as (

    select
        sale_date,
        orders,
        units,
        gross_sales_cents,
        returns_cents,
        net_sales_cents
    from {{ ref('daily_sales') }}

)

select
    coalesce(days.sale_date, hours.sale_date) as sale_date,
    days.orders,
    hours.orders as orders_of_hours,
    days.net_sales_cents,
    hours.net_sales_cents as net_sales_cents_of_hours
from days
full join hours on days.sale_date = hours.sale_date
where
    (days.orders, days.units, days.gross_sales_cents, days.returns_cents, days.net_sales_cents)
    is distinct from
    (hours.orders, hours.units, hours.gross_sales_cents, hours.returns_cents, hours.net_sales_cents)
