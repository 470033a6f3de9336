-- The junk dimension "where and how": every combination of store, region, country and channel that lines hold. The key
-- is made of what was delivered, so it never changes; a blank region or country is that of the store, as lists tell it
-- today, and so two keys may show the same words: group by the words, never by the key alone.
with

lines as (

    select distinct
        place_key,
        store_key,
        region,
        country,
        channel
    from {{ ref('fct_order_lines') }}

),

stores as (

    select
        store_key,
        store_name,
        region,
        country
    from {{ ref('dim_stores') }}

),

dim_places as (

    select
        lines.place_key,
        lines.store_key,
        stores.store_name,
        coalesce(lines.region, stores.region) as region,
        coalesce(lines.country, stores.country) as country,
        lines.channel
    from lines
    inner join stores on lines.store_key = stores.store_key

)

select
    place_key,
    store_key,
    store_name,
    region,
    country,
    channel
from dim_places
