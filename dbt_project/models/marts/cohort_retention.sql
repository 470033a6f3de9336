-- Customers by the month of their first order, followed month by month. A month that has not begun by as_of is null,
-- not 0; one that has begun but not ended is marked as not complete.
with

cohort_months as (

    select
        cohort_month,
        sale_month,
        customers,
        orders,
        net_sales_cents
    from {{ ref('agg_cohorts_monthly') }}

),

build as (

    select
        as_of,
        date_trunc('month', as_of)::date as last_month
    from {{ ref('stg_build') }}

),

cohorts as (

    select
        cohort_month,
        customers as cohort_customers
    from cohort_months
    where
        sale_month = cohort_month
        and customers > 0

),

first_cohort as (

    select min(cohort_month) as cohort_month
    from cohorts

),

month_numbers as (

    select month_number
    from build
    cross join first_cohort
    cross join lateral generate_series(
        0,
        greatest(
            (extract(year from build.last_month) - extract(year from first_cohort.cohort_month))::integer * 12
            + (extract(month from build.last_month) - extract(month from first_cohort.cohort_month))::integer,
            0
        )
    ) as month_number

),

grid as (

    select
        cohorts.cohort_month,
        cohorts.cohort_customers,
        month_numbers.month_number,
        (cohorts.cohort_month + month_numbers.month_number * interval '1 month')::date as sale_month
    from cohorts
    cross join month_numbers

),

cohort_retention as (

    select
        grid.cohort_month,
        grid.month_number::smallint as month_number,
        grid.sale_month,
        grid.cohort_customers,
        case when grid.sale_month <= build.last_month then coalesce(cohort_months.customers, 0) end as customers,
        case
            when grid.sale_month <= build.last_month
                then coalesce(cohort_months.customers, 0)::numeric / grid.cohort_customers
        end::numeric(9, 6) as retention_share,
        case when grid.sale_month <= build.last_month then coalesce(cohort_months.orders, 0) end as orders,
        case
            when grid.sale_month <= build.last_month then coalesce(cohort_months.net_sales_cents, 0)
        end as net_sales_cents,
        (grid.sale_month + interval '1 month')::date - 1 <= build.as_of as is_complete
    from grid
    cross join build
    left join cohort_months
        on
            grid.cohort_month = cohort_months.cohort_month
            and grid.sale_month = cohort_months.sale_month

)

select
    cohort_month,
    month_number,
    sale_month,
    cohort_customers,
    customers,
    retention_share,
    orders,
    net_sales_cents,
    is_complete
from cohort_retention
