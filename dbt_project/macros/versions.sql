{# Versions of master data, one row per delivered row: expects valid_from_date, is_dated, delivery_no, row_number. #}

{# Of the versions of a member the newest that says something about the column. A blank cell says nothing. #}
{% macro newest(column) -%}
    (
        array_agg({{ column }} order by valid_from_date desc, delivery_no desc, row_number desc)
        filter (where {{ column }} is not null)
    )[1]
{%- endmacro %}

{# The condition for versions that hold already: a date to come is no price yet. #}
{% macro holds_as_of() -%}
    (not is_dated or valid_from_date <= (select as_of from {{ ref('stg_build') }}))
{%- endmacro %}

{# Which members each feed still lists: all it ever named, unless a later complete list of that feed leaves them out. #}
{% macro listed_members(versions, key) -%}
    select
        {{ key }},
        bool_or(last_named_no >= coalesce(complete_no, 0)) as is_listed
    from (
        select
            {{ key }},
            max(delivery_no) as last_named_no,
            max(max(delivery_no) filter (where is_complete)) over (partition by feed) as complete_no
        from {{ versions }}
        group by
            {{ key }},
            feed
    ) as named
    group by {{ key }}
{%- endmacro %}

{# The day from which a version's word holds: its own; what the first undated one of a member says holds since ever. #}
{% macro since_ever(key) -%}
    case
        when not is_dated and valid_from_date = min(valid_from_date) over (partition by {{ key }})
            then date '0001-01-01'
        else valid_from_date
    end
{%- endmacro %}
