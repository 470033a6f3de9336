{# A model's schema is the one its folder names, word for word: other parts rely on `core` and `marts_next`. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
