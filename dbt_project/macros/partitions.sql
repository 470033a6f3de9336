{#
    Tables in monthly partitions, which dbt-postgres cannot make yet. A table or incremental model asks for them by

        partition_by={'field': 'sale_date', 'data_type': 'date', 'granularity': 'month'}

    Put here: how such a table is made, how its months are named, found and added, and what dbt's swap of a new table
    for an old one must not lose. Never here: which rows a build writes (strategies.sql). See docs/partitions.md.
#}

{# Where all partitions stand: BI tools list every table of `core`. #}
{% macro partition_schema() -%} {{ return('core_parts') }} {%- endmacro %}

{# Months made beyond the last one needed now, so that tomorrow's delivery finds its own. #}
{% macro months_ahead() -%} {{ return(2) }} {%- endmacro %}

{# The model's partition_by, checked, or none. `months_of` may name a table whose partitions show the months that the
   model's rows can lie in; without it the rows are made first and looked at. #}
{% macro partitioning() %}
    {%- set asked = config.get('partition_by') -%}
    {%- if not asked -%} {{ return(none) }} {%- endif -%}
    {%- set unknown = asked.keys() | reject('in', ['field', 'data_type', 'granularity', 'months_of']) | list -%}
    {%- if unknown or not asked.get('field') or asked.get('data_type') != 'date' or asked.get('granularity') != 'month' -%}
        {{ exceptions.raise_compiler_error(
            "partition_by of model " ~ model.name ~ " must read {'field': '<a date column>', 'data_type': 'date', "
            ~ "'granularity': 'month'}, with or without 'months_of'; it reads " ~ asked
        ) }}
    {%- endif -%}
    {{ return(asked) }}
{% endmacro %}

{# The partitions of a table, found by their bounds: rows of schema_name, partition_name, first_day ('2026-01-01'). #}
{% macro partitions_of(relation) %}
    {{ return(run_query(partitions_query(relation))) }}
{% endmacro %}

{# Asks the catalog for them: schema_name, partition_name, first_day, in order of time. #}
{% macro partitions_query(relation) -%}
    select
        n.nspname as schema_name,
        c.relname as partition_name,
        (regexp_match(pg_get_expr(c.relpartbound, c.oid), $bound$FROM \('([0-9-]+)'\)$bound$))[1] as first_day
    from pg_inherits as i
    inner join pg_class as c on i.inhrelid = c.oid
    inner join pg_namespace as n on c.relnamespace = n.oid
    where i.inhparent = '{{ relation }}'::regclass
    order by first_day
{%- endmacro %}

{# The months to be written to and some ahead, as rows of first_day, next_day, label: those of the rows in `rows`,
   else those that the table named by months_of has. #}
{% macro months_needed(rows=none) %}
    {%- set partitioning = partitioning() -%}
    {%- set query -%}
        with months as (
            {% if rows is not none -%}
            select distinct date_trunc('month', {{ partitioning.field }})::date as month from {{ rows }}
            {%- else -%}
            select p.first_day::date as month from ({{ partitions_query(partitioning.months_of) }}) as p
            {%- endif %}
        ),

        needed as (
            select month from months
            union
            select (max(month) + make_interval(months => ahead))::date
            from months cross join generate_series(1, {{ months_ahead() }}) as ahead
            group by ahead
        )

        select
            to_char(month, 'YYYY-MM-DD') as first_day,
            to_char(month + interval '1 month', 'YYYY-MM-DD') as next_day,
            to_char(month, 'YYYYMM') as label
        from needed
        where month is not null
        order by month
    {%- endset -%}
    {{ return(run_query(query)) }}
{% endmacro %}

{# The name of a partition. The run is part of it, because a table that takes another's name leaves its partitions
   theirs; 54 characters leave room for the shard numbers of Citus. #}
{% macro partition_relation(month) %}
    {%- set name = model.alias[:38] ~ '_' ~ month['label'] ~ '_' ~ (invocation_id | replace('-', ''))[:8] -%}
    {{ return(api.Relation.create(database=this.database, schema=partition_schema(), identifier=name, type='table')) }}
{% endmacro %}

{# Adds the months that rows about to be written need, to a table that others may be reading: a partition is attached,
   because creating it in place would lock every reader out until we commit. #}
{% macro add_missing_months(relation, rows) %}
    {%- if partitioning() -%}
        {%- set present = partitions_of(relation).columns['first_day'].values() | map('string') | list -%}
        {%- for month in months_needed(rows) if month['first_day'] not in present -%}
            {%- set partition = partition_relation(month) -%}
            {%- do run_query(
                'create table ' ~ partition ~ ' (like ' ~ relation ~ ' including all); alter table ' ~ relation
                ~ ' attach partition ' ~ partition ~ ' for values from (' ~ sql_text(month['first_day']) ~ ') to ('
                ~ sql_text(month['next_day']) ~ ')'
            ) -%}
            {%- for index in config.get('indexes', []) if index.type == 'brin' -%}
                {%- do run_query(get_create_index_sql(partition, index)) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{# True where the partitions hold a fifth more rows than the statistics of their table know of. #}
{% macro has_outgrown_statistics(relation) %}
    {%- if not partitioning() -%} {{ return(false) }} {%- endif -%}
    {{ return(run_query(
        "select sum(greatest(c.reltuples, 0)) > 1.2 * max(p.reltuples) from pg_class as p inner join pg_inherits as i "
        ~ "on p.oid = i.inhparent inner join pg_class as c on i.inhrelid = c.oid where p.oid = '" ~ relation
        ~ "'::regclass"
    ).rows[0][0]) }}
{% endmacro %}

{# How dbt makes a table with a contract: as the contract says, in months where the model asks for them, and with its
   keys last. A key built over all rows at once is made in a fraction of the time that it takes row by row. #}
{% macro postgres__create_table_as(temporary, relation, sql) -%}
    {%- if temporary and config.get('incremental_strategy') in ('slices', 'additive') -%}
        {{ make_touched_rows(relation, sql) }}
    {%- elif temporary or not config.get('contract').enforced -%}
        {{ dbt.postgres__create_table_as(temporary, relation, sql) }}
    {%- else -%}
        {#- planning the whole SQL once more is for what has changed since it was last proven -#}
        {%- if is_new() -%} {{- get_assert_columns_equivalent(sql) -}} {%- endif -%}
        {%- set partitioning = partitioning() -%}
        {%- set checks = model['constraints'] | selectattr('type', 'equalto', 'check') | list -%}
        {%- set keys = model['constraints'] | rejectattr('type', 'equalto', 'check') | list -%}
        {%- set rows -%} ({{ get_select_subquery(sql) }}) as made {%- endset -%}
        {%- if partitioning and not partitioning.get('months_of') -%}
            {%- set made = make_temp_relation(relation, '__made') -%}
            {%- do run_query('create temporary table ' ~ made ~ ' on commit drop as ' ~ get_select_subquery(sql)) -%}
            {%- set rows = made -%}
        {%- endif -%}
        {{ config.get('sql_header', default='') }}
        create {% if config.get('unlogged', default=false) %} unlogged {% endif %} table {{ relation }} (
            {{ (
                adapter.render_raw_columns_constraints(raw_columns=model['columns'])
                + adapter.render_raw_model_constraints(raw_constraints=checks)
            ) | join(',\n            ') }}
        ) {% if partitioning %} partition by range ({{ partitioning.field }}) {% endif %};
        {% if partitioning -%}
            {%- for month in months_needed(none if partitioning.get('months_of') else rows) %}
        create table {{ partition_relation(month) }} partition of {{ relation }}
            for values from ('{{ month['first_day'] }}') to ('{{ month['next_day'] }}');
            {%- endfor %}
        {%- endif %}
        insert into {{ relation }} ({{ adapter.dispatch('get_column_names', 'dbt')() }})
        select {{ adapter.dispatch('get_column_names', 'dbt')() }} from {{ rows }};
        {% for constraint in adapter.render_raw_model_constraints(raw_constraints=keys) %}
        alter table {{ relation }} add {{ constraint }};
        {% endfor %}
    {%- endif -%}
{%- endmacro %}

{# A BRIN index stands on each partition and never on their parent, which keeps columnar storage possible. #}
{% macro postgres__get_create_index_sql(relation, index_dict) -%}
    {%- if index_dict.type == 'brin' and config.get('partition_by') and relation.schema != partition_schema() -%}
        {%- set statements = [] -%}
        {%- for row in partitions_of(relation) -%}
            {%- set partition = relation.incorporate(path={
                'schema': row['schema_name'], 'identifier': row['partition_name']
            }) -%}
            {%- do statements.append(dbt.postgres__get_create_index_sql(partition, index_dict)) -%}
        {%- endfor -%}
        {{ return(statements | join(';\n')) }}
    {%- endif -%}
    {{ return(dbt.postgres__get_create_index_sql(relation, index_dict)) }}
{%- endmacro %}

{# dbt's own incremental strategies write into the months that they need. #}
{% macro postgres__get_incremental_append_sql(arg_dict) %}
    {%- do add_missing_months(arg_dict['target_relation'], arg_dict['temp_relation']) -%}
    {{ return(dbt.default__get_incremental_append_sql(arg_dict)) }}
{% endmacro %}

{# dbt's own, once the months of the new rows are there. #}
{% macro postgres__get_incremental_delete_insert_sql(arg_dict) %}
    {%- do add_missing_months(arg_dict['target_relation'], arg_dict['temp_relation']) -%}
    {{ return(dbt.default__get_incremental_delete_insert_sql(arg_dict)) }}
{% endmacro %}

{# dbt's own, once the months of the new rows are there. #}
{% macro postgres__get_incremental_merge_sql(arg_dict) %}
    {%- do add_missing_months(arg_dict['target_relation'], arg_dict['temp_relation']) -%}
    {{ return(dbt.default__get_incremental_merge_sql(arg_dict)) }}
{% endmacro %}

{# dbt swaps a new table for an old one by renaming both, and then drops the old one with every view that reads it:
   the moment the new table has its name, those views follow it. #}
{% macro postgres__rename_relation(from_relation, to_relation) -%}
    {{ dbt.default__rename_relation(from_relation, to_relation) }}
    {%- if from_relation.identifier == make_intermediate_relation(to_relation).identifier -%}
        {%- call statement('follow_swap') -%}
            select ops.follow_swap(old.oid, '{{ to_relation }}'::regclass)
            from pg_class as old
            where old.oid = to_regclass('{{ make_backup_relation(to_relation, 'table') }}')
        {%- endcall -%}
    {%- endif -%}
{%- endmacro %}
