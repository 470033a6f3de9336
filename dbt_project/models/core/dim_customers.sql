-- Members are those that sales or customer lists name. What a list says holds over what a sale says; of several
-- names, addresses or places in sales the latest day's holds. A customer that sales know by an e-mail address alone
-- takes what a list says about the one customer with that address.
with

spellings as (

    select
        customer_key,
        source,
        customer_id,
        customer_email,
        customer_name,
        region,
        country,
        last_seen_date,
        last_order_line_key
    from {{ ref('dim_customer_spellings') }}

),

loads as (

    select
        load_id,
        delivery_no,
        feed,
        source,
        is_complete,
        seen_date
    from {{ ref('stg_master_loads') }}
    where holds = 'customers'

),

versions as (

    select
        case
            when customers.customer_id is not null
                then {{ hash_key(["'id'", "loads.source", "customers.customer_id"]) }}
            else {{ hash_key(["'email'", "lower(customers.customer_email)"]) }}
        end as customer_key,
        loads.delivery_no,
        loads.feed,
        loads.source,
        loads.is_complete,
        coalesce(customers.effective_from, loads.seen_date) as valid_from_date,
        customers.effective_from is not null as is_dated,
        customers.*
    from {{ source('raw', 'customers') }} as customers
    inner join loads on customers.load_id = loads.load_id

),

known as (

    select
        customer_key,
        max(customer_id) as customer_id,
        {{ newest('source') }} as source,
        {{ newest('customer_name') }} as customer_name,
        {{ newest('customer_email') }} as customer_email,
        {{ newest('segment') }} as delivered_segment,
        {{ newest('city') }} as city,
        {{ newest('state') }} as state,
        {{ newest('region') }} as region,
        {{ newest('country') }} as country,
        {{ newest('created') }} as created_date
    from versions
    where {{ holds_as_of() }}
    group by customer_key

),

listed as (

    {{ listed_members('versions', 'customer_key') }}

),

only_of_its_address as (

    select
        lower(customer_email) as address,
        min(customer_key) as customer_key
    from known
    where customer_id is not null
    group by lower(customer_email)
    having count(*) = 1

),

bought as (

    select
        customer_key,
        max(customer_id) as customer_id,
        {{ latest('source') }} as source,
        {{ latest('customer_email') }} as customer_email,
        {{ latest('customer_name') }} as customer_name,
        {{ latest('region') }} as region,
        {{ latest('country') }} as country
    from spellings
    group by customer_key

),

members as (

    select
        coalesce(bought.customer_key, known.customer_key) as customer_key,
        coalesce(known.customer_key, only_of_its_address.customer_key) as listed_key,
        coalesce(bought.customer_id, known.customer_id) as customer_id,
        coalesce(bought.source, known.source) as source,
        coalesce(bought.customer_email, known.customer_email) as customer_email,
        bought.customer_name,
        bought.region,
        bought.country
    from bought
    full join known on bought.customer_key = known.customer_key
    left join only_of_its_address
        on
            bought.customer_id is null
            and lower(bought.customer_email) = only_of_its_address.address

),

dim_customers as (

    select
        members.customer_key,
        case
            when members.customer_id is not null then 'id'
            when members.customer_email is not null then 'email'
            else 'name'
        end as identified_by,
        members.source,
        members.customer_id,
        coalesce(known.customer_name, members.customer_name) as customer_name,
        coalesce(known.customer_email, members.customer_email) as customer_email,
        known.delivered_segment,
        known.city,
        known.state,
        coalesce(known.region, members.region) as region,
        coalesce(known.country, members.country) as country,
        known.created_date,
        listed.is_listed is not false as is_active,
        known.customer_key is null as is_inferred
    from members
    left join known on members.listed_key = known.customer_key
    left join listed on members.listed_key = listed.customer_key

    union all

    select
        {{ unknown_key() }} as customer_key,
        'nothing' as identified_by,
        null as source,
        null as customer_id,
        'Guest' as customer_name,
        null as customer_email,
        null as delivered_segment,
        null as city,
        null as state,
        null as region,
        null as country,
        null as created_date,
        true as is_active,
        false as is_inferred

)

select
    customer_key,
    identified_by,
    source,
    customer_id,
    customer_name,
    customer_email,
    delivered_segment,
    city,
    state,
    region,
    country,
    created_date,
    is_active,
    is_inferred
from dim_customers
