-- The members of the category filter, by the names the filter cubes show; without "all categories together".
with

choices as (

    {{ categories_to_filter_by() }}

),

sold as (

    select distinct category_key
    from {{ ref('agg_categories_daily') }}

),

categories as (

    select
        choices.category_key,
        choices.category
    from choices
    inner join sold on choices.category_key = sold.category_key

)

select
    category_key,
    category
from categories
