{#
    M, the measures of every aggregate. Expects lines of changed_lines() that count as revenue, in an aggregate query.
    All are plain sums, so aggregates may be summed over any of their columns, and a change of lines is added to them:
    what came with sign 1, what went with sign -1. `flag` is the 0/1 column of the line whose sum is the number of
    orders at the aggregate's grain. Money is signed as it adds up: net_sales = gross_sales + discounts + returns.
#}
{% macro line_measures(flag) -%}
    {%- set sign = sign_of_lines() -%}
    {{ sum_of_lines(sign=sign) }} as line_count,
    {{ sum_of_lines(flag, sign=sign) }} as orders,
    {{ sum_of_lines('quantity', "line_type = 'sale'", 'numeric(18, 3)', sign=sign) }} as units,
    {{ sum_of_lines('-quantity', "line_type = 'return'", 'numeric(18, 3)', sign=sign) }} as units_returned,
    {{ sum_of_lines('gross_cents', "line_type = 'sale'", sign=sign) }} as gross_sales_cents,
    {{ sum_of_lines('discount_cents', "line_type = 'sale'", sign=sign) }} as discounts_cents,
    {{ sum_of_lines('net_cents', "line_type = 'return'", sign=sign) }} as returns_cents,
    {{ sum_of_lines('net_cents', sign=sign) }} as net_sales_cents,
    {{ sum_of_lines('tax_cents', sign=sign) }} as tax_cents,
    {{ sum_of_lines(condition='cost_cents is not null', sign=sign) }} as lines_with_cost,
    {{ sum_of_lines('cost_cents', sign=sign) }} as cost_cents,
    {{ sum_of_lines('net_cents', 'cost_cents is not null', sign=sign) }} as net_sales_with_cost_cents
{%- endmacro %}

{# A sum over lines of changed_lines(), 0 where nothing adds to it; without a column, their number. #}
{% macro sum_of_lines(column=none, condition=none, type='bigint', sign=none) -%}
    {%- set sign = sign_of_lines() if sign is none else sign -%}
    {%- if column -%}
        {%- set sum = 'sum(' ~ (sign ~ ' * ' if sign) ~ column ~ ')' -%}
    {%- else -%}
        {%- set sum = 'sum(' ~ sign ~ ')' if sign else 'count(*)' -%}
    {%- endif -%}
    coalesce({{ sum }} {%- if condition %} filter (where {{ condition }}){% endif %}, 0)::{{ type }}
{%- endmacro %}

{# What each line is multiplied by; nothing where all are 1, which spares ten million multiplications a measure. #}
{% macro sign_of_lines() -%} {{ return('' if takes_every_line() else 'sign') }} {%- endmacro %}
