{# What an aggregate of customers asks beside the lines that changed. #}

{# The model's own rows before this build; none where it is made of every line. #}
{% macro standing_customers() -%}
    {%- if takes_every_line() -%}
        (
            select
                null::bigint as customer_key,
                null::date as first_order_date,
                null::date as last_order_date
            where false
        ) as standing_customers
    {%- else -%}
        {{ this }}
    {%- endif -%}
{%- endmacro %}

{# The orders of some customers of a CTE. In a sliced build they are few, and looked up one by one, which `offset 0`
   sees to: a join would read all orders. #}
{% macro orders_of_customers_in(customers, condition) -%}
    (
        {% if takes_every_line() -%}
        select orders.*
        from {{ customers }} as wanted
        inner join {{ ref('fct_orders') }} as orders on wanted.customer_key = orders.customer_key
        {%- else -%}
        select found.*
        from {{ customers }} as wanted
        cross join lateral (
            select
                orders.customer_key,
                orders.order_date,
                orders.is_completed_order
            from {{ ref('fct_orders') }} as orders
            where orders.customer_key = wanted.customer_key
            offset 0
        ) as found
        {%- endif %}
        where wanted.{{ condition }}
    ) as orders_of_customers
{%- endmacro %}
