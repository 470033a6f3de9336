{#
    M, the measures of every aggregate. Expects lines that count as revenue, with the columns of fct_order_lines, in
    an aggregate query. All are plain sums, so aggregates may be summed over any of their columns; `flag` is the 0/1
    column of the line whose sum is the number of orders at the aggregate's grain.
#}
{% macro line_measures(flag) -%}
    count(*) as line_count,
    sum({{ flag }})::bigint as orders,
    (coalesce(sum(quantity) filter (where line_type = 'sale'), 0))::numeric(18, 3) as units,
    (coalesce(-sum(quantity) filter (where line_type = 'return'), 0))::numeric(18, 3) as units_returned,
    (coalesce(sum(gross_cents) filter (where line_type = 'sale'), 0))::bigint as gross_sales_cents,
    (coalesce(sum(discount_cents) filter (where line_type = 'sale'), 0))::bigint as discounts_cents,
    (coalesce(sum(net_cents) filter (where line_type = 'return'), 0))::bigint as returns_cents,
    sum(net_cents)::bigint as net_sales_cents,
    (coalesce(sum(tax_cents), 0))::bigint as tax_cents,
    count(cost_cents) as lines_with_cost,
    (coalesce(sum(cost_cents), 0))::bigint as cost_cents,
    (coalesce(sum(net_cents) filter (where cost_cents is not null), 0))::bigint as net_sales_with_cost_cents
{%- endmacro %}
