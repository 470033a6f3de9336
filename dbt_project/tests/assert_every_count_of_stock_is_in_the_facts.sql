-- Fails if what deliveries say is in stock on a day is not what the facts hold, the last row of each delivery counting.
with

delivered as (

    select
        load_id,
        product_key,
        store_key,
        counted_date,
        (array_agg(on_hand order by row_number desc))[1] as on_hand
    from {{ ref('stg_stock_counts') }}
    group by
        load_id,
        product_key,
        store_key,
        counted_date

),

facts as (

    select
        load_id,
        product_key,
        store_key,
        counted_date,
        on_hand
    from {{ ref('fct_inventory') }}

)

select
    coalesce(delivered.load_id, facts.load_id) as load_id,
    coalesce(delivered.product_key, facts.product_key) as product_key,
    delivered.on_hand as delivered_pieces,
    facts.on_hand
from delivered
full join facts
    on
        delivered.load_id = facts.load_id
        and delivered.product_key = facts.product_key
        and delivered.store_key = facts.store_key
        and delivered.counted_date = facts.counted_date
where delivered.on_hand is distinct from facts.on_hand
