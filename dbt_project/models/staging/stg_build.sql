with

builds as (

    select
        build_id,
        as_of
    from {{ source('ops', 'builds') }}

),

stg_build as (

    select
        build_id,
        as_of
    from builds
    where build_id = (select ops.current_build())

)

select
    build_id,
    as_of
from stg_build
