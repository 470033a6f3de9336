-- How many pieces were there: rows of stock counts, and what product lists say is in stock. A list speaks of the whole
-- shop, on the day its version holds from.
with

loads as (

    select
        load_id,
        delivery_no,
        feed
    from {{ ref('stg_master_loads') }}
    where holds = 'inventory'

),

inventory as (

    select
        load_id,
        row_number,
        count_date,
        store,
        product_id,
        product_name,
        on_hand
    from {{ source('raw', 'inventory') }}

),

product_versions as (

    select
        load_id,
        delivery_no,
        feed,
        row_number,
        product_id,
        product_name,
        null::text as store_name,
        on_hand,
        valid_from_date as counted_date,
        is_dated
    from {{ ref('stg_product_versions') }}
    where on_hand is not null

),

counts as (

    select
        loads.load_id,
        loads.delivery_no,
        loads.feed,
        inventory.row_number,
        inventory.product_id,
        inventory.product_name,
        inventory.store as store_name,
        inventory.on_hand,
        inventory.count_date as counted_date,
        true as is_dated
    from inventory
    inner join loads on inventory.load_id = loads.load_id

    union all

    select *
    from product_versions

),

stg_stock_counts as (

    select
        {{ product_key() }} as product_key,
        {{ named_key('store_name') }} as store_key,
        load_id,
        delivery_no,
        feed,
        row_number,
        product_id,
        product_name,
        store_name,
        on_hand,
        counted_date,
        is_dated
    from counts

)

select
    product_key,
    store_key,
    load_id,
    delivery_no,
    feed,
    row_number,
    product_id,
    product_name,
    store_name,
    on_hand,
    counted_date,
    is_dated
from stg_stock_counts
