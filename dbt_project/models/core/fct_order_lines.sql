{{ config(post_hook="{{ analyze() }}") }}

with

lines as (

    select
        order_key,
        order_line_key,
        sale_date,
        order_id,
        load_id,
        feed,
        sold_at,
        sale_hour,
        line_type,
        line_kind,
        order_status,
        product_key,
        customer_key,
        store_key,
        sales_rep_key,
        channel,
        region,
        country,
        quantity,
        gross_cents,
        discount_cents,
        tax_cents,
        cost_cents,
        net_cents
    from {{ build_lines() }}

),

statuses as (

    select
        order_status,
        sale_counts,
        return_counts
    from {{ ref('dim_order_statuses') }}

),

fct_order_lines as (

    select
        lines.order_key,
        lines.order_line_key,
        lines.sale_date,
        lines.order_id,
        lines.load_id,
        lines.feed,
        lines.sold_at,
        lines.sale_hour,
        lines.line_type,
        lines.line_kind,
        lines.order_status,
        coalesce(
            case when lines.line_type = 'return' then statuses.return_counts else statuses.sale_counts end,
            true
        ) and lines.line_kind is null as counts_as_revenue,
        lines.product_key,
        lines.customer_key,
        lines.store_key,
        lines.sales_rep_key,
        lines.channel,
        lines.region,
        lines.country,
        lines.quantity,
        lines.gross_cents,
        lines.discount_cents,
        lines.tax_cents,
        lines.cost_cents,
        lines.net_cents
    from lines
    left join statuses on lines.order_status = statuses.order_status

)

select
    order_key,
    order_line_key,
    sale_date,
    order_id,
    load_id,
    feed,
    sold_at,
    sale_hour,
    line_type,
    line_kind,
    order_status,
    counts_as_revenue,
    product_key,
    customer_key,
    store_key,
    sales_rep_key,
    channel,
    region,
    country,
    quantity,
    gross_cents,
    discount_cents,
    tax_cents,
    cost_cents,
    net_cents
from fct_order_lines
