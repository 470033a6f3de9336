-- Fails if an aggregate holds other totals than the lines it is made from.
{% set of_every_line = {
    'agg_sales_daily': 'order_flag',
    'agg_sales_monthly': 'order_flag',
    'agg_orders_daily': 'order_flag',
    'agg_sales_hourly': 'order_flag',
    'agg_sales_reps_daily': 'order_flag',
    'agg_categories_daily': 'category_flag',
    'agg_products_daily': 'product_flag',
    'agg_products_monthly': 'product_flag',
} %}
{% set of_identified_customers = {'agg_customers': 'order_flag'} %}
with

lines as (

    select
        order_customer_key <> {{ unknown_key() }} as is_identified,
        count(*) as line_count,
        sum(order_flag) as order_flag,
        sum(category_flag) as category_flag,
        sum(product_flag) as product_flag,
        sum(quantity) as units,
        sum(net_cents) as net_cents,
        sum(tax_cents) as tax_cents,
        sum(cost_cents) as cost_cents
    from {{ ref('fct_order_lines') }}
    where counts_as_revenue
    group by order_customer_key <> {{ unknown_key() }}

),

facts as (
    {% for name, flag in (of_every_line.items() | list) + (of_identified_customers.items() | list) %}

        select
            '{{ name }}' as model_name,
            coalesce(sum(line_count), 0) as line_count,
            coalesce(sum({{ flag }}), 0) as orders,
            coalesce(sum(units), 0) as units,
            coalesce(sum(net_cents), 0) as net_cents,
            coalesce(sum(tax_cents), 0) as tax_cents,
            coalesce(sum(cost_cents), 0) as cost_cents
        from lines
        {% if name in of_identified_customers %}where is_identified{% endif %}

        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

aggregates as (
    {% for name in (of_every_line | list) + (of_identified_customers | list) %}

        select
            '{{ name }}' as model_name,
            coalesce(sum(line_count), 0) as line_count,
            coalesce(sum(orders), 0) as orders,
            coalesce(sum(units - units_returned), 0) as units,
            coalesce(sum(net_sales_cents), 0) as net_cents,
            coalesce(sum(tax_cents), 0) as tax_cents,
            coalesce(sum(cost_cents), 0) as cost_cents
        from {{ ref(name) }}

        {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select
    aggregates.model_name,
    facts.line_count as fact_lines,
    aggregates.line_count,
    facts.orders as fact_orders,
    aggregates.orders,
    facts.net_cents as fact_net_cents,
    aggregates.net_cents
from aggregates
inner join facts on aggregates.model_name = facts.model_name
where
    (
        aggregates.line_count, aggregates.orders, aggregates.units,
        aggregates.net_cents, aggregates.tax_cents, aggregates.cost_cents
    )
    <> (facts.line_count, facts.orders, facts.units, facts.net_cents, facts.tax_cents, facts.cost_cents)
