-- What each customer brought in the first days after the first order; day 1 is the day of that order. An age that as_of
-- has not reached shows what there is so far: the marts leave it out.
{{ config(
    materialized="incremental",
    incremental_strategy="additive",
    unique_key="customer_key",
    meta={
        "local": True,
        "not_summed": [
            "first_order_date", "line_count", "first_month_orders", "net_sales_30_days_cents",
            "net_sales_90_days_cents", "net_sales_180_days_cents", "net_sales_365_days_cents"
        ],
    },
    post_hook="{{ analyze() }}",
) }}

with

changed as (

    select
        order_customer_key as customer_key,
        sale_date,
        order_flag,
        net_cents
    from {{ changed_lines() }}
    where
        counts_as_revenue
        and order_customer_key <> {{ unknown_key() }}

),

buyers as (

    select
        customer_key,
        first_order_date
    from {{ ref('agg_customers') }}
    where orders > 0

),

customers as (

    select
        customer_key,
        first_order_date
    from {{ customers_whose_first_year_changed() }}

),

lines as (

    select
        customer_key,
        sale_date,
        order_flag,
        net_cents
    from {{ lines_of_their_first_year() }}

),

agg_customers_by_age as (

    select
        customers.customer_key,
        customers.first_order_date,
        count(lines.sale_date) as line_count,
        (coalesce(sum(lines.order_flag) filter (
            where lines.sale_date < date_trunc('month', customers.first_order_date) + interval '1 month'
        ), 0))::bigint as first_month_orders,
        {{ net_sales_within(30) }} as net_sales_30_days_cents,
        {{ net_sales_within(90) }} as net_sales_90_days_cents,
        {{ net_sales_within(180) }} as net_sales_180_days_cents,
        {{ net_sales_within(365) }} as net_sales_365_days_cents
    from customers
    left join lines
        on
            customers.customer_key = lines.customer_key
            and lines.sale_date between customers.first_order_date and customers.first_order_date + 364
    group by
        customers.customer_key,
        customers.first_order_date

)

select
    customer_key,
    first_order_date,
    line_count,
    first_month_orders,
    net_sales_30_days_cents,
    net_sales_90_days_cents,
    net_sales_180_days_cents,
    net_sales_365_days_cents
from agg_customers_by_age
