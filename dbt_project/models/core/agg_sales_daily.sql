-- The cells of the filter cube.
{{ config(
    materialized="incremental",
    incremental_strategy="additive",
    unique_key=["sale_date", "place_key", "category_key"],
    post_hook="{{ analyze() }}",
) }}

with

lines as (

    select
        sign,
        sale_date,
        place_key,
        category_key,
        category_flag,
        order_flag,
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

agg_sales_daily as (

    select
        sale_date,
        place_key,
        category_key,
        {{ sum_of_lines('category_flag') }} as category_orders,
        {{ line_measures('order_flag') }}
    from lines
    group by
        sale_date,
        place_key,
        category_key

)

select
    sale_date,
    place_key,
    category_key,
    category_orders,
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
from agg_sales_daily
