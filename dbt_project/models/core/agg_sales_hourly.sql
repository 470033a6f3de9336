{{ config(
    materialized="incremental",
    incremental_strategy="additive",
    unique_key=["sale_date", "sale_hour", "store_key"],
    post_hook="{{ analyze() }}",
) }}

with

lines as (

    select
        sign,
        sale_date,
        sale_hour,
        store_key,
        order_customer_key,
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

agg_sales_hourly as (

    select
        sale_date,
        coalesce(sale_hour, -1)::smallint as sale_hour,
        store_key,
        {{ sum_of_lines('order_flag', 'order_customer_key = ' ~ unknown_key()) }} as guest_orders,
        {{ line_measures('order_flag') }}
    from lines
    group by
        sale_date,
        coalesce(sale_hour, -1)::smallint,
        store_key

)

select
    sale_date,
    sale_hour,
    store_key,
    guest_orders,
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
from agg_sales_hourly
