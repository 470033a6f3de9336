-- Fails if a product's months do not bring what the product brings in all.
with

months as (

    select
        product_key,
        sum(orders) as orders,
        sum(units) as units,
        sum(net_sales_cents) as net_sales_cents
    from {{ ref('product_sales_monthly') }}
    group by product_key

),

products as (

    select
        product_key,
        orders,
        units,
        net_sales_cents
    from {{ ref('product_performance') }}

)

select
    coalesce(products.product_key, months.product_key) as product_key,
    products.net_sales_cents,
    months.net_sales_cents as net_sales_cents_of_months
from products
full join months on products.product_key = months.product_key
where
    (products.orders, products.units, products.net_sales_cents)
    is distinct from
    (months.orders, months.units, months.net_sales_cents)
