-- seen_date stands for the day a version holds from where its row states none.
with

build_loads as (

    select
        build_id,
        load_id,
        delivery_no,
        feed,
        source
    from {{ source('ops', 'build_loads') }}

),

loads as (

    select
        load_id,
        holds,
        reading,
        first_seen_at
    from {{ source('raw', 'loads') }}
    where holds <> 'sales'

),

stg_master_loads as (

    select
        build_loads.load_id,
        build_loads.delivery_no,
        build_loads.feed,
        build_loads.source,
        loads.holds,
        coalesce((loads.reading ->> 'complete')::boolean, false) as is_complete,
        (loads.first_seen_at at time zone 'UTC')::date as seen_date
    from build_loads
    inner join loads on build_loads.load_id = loads.load_id
    where build_loads.build_id = (select ops.current_build())

)

select
    load_id,
    delivery_no,
    feed,
    source,
    holds,
    is_complete,
    seen_date
from stg_master_loads
