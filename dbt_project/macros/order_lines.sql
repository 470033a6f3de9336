{# What fct_order_lines and fct_orders share about the lines of an order. #}

{# The order of an order's lines: sale lines that count first, then by day and time; the key breaks ties. #}
{% macro counted_sales_first() -%}
    (counts_as_revenue and line_type = 'sale') desc, sale_date asc, sold_at asc nulls last, order_line_key asc
{%- endmacro %}
