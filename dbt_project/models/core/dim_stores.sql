-- Members are inferred from the lines that name them.
with

lines as (

    select
        store_key,
        store_name
    from {{ ref('stg_sales_lines') }}

),

dim_stores as (

    select distinct
        store_key,
        store_name,
        true as is_inferred
    from lines
    where store_key <> {{ unknown_key() }}

    union all

    select
        {{ unknown_key() }} as store_key,
        'Unknown store' as store_name,
        false as is_inferred

)

select
    store_key,
    store_name,
    is_inferred
from dim_stores
