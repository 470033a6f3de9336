-- Fails if a day's money in daily_sales is not the money of that day's lines that count.
with

facts as (

    select
        sale_date,
        sum(net_cents) as net_cents
    from {{ ref('fct_order_lines') }}
    where counts_as_revenue
    group by sale_date

),

daily_sales as (

    select
        sale_date,
        net_sales_cents
    from {{ ref('daily_sales') }}

)

select
    coalesce(facts.sale_date, daily_sales.sale_date) as sale_date,
    facts.net_cents as fact_cents,
    daily_sales.net_sales_cents as mart_cents
from facts
full join daily_sales on facts.sale_date = daily_sales.sale_date
where facts.net_cents is distinct from daily_sales.net_sales_cents
