-- Fails if a product's stock is counted by store and for the whole shop at once: it would be added up twice.
select product_key
from {{ ref('inventory_status') }}
where on_hand is not null
group by product_key
having
    bool_or(store_key = {{ unknown_key() }})
    and bool_or(store_key <> {{ unknown_key() }})
