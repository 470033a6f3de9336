-- Fails if a cohort's month is not what its customers' months add up to.
with

firsts as (

    select
        customer_key,
        min(sale_month) filter (where orders > 0) as cohort_month
    from {{ ref('agg_customers_monthly') }}
    group by customer_key

),

months as (

    select
        firsts.cohort_month,
        months.sale_month,
        sum(case when months.orders > 0 then 1 else 0 end) as customers,
        sum(months.line_count) as line_count,
        sum(months.orders) as orders,
        sum(months.net_sales_cents) as net_sales_cents
    from {{ ref('agg_customers_monthly') }} as months
    inner join firsts on months.customer_key = firsts.customer_key
    where firsts.cohort_month is not null
    group by
        firsts.cohort_month,
        months.sale_month

),

cohorts as (

    select
        cohort_month,
        sale_month,
        customers,
        line_count,
        orders,
        net_sales_cents
    from {{ ref('agg_cohorts_monthly') }}

),

differing as (

    (
        select * from months
        except all
        select * from cohorts
    )

    union all

    (
        select * from cohorts
        except all
        select * from months
    )

)

select
    cohort_month,
    sale_month
from differing
