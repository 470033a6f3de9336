-- Members are inferred from the lines that name them; of several names, addresses or places the latest day's holds.
with

lines as (

    select
        customer_key,
        source,
        customer_id,
        customer_email,
        customer_name,
        region,
        country,
        sale_date,
        order_line_key
    from {{ ref('stg_sales_lines') }}

),

spellings as (

    select
        customer_key,
        source,
        customer_id,
        customer_email,
        customer_name,
        region,
        country,
        max(sale_date) as last_seen_date,
        max(order_line_key) as last_order_line_key
    from lines
    where customer_key <> {{ unknown_key() }}
    group by
        customer_key,
        source,
        customer_id,
        customer_email,
        customer_name,
        region,
        country

),

members as (

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

dim_customers as (

    select
        customer_key,
        case
            when customer_id is not null then 'id'
            when customer_email is not null then 'email'
            else 'name'
        end as identified_by,
        source,
        customer_id,
        customer_name,
        customer_email,
        region,
        country,
        true as is_inferred
    from members

    union all

    select
        {{ unknown_key() }} as customer_key,
        'nothing' as identified_by,
        null as source,
        null as customer_id,
        'Guest' as customer_name,
        null as customer_email,
        null as region,
        null as country,
        false as is_inferred

)

select
    customer_key,
    identified_by,
    source,
    customer_id,
    customer_name,
    customer_email,
    region,
    country,
    is_inferred
from dim_customers
