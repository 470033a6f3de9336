{#
    The measures of sales lines, defined once. They expect lines that count as revenue, with the columns of
    fct_order_lines, and are used in an aggregate query. Money is signed as it adds up:
    net_sales = gross_sales + discounts + returns.
#}
{% macro sales_measures() -%}
    (coalesce(sum(quantity) filter (where line_type = 'sale'), 0))::numeric(18, 3) as units,
    (coalesce(sum(gross_cents) filter (where line_type = 'sale'), 0))::bigint as gross_sales_cents,
    (coalesce(sum(net_cents) filter (where line_type = 'return'), 0))::bigint as returns_cents,
    (coalesce(sum(discount_cents) filter (where line_type = 'sale'), 0))::bigint as discounts_cents,
    (coalesce(sum(net_cents), 0))::bigint as net_sales_cents
{%- endmacro %}

{# A share in percent; null where there is nothing to take a share of. #}
{% macro percent_of(part, whole, digits=1) -%}
    (round(100 * ({{ part }})::numeric / nullif({{ whole }}, 0), {{ digits }}))::numeric(18, {{ digits }})
{%- endmacro %}

{# What an order brought on average before anything came back; null without orders. Rounded half away from zero. #}
{% macro average_order_value_cents(gross, discounts, orders) -%}
    round(({{ gross }} + {{ discounts }})::numeric / nullif({{ orders }}, 0))::bigint
{%- endmacro %}
