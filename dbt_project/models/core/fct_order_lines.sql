-- What a line is in its order is told by flags: their sums count orders, so every aggregate adds up.
{{ config(
    materialized='incremental',
    incremental_strategy='slices',
    unique_key='order_key',
    partition_by={
        'field': 'sale_date', 'data_type': 'date', 'granularity': 'month', 'months_of': 'raw.sales_lines'
    },
    indexes=[{'columns': ['sale_date'], 'type': 'brin'}],
    post_hook=["{{ analyze() }}", "{{ note_product_terms() }}"],
) }}

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
        {{ place_key('store_key') }} as place_key,
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

terms as (

    select
        product_key,
        valid_from_date,
        coalesce(valid_to_date, date 'infinity') as valid_to_date,
        category_key,
        unit_cost_cents
    from {{ ref('dim_product_terms') }}

),

described as (

    select
        lines.*,
        coalesce(
            case when lines.line_type = 'return' then statuses.return_counts else statuses.sale_counts end,
            true
        ) and lines.line_kind is null as counts_as_revenue,
        coalesce(terms.category_key, {{ unknown_key() }}) as category_key,
        coalesce(lines.cost_cents, round(terms.unit_cost_cents * lines.quantity)::bigint) as known_cost_cents
    from lines
    left join statuses on lines.order_status = statuses.order_status
    left join terms
        on
            lines.product_key = terms.product_key
            and lines.sale_date between terms.valid_from_date and terms.valid_to_date

),

ranked as (

    select
        *,
        counts_as_revenue and line_type = 'sale' as is_counted_sale,
        row_number() over (partition by order_key order by {{ counted_sales_first() }}) as place_in_order,
        row_number() over (
            partition by order_key, category_key
            order by {{ counted_sales_first() }}
        ) as place_in_category,
        row_number() over (
            partition by order_key, product_key
            order by {{ counted_sales_first() }}
        ) as place_in_product,
        coalesce(
            min(customer_key) filter (where customer_key <> {{ unknown_key() }}) over (partition by order_key),
            {{ unknown_key() }}
        ) as order_customer_key,
        min(sale_date) filter (where line_type = 'sale') over (partition by order_key) as sold_since_date,
        bool_or(line_type = 'sale') over (partition by order_key, product_key) as order_sold_the_product
    from described

),

linked as (

    select
        *,
        -- one receipt that sells one thing and takes back another on the same day is an exchange at the till
        line_type = 'return'
        and (sale_date > sold_since_date or sale_date = sold_since_date and order_sold_the_product)
            as belongs_to_its_order
    from ranked

),

fct_order_lines as (

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
        category_key,
        customer_key,
        order_customer_key,
        store_key,
        sales_rep_key,
        place_key,
        channel,
        region,
        country,
        case when belongs_to_its_order then order_key end as returned_order_key,
        case when belongs_to_its_order then sold_since_date end as returned_order_date,
        (is_counted_sale and place_in_order = 1)::integer::smallint as order_flag,
        (is_counted_sale and place_in_category = 1)::integer::smallint as category_flag,
        (is_counted_sale and place_in_product = 1)::integer::smallint as product_flag,
        quantity,
        gross_cents,
        discount_cents,
        tax_cents,
        known_cost_cents as cost_cents,
        net_cents
    from linked

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
    category_key,
    customer_key,
    order_customer_key,
    store_key,
    sales_rep_key,
    place_key,
    channel,
    region,
    country,
    returned_order_key,
    returned_order_date,
    order_flag,
    category_flag,
    product_flag,
    quantity,
    gross_cents,
    discount_cents,
    tax_cents,
    cost_cents,
    net_cents
from fct_order_lines
