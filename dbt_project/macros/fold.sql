{#
    Which rows are current: the fold of all deliveries. A line is current unless a later delivery of the same source
    replaces it. `days` replaces the days of its scope and its line keys, `orders` its orders, `lines` its line keys,
    `events` and `match` nothing; what a `match` delivery brings a second time is in build_repeats. raw.fold is the
    same rule for any loads.

    `rows` is raw.sales_lines, or whole orders of it: an order's rows are replaced by rows of that order or by days,
    so the fold of some orders needs no row of another.
#}
{% macro current_sales_lines(rows) -%}
with

loads as (

    select
        load_id,
        delivery_no,
        feed,
        source,
        mode,
        time_zone,
        -- the first delivery of a source, often its whole past, has nothing to replace
        delivery_no > min(delivery_no) over (partition by source) as can_replace
    from {{ ref('stg_build_loads') }}

),

repeats as (

    select
        order_line_key,
        true as is_repeat
    from {{ source('ops', 'build_repeats') }}
    where build_id = (select ops.current_build())

),

scopes as (

    select
        load_id,
        store,
        first_date,
        last_date
    from {{ source('raw', 'load_scopes') }}

),

replaced_orders as (

    select
        loads.source,
        lines.order_key,
        max(loads.delivery_no) as delivery_no
    from {{ rows }} as lines
    inner join loads on lines.load_id = loads.load_id
    where
        loads.can_replace
        and loads.mode = 'orders'
        and lines.order_id is not null
    group by
        loads.source,
        lines.order_key

),

replaced_lines as (

    select
        loads.source,
        lines.order_key,
        lines.line_number,
        max(loads.delivery_no) as delivery_no
    from {{ rows }} as lines
    inner join loads on lines.load_id = loads.load_id
    where
        loads.can_replace
        and loads.mode in ('lines', 'days')
        and lines.order_id is not null
        and lines.line_number is not null
    group by
        loads.source,
        lines.order_key,
        lines.line_number

),

replaced_days as (

    select
        loads.source,
        scopes.store,
        each_day.sale_date::date as sale_date,
        max(loads.delivery_no) as delivery_no
    from loads
    inner join scopes on loads.load_id = scopes.load_id
    cross join
        lateral generate_series(
            scopes.first_date::timestamp, scopes.last_date::timestamp, interval '1 day'
        ) as each_day (sale_date)
    where
        loads.can_replace
        and loads.mode = 'days'
    group by
        loads.source,
        scopes.store,
        each_day.sale_date

),

current_lines as (

    select
        lines.*,
        loads.feed,
        loads.source,
        loads.time_zone
    from {{ rows }} as lines
    inner join loads on lines.load_id = loads.load_id
    left join replaced_orders
        on
            lines.order_key = replaced_orders.order_key
            and lines.order_id is not null
            and loads.source = replaced_orders.source
            and loads.delivery_no < replaced_orders.delivery_no
    left join replaced_lines
        on
            lines.order_key = replaced_lines.order_key
            and lines.order_id is not null
            and lines.line_number = replaced_lines.line_number
            and loads.source = replaced_lines.source
            and loads.delivery_no < replaced_lines.delivery_no
    left join replaced_days
        on
            lines.sale_date = replaced_days.sale_date
            and coalesce(lines.store, '') = replaced_days.store
            and loads.source = replaced_days.source
            and loads.delivery_no < replaced_days.delivery_no
    left join replaced_days as replaced_days_of_every_store
        on
            lines.sale_date = replaced_days_of_every_store.sale_date
            and replaced_days_of_every_store.store is null
            and loads.source = replaced_days_of_every_store.source
            and loads.delivery_no < replaced_days_of_every_store.delivery_no
    left join repeats on lines.order_line_key = repeats.order_line_key
    where
        replaced_orders.delivery_no is null
        and replaced_lines.delivery_no is null
        and replaced_days.delivery_no is null
        and replaced_days_of_every_store.delivery_no is null
        and repeats.is_repeat is null

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
        {{ unless_forgotten('customer_id') }} as customer_id,
        {{ product_key() }} as product_key,
        {{ customer_key() }} as customer_key,
        {{ named_key('store') }} as store_key,
        {{ named_key('sales_rep') }} as sales_rep_key,

        -- strings
        line_type,
        line_kind,
        regexp_replace(lower(btrim(order_status)), '[\s_-]+', '_', 'g') as order_status,
        product_name,
        category,
        {{ unless_forgotten('customer_name') }} as customer_name,
        {{ unless_forgotten('customer_email') }} as customer_email,
        store as store_name,
        region,
        country,
        sales_rep as sales_rep_name,
        channel,

        -- numerics
        quantity_thousandths * 0.001 as quantity,
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
    line_kind,
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
{%- endmacro %}
