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
        product_key,
        load_id,
        delivery_no,
        feed,
        row_number,
        valid_from_date,
        is_dated,
        product_id,
        product_name,
        on_hand
    from {{ ref('stg_product_versions') }}
    where on_hand is not null

),

stg_stock_counts as (

    select
        case
            when inventory.product_id is not null then {{ hash_key(["'id'", "inventory.product_id"]) }}
            else {{ hash_key(["'name'", "inventory.product_name"]) }}
        end as product_key,
        case
            when inventory.store is not null then {{ hash_key(["inventory.store"]) }}
            else {{ unknown_key() }}
        end as store_key,
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

    select
        product_key,
        {{ unknown_key() }} as store_key,
        load_id,
        delivery_no,
        feed,
        row_number,
        product_id,
        product_name,
        null as store_name,
        on_hand,
        valid_from_date as counted_date,
        is_dated
    from product_versions

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
