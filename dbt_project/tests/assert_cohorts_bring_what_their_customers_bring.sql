-- Fails if the money of a cohort is not that of its customers from their first month to as_of.
with

build as (

    select as_of
    from {{ ref('stg_build') }}

),

cohorts as (

    select
        cohort_month,
        sum(net_sales_cents) as net_sales_cents
    from {{ ref('cohort_retention') }}
    group by cohort_month

),

customers as (

    select
        customer_key,
        date_trunc('month', first_order_date)::date as cohort_month
    from {{ ref('customer_segments') }}

),

brought as (

    select
        customers.cohort_month,
        sum(months.net_sales_cents) as net_sales_cents
    from customers
    cross join build
    inner join {{ ref('agg_customers_monthly') }} as months
        on
            customers.customer_key = months.customer_key
            and months.sale_month between customers.cohort_month and build.as_of
    group by customers.cohort_month

)

select
    coalesce(cohorts.cohort_month, brought.cohort_month) as cohort_month,
    cohorts.net_sales_cents,
    brought.net_sales_cents as net_sales_cents_of_customers
from cohorts
full join brought on cohorts.cohort_month = brought.cohort_month
where cohorts.net_sales_cents is distinct from brought.net_sales_cents
