{# Keys made from business values. The same values give the same key in every build, on every engine with md5. #}

{# First 64 bits of the md5 of the parts, joined by a character that no delivered text holds. #}
{% macro hash_key(parts) -%}
    ('x' || left(md5({{ parts | join(" || chr(31) || ") }}), 16))::bit(64)::bigint
{%- endmacro %}

{# The member that stands for "not known" in every dimension. #}
{% macro unknown_key() -%} -1::bigint {%- endmacro %}

{# The product of a row of sales: its id, else its name (docs/decisions/0009). #}
{% macro product_key() -%}
    case
            when product_id is not null then {{ hash_key(["'id'", "product_id"]) }}
            when product_name is not null then {{ hash_key(["'name'", "product_name"]) }}
            else {{ unknown_key() }}
        end
{%- endmacro %}

{# The customer of a row of sales: the id of its source, else the e-mail address, else the name in its source. #}
{% macro customer_key() -%}
    case
            when {{ unless_forgotten('customer_id') }} is not null
                then {{ hash_key(["'id'", "source", "customer_id"]) }}
            when {{ unless_forgotten('customer_email') }} is not null
                then {{ hash_key(["'email'", "lower(customer_email)"]) }}
            when {{ unless_forgotten('customer_name') }} is not null
                then {{ hash_key(["'name'", "source", "customer_name"]) }}
            else {{ unknown_key() }}
        end
{%- endmacro %}

{# Of a store or sales representative: the word that names it is the member. #}
{% macro named_key(name) -%}
    case
            when {{ name }} is not null then {{ hash_key([name]) }}
            else {{ unknown_key() }}
        end
{%- endmacro %}

{# Where and how a line was sold: one key for store, region, country and channel as delivered. #}
{% macro place_key(store_key) -%}
    {{ hash_key([
        store_key ~ "::text",
        "coalesce('=' || region, '')",
        "coalesce('=' || country, '')",
        "coalesce('=' || channel, '')",
    ]) }}
{%- endmacro %}

{# Post-hook: the grain of a table whose key may hold null. Publication finds that of a mart in the catalog. #}
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
