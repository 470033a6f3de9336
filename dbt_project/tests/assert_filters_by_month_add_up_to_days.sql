-- Fails if a month of the monthly filter cube does not bring what its days in daily_sales bring.
with

cube as (

    select
        sale_month,
        sum(orders) filter (where category_key = {{ all_categories_key() }}) as orders,
        sum(units) filter (where category_key = {{ all_categories_key() }}) as units,
        sum(net_sales_cents) filter (where category_key = {{ all_categories_key() }}) as net_sales_cents,
        sum(net_sales_cents) filter (where category_key <> {{ all_categories_key() }}) as net_sales_cents_of_categories
    from {{ ref('sales_by_filters_monthly') }}
    group by sale_month

),

months as (

    select
        date_trunc('month', sale_date)::date as sale_month,
        sum(orders) as orders,
        sum(units) as units,
        sum(net_sales_cents) as net_sales_cents
    from {{ ref('daily_sales') }}
    group by date_trunc('month', sale_date)::date

)

select
    coalesce(months.sale_month, cube.sale_month) as sale_month,
    months.orders,
    cube.orders as orders_of_cube,
    months.net_sales_cents,
    cube.net_sales_cents as net_sales_cents_of_cube,
    cube.net_sales_cents_of_categories
from months
full join cube on months.sale_month = cube.sale_month
where
    (months.orders, months.units, months.net_sales_cents, months.net_sales_cents)
    is distinct from
    (cube.orders, cube.units, cube.net_sales_cents, cube.net_sales_cents_of_categories)
