-- A cohort are the customers whose first completed order fell into one month. Who never completed one is in none.
{{ config(post_hook="{{ analyze() }}") }}

with

customers as (

    select
        customer_key,
        date_trunc('month', first_order_date)::date as cohort_month
    from {{ ref('agg_customers') }}
    where orders > 0

),

months as (

    select
        sale_month,
        customer_key,
        line_count,
        orders,
        net_sales_cents
    from {{ ref('agg_customers_monthly') }}

),

agg_cohorts_monthly as (

    select
        customers.cohort_month,
        months.sale_month,
        count(*) filter (where months.orders > 0) as customers,
        sum(months.line_count)::bigint as line_count,
        sum(months.orders)::bigint as orders,
        sum(months.net_sales_cents)::bigint as net_sales_cents
    from months
    inner join customers on months.customer_key = customers.customer_key
    group by
        customers.cohort_month,
        months.sale_month

)

select
    cohort_month,
    sale_month,
    customers,
    line_count,
    orders,
    net_sales_cents
from agg_cohorts_monthly
