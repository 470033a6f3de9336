{#
    How a model that learns from deliveries, not from current lines, asks the new ones alone. What it learns must be
    the same whether deliveries come one by one or all at once, and may be learned twice.
#}

{# Rows of the sales deliveries that count, with their source: of all, or of those that the model does not know yet. #}
{% macro delivered_lines() -%}
    (
        select
            lines.*,
            loads.source
        from {{ source('raw', 'sales_lines') }} as lines
        inner join {{ ref('stg_build_loads') }} as loads on lines.load_id = loads.load_id
        {%- if execute and not builds_whole() %}
        where lines.load_id in ({{ new_deliveries() }})
        {%- endif %}
    ) as delivered_lines
{%- endmacro %}

{# The last build before this one in which the model was made: the model knows its deliveries. #}
{% macro known_build() -%}
    (select max(m.build_id) from ops.model_builds as m where m.model = '{{ model.name }}' and m.build_id < {{ build_id() }})
{%- endmacro %}

{# Literals, so that the rows are found by load. #}
{% macro new_deliveries() -%}
    {%- set loads = run_query(
        "select l.load_id from ops.build_loads as l where l.build_id = " ~ build_id()
        ~ " except select l.load_id from ops.build_loads as l where l.build_id = " ~ known_build()
        ~ " order by load_id"
    ) -%}
    {{- loads.columns[0].values() | join(', ') or 'null' -}}
{%- endmacro %}

{# Whether the model knows a delivery that counts no more, or a person who was forgotten since. #}
{% macro knows_too_much() -%}
    {%- set answer = run_query(
        "select exists ("
        ~ "select l.load_id from ops.build_loads as l where l.build_id = " ~ known_build()
        ~ " except select l.load_id from ops.build_loads as l where l.build_id = " ~ build_id()
        ~ ") or exists ("
        ~ "select from ops.forgotten as f inner join ops.builds as b on b.build_id = " ~ known_build()
        ~ " where f.forgotten_at >= b.opened_at)"
    ) -%}
    {{ return(answer.rows[0][0]) }}
{%- endmacro %}

{# Strategy `last_seen`: what was seen before is kept, with the latest day and line it was seen in. #}
{% macro get_incremental_last_seen_sql(arg_dict) -%}
    {%- set columns = arg_dict["dest_columns"] | map(attribute="quoted") | join(", ") -%}
    insert into {{ arg_dict["target_relation"] }} as seen ({{ columns }})
    select {{ columns }}
    from {{ arg_dict["temp_relation"] }}
    on conflict ({{ arg_dict["unique_key"] }}) do update set
        last_seen_date = greatest(seen.last_seen_date, excluded.last_seen_date),
        last_order_line_key = greatest(seen.last_order_line_key, excluded.last_order_line_key)
{%- endmacro %}
