{{ config(
    materialized="incremental",
    incremental_strategy="additive",
    unique_key=["sale_month", "product_key"],
    post_hook="{{ analyze() }}",
) }}

with

lines as (

    select
        sign,
        sale_date,
        product_key,
        product_flag,
        line_type,
        quantity,
        gross_cents,
        discount_cents,
        tax_cents,
        cost_cents,
        net_cents
    from {{ changed_lines() }}
    where counts_as_revenue

),

agg_products_monthly as (

    select
        date_trunc('month', sale_date)::date as sale_month,
        product_key,
        {{ line_measures('product_flag') }}
    from lines
    group by
        date_trunc('month', sale_date)::date,
        product_key

)

select
    sale_month,
    product_key,
    line_count,
    orders,
    units,
    units_returned,
    gross_sales_cents,
    discounts_cents,
    returns_cents,
    net_sales_cents,
    tax_cents,
    lines_with_cost,
    cost_cents,
    net_sales_with_cost_cents
from agg_products_monthly
