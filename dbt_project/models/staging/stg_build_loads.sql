with

build_loads as (

    select
        build_id,
        load_id,
        delivery_no,
        feed,
        source,
        mode
    from {{ source('ops', 'build_loads') }}

),

loads as (

    select
        load_id,
        reading,
        first_date,
        last_date
    from {{ source('raw', 'loads') }}
    where holds = 'sales'

),

stg_build_loads as (

    select
        build_loads.load_id,
        build_loads.delivery_no,
        build_loads.feed,
        build_loads.source,
        build_loads.mode,
        coalesce(loads.reading ->> 'timezone', 'UTC') as time_zone,
        loads.first_date,
        loads.last_date
    from build_loads
    inner join loads on build_loads.load_id = loads.load_id
    where build_loads.build_id = (select ops.current_build())

)

select
    load_id,
    delivery_no,
    feed,
    source,
    mode,
    time_zone,
    first_date,
    last_date
from stg_build_loads
