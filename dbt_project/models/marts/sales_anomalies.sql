-- What was unusual comes from analytics/ (docs/decisions/0062-sales-anomalies.md); here it gets names.
with

flags as (

    select
        sale_date,
        subject,
        subject_key,
        as_of,
        direction,
        seen_cents,
        expected_cents,
        low_cents,
        high_cents,
        score,
        reason,
        cause,
        cause_detail,
        load_id
    from {{ source('analytics', 'sales_anomaly_flags') }}

),

categories as (

    select
        category_key,
        category
    from {{ ref('dim_categories') }}

),

-- orders are looked up by key, so that those of a few flags do not cost a walk over all
flagged_orders as (

    select
        orders.order_key,
        orders.order_id,
        orders.store_key,
        orders.customer_key
    from {{ ref('fct_orders') }} as orders
    inner join flags
        on
            orders.order_key = flags.subject_key
            and flags.subject = 'order'

),

stores as (

    select
        store_key,
        store_name
    from {{ ref('dim_stores') }}

),

sales_anomalies as (

    select
        flags.sale_date,
        flags.subject,
        flags.subject_key,
        categories.category,
        flagged_orders.order_id,
        stores.store_name,
        flagged_orders.customer_key,
        flags.direction,
        flags.seen_cents,
        flags.expected_cents,
        flags.low_cents,
        flags.high_cents,
        flags.score,
        flags.reason,
        flags.cause,
        flags.cause_detail,
        flags.load_id,
        flags.as_of
    from flags
    left join categories
        on
            flags.subject = 'category'
            and flags.subject_key = categories.category_key
    left join flagged_orders
        on
            flags.subject = 'order'
            and flags.subject_key = flagged_orders.order_key
    left join stores on flagged_orders.store_key = stores.store_key

)

select
    sale_date,
    subject,
    subject_key,
    category,
    order_id,
    store_name,
    customer_key,
    direction,
    seen_cents,
    expected_cents,
    low_cents,
    high_cents,
    score,
    reason,
    cause,
    cause_detail,
    load_id,
    as_of
from sales_anomalies
