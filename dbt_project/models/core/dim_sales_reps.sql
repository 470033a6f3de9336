-- Members are those that sales or lists of representatives name; a sale may name one by id or by name.
with

lines as (

    select
        sales_rep_key,
        sales_rep_name
    from {{ ref('dim_sales_rep_spellings') }}

),

loads as (

    select
        load_id,
        delivery_no,
        feed,
        is_complete,
        seen_date
    from {{ ref('stg_master_loads') }}
    where holds = 'sales_reps'

),

versions as (

    select
        coalesce(versions.sales_rep_id, versions.sales_rep) as member,
        loads.delivery_no,
        loads.feed,
        loads.is_complete,
        coalesce(versions.effective_from, loads.seen_date) as valid_from_date,
        versions.effective_from is not null as is_dated,
        versions.*
    from {{ source('raw', 'sales_reps') }} as versions
    inner join loads on versions.load_id = loads.load_id

),

known as (

    select
        member,
        {{ newest('sales_rep') }} as sales_rep_name,
        {{ newest('email') }} as email,
        {{ newest('region') }} as region,
        {{ newest('commission_rate') }} as commission_rate,
        {{ newest('is_active') }} as is_active
    from versions
    where {{ holds_as_of() }}
    group by member

),

listed as (

    {{ listed_members('versions', 'member') }}

),

only_of_its_name as (

    select
        sales_rep_name,
        min(member) as member
    from known
    group by sales_rep_name
    having count(*) = 1

),

members as (

    select
        lines.sales_rep_key,
        lines.sales_rep_name,
        coalesce(known.member, only_of_its_name.member) as member
    from lines
    left join known on lines.sales_rep_name = known.member
    left join only_of_its_name on lines.sales_rep_name = only_of_its_name.sales_rep_name

    union all

    select
        {{ hash_key(["known.member"]) }} as sales_rep_key,
        known.member as sales_rep_name,
        known.member
    from known
    where
        not exists (
            select 1 as found
            from lines
            left join only_of_its_name on lines.sales_rep_name = only_of_its_name.sales_rep_name
            where
                lines.sales_rep_name = known.member
                or only_of_its_name.member = known.member
        )

),

dim_sales_reps as (

    select
        members.sales_rep_key,
        coalesce(known.sales_rep_name, members.sales_rep_name) as sales_rep_name,
        known.email,
        known.region,
        known.commission_rate,
        (known.is_active is not false and listed.is_listed is not false) as is_active,
        known.member is null as is_inferred
    from members
    left join known on members.member = known.member
    left join listed on members.member = listed.member

    union all

    select
        {{ unknown_key() }} as sales_rep_key,
        'Unknown sales representative' as sales_rep_name,
        null as email,
        null as region,
        null as commission_rate,
        true as is_active,
        false as is_inferred

)

select
    sales_rep_key,
    sales_rep_name,
    email,
    region,
    commission_rate,
    is_active,
    is_inferred
from dim_sales_reps
