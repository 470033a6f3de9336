-- As sales_rep_performance, by day, for any period. Commission is a share of net sales at the rate of the day.
with

build as (

    select as_of
    from {{ ref('stg_build') }}

),

days as (

    select
        sale_date,
        sales_rep_key,
        orders,
        units,
        gross_sales_cents,
        discounts_cents,
        returns_cents,
        net_sales_cents,
        cost_cents,
        net_sales_with_cost_cents
    from {{ ref('agg_sales_reps_daily') }}
    where sale_date > (select build.as_of - {{ var('sales_by_filters_days') }} from build)

),

reps as (

    select
        sales_rep_key,
        sales_rep_name,
        region
    from {{ ref('dim_sales_reps') }}

),

rates as (

    select
        sales_rep_key,
        valid_from_date,
        valid_to_date,
        commission_rate
    from {{ ref('dim_sales_rep_rates') }}

),

sales_rep_sales_daily as (

    select
        days.sale_date,
        days.sales_rep_key,
        reps.sales_rep_name,
        reps.region,
        days.orders,
        days.units,
        days.gross_sales_cents,
        days.discounts_cents,
        days.returns_cents,
        days.net_sales_cents,
        days.cost_cents,
        days.net_sales_with_cost_cents,
        case when rates.commission_rate is not null then days.net_sales_cents else 0 end as net_sales_with_rate_cents,
        (round(days.net_sales_cents * rates.commission_rate))::bigint as commission_cents
    from days
    inner join reps on days.sales_rep_key = reps.sales_rep_key
    left join rates
        on
            days.sales_rep_key = rates.sales_rep_key
            and days.sale_date >= rates.valid_from_date
            and days.sale_date <= coalesce(rates.valid_to_date, days.sale_date)

)

select
    sale_date,
    sales_rep_key,
    sales_rep_name,
    region,
    orders,
    units,
    gross_sales_cents,
    discounts_cents,
    returns_cents,
    net_sales_cents,
    cost_cents,
    net_sales_with_cost_cents,
    net_sales_with_rate_cents,
    commission_cents
from sales_rep_sales_daily
