-- Fails if a feed's current lines and its lines in the facts differ in number or money, on any day.
with

staged as (

    select
        feed,
        sale_date,
        count(*) as line_count,
        sum(net_cents) as net_cents
    from {{ ref('stg_sales_lines') }}
    group by
        feed,
        sale_date

),

facts as (

    select
        feed,
        sale_date,
        count(*) as line_count,
        sum(net_cents) as net_cents
    from {{ ref('fct_order_lines') }}
    group by
        feed,
        sale_date

)

select
    coalesce(staged.feed, facts.feed) as feed,
    coalesce(staged.sale_date, facts.sale_date) as sale_date,
    staged.line_count as staged_lines,
    facts.line_count as fact_lines,
    staged.net_cents as staged_cents,
    facts.net_cents as fact_cents
from staged
full join facts
    on
        staged.feed = facts.feed
        and staged.sale_date = facts.sale_date
where
    staged.line_count is distinct from facts.line_count
    or staged.net_cents is distinct from facts.net_cents
