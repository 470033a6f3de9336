-- Fails if a counting delivery means something that the fold in stg_sales_lines cannot do.
select
    load_id,
    feed,
    mode
from {{ ref('stg_build_loads') }}
where mode not in ('days', 'orders', 'lines', 'events', 'match')
