-- Fails if all products together do not bring what all days together bring.
with

products as (

    select
        sum(units) as units,
        sum(gross_sales_cents) as gross_sales_cents,
        sum(returns_cents) as returns_cents,
        sum(discounts_cents) as discounts_cents,
        sum(net_sales_cents) as net_sales_cents
    from {{ ref('product_performance') }}

),

days as (

    select
        sum(units) as units,
        sum(gross_sales_cents) as gross_sales_cents,
        sum(returns_cents) as returns_cents,
        sum(discounts_cents) as discounts_cents,
        sum(net_sales_cents) as net_sales_cents
    from {{ ref('daily_sales') }}

)

select
    days.net_sales_cents as net_sales_cents_of_days,
    products.net_sales_cents as net_sales_cents_of_products
from days
cross join products
where
    (days.units, days.gross_sales_cents, days.returns_cents, days.discounts_cents, days.net_sales_cents)
    is distinct from
    (
        products.units,
        products.gross_sales_cents,
        products.returns_cents,
        products.discounts_cents,
        products.net_sales_cents
    )
