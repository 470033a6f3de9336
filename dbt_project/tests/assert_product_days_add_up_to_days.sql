-- Fails if the products of a day do not bring what the day brings.
with

products as (

    select
        sale_date,
        sum(units) as units,
        sum(gross_sales_cents) as gross_sales_cents,
        sum(returns_cents) as returns_cents,
        sum(discounts_cents) as discounts_cents,
        sum(net_sales_cents) as net_sales_cents
    from {{ ref('product_sales_daily') }}
    group by sale_date

),

days as (

    select
        sale_date,
        units,
        gross_sales_cents,
        returns_cents,
        discounts_cents,
        net_sales_cents
    from {{ ref('daily_sales') }}
    where sale_date > (
        select build.as_of - {{ var('product_sales_days') }}
        from {{ ref('stg_build') }} as build
    )

)

select
    coalesce(days.sale_date, products.sale_date) as sale_date,
    days.net_sales_cents as net_sales_cents_of_day,
    products.net_sales_cents as net_sales_cents_of_products
from days
full join products on days.sale_date = products.sale_date
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
