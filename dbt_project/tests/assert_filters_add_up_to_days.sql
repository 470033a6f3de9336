-- Fails if the filter cube and daily_sales differ on a day: in money, units or orders over all categories, or in money
-- and units over the single categories.
with

build as (

    select as_of
    from {{ ref('stg_build') }}

),

cube as (

    select
        sale_date,
        sum(orders) filter (where category_key = {{ all_categories_key() }}) as orders,
        sum(units) filter (where category_key = {{ all_categories_key() }}) as units,
        sum(units) filter (where category_key <> {{ all_categories_key() }}) as units_of_categories,
        sum(net_sales_cents) filter (where category_key = {{ all_categories_key() }}) as net_sales_cents,
        sum(net_sales_cents) filter (where category_key <> {{ all_categories_key() }}) as net_sales_cents_of_categories
    from {{ ref('sales_by_filters') }}
    group by sale_date

),

days as (

    select
        sale_date,
        orders,
        units,
        net_sales_cents
    from {{ ref('daily_sales') }}
    where sale_date > (select build.as_of - {{ var('sales_by_filters_days') }} from build)

)

select
    coalesce(days.sale_date, cube.sale_date) as sale_date,
    days.orders,
    cube.orders as orders_of_cube,
    days.net_sales_cents,
    cube.net_sales_cents as net_sales_cents_of_cube,
    cube.net_sales_cents_of_categories
from days
full join cube on days.sale_date = cube.sale_date
where
    (days.orders, days.units, days.units, days.net_sales_cents, days.net_sales_cents)
    is distinct from
    (
        cube.orders,
        cube.units,
        cube.units_of_categories,
        cube.net_sales_cents,
        cube.net_sales_cents_of_categories
    )
