-- How deliveries name products, by every row of the deliveries that count, replaced since or not: a build has to look
-- at its new deliveries only.
{{ config(
    materialized="incremental",
    incremental_strategy="last_seen",
    unique_key="spelling_key",
    on_schema_change="fail",
    post_hook="{{ analyze() }}",
) }}

with

delivered as (

    select
        product_id,
        product_name,
        category,
        sale_date,
        order_line_key
    from {{ delivered_lines() }}

),

spellings as (

    select
        product_id,
        product_name,
        category,
        max(sale_date) as last_seen_date,
        max(order_line_key) as last_order_line_key
    from delivered
    where product_id is not null or product_name is not null
    group by
        product_id,
        product_name,
        category

),

dim_product_spellings as (

    select
        {{ hash_key([
            "coalesce('=' || product_id, '')",
            "coalesce('=' || product_name, '')",
            "coalesce('=' || category, '')",
        ]) }} as spelling_key,
        {{ product_key() }} as product_key,
        product_id,
        product_name,
        category,
        last_seen_date,
        last_order_line_key
    from spellings

)

select
    spelling_key,
    product_key,
    product_id,
    product_name,
    category,
    last_seen_date,
    last_order_line_key
from dim_product_spellings
