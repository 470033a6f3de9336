-- A category is its name. Members are those that products have today and those that lists of categories name,
-- subcategories among them. Where a name is listed below two different categories it has no parent.
with

products as (

    select
        category,
        subcategory
    from {{ ref('dim_products') }}

),

listed as (

    select
        category,
        subcategory
    from {{ ref('stg_categories') }}

),

named as (

    select
        category,
        null as parent_category,
        true as is_listed
    from listed

    union all

    select
        subcategory as category,
        category as parent_category,
        true as is_listed
    from listed

    union all

    select
        category,
        null as parent_category,
        false as is_listed
    from products

    union all

    select
        subcategory as category,
        category as parent_category,
        false as is_listed
    from products

),

members as (

    select
        category,
        case
            when count(distinct parent_category) filter (where parent_category <> category) = 1
                then min(parent_category) filter (where parent_category <> category)
        end as parent_category,
        bool_or(is_listed) as is_listed
    from named
    where category is not null
    group by category

),

dim_categories as (

    select
        {{ hash_key(["members.category"]) }} as category_key,
        members.category,
        -- two names that stand below each other are no tree
        case when parents.parent_category = members.category then null else members.parent_category end
            as parent_category,
        members.is_listed
    from members
    left join members as parents on members.parent_category = parents.category

    union all

    select
        {{ unknown_key() }} as category_key,
        'Unknown category' as category,
        null as parent_category,
        false as is_listed

)

select
    category_key,
    category,
    parent_category,
    is_listed
from dim_categories
