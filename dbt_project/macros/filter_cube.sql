{# What the filter cubes by day and by month share. #}

{# Stands for all categories together in the cubes; no hash of a category's name is 0 but by a chance of 2^-64. #}
{% macro all_categories_key() -%} 0::bigint {%- endmacro %}

{# The measures of the cubes beside orders, which differ by how they are counted. #}
{% macro cube_measures() -%}
    units,
        units_returned,
        gross_sales_cents,
        discounts_cents,
        returns_cents,
        net_sales_cents,
        tax_cents,
        cost_cents,
        net_sales_with_cost_cents
{%- endmacro %}

{# The members of the category filter, all categories together among them. #}
{% macro categories_to_filter_by() -%}
    select
        category_key,
        coalesce(category, 'Unknown category') as category
    from {{ ref('dim_categories') }}

    union all

    select
        {{ all_categories_key() }} as category_key,
        'All categories' as category
{%- endmacro %}
