-- Fails if the groups of one kind do not bring what the days of the period bring; guests belong to no customer segment.
with

periods as (

    {{ days_of_periods() }}

),

members as (

    select
        period,
        group_type,
        sum(net_sales_cents) as net_sales_cents
    from {{ ref('profit_analysis') }}
    where group_type <> 'customer_segment'
    group by
        period,
        group_type

)

select
    members.period,
    members.group_type,
    periods.net_sales_cents,
    members.net_sales_cents as net_sales_cents_of_members
from members
inner join periods on members.period = periods.period
where
    members.net_sales_cents <> periods.net_sales_cents
