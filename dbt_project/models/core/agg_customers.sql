-- All lines of an order are its customer's, also those that name nobody. Guests have no row. The dates are no sums:
-- orders that came move them, and where one went they are asked anew of those that are left.
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
        {{ line_measures('order_flag') }},
        min(sale_date) filter (where order_flag = 1 and sign = 1) as first_added_date,
        max(sale_date) filter (where order_flag = 1 and sign = 1) as last_added_date,
        bool_or(order_flag = 1 and sign = -1) as lost_an_order
    from lines
    group by order_customer_key

),

standing as (

    select
        customer_key,
        first_order_date,
        last_order_date
    from {{ standing_customers() }}

),

orders as (

    select
        customer_key,
        min(order_date) as first_order_date,
        max(order_date) as last_order_date
    from {{ orders_of_customers_in('sums', 'lost_an_order') }}
    where is_completed_order
    group by customer_key

),

agg_customers as (

    select
        sums.*,
        case
            when sums.lost_an_order then orders.first_order_date
            else least(standing.first_order_date, sums.first_added_date)
        end as first_order_date,
        case
            when sums.lost_an_order then orders.last_order_date
            else greatest(standing.last_order_date, sums.last_added_date)
        end as last_order_date
    from sums
    left join standing on sums.customer_key = standing.customer_key
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
