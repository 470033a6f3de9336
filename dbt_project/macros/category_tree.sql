{# Each category with itself and with the categories above it, three levels at most; no member counts twice. #}
{% macro categories_and_their_ancestors() -%}
    select
        child.category_key,
        ancestors.category_key as ancestor_key
    from {{ ref('dim_categories') }} as child
    left join {{ ref('dim_categories') }} as parent
        on
            child.parent_category = parent.category
            and parent.category_key <> {{ unknown_key() }}
    inner join {{ ref('dim_categories') }} as ancestors
        on
            child.category_key = ancestors.category_key
            or (
                ancestors.category in (child.parent_category, parent.parent_category)
                and ancestors.category_key <> {{ unknown_key() }}
            )
{%- endmacro %}
