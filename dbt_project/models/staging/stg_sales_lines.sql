-- The fold of all deliveries: a line is current unless a newer delivery, one that brings whole orders, of the same
-- source holds its order. Only `orders` and `events` deliveries exist so far; a test fails on any other.
with

loads as (

    select
        load_id,
        delivery_no,
        feed,
        source,
        mode,
        time_zone
    from {{ ref('stg_build_loads') }}

),

lines as (

    select *
    from {{ source('raw', 'sales_lines') }}

),

newest_whole_orders as (

    select
        loads.source,
        lines.order_key,
        max(loads.delivery_no) as delivery_no
    from lines
    inner join loads on lines.load_id = loads.load_id
    where
        loads.mode = 'orders'
        and lines.order_id is not null
    group by
        loads.source,
        lines.order_key

),

current_lines as (

    select
        lines.*,
        loads.feed,
        loads.source,
        loads.time_zone
    from lines
    inner join loads on lines.load_id = loads.load_id
    left join newest_whole_orders
        on
            lines.order_key = newest_whole_orders.order_key
            and loads.source = newest_whole_orders.source
            and loads.delivery_no < newest_whole_orders.delivery_no
    where newest_whole_orders.order_key is null

),

stg_sales_lines as (

    select
        -- ids
        order_key,
        order_line_key,
        load_id,
        feed,
        source,
        order_id,
        product_id,
        customer_id,
        case
            when product_id is not null then {{ hash_key(["'id'", "product_id"]) }}
            when product_name is not null then {{ hash_key(["'name'", "product_name"]) }}
            else {{ unknown_key() }}
        end as product_key,
        case
            when customer_id is not null then {{ hash_key(["'id'", "source", "customer_id"]) }}
            when customer_email is not null then {{ hash_key(["'email'", "lower(customer_email)"]) }}
            when customer_name is not null then {{ hash_key(["'name'", "source", "customer_name"]) }}
            else {{ unknown_key() }}
        end as customer_key,
        case
            when store is not null then {{ hash_key(["store"]) }}
            else {{ unknown_key() }}
        end as store_key,
        case
            when sales_rep is not null then {{ hash_key(["sales_rep"]) }}
            else {{ unknown_key() }}
        end as sales_rep_key,

        -- strings
        line_type,
        regexp_replace(lower(btrim(order_status)), '[\s_-]+', '_', 'g') as order_status,
        product_name,
        category,
        customer_name,
        customer_email,
        store as store_name,
        region,
        country,
        sales_rep as sales_rep_name,
        channel,

        -- numerics
        quantity,
        gross_cents,
        discount_cents,
        tax_cents,
        cost_cents,
        net_cents,

        -- dates and times
        sale_date,
        sold_at,
        extract(hour from sold_at at time zone time_zone)::smallint as sale_hour
    from current_lines

)

select
    order_key,
    order_line_key,
    load_id,
    feed,
    source,
    order_id,
    product_id,
    customer_id,
    product_key,
    customer_key,
    store_key,
    sales_rep_key,
    line_type,
    order_status,
    product_name,
    category,
    customer_name,
    customer_email,
    store_name,
    region,
    country,
    sales_rep_name,
    channel,
    quantity,
    gross_cents,
    discount_cents,
    tax_cents,
    cost_cents,
    net_cents,
    sale_date,
    sold_at,
    sale_hour
from stg_sales_lines
