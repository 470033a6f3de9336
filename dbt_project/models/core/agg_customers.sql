-- All lines of an order are its customer's, also those that name nobody. Guests have no row.
{{ config(post_hook="{{ analyze() }}") }}

with

lines as (

    select
        order_customer_key,
        sale_date,
        order_flag,
        line_type,
        quantity,
        gross_cents,
        discount_cents,
        tax_cents,
        cost_cents,
        net_cents
    from {{ ref('fct_order_lines') }}
    where
        counts_as_revenue
        and order_customer_key <> {{ unknown_key() }}

),

agg_customers as (

    select
        order_customer_key as customer_key,
        {{ line_measures('order_flag') }},
        min(sale_date) filter (where order_flag = 1) as first_order_date,
        max(sale_date) filter (where order_flag = 1) as last_order_date
    from lines
    group by order_customer_key

)

select
    customer_key,
    line_count,
    orders,
    units,
    units_returned,
    gross_sales_cents,
    discounts_cents,
    returns_cents,
    net_sales_cents,
    tax_cents,
    lines_with_cost,
    cost_cents,
    net_sales_with_cost_cents,
    first_order_date,
    last_order_date
from agg_customers
