{#
    A product whose category or cost has changed touches lines that no new delivery touches. Both hooks belong here:
    the one that finds such lines, and the one that notes what the lines were made with.
#}

{# Post-hook of dim_product_terms, in its transaction: in a sliced build the orders whose lines were made with other
   terms than hold now are touched too. #}
{% macro touch_lines_of_changed_terms() -%}
    {%- set lines = load_cached_relation(this.incorporate(path={'identifier': 'fct_order_lines'})) -%}
    {%- if execute and lines -%}
        {%- set changed -%}
            select
                product_key,
                min(valid_from_date) as first_day
            from (
                (
                    select product_key, valid_from_date, category_key, unit_cost_cents from {{ this }}
                    except all
                    select product_key, valid_from_date, category_key, unit_cost_cents from ops.product_terms
                )
                union all
                (
                    select product_key, valid_from_date, category_key, unit_cost_cents from ops.product_terms
                    except all
                    select product_key, valid_from_date, category_key, unit_cost_cents from {{ this }}
                )
            ) as differing
            -- no line was made yet of a product that is new
            where product_key in (select known.product_key from ops.product_terms as known)
            group by product_key
        {%- endset -%}
        {%- set first_day = run_query(
            "select min(changed.first_day) from (" ~ changed ~ ") as changed where exists ("
            ~ "select from ops.builds as b where b.build_id = " ~ build_id() ~ " and not b.is_whole)"
        ).rows[0][0] -%}
        {%- if first_day -%}
            insert into ops.build_slices (build_id, kind, key, sale_date, is_known)
            select distinct {{ build_id() }}, 'order', lines.order_key, lines.sale_date, true
            from {{ lines }} as lines
            inner join ({{ changed }}) as changed
                on lines.product_key = changed.product_key and lines.sale_date >= changed.first_day
            -- a literal, so that earlier months are left out
            where lines.sale_date >= '{{ first_day }}'
            on conflict (build_id, kind, key, sale_date) do update set is_known = true;
            select ops.settle_slices({{ build_id() }})
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{# Post-hook of fct_order_lines, in its transaction. #}
{% macro note_product_terms() -%}
    {%- if execute -%}
        delete from ops.product_terms as noted
        where not exists (
            select from {{ ref('dim_product_terms') }} as terms
            where
                terms.product_key = noted.product_key
                and terms.valid_from_date = noted.valid_from_date
                and terms.category_key = noted.category_key
                and terms.unit_cost_cents is not distinct from noted.unit_cost_cents
        );
        insert into ops.product_terms (product_key, valid_from_date, category_key, unit_cost_cents)
        select product_key, valid_from_date, category_key, unit_cost_cents
        from {{ ref('dim_product_terms') }}
        on conflict (product_key, valid_from_date) do nothing
    {%- endif -%}
{%- endmacro %}
