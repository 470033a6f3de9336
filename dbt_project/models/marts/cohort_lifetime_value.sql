-- The mean over the customers who have reached the age. A cohort's age counts as reached when its last customer has
-- reached it, else the number would still move; over all cohorts (cohort_month null) it is the mean of who has.
{{ config(post_hook="{{ grain_key(['cohort_month', 'age_days']) }}") }}

with

customers as (

    select
        cohort_month,
        net_sales_30_days_cents,
        net_sales_90_days_cents,
        net_sales_180_days_cents,
        net_sales_365_days_cents
    from {{ ref('customer_lifetime_value') }}

),

per_cohort as (

    select
        cohort_month,
        count(*) as customers,
        count(net_sales_30_days_cents) as observed_30,
        count(net_sales_90_days_cents) as observed_90,
        count(net_sales_180_days_cents) as observed_180,
        count(net_sales_365_days_cents) as observed_365,
        (sum(net_sales_30_days_cents))::bigint as net_30,
        (sum(net_sales_90_days_cents))::bigint as net_90,
        (sum(net_sales_180_days_cents))::bigint as net_180,
        (sum(net_sales_365_days_cents))::bigint as net_365
    from customers
    group by cohort_month

),

cohort_ages as (

    select
        per_cohort.cohort_month,
        ages.age_days,
        per_cohort.customers,
        ages.customers_observed,
        ages.net_sales_cents
    from per_cohort
    cross join lateral (
        values
        (30, per_cohort.observed_30, per_cohort.net_30),
        (90, per_cohort.observed_90, per_cohort.net_90),
        (180, per_cohort.observed_180, per_cohort.net_180),
        (365, per_cohort.observed_365, per_cohort.net_365)
    ) as ages (age_days, customers_observed, net_sales_cents)

),

all_ages as (

    select
        null::date as cohort_month,
        age_days,
        (sum(customers))::bigint as customers,
        (sum(customers_observed))::bigint as customers_observed,
        (sum(net_sales_cents))::bigint as net_sales_cents
    from cohort_ages
    group by age_days

),

reached as (

    select
        cohort_month,
        age_days,
        customers,
        customers_observed,
        case when customers_observed = customers then net_sales_cents end as net_sales_cents
    from cohort_ages

    union all

    select
        cohort_month,
        age_days,
        customers,
        customers_observed,
        net_sales_cents
    from all_ages

),

cohort_lifetime_value as (

    select
        cohort_month,
        age_days::smallint as age_days,
        customers,
        customers_observed,
        net_sales_cents,
        round(net_sales_cents::numeric / customers_observed)::bigint as lifetime_value_cents
    from reached

)

select
    cohort_month,
    age_days,
    customers,
    customers_observed,
    net_sales_cents,
    lifetime_value_cents
from cohort_lifetime_value
