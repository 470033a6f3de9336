-- The junk dimension "where and how": every combination of store, region, country and channel that sales name. The key
-- is made of what was delivered, so it never changes; a blank region or country is that of the store, as lists tell it
-- today, and so two keys may show the same words: group by the words, never by the key alone.
with

spellings as (

    select
        place_key,
        store_key,
        region,
        country,
        channel
    from {{ ref('dim_place_spellings') }}

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
        spellings.place_key,
        spellings.store_key,
        stores.store_name,
        coalesce(spellings.region, stores.region) as region,
        coalesce(spellings.country, stores.country) as country,
        spellings.channel
    from spellings
    inner join stores on spellings.store_key = stores.store_key

)

select
    place_key,
    store_key,
    store_name,
    region,
    country,
    channel
from dim_places
