-- Which sales representatives deliveries name, as dim_product_spellings does for products.
{{ config(
    materialized="incremental",
    incremental_strategy="last_seen",
    unique_key="sales_rep_key",
    on_schema_change="fail",
    post_hook="{{ analyze() }}",
) }}

with

delivered as (

    select
        sales_rep as sales_rep_name,
        sale_date,
        order_line_key
    from {{ delivered_lines() }}
    where sales_rep is not null

),

spellings as (

    select
        sales_rep_name,
        max(sale_date) as last_seen_date,
        max(order_line_key) as last_order_line_key
    from delivered
    group by sales_rep_name

),

dim_sales_rep_spellings as (

    select
        {{ named_key('sales_rep_name') }} as sales_rep_key,
        sales_rep_name,
        last_seen_date,
        last_order_line_key
    from spellings

)

select
    sales_rep_key,
    sales_rep_name,
    last_seen_date,
    last_order_line_key
from dim_sales_rep_spellings
