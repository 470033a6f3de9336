-- Fails if the categories of a period, each without its subcategories, do not bring what its days bring.
with

periods as (

    {{ days_of_periods() }}

),

members as (

    select
        period,
        sum(own_net_sales_cents) as net_sales_cents
    from {{ ref('category_performance') }}
    group by period

)

select
    members.period,
    periods.net_sales_cents,
    members.net_sales_cents as net_sales_cents_of_members
from members
inner join periods on members.period = periods.period
where
    members.net_sales_cents <> periods.net_sales_cents
