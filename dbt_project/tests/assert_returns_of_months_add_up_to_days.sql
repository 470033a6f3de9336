-- Fails if what came back in a month, or what was sold in it, is not that of its days.
with

months as (

    select
        sale_month,
        sold_cents,
        returns_cents
    from {{ ref('returns_monthly') }}

),

days as (

    select
        date_trunc('month', sale_date)::date as sale_month,
        sum(gross_sales_cents + discounts_cents) as sold_cents,
        sum(returns_cents) as returns_cents
    from {{ ref('daily_sales') }}
    group by date_trunc('month', sale_date)

)

select
    coalesce(months.sale_month, days.sale_month) as sale_month,
    months.returns_cents,
    days.returns_cents as returns_cents_of_days
from months
full join days on months.sale_month = days.sale_month
where (months.sold_cents, months.returns_cents) is distinct from (days.sold_cents, days.returns_cents)
