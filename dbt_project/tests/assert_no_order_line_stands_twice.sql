-- Fails if a row of a delivery stands in the facts more than once.
select
    order_line_key,
    count(*) as times
from {{ ref('fct_order_lines') }}
group by order_line_key
having count(*) > 1
