{# Ratios of measures. The measures themselves: line_measures.sql. #}

{# A share in percent; null where there is nothing to take a share of. #}
{% macro percent_of(part, whole, digits=1) -%}
    (round(100 * ({{ part }})::numeric / nullif({{ whole }}, 0), {{ digits }}))::numeric(18, {{ digits }})
{%- endmacro %}

{# What an order brought on average before anything came back; null without orders. Rounded half away from zero. #}
{% macro average_order_value_cents(gross, discounts, orders) -%}
    round(({{ gross }} + {{ discounts }})::numeric / nullif({{ orders }}, 0))::bigint
{%- endmacro %}
