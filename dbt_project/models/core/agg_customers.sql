-- All lines of an order are its customer's, also those that name nobody. Guests have no row. The dates are no sums:
-- they are asked anew of the orders of each customer whose lines changed.
{{ config(
    materialized="incremental",
    incremental_strategy="additive",
    unique_key="customer_key",
    meta={"local": True, "not_summed": ["first_order_date", "last_order_date"]},
    post_hook="{{ analyze() }}",
) }}

with

lines as (

    select
        sign,
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
    from {{ changed_lines() }}
    where
        counts_as_revenue
        and order_customer_key <> {{ unknown_key() }}

),

sums as (

    select
        order_customer_key as customer_key,
        {{ line_measures('order_flag') }}
    from lines
    group by order_customer_key

),

orders as (

    select
        customer_key,
        min(order_date) as first_order_date,
        max(order_date) as last_order_date
    from {{ ref('fct_orders') }}
    where
        is_completed_order
        and customer_key in (select sums.customer_key from sums)
    group by customer_key

),

agg_customers as (

    select
        sums.*,
        orders.first_order_date,
        orders.last_order_date
    from sums
    left join orders on sums.customer_key = orders.customer_key

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
