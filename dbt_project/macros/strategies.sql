{#
    How the rows of a sliced build get into a table that is already there. In a whole build the same models are made
    anew, of the same SQL (slices.sql decides which).

    slices     the touched orders (days, customers, products: what unique_key names) are taken out and put in anew.
               A model whose meta says `changes: <table>` writes there which of its rows went (sign -1) and came
               (+1), in its own transaction.
    additive   the aggregate adds up what the changes of the facts make of it: each change once, for its number is
               stored in the transaction that adds it.
    loads      rows of deliveries that count no more are taken out, those of new ones put in; the model gives the rows
               of deliveries that are not there yet.

    Put here: strategies, and the numbers of changes. Never here: which orders are touched, or partitions.
#}

{# dbt asks this wherever it chooses between a table made anew and a strategy. #}
{% macro should_full_refresh() %}
    {%- if config.get('incremental_strategy') in ('slices', 'additive', 'last_seen', 'loads') -%}
        {{ return(builds_whole() or misses_changes()) }}
    {%- endif -%}
    {{ return(flags.FULL_REFRESH if config.get('full_refresh') is none else config.get('full_refresh')) }}
{% endmacro %}

{# The planner cannot know how few rows a build touches: each is looked up by its key. #}
{% macro look_up_by_key() -%}
    set local enable_hashjoin = off;
    set local enable_mergejoin = off;
{%- endmacro %}

{# Nor can it know how many rows were loaded a moment ago: it takes thousands for one, and goes through all of them for
   each of them. What a sliced build makes is joined by hashing; single rows are looked up all the same (slices.sql). #}
{% macro make_touched_rows(relation, sql) -%}
    set local enable_nestloop = off;
    {{ dbt.postgres__create_table_as(true, relation, sql) }}
    set local enable_nestloop = on;
    analyze {{ relation }};
{%- endmacro %}

{# dbt asks this for the SQL of the strategy `slices`. #}
{% macro get_incremental_slices_sql(arg_dict) %}
    {%- set target = arg_dict['target_relation'] -%}
    {%- set made = arg_dict['temp_relation'] -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='name') | join(', ') -%}
    {%- do add_missing_months(target, made) -%}
    {%- if changes_table() -%}
        {{ return(exchange_changed_rows(target, made, columns, next_change(is_whole=false))) }}
    {%- endif -%}
    {%- set sql -%}
    {{ look_up_by_key() }}
    {{ delete_touched(target, arg_dict['unique_key']) }};
    insert into {{ target }} ({{ columns }}) select {{ columns }} from {{ made }};
    {%- endset -%}
    {{ return(sql) }}
{% endmacro %}

{# dbt asks this for the SQL of the strategy `loads`. #}
{% macro get_incremental_loads_sql(arg_dict) %}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='name') | join(', ') -%}
    {%- set sql -%}
    delete from {{ arg_dict['target_relation'] }}
    where load_id not in (select b.load_id from ops.build_loads as b where b.build_id = {{ build_id() }});
    insert into {{ arg_dict['target_relation'] }} ({{ columns }}) select {{ columns }} from {{ arg_dict['temp_relation'] }};
    {%- endset -%}
    {{ return(sql) }}
{% endmacro %}

{# Takes out of `target` what this build touches, found by the columns that unique_key names. #}
{% macro delete_touched(target, unique_key) -%}
    {%- if unique_key == 'order_key' -%}
        delete from {{ target }} as standing
        using (select distinct order_key from ({{ touched_orders() }}) as touched_days) as touched
        where standing.order_key = touched.order_key
    {%- elif unique_key.endswith('_key') -%}
        delete from {{ target }} as standing
        using (
            select distinct key from ops.build_slices
            where build_id = {{ build_id() }} and kind = '{{ unique_key.removesuffix('_key') }}'
        ) as touched
        where standing.{{ unique_key }} = touched.key
    {%- else -%}
        delete from {{ target }} where {{ unique_key }} in ({{ slice_days() }})
    {%- endif -%}
{%- endmacro %}

{# Writes down which lines of the touched orders differ, then changes exactly those. A line that is as it was is
   neither written down nor touched. #}
{% macro exchange_changed_rows(target, made, columns, change_no) -%}
    {%- set changes = changes_relation(target) -%}
    {%- set key = primary_key_columns() -%}
    {{ look_up_by_key() }}
    insert into {{ changes }} (change_no, sign, {{ columns }})
    select {{ change_no }}, sum(sign), {{ columns }}
    from (
        select -1 as sign, {{ columns_of('standing', columns) }}
        from ({{ touched_orders() }}) as touched
        cross join lateral ({{ looked_up(target) }} offset 0) as standing
        union all
        select 1, {{ columns }} from {{ made }}
    ) as lines
    group by {{ columns }}
    having sum(sign) <> 0;

    delete from {{ target }} as standing using {{ changes }} as gone
    where
        gone.change_no = {{ change_no }} and gone.sign = -1
        {%- for column in key %} and standing.{{ column }} = gone.{{ column }}{% endfor %}
        and standing.sale_date between {{ touched_stretch() }};

    insert into {{ target }} ({{ columns }})
    select {{ columns }} from {{ changes }} where change_no = {{ change_no }} and sign = 1;
{%- endmacro %}

{# `columns`, a list as text, each with its table in front. #}
{% macro columns_of(table, columns) -%}
    {%- for column in columns.split(', ') %}{{ table }}.{{ column }}{{ ', ' if not loop.last }}{% endfor -%}
{%- endmacro %}

{# Columns of the primary key that the model declares. #}
{% macro primary_key_columns() %}
    {{ return((model.constraints | selectattr('type', 'equalto', 'primary_key') | first).columns) }}
{% endmacro %}

{# The table in which this model writes its changes down, or none. #}
{% macro changes_table() -%} {{ return((config.get('meta') or {}).get('changes')) }} {%- endmacro %}

{# The table in which the model `facts` writes its changes down. #}
{% macro changes_relation(facts) -%}
    {{ return(facts.incorporate(path={'identifier': changes_table()})) }}
{%- endmacro %}

{# Gives the next change its number, and forgets the changes that every aggregate has taken in. #}
{% macro next_change(is_whole) %}
    {%- set readers = [] -%}
    {%- for node in graph.nodes.values() if node.config.get('incremental_strategy') == 'additive' -%}
        {%- do readers.append(sql_text(node.name)) -%}
    {%- endfor -%}
    {%- if not is_whole -%}
        {%- do run_query(
            'delete from ' ~ changes_relation(this) ~ ' where change_no <= coalesce((select min(change_no) from '
            ~ 'ops.applied_changes where model in (' ~ (readers | join(', ') or 'null') ~ ')), 9223372036854775807)'
        ) -%}
        {%- do store_result('change_written', response='') -%}
    {%- endif -%}
    {{ return(run_query(
        'insert into ops.fact_changes (build_id, model, is_whole) values (' ~ build_id() ~ ', '
        ~ sql_text(model.name) ~ ', ' ~ is_whole | lower ~ ') returning change_no'
    ).rows[0][0]) }}
{% endmacro %}

{# Post-hook of all of core, inside the model's transaction: facts made anew begin with no changes, and an aggregate
   says which changes are in it. #}
{% macro record_changes() -%}
    {%- if execute and changes_table() and load_result('change_written') is none -%}
        {%- do next_change(is_whole=true) -%}
        drop table if exists {{ changes_relation(this) }};
        create table {{ changes_relation(this) }} (
            change_no bigint not null, sign smallint not null, like {{ this }},
            primary key (change_no, sign, {{ primary_key_columns() | join(', ') }})
        );
        comment on table {{ changes_relation(this) }} is
            'What changed in {{ this.identifier }} and is not in every aggregate yet: lines that went (sign -1) and came (+1). One row per change and line.'
    {%- elif execute and config.get('incremental_strategy') == 'additive' -%}
        insert into ops.applied_changes (model, change_no)
        select '{{ model.name }}', max(change_no) from ops.fact_changes
        on conflict (model) do update set change_no = excluded.change_no
    {%- endif -%}
{%- endmacro %}

{# True for an aggregate that cannot be told what changed since it was made: the facts were made anew, or it is not
   known what is in it. #}
{% macro misses_changes() -%}
    {%- if not execute or config.get('incremental_strategy') != 'additive' -%} {{ return(false) }} {%- endif -%}
    {%- if 'misses_changes' not in model -%}
        {%- do model.update({'misses_changes': run_query(
            'select not exists (select from ops.applied_changes where model = ' ~ sql_text(model.name)
            ~ ' and change_no >= (select max(change_no) from ops.fact_changes where is_whole))'
        ).rows[0][0]}) -%}
    {%- endif -%}
    {{ return(model['misses_changes']) }}
{%- endmacro %}

{# True where an additive model is made of every line. #}
{% macro takes_every_line() -%}
    {{ return(not execute or builds_whole() or misses_changes()) }}
{%- endmacro %}

{# Where an additive model takes its lines from: all columns of fct_order_lines and `sign`. In a whole build every
   line, with sign 1; else the lines that went (-1) and came (+1) since the model was last made. #}
{% macro changed_lines() -%}
    {%- set facts = ref('fct_order_lines') -%}
    {%- if takes_every_line() -%}
        (select lines.*, 1::smallint as sign from {{ facts }} as lines) as changed_lines
    {%- else -%}
        (
            select changes.*
            from {{ facts.incorporate(path={'identifier': 'line_changes'}) }} as changes
            where changes.change_no > (select a.change_no from ops.applied_changes as a where a.model = '{{ model.name }}')
        ) as changed_lines
    {%- endif -%}
{%- endmacro %}

{# Adds what came, takes off what went; unique_key is the grain, every other column a sum, but for those that the
   model's meta calls not_summed: they come as they shall stand. A row without lines goes. #}
{% macro get_incremental_additive_sql(arg_dict) %}
    {%- set target = arg_dict['target_relation'] -%}
    {%- set made = arg_dict['temp_relation'] -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='name') | list -%}
    {%- set grain = [arg_dict['unique_key']] if arg_dict['unique_key'] is string else arg_dict['unique_key'] -%}
    {%- set given = (config.get('meta') or {}).get('not_summed', []) -%}
    {%- do add_missing_months(target, made) -%}
    {%- set sql -%}
    {{ look_up_by_key() }}
    insert into {{ target }} as standing ({{ columns | join(', ') }})
    select {{ columns | join(', ') }} from {{ made }}
    on conflict ({{ grain | join(', ') }}) do update set
        {%- for column in columns | reject('in', grain) %}
        {{ column }} = {{ 'standing.' ~ column ~ ' + ' if column not in given }}excluded.{{ column }}{{ ',' if not loop.last }}
        {%- endfor %};
    delete from {{ target }} as standing using {{ made }} as changed
    where
        standing.line_count = 0
        {%- for column in grain %} and standing.{{ column }} = changed.{{ column }}{% endfor %};
    {%- endset -%}
    {{ return(sql) }}
{% endmacro %}
