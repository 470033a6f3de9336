-- Fails if a month's orders, guests or money by customers are not those of its days.
with

months as (

    select
        sale_month,
        orders,
        guest_orders,
        net_sales_cents
    from {{ ref('customers_monthly') }}

),

days as (

    select
        date_trunc('month', sale_date)::date as sale_month,
        sum(orders) as orders,
        sum(guest_orders) as guest_orders,
        sum(net_sales_cents) as net_sales_cents
    from {{ ref('daily_sales') }}
    group by date_trunc('month', sale_date)

)

select
    coalesce(months.sale_month, days.sale_month) as sale_month,
    months.net_sales_cents,
    days.net_sales_cents as net_sales_cents_of_days
from months
full join days on months.sale_month = days.sale_month
where
    (months.orders, months.guest_orders, months.net_sales_cents)
    is distinct from (days.orders, days.guest_orders, days.net_sales_cents)
