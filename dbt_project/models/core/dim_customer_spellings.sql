-- How deliveries name customers, as dim_product_spellings does products. A forgotten person is nobody.
{{ config(
    materialized="incremental",
    incremental_strategy="last_seen",
    unique_key="spelling_key",
    on_schema_change="fail",
    post_hook="{{ analyze() }}",
) }}

with

delivered as (

    select
        source,
        {{ unless_forgotten('customer_id') }} as customer_id,
        {{ unless_forgotten('customer_email') }} as customer_email,
        {{ unless_forgotten('customer_name') }} as customer_name,
        region,
        country,
        sale_date,
        order_line_key
    from {{ delivered_lines() }}

),

spellings as (

    select
        source,
        customer_id,
        customer_email,
        customer_name,
        region,
        country,
        max(sale_date) as last_seen_date,
        max(order_line_key) as last_order_line_key
    from delivered
    where coalesce(customer_id, customer_email, customer_name) is not null
    group by
        source,
        customer_id,
        customer_email,
        customer_name,
        region,
        country

),

dim_customer_spellings as (

    select
        {{ hash_key([
            "coalesce('=' || source, '')",
            "coalesce('=' || customer_id, '')",
            "coalesce('=' || customer_email, '')",
            "coalesce('=' || customer_name, '')",
            "coalesce('=' || region, '')",
            "coalesce('=' || country, '')",
        ]) }} as spelling_key,
        {{ customer_key() }} as customer_key,
        source,
        customer_id,
        customer_email,
        customer_name,
        region,
        country,
        last_seen_date,
        last_order_line_key
    from spellings

)

select
    spelling_key,
    customer_key,
    source,
    customer_id,
    customer_email,
    customer_name,
    region,
    country,
    last_seen_date,
    last_order_line_key
from dim_customer_spellings
