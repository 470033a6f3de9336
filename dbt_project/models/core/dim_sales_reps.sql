-- Members are inferred from the lines that name them.
with

lines as (

    select
        sales_rep_key,
        sales_rep_name
    from {{ ref('stg_sales_lines') }}

),

dim_sales_reps as (

    select distinct
        sales_rep_key,
        sales_rep_name,
        true as is_inferred
    from lines
    where sales_rep_key <> {{ unknown_key() }}

    union all

    select
        {{ unknown_key() }} as sales_rep_key,
        'Unknown sales representative' as sales_rep_name,
        false as is_inferred

)

select
    sales_rep_key,
    sales_rep_name,
    is_inferred
from dim_sales_reps
