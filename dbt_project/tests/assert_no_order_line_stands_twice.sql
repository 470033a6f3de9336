-- Fails if a row of a delivery stands in the facts more than once.
-- By the two halves of order_line_key (delivery and row), not by the key: Postgres hashes a bigint by the XOR of its
-- halves, and grouping a million such keys by the whole never came back.
select
    order_line_key >> 32 as delivery_no,
    order_line_key & 4294967295 as row_number,
    count(*) as times
from {{ ref('fct_order_lines') }}
group by
    order_line_key >> 32,
    order_line_key & 4294967295
having count(*) > 1
