-- sales_by_filters by month, over the whole history: filter on exactly one category_key here as well.
with

sales_by_category as (

    select
        sale_month,
        place_key,
        category_key,
        category_orders as orders,
        {{ cube_measures() }}
    from {{ ref('agg_sales_monthly') }}

),

sales_of_all_categories as (

    select
        date_trunc('month', sale_date)::date as sale_month,
        place_key,
        {{ all_categories_key() }} as category_key,
        {{ added_up([
            'orders', 'units', 'units_returned', 'gross_sales_cents', 'discounts_cents', 'returns_cents',
            'net_sales_cents', 'tax_cents', 'cost_cents', 'net_sales_with_cost_cents'
        ]) }}
    from {{ ref('agg_orders_daily') }}
    group by
        date_trunc('month', sale_date)::date,
        place_key

),

sales as (

    select * from sales_by_category

    union all

    select * from sales_of_all_categories

),

places as (

    select
        place_key,
        store_key,
        store_name,
        region,
        country,
        channel
    from {{ ref('dim_places') }}

),

categories as (

    {{ categories_to_filter_by() }}

),

sales_by_filters_monthly as (

    select
        sales.category_key,
        sales.sale_month,
        sales.place_key,
        categories.category,
        places.store_key,
        places.store_name,
        places.region,
        places.country,
        places.channel,
        sales.orders,
        sales.units,
        sales.units_returned,
        sales.gross_sales_cents,
        sales.discounts_cents,
        sales.returns_cents,
        sales.net_sales_cents,
        sales.tax_cents,
        sales.cost_cents,
        sales.net_sales_with_cost_cents
    from sales
    inner join places on sales.place_key = places.place_key
    inner join categories on sales.category_key = categories.category_key

)

select
    category_key,
    sale_month,
    place_key,
    category,
    store_key,
    store_name,
    region,
    country,
    channel,
    orders,
    units,
    units_returned,
    gross_sales_cents,
    discounts_cents,
    returns_cents,
    net_sales_cents,
    tax_cents,
    cost_cents,
    net_sales_with_cost_cents
from sales_by_filters_monthly
