-- Every count is kept: a later delivery about the same day stands beside the earlier one, and the higher delivery_no
-- holds. Of two rows about one product, store and day in one delivery the later holds. What a delivery says never
-- changes, so a build takes in the deliveries that are new and takes out those that count no more.
{{ config(
    materialized='incremental',
    incremental_strategy='loads',
    unique_key='load_id',
    post_hook="{{ analyze() }}",
) }}

with

counts as (

    select
        product_key,
        store_key,
        load_id,
        delivery_no,
        feed,
        row_number,
        on_hand,
        counted_date,
        is_dated
    from {{ ref('stg_stock_counts') }}
    where {{ is_new_load('load_id') }}

),

fct_inventory as (

    select distinct on (product_key, store_key, counted_date, load_id)
        product_key,
        store_key,
        counted_date,
        load_id,
        delivery_no,
        feed,
        is_dated,
        on_hand
    from counts
    order by
        product_key asc,
        store_key asc,
        counted_date asc,
        load_id asc,
        row_number desc

)

select
    product_key,
    store_key,
    counted_date,
    load_id,
    delivery_no,
    feed,
    is_dated,
    on_hand
from fct_inventory
