with

versions as (

    select
        product_key,
        valid_from_date,
        valid_to_date,
        unit_cost,
        unit_price
    from {{ ref('dim_product_versions') }}

),

products as (

    select
        product_key,
        product_id,
        product_name
    from {{ ref('dim_products') }}
    where
        product_key = listed_key
        -- known by its name alone: only if sales name it so
        or name_count > 0

),

product_price_history as (

    select
        versions.product_key,
        versions.valid_from_date,
        versions.valid_to_date,
        products.product_id,
        products.product_name,
        versions.unit_cost,
        versions.unit_price,
        lag(versions.unit_cost) over of_product as previous_unit_cost,
        lag(versions.unit_price) over of_product as previous_unit_price,
        {{ percent_of('versions.unit_price - versions.unit_cost', 'versions.unit_price') }} as list_margin_pct
    from versions
    inner join products on versions.product_key = products.product_key
    window of_product as (partition by versions.product_key order by versions.valid_from_date)

)

select
    product_key,
    valid_from_date,
    valid_to_date,
    product_id,
    product_name,
    unit_cost,
    unit_price,
    previous_unit_cost,
    previous_unit_price,
    list_margin_pct
from product_price_history
