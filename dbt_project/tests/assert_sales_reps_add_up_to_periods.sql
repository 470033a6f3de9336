-- Fails if the sales representatives of a period do not bring what its days bring.
with

periods as (

    {{ days_of_periods() }}

),

members as (

    select
        period,
        sum(orders) as orders,
        sum(net_sales_cents) as net_sales_cents
    from {{ ref('sales_rep_performance') }}
    group by period

)

select
    members.period,
    periods.net_sales_cents,
    members.net_sales_cents as net_sales_cents_of_members
from members
inner join periods on members.period = periods.period
where
    members.orders <> periods.orders
    or members.net_sales_cents <> periods.net_sales_cents
