-- What each customer brought in the first days after the first order; day 1 is the day of that order. An age that as_of
-- has not reached shows what there is so far: the marts leave it out.
{{ config(post_hook="{{ analyze() }}") }}

with

customers as (

    select
        customer_key,
        first_order_date
    from {{ ref('agg_customers') }}
    where orders > 0

),

lines as (

    select
        order_customer_key,
        sale_date,
        order_flag,
        net_cents
    from {{ ref('fct_order_lines') }}
    where
        counts_as_revenue
        and order_customer_key <> {{ unknown_key() }}

),

agg_customers_by_age as (

    select
        customers.customer_key,
        customers.first_order_date,
        (sum(lines.order_flag) filter (
            where lines.sale_date < date_trunc('month', customers.first_order_date) + interval '1 month'
        ))::bigint as first_month_orders,
        {{ net_sales_within(30) }} as net_sales_30_days_cents,
        {{ net_sales_within(90) }} as net_sales_90_days_cents,
        {{ net_sales_within(180) }} as net_sales_180_days_cents,
        {{ net_sales_within(365) }} as net_sales_365_days_cents
    from customers
    inner join lines on customers.customer_key = lines.order_customer_key
    where lines.sale_date between customers.first_order_date and customers.first_order_date + 364
    group by
        customers.customer_key,
        customers.first_order_date

)

select
    customer_key,
    first_order_date,
    first_month_orders,
    net_sales_30_days_cents,
    net_sales_90_days_cents,
    net_sales_180_days_cents,
    net_sales_365_days_cents
from agg_customers_by_age
