-- Fails if net sales or orders of a period in kpi_summary or period_comparison are not the sum of its days.
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
        orders,
        net_sales_cents
    from {{ ref('daily_sales') }}

),

periods as (

    select
        spans.period,
        coalesce(sum(days.orders), 0) as orders,
        coalesce(sum(days.net_sales_cents), 0) as net_sales_cents
    from spans
    left join days on days.sale_date between spans.first_date and spans.last_date
    group by spans.period

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
