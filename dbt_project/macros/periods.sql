{#
    Sums over the periods of dim_periods, and what has changed from one span of a period to another. For marts that
    join a daily table to the spans of dim_periods and group by period. Rules: docs/decisions/0050 and 0051.
#}

{# The measures of every aggregate, added up; `span` restricts them to one span of the period. #}
{% macro added_up(measures, span=none, prefix='') -%}
    {%- for measure in measures -%}
        {%- set type = 'numeric(18, 3)' if measure.startswith('units') else 'bigint' -%}
        (coalesce(sum({{ measure }}){% if span %} filter (where span = '{{ span }}'){% endif %}, 0))::{{ type }}
            as {{ prefix }}{{ measure }}
        {%- if not loop.last %},
    {% endif -%}
    {%- endfor -%}
{%- endmacro %}

{# Change in percent of the base; null where the base is no ground to stand on (why_no_percent says why). #}
{% macro change_pct(value, base, base_orders) -%}
    case
        when {{ base }} > 0 and {{ base_orders }} >= {{ var('comparison_min_orders') }}
            then (round(100 * ({{ value }} - {{ base }})::numeric / {{ base }}, 1))::numeric(18, 1)
    end
{%- endmacro %}

{# Why there is no percentage; null where there is one. #}
{% macro why_no_percent(base, base_orders) -%}
    case
        when {{ base }} is null then 'history_too_short'
        when {{ base }} <= 0 then 'base_is_not_positive'
        when {{ base_orders }} < {{ var('comparison_min_orders') }} then 'too_few_orders'
    end
{%- endmacro %}

{# Gross profit over the sales whose cost is known; null where none is. `of` is the table alias, with its dot. #}
{% macro gross_profit_cents(of='') -%}
    case when {{ of }}lines_with_cost > 0 then {{ of }}net_sales_with_cost_cents - {{ of }}cost_cents end
{%- endmacro %}

{# The same for rows of KPIs: discounts and returns are shown at or below 0, so their size is what is compared; a
   percentage itself changes by points, never by percent. #}
{% macro kpi_change_pct(this, base) -%}
    case
        when
            {{ this }}.unit <> 'percent'
            and {{ base }}.orders >= {{ var('comparison_min_orders') }}
            and ({{ base }}.base_value > 0 or ({{ base }}.base_value < 0 and {{ this }}.kpi in ('discounts', 'returns')))
            then (round(100 * ({{ this }}.value - {{ base }}.base_value) / {{ base }}.base_value, 1))::numeric(18, 1)
    end
{%- endmacro %}

{# The reason where kpi_change_pct gives none; null where it gives one. #}
{% macro kpi_why_no_percent(this, base) -%}
    case
        when {{ this }}.unit = 'percent' then 'changes_by_points'
        when {{ this }}.value is null then {{ this }}.why_missing
        when {{ base }}.kpi is null then 'nothing_to_compare_with'
        when {{ base }}.base_value is null then {{ base }}.why_missing
        when {{ base }}.orders < {{ var('comparison_min_orders') }} then 'too_few_orders'
        when {{ base }}.base_value = 0 or ({{ base }}.base_value < 0 and {{ this }}.kpi not in ('discounts', 'returns'))
            then 'base_is_not_positive'
    end
{%- endmacro %}

{# The same day of an earlier month; the last of that month where it has no such day. #}
{% macro months_before(day, months) -%} ({{ day }} - interval '{{ months }} months')::date {%- endmacro %}

{# For tests: what the days of each period bring, as daily_sales has them: period, orders, net_sales_cents. #}
{% macro days_of_periods() -%}
    select
        spans.period,
        coalesce(sum(days.orders), 0) as orders,
        coalesce(sum(days.net_sales_cents), 0) as net_sales_cents
    from {{ ref('dim_period_spans') }} as spans
    left join {{ ref('daily_sales') }} as days on days.sale_date between spans.first_date and spans.last_date
    where spans.span = 'this'
    group by spans.period
{%- endmacro %}
