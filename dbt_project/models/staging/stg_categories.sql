-- Subcategories have ids of their own, so both kinds of row are told apart by whether a subcategory is named.
with

loads as (

    select
        load_id,
        delivery_no
    from {{ ref('stg_master_loads') }}
    where holds = 'categories'

),

versions as (

    select
        categories.category_id,
        categories.category,
        categories.subcategory_id,
        categories.subcategory,
        loads.delivery_no,
        categories.row_number
    from {{ source('raw', 'categories') }} as categories
    inner join loads on categories.load_id = loads.load_id

),

categories as (

    select distinct on (category_id)
        category_id,
        category
    from versions
    where
        category_id is not null
        and category is not null
    order by
        category_id asc,
        subcategory_id is null desc,
        delivery_no desc,
        row_number desc

),

subcategories as (

    select distinct on (subcategory_id)
        subcategory_id,
        subcategory,
        category_id,
        category
    from versions
    where subcategory_id is not null
    order by
        subcategory_id asc,
        delivery_no desc,
        row_number desc

),

stg_categories as (

    select
        category_id,
        category,
        null::text as subcategory_id,
        null::text as subcategory
    from categories

    union all

    select
        subcategories.category_id,
        coalesce(subcategories.category, categories.category) as category,
        subcategories.subcategory_id,
        subcategories.subcategory
    from subcategories
    left join categories on subcategories.category_id = categories.category_id

)

select
    category_id,
    category,
    subcategory_id,
    subcategory
from stg_categories
