{# Of the spellings of a value the one seen last, null never winning over a value. For dimensions made from lines:
   expects last_seen_date and last_order_line_key, which together are unique per spelling. #}
{% macro latest(column) -%}
    (
        array_agg({{ column }} order by last_seen_date desc, last_order_line_key desc)
        filter (where {{ column }} is not null)
    )[1]
{%- endmacro %}
