{# Into which group a customer falls: the simple segments, and the groups of recency against worth. Rules that name
   customers belong here; thresholds are vars of the project. #}

{# The simple segment of a customer with at least one completed order, seen from a day (docs/decisions/0005). The first
   rule that fits decides. #}
{% macro customer_segment(seen_from, first_order_date, last_order_date, order_count, spent_cents, premium_from_cents) -%}
    case
        when {{ seen_from }} - {{ last_order_date }} > {{ var('segment_churned_days') }} then 'Churned'
        when {{ seen_from }} - {{ last_order_date }} > {{ var('segment_at_risk_days') }} then 'At-Risk'
        when
            {{ order_count }} >= {{ var('segment_premium_orders') }}
            and {{ spent_cents }} >= {{ premium_from_cents }}
            then 'Premium'
        when {{ seen_from }} - {{ first_order_date }} < {{ var('segment_new_days') }} then 'New'
        else 'Regular'
    end
{%- endmacro %}

{# The group of a cell of the grid (docs/decisions/0053): recency score against worth score, each 1 to 5. #}
{% macro rfm_group(recency_score, worth_score) -%}
    case
        when {{ worth_score }} >= 4 and {{ recency_score }} = 5 then 'Champions'
        when {{ worth_score }} >= 4 and {{ recency_score }} >= 3 then 'Loyal'
        when {{ worth_score }} = 5 then 'Previously loyal'
        when {{ worth_score }} >= 3 and {{ recency_score }} <= 2 then 'At risk'
        when {{ recency_score }} <= 2 then 'Dormant'
        when {{ recency_score }} = 3 and {{ worth_score }} = 3 then 'Needs attention'
        when {{ recency_score }} = 3 then 'Almost lost'
        when {{ worth_score }} >= 2 then 'Active'
        when {{ recency_score }} = 5 then 'New'
        when {{ recency_score }} = 4 then 'Promising'
    end
{%- endmacro %}
