-- Fails if net sales or orders of a period in kpi_summary or period_comparison are not the sum of its days.
with

periods as (

    {{ days_of_periods() }}

),

figures as (

    select
        period,
        max(value) filter (where kpi = 'orders') as orders,
        max(value) filter (where kpi = 'net_sales') as net_sales_cents
    from {{ ref('kpi_summary') }}
    group by period

    union all

    select
        period,
        orders,
        net_sales_cents
    from {{ ref('period_comparison') }}

)

select
    periods.period,
    periods.orders,
    figures.orders as orders_of_figure,
    periods.net_sales_cents,
    figures.net_sales_cents as net_sales_cents_of_figure
from periods
inner join figures on periods.period = figures.period
where
    (periods.orders, periods.net_sales_cents) is distinct from (figures.orders, figures.net_sales_cents)
