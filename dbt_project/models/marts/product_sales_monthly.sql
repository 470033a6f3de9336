with

product_sales_monthly as (

    select
        sale_month,
        product_key,
        orders,
        units,
        units_returned,
        gross_sales_cents,
        returns_cents,
        discounts_cents,
        net_sales_cents,
        lines_with_cost,
        cost_cents,
        net_sales_with_cost_cents
    from {{ ref('agg_products_monthly') }}

)

select
    sale_month,
    product_key,
    orders,
    units,
    units_returned,
    gross_sales_cents,
    returns_cents,
    discounts_cents,
    net_sales_cents,
    lines_with_cost,
    cost_cents,
    net_sales_with_cost_cents
from product_sales_monthly
