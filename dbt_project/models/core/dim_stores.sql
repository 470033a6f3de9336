-- Members are those that sales, stock counts or lists of stores name; all but a list may name a store by its id or by
-- its name.
with

counted as (

    select distinct store_name
    from {{ ref('stg_stock_counts') }}
    where store_name is not null

),

lines as (

    select
        store_key,
        store_name
    from {{ ref('dim_place_spellings') }}
    where store_key <> {{ unknown_key() }}

    union distinct

    select
        {{ named_key('store_name') }} as store_key,
        store_name
    from counted

),

loads as (

    select
        load_id,
        delivery_no,
        feed,
        is_complete,
        seen_date
    from {{ ref('stg_master_loads') }}
    where holds = 'stores'

),

versions as (

    select
        coalesce(versions.store_id, versions.store) as member,
        loads.delivery_no,
        loads.feed,
        loads.is_complete,
        coalesce(versions.effective_from, loads.seen_date) as valid_from_date,
        versions.effective_from is not null as is_dated,
        versions.*
    from {{ source('raw', 'stores') }} as versions
    inner join loads on versions.load_id = loads.load_id

),

known as (

    select
        member,
        {{ newest('store') }} as store_name,
        {{ newest('city') }} as city,
        {{ newest('region') }} as region,
        {{ newest('country') }} as country,
        {{ newest('time_zone') }} as time_zone,
        {{ newest('opened') }} as opened_date
    from versions
    where {{ holds_as_of() }}
    group by member

),

listed as (

    {{ listed_members('versions', 'member') }}

),

only_of_its_name as (

    select
        store_name,
        min(member) as member
    from known
    group by store_name
    having count(*) = 1

),

members as (

    select
        lines.store_key,
        lines.store_name,
        coalesce(known.member, only_of_its_name.member) as member
    from lines
    left join known on lines.store_name = known.member
    left join only_of_its_name on lines.store_name = only_of_its_name.store_name

    union all

    select
        {{ hash_key(["known.member"]) }} as store_key,
        known.member as store_name,
        known.member
    from known
    where
        not exists (
            select 1 as found
            from lines
            left join only_of_its_name on lines.store_name = only_of_its_name.store_name
            where
                lines.store_name = known.member
                or only_of_its_name.member = known.member
        )

),

dim_stores as (

    select
        members.store_key,
        coalesce(known.store_name, members.store_name) as store_name,
        known.city,
        known.region,
        known.country,
        known.time_zone,
        known.opened_date,
        (listed.is_listed is not false) as is_active,
        known.member is null as is_inferred
    from members
    left join known on members.member = known.member
    left join listed on members.member = listed.member

    union all

    select
        {{ unknown_key() }} as store_key,
        'Unknown store' as store_name,
        null as city,
        null as region,
        null as country,
        null as time_zone,
        null as opened_date,
        true as is_active,
        false as is_inferred

)

select
    store_key,
    store_name,
    city,
    region,
    country,
    time_zone,
    opened_date,
    is_active,
    is_inferred
from dim_stores
