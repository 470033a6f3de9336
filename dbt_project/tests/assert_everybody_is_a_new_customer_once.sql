-- Fails if not everybody with an order is a new customer in one month, and in one cohort.
with

months as (

    select sum(new_customers) as customers
    from {{ ref('customers_monthly') }}

),

cohorts as (

    select sum(cohort_customers) as customers
    from {{ ref('cohort_retention') }}
    where month_number = 0

),

everybody as (

    select count(*) as customers
    from {{ ref('customer_segments') }}

)

select
    everybody.customers,
    months.customers as new_customers,
    cohorts.customers as customers_of_cohorts
from everybody
cross join months
cross join cohorts
where
    everybody.customers <> coalesce(months.customers, 0)
    or everybody.customers <> coalesce(cohorts.customers, 0)
