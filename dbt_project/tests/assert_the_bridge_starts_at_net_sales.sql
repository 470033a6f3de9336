-- Fails if a day's bridge does not start at the net sales of daily_sales, or its steps do not add up to its last sum.
with

bridge as (

    select
        sale_date,
        sum(amount_cents) as amount_cents,
        max(amount_cents) filter (where step = 'net_sales') as net_sales_cents,
        (array_agg(running_cents order by step_number desc))[1] as running_cents
    from {{ ref('sales_bridge') }}
    group by sale_date

),

days as (

    select
        sale_date,
        net_sales_cents
    from {{ ref('daily_sales') }}

)

select
    bridge.sale_date,
    bridge.net_sales_cents,
    days.net_sales_cents as net_sales_cents_of_day,
    bridge.amount_cents,
    bridge.running_cents
from bridge
left join days on bridge.sale_date = days.sale_date
where
    bridge.net_sales_cents <> coalesce(days.net_sales_cents, 0)
    or bridge.amount_cents <> bridge.running_cents
