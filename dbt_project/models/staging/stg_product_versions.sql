-- What was delivered about products, version by version: cost and price at the time of a sale are those of the
-- newest version that holds on its day. A null says nothing about its column.
with

loads as (

    select
        load_id,
        delivery_no,
        feed,
        is_complete,
        seen_date
    from {{ ref('stg_master_loads') }}
    where holds = 'products'

),

products as (

    select *
    from {{ source('raw', 'products') }}

),

categories as (

    select
        category_id,
        category
    from {{ ref('stg_categories') }}
    where subcategory_id is null

),

subcategories as (

    select
        subcategory_id,
        subcategory,
        category
    from {{ ref('stg_categories') }}
    where subcategory_id is not null

),

stg_product_versions as (

    select
        case
            when products.product_id is not null then {{ hash_key(["'id'", "products.product_id"]) }}
            else {{ hash_key(["'name'", "products.product_name"]) }}
        end as product_key,
        loads.load_id,
        loads.delivery_no,
        loads.feed,
        loads.is_complete,
        products.row_number,
        coalesce(products.effective_from, loads.seen_date) as valid_from_date,
        products.effective_from is not null as is_dated,
        products.product_id,
        products.product_name,
        coalesce(products.category, categories.category, subcategories.category) as category,
        coalesce(products.subcategory, subcategories.subcategory) as subcategory,
        products.unit_cost,
        products.unit_price,
        products.on_hand,
        products.is_active,
        products.launched,
        products.discontinued
    from products
    inner join loads on products.load_id = loads.load_id
    left join categories on products.category_id = categories.category_id
    left join subcategories on products.subcategory_id = subcategories.subcategory_id

)

select
    product_key,
    load_id,
    delivery_no,
    feed,
    is_complete,
    row_number,
    valid_from_date,
    is_dated,
    product_id,
    product_name,
    category,
    subcategory,
    unit_cost,
    unit_price,
    on_hand,
    is_active,
    launched,
    discontinued
from stg_product_versions
