-- Members are inferred from the lines that name them; of several names or categories the latest day's holds.
with

lines as (

    select
        product_key,
        product_id,
        product_name,
        category,
        sale_date,
        order_line_key
    from {{ ref('stg_sales_lines') }}

),

spellings as (

    select
        product_key,
        product_id,
        product_name,
        category,
        max(sale_date) as last_seen_date,
        max(order_line_key) as last_order_line_key
    from lines
    where product_key <> {{ unknown_key() }}
    group by
        product_key,
        product_id,
        product_name,
        category

),

members as (

    select
        product_key,
        max(product_id) as product_id,
        {{ latest('product_name') }} as product_name,
        {{ latest('category') }} as category,
        count(distinct product_name) as name_count
    from spellings
    group by product_key

),

dim_products as (

    select
        product_key,
        product_id,
        coalesce(product_name, product_id) as product_name,
        category,
        name_count,
        true as is_inferred
    from members

    union all

    select
        {{ unknown_key() }} as product_key,
        null as product_id,
        'Unknown product' as product_name,
        null as category,
        0 as name_count,
        false as is_inferred

)

select
    product_key,
    product_id,
    product_name,
    category,
    name_count,
    is_inferred
from dim_products
