-- Fails if the categories of a period, each without its subcategories, do not bring what its days bring.
with

spans as (

    select
        period,
        first_date,
        last_date
    from {{ ref('dim_period_spans') }}
    where span = 'this'

),

days as (

    select
        sale_date,
        net_sales_cents
    from {{ ref('daily_sales') }}

),

periods as (

    select
        spans.period,
        coalesce(sum(days.net_sales_cents), 0) as net_sales_cents
    from spans
    left join days on days.sale_date between spans.first_date and spans.last_date
    group by spans.period

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
