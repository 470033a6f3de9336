-- What a sale takes from its product: the category it has today, and what a piece cost on the day. Together a
-- product's rows cover all days.
{{ config(post_hook="{{ touch_lines_of_changed_terms() }}") }}

with

products as (

    select
        product_key,
        category_key
    from {{ ref('dim_products') }}

),

currency as (

    select minor_units
    from {{ ref('stg_reporting_currency') }}

),

costs as (

    select
        versions.product_key,
        versions.valid_from_date,
        versions.unit_cost * currency.minor_units as unit_cost_cents
    from {{ ref('dim_product_versions') }} as versions
    cross join currency

),

first_days as (

    select
        product_key,
        date '0001-01-01' as valid_from_date
    from products

    union distinct

    select
        product_key,
        valid_from_date
    from costs

),

days as (

    select
        first_days.product_key,
        first_days.valid_from_date,
        costs.unit_cost_cents,
        row_number() over in_order as day_number,
        lag(costs.unit_cost_cents) over in_order as unit_cost_cents_before
    from first_days
    left join costs
        on
            first_days.product_key = costs.product_key
            and first_days.valid_from_date = costs.valid_from_date
    window in_order as (partition by first_days.product_key order by first_days.valid_from_date)

),

dim_product_terms as (

    select
        products.product_key,
        days.valid_from_date,
        lead(days.valid_from_date) over (
            partition by products.product_key order by days.valid_from_date
        ) - 1 as valid_to_date,
        products.category_key,
        days.unit_cost_cents
    from days
    inner join products on days.product_key = products.product_key
    where
        days.day_number = 1
        or days.unit_cost_cents is distinct from days.unit_cost_cents_before

)

select
    product_key,
    valid_from_date,
    valid_to_date,
    category_key,
    unit_cost_cents
from dim_product_terms
