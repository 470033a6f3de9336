-- Fails if a whole month counts other, other new or other returning customers as a period than in customers_monthly.
with

periods as (

    select
        spans.first_date as sale_month,
        buyers.customers,
        buyers.new_customers,
        buyers.returning_customers
    from {{ ref('agg_buyers_by_period') }} as buyers
    inner join {{ ref('dim_period_spans') }} as spans
        on
            buyers.period = spans.period
            and buyers.span = spans.span
    where
        spans.first_date = date_trunc('month', spans.first_date)
        and spans.last_date = (spans.first_date + interval '1 month')::date - 1

),

months as (

    select
        sale_month,
        customers,
        new_customers,
        returning_customers
    from {{ ref('customers_monthly') }}

)

select
    periods.sale_month,
    periods.customers,
    months.customers as customers_of_month,
    periods.new_customers,
    months.new_customers as new_customers_of_month,
    periods.returning_customers,
    months.returning_customers as returning_customers_of_month
from periods
left join months on periods.sale_month = months.sale_month
where
    (periods.customers, periods.new_customers, periods.returning_customers)
    is distinct from (
        coalesce(months.customers, 0), coalesce(months.new_customers, 0), coalesce(months.returning_customers, 0)
    )
