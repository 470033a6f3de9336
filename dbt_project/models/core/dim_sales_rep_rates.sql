-- Which commission rate held for a representative on which days. A list names a representative by id or by name, and a
-- sale may use either. As of costs, what the first list without dates says holds since ever.
with

loads as (

    select
        load_id,
        delivery_no,
        seen_date
    from {{ ref('stg_master_loads') }}
    where holds = 'sales_reps'

),

versions as (

    select
        coalesce(versions.sales_rep_id, versions.sales_rep) as member,
        versions.sales_rep as sales_rep_name,
        versions.commission_rate,
        coalesce(versions.effective_from, loads.seen_date) as valid_from_date,
        versions.effective_from is not null as is_dated,
        loads.delivery_no,
        versions.row_number
    from {{ source('raw', 'sales_reps') }} as versions
    inner join loads on versions.load_id = loads.load_id

),

names as (

    select
        member,
        {{ newest('sales_rep_name') }} as sales_rep_name
    from versions
    group by member

),

keys as (

    select
        member,
        {{ hash_key(["member"]) }} as sales_rep_key
    from names

    union

    select
        min(member) as member,
        {{ hash_key(["sales_rep_name"]) }} as sales_rep_key
    from names
    where sales_rep_name is not null
    group by sales_rep_name
    having count(*) = 1

),

-- one member per key: an id that reads like another's name is that id
members as (

    select
        keys.sales_rep_key,
        coalesce(max(keys.member) filter (where {{ hash_key(["keys.member"]) }} = keys.sales_rep_key), min(keys.member))
            as member
    from keys
    group by keys.sales_rep_key

),

stated as (

    select
        member,
        {{ since_ever('member') }} as valid_from_date,
        commission_rate,
        delivery_no,
        row_number
    from versions
    where commission_rate is not null

),

rates as (

    select distinct on (member, valid_from_date)
        member,
        valid_from_date,
        commission_rate
    from stated
    order by
        member asc,
        valid_from_date asc,
        delivery_no desc,
        row_number desc

),

ranges as (

    select
        member,
        valid_from_date,
        lead(valid_from_date) over (partition by member order by valid_from_date) - 1 as valid_to_date,
        commission_rate
    from rates

),

dim_sales_rep_rates as (

    select
        members.sales_rep_key,
        ranges.valid_from_date,
        ranges.valid_to_date,
        ranges.commission_rate
    from ranges
    inner join members on ranges.member = members.member

)

select
    sales_rep_key,
    valid_from_date,
    valid_to_date,
    commission_rate
from dim_sales_rep_rates
