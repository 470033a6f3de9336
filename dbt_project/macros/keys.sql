{# Keys made from business values. The same values give the same key in every build, on every engine with md5. #}

{# First 64 bits of the md5 of the parts, joined by a character that no delivered text holds. #}
{% macro hash_key(parts) -%}
    ('x' || left(md5({{ parts | join(" || chr(31) || ") }}), 16))::bit(64)::bigint
{%- endmacro %}

{# The member that stands for "not known" in every dimension. #}
{% macro unknown_key() -%} -1::bigint {%- endmacro %}

{# Post-hook: the grain of a mart whose key may hold null. Publication finds it in the catalog. #}
{% macro grain_key(columns) -%}
    {%- if execute -%}
        create unique index on {{ this }} ({{ columns | join(", ") }}) nulls not distinct
    {%- endif -%}
{%- endmacro %}

{# Post-hook: statistics for the models that read this one next, and for whoever asks it directly. What a sliced build
   changes is little, and PostgreSQL looks after it by itself, but for the whole of a partitioned table: that is looked
   at again when it has grown by a fifth. #}
{% macro analyze() -%}
    {%- if execute and (builds_whole() or has_outgrown_statistics(this)) -%} analyze {{ this }} {%- endif -%}
{%- endmacro %}


{# What names a customer, or null where the person was forgotten: `shopx forget` leaves asterisks of equal length. #}
{% macro unless_forgotten(column) -%}
    case when {{ column }} <> repeat('*', length({{ column }})) then {{ column }} end
{%- endmacro %}
