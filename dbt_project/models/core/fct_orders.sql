-- An order stands on the day and hour of its first sale line that counts; without one (a return document, a
-- cancelled order) on those of its first line.
{{ config(
    materialized='incremental',
    incremental_strategy='slices',
    unique_key='order_key',
    indexes=[{'columns': ['order_date', 'customer_key']}, {'columns': ['customer_key']}],
    post_hook="{{ analyze() }}",
) }}

with

lines as (

    select
        order_key,
        order_line_key,
        order_id,
        feed,
        sale_date,
        sold_at,
        sale_hour,
        line_type,
        order_status,
        counts_as_revenue,
        order_customer_key,
        store_key,
        sales_rep_key,
        place_key,
        channel,
        region,
        country,
        quantity,
        gross_cents,
        discount_cents,
        tax_cents,
        net_cents
    from {{ build_rows(ref('fct_order_lines')) }}

),

first_lines as (

    select distinct on (order_key)
        order_key,
        order_id,
        feed,
        sale_date as order_date,
        sold_at as ordered_at,
        sale_hour as order_hour,
        order_status,
        order_customer_key as customer_key,
        store_key,
        sales_rep_key,
        place_key,
        channel,
        region,
        country,
        counts_as_revenue and line_type = 'sale' as is_completed_order
    from lines
    order by
        order_key asc,
        {{ counted_sales_first() }}

),

totals as (

    select
        order_key,
        min(sale_date) as first_sale_date,
        max(sale_date) as last_sale_date,
        count(*) as line_count,
        (coalesce(sum(quantity) filter (where counts_as_revenue and line_type = 'sale'), 0))::numeric(18, 3) as units,
        (coalesce(sum(gross_cents) filter (where counts_as_revenue and line_type = 'sale'), 0))::bigint as gross_cents,
        (coalesce(sum(discount_cents) filter (where counts_as_revenue and line_type = 'sale'), 0))::bigint
            as discount_cents,
        (coalesce(sum(net_cents) filter (where counts_as_revenue and line_type = 'return'), 0))::bigint as return_cents,
        (sum(tax_cents) filter (where counts_as_revenue))::bigint as tax_cents,
        (coalesce(sum(net_cents) filter (where counts_as_revenue), 0))::bigint as net_cents,
        (coalesce(sum(net_cents) filter (where not counts_as_revenue), 0))::bigint as uncounted_cents
    from lines
    group by order_key

),

fct_orders as (

    select
        first_lines.order_key,
        first_lines.order_id,
        first_lines.feed,
        first_lines.order_date,
        first_lines.ordered_at,
        first_lines.order_hour,
        first_lines.order_status,
        first_lines.is_completed_order,
        first_lines.customer_key,
        first_lines.store_key,
        first_lines.sales_rep_key,
        first_lines.place_key,
        first_lines.channel,
        first_lines.region,
        first_lines.country,
        totals.first_sale_date,
        totals.last_sale_date,
        totals.line_count,
        totals.units,
        totals.gross_cents,
        totals.discount_cents,
        totals.return_cents,
        totals.tax_cents,
        totals.net_cents,
        totals.uncounted_cents
    from first_lines
    inner join totals on first_lines.order_key = totals.order_key

)

select
    order_key,
    order_id,
    feed,
    order_date,
    ordered_at,
    order_hour,
    order_status,
    is_completed_order,
    customer_key,
    store_key,
    sales_rep_key,
    place_key,
    channel,
    region,
    country,
    first_sale_date,
    last_sale_date,
    line_count,
    units,
    gross_cents,
    discount_cents,
    return_cents,
    tax_cents,
    net_cents,
    uncounted_cents
from fct_orders
