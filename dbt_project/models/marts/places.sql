-- The members of the filters store, region, country and channel; other marts name them by place_key.
with

places as (

    select
        place_key,
        store_key,
        store_name,
        region,
        country,
        channel
    from {{ ref('dim_places') }}

)

select
    place_key,
    store_key,
    store_name,
    region,
    country,
    channel
from places
