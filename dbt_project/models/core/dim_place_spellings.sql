-- Where and how deliveries say things were sold, as dim_product_spellings does for products.
{{ config(
    materialized="incremental",
    incremental_strategy="last_seen",
    unique_key="place_key",
    on_schema_change="fail",
    post_hook="{{ analyze() }}",
) }}

with

delivered as (

    select
        store as store_name,
        region,
        country,
        channel,
        sale_date,
        order_line_key
    from {{ delivered_lines() }}

),

spellings as (

    select
        store_name,
        region,
        country,
        channel,
        max(sale_date) as last_seen_date,
        max(order_line_key) as last_order_line_key
    from delivered
    group by
        store_name,
        region,
        country,
        channel

),

dim_place_spellings as (

    select
        {{ place_key(named_key('store_name')) }} as place_key,
        {{ named_key('store_name') }} as store_key,
        store_name,
        region,
        country,
        channel,
        last_seen_date,
        last_order_line_key
    from spellings

)

select
    place_key,
    store_key,
    store_name,
    region,
    country,
    channel,
    last_seen_date,
    last_order_line_key
from dim_place_spellings
