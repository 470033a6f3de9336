{#
    Descriptions of tables and columns as comments in the catalog. Put here: how they get there. Never here: words.
#}

{# dbt's own asks the catalog twice for the columns of every table, which takes longer than writing all comments; with
   a contract they are known. All comments of a table go in one statement. #}
{% macro postgres__persist_docs(relation, model, for_relation, for_columns) -%}
    {%- if not model.contract.enforced -%}
        {{ return(dbt.default__persist_docs(relation, model, for_relation, for_columns)) }}
    {%- endif -%}
    {%- set comments = [] -%}
    {%- if for_relation and config.persist_relation_docs() and model.description -%}
        {%- do comments.append(alter_relation_comment(relation, model.description)) -%}
    {%- endif -%}
    {%- if for_columns and config.persist_column_docs() -%}
        {%- for column in model.columns.values() -%}
            {%- do comments.append(
                'comment on column ' ~ relation ~ '.' ~ adapter.quote(column.name) ~ ' is '
                ~ postgres_escape_comment(column.description)
            ) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if comments -%}
        {%- do run_query(comments | join('; ')) -%}
    {%- endif -%}
{%- endmacro %}
