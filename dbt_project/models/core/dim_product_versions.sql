-- What product lists say about cost and price over time: of several versions from one day the newest delivery's
-- holds, a blank cell leaves what was said before, and only changes make a row. What a product's first list says
-- without naming a day holds since ever. A product known by its name alone has the versions of its listed_key.
with

products as (

    select
        product_key,
        listed_key
    from {{ ref('dim_products') }}
    where listed_key is not null

),

versions as (

    select
        product_key,
        valid_from_date,
        is_dated,
        delivery_no,
        row_number,
        unit_cost,
        unit_price
    from {{ ref('stg_product_versions') }}

),

costs as (

    select
        product_key,
        {{ since_ever('product_key') }} as valid_from_date,
        delivery_no,
        row_number,
        unit_cost,
        null::numeric(18, 6) as unit_price
    from versions
    where unit_cost is not null

),

prices as (

    select
        product_key,
        {{ since_ever('product_key') }} as valid_from_date,
        delivery_no,
        row_number,
        null::numeric(18, 6) as unit_cost,
        unit_price
    from versions
    where unit_price is not null

),

said as (

    select * from costs

    union all

    select * from prices

),

-- which of its costs, and which of its prices, holds: counted in order, for a blank cell leaves the one before
counted as (

    select
        product_key,
        valid_from_date,
        unit_cost,
        unit_price,
        count(unit_cost) over in_order as cost_number,
        count(unit_price) over in_order as price_number,
        lead(valid_from_date) over in_order as next_valid_from_date
    from said
    window in_order as (
        partition by product_key
        order by valid_from_date, delivery_no, row_number, unit_cost nulls last
        rows between unbounded preceding and current row
    )

),

filled as (

    select
        product_key,
        valid_from_date,
        max(unit_cost) over (partition by product_key, cost_number) as unit_cost,
        max(unit_price) over (partition by product_key, price_number) as unit_price,
        coalesce(next_valid_from_date <> valid_from_date, true) as is_last_of_its_day
    from counted

),

days as (

    select
        product_key,
        valid_from_date,
        unit_cost,
        unit_price,
        row_number() over in_order as day_number,
        lag(unit_cost) over in_order as unit_cost_before,
        lag(unit_price) over in_order as unit_price_before
    from filled
    where is_last_of_its_day
    window in_order as (partition by product_key order by valid_from_date)

),

periods as (

    select
        product_key,
        valid_from_date,
        lead(valid_from_date) over (partition by product_key order by valid_from_date) - 1 as valid_to_date,
        unit_cost,
        unit_price
    from days
    where
        day_number = 1
        or unit_cost is distinct from unit_cost_before
        or unit_price is distinct from unit_price_before

),

dim_product_versions as (

    select
        products.product_key,
        periods.valid_from_date,
        periods.valid_to_date,
        periods.unit_cost,
        periods.unit_price
    from products
    inner join periods on products.listed_key = periods.product_key

)

select
    product_key,
    valid_from_date,
    valid_to_date,
    unit_cost,
    unit_price
from dim_product_versions
