-- The last days only, so that it does not grow with the history; product_sales_monthly holds all of it.
with

days as (

    select
        sale_date,
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
    from {{ ref('agg_products_daily') }}

),

product_sales_daily as (

    select *
    from days
    where sale_date > (
        select build.as_of - {{ var('product_sales_days') }}
        from {{ ref('stg_build') }} as build
    )

)

select
    sale_date,
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
from product_sales_daily
