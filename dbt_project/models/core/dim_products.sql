-- Members are those that sales, product lists or stock counts name. What a list says holds over what a sale says; of
-- several names or categories in sales the latest day's holds. A product that is known by its name alone takes what a
-- list says about the one product of that name.
with

spellings as (

    select
        product_key,
        product_id,
        product_name,
        category,
        last_seen_date,
        last_order_line_key
    from {{ ref('dim_product_spellings') }}

),

versions as (

    select *
    from {{ ref('stg_product_versions') }}
    where {{ holds_as_of() }}

),

listed as (

    {{ listed_members('versions', 'product_key') }}

),

products as (

    select
        product_key,
        max(product_id) as product_id,
        {{ newest('product_name') }} as product_name,
        {{ newest('category') }} as category,
        {{ newest('subcategory') }} as subcategory,
        {{ newest('unit_cost') }} as unit_cost,
        {{ newest('unit_price') }} as unit_price,
        {{ newest('is_active') }} as is_active,
        {{ newest('launched') }} as launched_date,
        {{ newest('discontinued') }} as discontinued_date
    from versions
    group by product_key

),

only_of_its_name as (

    select
        product_name,
        min(product_key) as product_key
    from products
    where product_id is not null
    group by product_name
    having count(*) = 1

),

sold as (

    select
        product_key,
        max(product_id) as product_id,
        {{ latest('product_name') }} as product_name,
        {{ latest('category') }} as category,
        count(distinct product_name) as name_count
    from spellings
    group by product_key

),

counted_names as (

    -- there are many counts of few products: keys are made of their names alone
    select distinct
        product_id,
        product_name
    from {{ ref('stg_stock_counts') }}

),

counted_members as (

    select
        {{ product_key() }} as product_key,
        product_id,
        product_name
    from counted_names

),

counted as (

    select
        product_key,
        max(product_id) as product_id,
        min(product_name) as product_name
    from counted_members
    group by product_key

),

sold_or_counted as (

    select
        coalesce(sold.product_key, counted.product_key) as product_key,
        coalesce(sold.product_id, counted.product_id) as product_id,
        coalesce(sold.product_name, counted.product_name) as product_name,
        sold.category,
        coalesce(sold.name_count, 0) as name_count
    from sold
    full join counted on sold.product_key = counted.product_key

),

members as (

    select
        coalesce(sold.product_key, products.product_key) as product_key,
        coalesce(products.product_key, only_of_its_name.product_key) as listed_key,
        coalesce(sold.product_id, products.product_id) as product_id,
        sold.product_name as sold_name,
        sold.category as sold_category,
        coalesce(sold.name_count, 0) as name_count
    from sold_or_counted as sold
    full join products on sold.product_key = products.product_key
    left join only_of_its_name
        on
            sold.product_id is null
            and sold.product_name = only_of_its_name.product_name

),

dim_products as (

    select
        members.product_key,
        products.product_key as listed_key,
        members.product_id,
        coalesce(products.product_name, members.sold_name, members.product_id) as product_name,
        coalesce({{ hash_key(["coalesce(products.category, members.sold_category)"]) }}, {{ unknown_key() }})
            as category_key,
        coalesce(products.category, members.sold_category) as category,
        products.subcategory,
        products.unit_cost,
        products.unit_price,
        (products.is_active is not false and listed.is_listed is not false) as is_active,
        products.launched_date,
        products.discontinued_date,
        members.name_count,
        products.product_key is null as is_inferred
    from members
    left join products on members.listed_key = products.product_key
    left join listed on members.listed_key = listed.product_key

    union all

    select
        {{ unknown_key() }} as product_key,
        null as listed_key,
        null as product_id,
        'Unknown product' as product_name,
        {{ unknown_key() }} as category_key,
        null as category,
        null as subcategory,
        null as unit_cost,
        null as unit_price,
        true as is_active,
        null as launched_date,
        null as discontinued_date,
        0 as name_count,
        false as is_inferred

)

select
    product_key,
    listed_key,
    product_id,
    product_name,
    category_key,
    category,
    subcategory,
    unit_cost,
    unit_price,
    is_active,
    launched_date,
    discontinued_date,
    name_count,
    is_inferred
from dim_products
