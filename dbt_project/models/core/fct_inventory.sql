-- Every count is kept: a later delivery about the same day stands beside the earlier one, and is_newest says which
-- holds. Of two rows about one product, store and day in one delivery the later holds.
{{ config(post_hook="{{ analyze() }}") }}

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

),

last_rows as (

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

),

fct_inventory as (

    select
        product_key,
        store_key,
        counted_date,
        load_id,
        feed,
        is_dated,
        delivery_no = max(delivery_no) over (partition by product_key, store_key, counted_date) as is_newest,
        on_hand
    from last_rows

)

select
    product_key,
    store_key,
    counted_date,
    load_id,
    feed,
    is_dated,
    is_newest,
    on_hand
from fct_inventory
