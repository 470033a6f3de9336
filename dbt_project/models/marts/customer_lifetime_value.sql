-- Observed, never extrapolated: an age that the customer has not reached by as_of is null, not 0.
with

customers as (

    select
        customer_key,
        customer_id,
        customer_name,
        order_count,
        spent_cents
    from {{ ref('customer_segments') }}

),

ages as (

    select
        customer_key,
        first_order_date,
        net_sales_30_days_cents,
        net_sales_90_days_cents,
        net_sales_180_days_cents,
        net_sales_365_days_cents
    from {{ ref('agg_customers_by_age') }}

),

build as (

    select as_of
    from {{ ref('stg_build') }}

),

customer_lifetime_value as (

    select
        customers.customer_key,
        customers.customer_id,
        customers.customer_name,
        ages.first_order_date,
        date_trunc('month', ages.first_order_date)::date as cohort_month,
        case when {{ age_is_reached(30) }} then ages.net_sales_30_days_cents end as net_sales_30_days_cents,
        case when {{ age_is_reached(90) }} then ages.net_sales_90_days_cents end as net_sales_90_days_cents,
        case when {{ age_is_reached(180) }} then ages.net_sales_180_days_cents end as net_sales_180_days_cents,
        case when {{ age_is_reached(365) }} then ages.net_sales_365_days_cents end as net_sales_365_days_cents,
        customers.order_count,
        customers.spent_cents
    from customers
    inner join ages on customers.customer_key = ages.customer_key
    cross join build

)

select
    customer_key,
    customer_id,
    customer_name,
    first_order_date,
    cohort_month,
    net_sales_30_days_cents,
    net_sales_90_days_cents,
    net_sales_180_days_cents,
    net_sales_365_days_cents,
    order_count,
    spent_cents
from customer_lifetime_value
