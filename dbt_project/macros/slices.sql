{#
    Whole or sliced: what a model of this build is made of. Everything that asks for the touched orders belongs here,
    nothing about how rows get into a table (the strategies).

    A build is sliced when it knows which orders its changes touch (ops.build_slices), else whole. In a sliced build
    a single model is still made whole where it is missing, defined otherwise than when it was last made, or made of
    a model that was. Nothing of this is known while parsing: partial parsing must not depend on a build.

    A model reads its lines through build_lines() or build_rows() and is otherwise the same SQL both ways.

    What up to ten places ask about a model is found out once while dbt compiles it and once while it runs it, and
    kept in `model`, which is one dictionary for each of these.
#}

{# True where this model must be made of everything in this build; always for one that keeps no rows. #}
{% macro builds_whole() -%}
    {%- if config.get('materialized') in ('table', 'view') or is_new() -%}
        {{ return(true) }}
    {%- endif -%}
    {{ return(config.get('incremental_strategy') == 'last_seen' and knows_too_much()) }}
{%- endmacro %}

{# True where nothing that the last build made of this model may stay, so that what is made of it starts anew too. A
   view that is missing is not new: dbt drops it with the view it reads, and makes it again. #}
{% macro is_new() -%}
    {%- if not execute or model.resource_type != 'model' or flags.FULL_REFRESH -%}
        {{ return(true) }}
    {%- endif -%}
    {%- if config.get('materialized') != 'view' and not load_cached_relation(this) -%}
        {{ return(true) }}
    {%- endif -%}
    {%- if 'is_new' not in model -%}
        {%- set found = run_query(newness_query()) -%}
        {%- do model.update({'is_new': found.rows | length == 0 or found.rows[0][0]}) -%}
    {%- endif -%}
    {{ return(model['is_new']) }}
{%- endmacro %}

{# No row: nobody opened a build, as for `dbt compile`. #}
{% macro newness_query() -%}
    {%- set parents = [] -%}
    {%- for parent in model.depends_on.nodes if parent.startswith('model.') -%}
        {%- do parents.append(sql_text(parent.split('.')[-1])) -%}
    {%- endfor -%}
    select
        b.is_whole
        or last.checksum is distinct from '{{ model_checksum() }}'
        or (last.build_id = b.build_id and last.is_whole)
        or exists (
            select from ops.model_builds as parent
            where
                parent.model in ({{ parents | join(', ') or 'null' }})
                and parent.is_whole and parent.built_at > last.built_at
        )
    from ops.builds as b
    left join lateral (
        select m.build_id, m.checksum, m.is_whole, m.built_at
        from ops.model_builds as m
        where m.model = '{{ model.name }}'
        order by m.built_at desc
        limit 1
    ) as last on true
    where b.build_id = {{ build_id() }}
{%- endmacro %}

{# Of all that decides what a model holds: its SQL, its columns and constraints, and the macros it is written with. #}
{% macro model_checksum() -%}
    {%- if 'own_checksum' in model -%} {{ return(model['own_checksum']) }} {%- endif -%}
    {%- set parts = [
        model.raw_code, config.get('materialized'), config.get('unique_key'), config.get('partition_by')
    ] -%}
    {%- for column in model.columns.values() -%}
        {%- do parts.append(column.name ~ ' ' ~ column.data_type) -%}
    {%- endfor -%}
    {%- for constraint in model.constraints -%}
        {%- do parts.append(constraint.expression or constraint.columns) -%}
    {%- endfor -%}
    {%- do add_macro_texts(model.depends_on.macros, parts, []) -%}
    {%- do model.update({'own_checksum': local_md5(parts | join('\n'))}) -%}
    {{ return(model['own_checksum']) }}
{%- endmacro %}

{# Macros of the build's own machinery decide how and when, not what: no model becomes whole for them. #}
{% macro add_macro_texts(macro_ids, parts, seen) -%}
    {%- for macro_id in macro_ids if macro_id.startswith('macro.shopx.') and macro_id not in seen -%}
        {%- do seen.append(macro_id) -%}
        {%- set found = context[macro_id.split('.')[-1]].macro -%}
        {%- if found.original_file_path.split('/')[-1] not in ('build_hooks.sql', 'slices.sql', 'strategies.sql') -%}
            {%- do parts.append(found.macro_sql) -%}
        {%- endif -%}
        {%- do add_macro_texts(found.depends_on.macros, parts, seen) -%}
    {%- endfor -%}
{%- endmacro %}

{# The touched days as a literal list for `in (…)`: with literals the planner leaves out the other months (8 ms where
   a join took 305). `known` keeps to days on which something stood before this build. #}
{% macro slice_days(known=false) -%}
    {%- set days = run_query(
        "select s.sale_date from ops.build_slices as s where s.build_id = " ~ build_id() ~ " and s.kind = 'day'"
        ~ (" and s.is_known" if known else "") ~ " order by s.sale_date"
    ) -%}
    {%- if days.rows | length == 0 -%}
        null::date
    {%- else -%}
        {%- for day in days.rows %}'{{ day[0] }}'{{ ", " if not loop.last }}{% endfor -%}
    {%- endif -%}
{%- endmacro %}

{# The condition for rows of the days that this model makes: every day, or in a sliced build the touched ones. #}
{% macro on_build_days(column) -%}
    {%- if not execute or builds_whole() -%} true {%- else -%} {{ column }} in ({{ slice_days() }}) {%- endif -%}
{%- endmacro %}

{# The touched orders with each of their days, as a query: order_key, sale_date. `known` as above. #}
{% macro touched_orders(known=false) -%}
    select
        slices.key as order_key,
        slices.sale_date
    from ops.build_slices as slices
    where
        slices.build_id = {{ build_id() }}
        and slices.kind = 'order'
        {%- if known %}
        and slices.is_known
        {%- endif %}
{%- endmacro %}

{# The condition for rows of deliveries that this model, of strategy `loads`, does not hold yet. #}
{% macro is_new_load(column) -%}
    {%- if not execute or builds_whole() -%}
        true
    {%- else -%}
        {{ column }} not in (select standing.load_id from {{ this }} as standing)
    {%- endif -%}
{%- endmacro %}

{# Where a model takes current sales lines from: all of them, or in a sliced build those of the touched orders. #}
{% macro build_lines() -%}
    {%- if not execute -%}
        {#- while parsing: all that either way reads -#}
        {%- do [
            ref('stg_build_loads'), source('raw', 'sales_lines'), source('raw', 'load_scopes'),
            source('ops', 'build_repeats')
        ] -%}
        {{ ref('stg_sales_lines') }}
    {%- elif builds_whole() -%}
        {{ ref('stg_sales_lines') }}
    {%- else -%}
        (
            with

            -- what the new loads brought, found by load; what stood there before, found by order
            touched_rows as (

                select lines.*
                from {{ source('raw', 'sales_lines') }} as lines
                where
                    lines.load_id >= {{ first_new_load() }}
                    and lines.sale_date in ({{ slice_days() }})

                union all

                select lines.*
                from ({{ touched_orders(known=true) }}) as touched
                cross join lateral (
                    {{ looked_up(source('raw', 'sales_lines')) }}
                        and standing.load_id < {{ first_new_load() }}
                    offset 0
                ) as lines

            )

            select *
            from (
                {{ current_sales_lines('touched_rows') }}
            ) as current_lines
        ) as touched_lines
    {%- endif -%}
{%- endmacro %}

{# Rows of a model that has order_key and sale_date: all, or in a sliced build those of the touched orders. #}
{% macro build_rows(relation) -%}
    {%- if not execute or builds_whole() -%}
        {{ relation }}
    {%- else -%}
        (
            select built.*
            from ({{ touched_orders() }}) as touched
            cross join lateral (
                {{ looked_up(relation) }}
                offset 0
            ) as built
        ) as touched_rows
    {%- endif -%}
{%- endmacro %}

{# The rows of one touched order on one of its days. Looked up by key for each, `offset 0` sees to that: what rows were
   loaded a moment ago no statistics know of, so the planner would now read a table to its end for a few orders, now
   go through thousands of rows for each of thousands. First and last day leave out months when it is planned; the
   list of all days would be gone through at each look-up (0.1 ms of 0.13 with 366 days). #}
{% macro looked_up(relation) -%}
    select standing.*
    from {{ relation }} as standing
    where
        standing.order_key = touched.order_key
        and standing.sale_date = touched.sale_date
        and standing.sale_date between {{ touched_stretch() }}
{%- endmacro %}

{# First and last touched day as literals. #}
{% macro touched_stretch() -%}
    {%- set days = run_query(
        "select coalesce(min(s.sale_date), '1900-01-01') as first_day, coalesce(max(s.sale_date), '1900-01-01') as "
        ~ "last_day from ops.build_slices as s where s.build_id = " ~ build_id() ~ " and s.kind = 'day'"
    ).rows[0] -%}
    '{{ days['first_day'] }}' and '{{ days['last_day'] }}'
{%- endmacro %}

{# The first load that no model can hold rows of yet. #}
{% macro first_new_load() -%}
    {{ run_query("select b.first_new_load from ops.builds as b where b.build_id = " ~ build_id()).rows[0][0] }}
{%- endmacro %}

{# How many of the kept month ends, counted from the latest, this build can have changed: those that are not in the model
   yet, and those that a touched day precedes; all of them where as_of went back. What happens after a month end says
   nothing about it. #}
{% macro month_ends_to_make() -%}
    {%- set query -%}
        select coalesce(max(kept.months_ago) + 1, 0)
        from (
            select
                months_ago,
                (date_trunc('month', b.as_of + 1) - months_ago * interval '1 month')::date - 1 as month_end_date,
                date_trunc('month', b.as_of + 1)::date - 1 as latest_date
            from ops.builds as b
            cross join generate_series(0, {{ var('segment_history_months') - 1 }}) as months_ago
            where b.build_id = {{ build_id() }}
        ) as kept
        cross join (select max(month_end_date) as latest_date from {{ this }}) as made
        cross join (
            select min(s.sale_date) as first_date
            from ops.build_slices as s
            where s.build_id = {{ build_id() }} and s.kind = 'day'
        ) as touched
        where
            kept.month_end_date >= touched.first_date
            or (kept.month_end_date <= made.latest_date and kept.latest_date >= made.latest_date) is not true
    {%- endset -%}
    {{ return(run_query(query).rows[0][0] | int) }}
{%- endmacro %}
