-- As hourly_sales, by store, for the days dashboards draw. What was delivered without a time stands under hour null.
{{ config(post_hook="{{ grain_key(['sale_date', 'sale_hour', 'store_key']) }}") }}

with

build as (

    select as_of
    from {{ ref('stg_build') }}

),

hours as (

    select
        sale_date,
        sale_hour,
        store_key,
        orders,
        units,
        gross_sales_cents,
        discounts_cents,
        returns_cents,
        net_sales_cents
    from {{ ref('agg_sales_hourly') }}
    where sale_date > (select build.as_of - {{ var('sales_by_store_and_hour_days') }} from build)

),

stores as (

    select
        store_key,
        store_name
    from {{ ref('dim_stores') }}

),

sales_by_store_and_hour as (

    select
        hours.sale_date,
        nullif(hours.sale_hour, -1)::smallint as sale_hour,
        hours.store_key,
        stores.store_name,
        hours.orders,
        hours.units,
        hours.gross_sales_cents,
        hours.discounts_cents,
        hours.returns_cents,
        hours.net_sales_cents
    from hours
    inner join stores on hours.store_key = stores.store_key

)

select
    sale_date,
    sale_hour,
    store_key,
    store_name,
    orders,
    units,
    gross_sales_cents,
    discounts_cents,
    returns_cents,
    net_sales_cents
from sales_by_store_and_hour
