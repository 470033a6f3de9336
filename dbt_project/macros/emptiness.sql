{#
    Tables that hold nothing although they should. Put here: what the tests of that ask. Never here: another test.
#}

{# The names of the tables that are empty although what they are made of is not. `tables` are pairs of a table and what
   it is made of, or triples with the condition for the rows of it that count. #}
{% macro empty_without_reason(tables) -%}
    {%- for given in tables %}
    select '{{ given[0].identifier }}' as empty_table
    where
        not exists (select from {{ given[0] }})
        and exists (select from {{ given[1] }} where {{ given[2] if given | length > 2 else 'true' }})
        {{- '
    union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{# The condition for days later than `days` before as_of. #}
{% macro days_since(column, days) -%}
    {{ column }} > (select as_of - {{ days }} from {{ ref('stg_build') }})
{%- endmacro %}
