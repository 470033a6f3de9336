{#
    What customers bring by the age of the acquaintance, counted from the day of the first order, which is day 1. That
    day may move (an earlier order is delivered, the first one withdrawn), so changes of lines cannot be added up: in a
    sliced build the customers concerned are made anew. Put here what asks for ages.
#}

{# Net sales of a customer in the first days since the first order, which is day 1. #}
{% macro net_sales_within(days) -%}
    (coalesce(sum(lines.net_cents) filter (where lines.sale_date < customers.first_order_date + {{ days }}), 0))::bigint
{%- endmacro %}

{# Whether so many days since the first order are over. #}
{% macro age_is_reached(days) -%}
    first_order_date + {{ days }} - 1 <= as_of
{%- endmacro %}

{# Customers whose first year this build can have changed, and the day it starts; in a whole build all who have ordered.
   Who has no order left keeps the old day, and no line is found. Expects the queries `changed`, lines of changed_lines(),
   and `buyers`. #}
{% macro customers_whose_first_year_changed() -%}
    {%- if takes_every_line() -%}
        buyers
    {%- else -%}
        (
            select
                first_changes.customer_key,
                coalesce(buyers.first_order_date, standing.first_order_date) as first_order_date
            from (
                select
                    changed.customer_key,
                    min(changed.sale_date) as first_changed_date
                from changed
                group by changed.customer_key
            ) as first_changes
            left join buyers on first_changes.customer_key = buyers.customer_key
            left join {{ this }} as standing on first_changes.customer_key = standing.customer_key
            where
                first_changes.first_changed_date < buyers.first_order_date + 365
                or buyers.first_order_date is distinct from standing.first_order_date
        ) as concerned
    {%- endif -%}
{%- endmacro %}

{# Their lines: customer_key, sale_date, order_flag, net_cents. Expects the query `customers` too. #}
{% macro lines_of_their_first_year() -%}
    {%- set orders = ref('fct_orders') -%}
    {%- set lines = ref('fct_order_lines') -%}
    {%- if takes_every_line() -%}
        changed
    {%- else -%}
        (
            select
                orders.customer_key,
                order_lines.sale_date,
                order_lines.order_flag,
                order_lines.net_cents
            from customers
            inner join buyers on customers.customer_key = buyers.customer_key
            inner join {{ orders }} as orders
                on
                    customers.customer_key = orders.customer_key
                    and orders.first_sale_date < customers.first_order_date + 365
            inner join {{ lines }} as order_lines
                on
                    orders.order_key = order_lines.order_key
                    and order_lines.sale_date between orders.first_sale_date and orders.last_sale_date
            where order_lines.counts_as_revenue
        ) as their_lines
    {%- endif -%}
{%- endmacro %}
