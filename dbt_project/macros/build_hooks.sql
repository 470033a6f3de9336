{#
    How a dbt run takes part in a build of the warehouse. Everything that runs around models belongs here.
    All of it is rendered when it runs, never while parsing: a build id must not spoil partial parsing.

    SHOPX_BUILD_ID set   the driver has opened that build and holds its lock; this run joins it.
    otherwise            this run opens a build of its own, and is refused while a driver holds the lock.
#}

{# The SQL expression for the id of the build this run writes for. #}
{% macro build_id() -%}
    {%- set joined = env_var('SHOPX_BUILD_ID', '') -%}
    {%- if joined -%}
        {{ joined | int }}
    {%- else -%}
        (select b.build_id from ops.builds as b where b.opened_by = '{{ build_owner() }}')
    {%- endif -%}
{%- endmacro %}

{# Who opened the build: this run of dbt. #}
{% macro build_owner() -%} dbt {{ invocation_id }} {%- endmacro %}

{# True for commands that write models; `dbt test` alone opens nothing. #}
{% macro run_writes_models() -%}
    {{ return(flags.WHICH in ('build', 'run', 'retry')) }}
{%- endmacro %}

{# on-run-start #}
{% macro open_build() -%}
    {%- if execute and (run_writes_models() or env_var('SHOPX_BUILD_ID', '')) -%}
        {%- if env_var('SHOPX_BUILD_ID', '') -%}
            select ops.assert_build({{ build_id() }});
        {%- else -%}
            do $$
            begin
                if not pg_try_advisory_xact_lock(ops.driver_lock_key()) then
                    raise exception 'another run is building this warehouse right now: wait until it has finished, then start dbt again';
                end if;
                perform ops.open_build('{{ build_owner() }}', null, {{ flags.FULL_REFRESH | lower }});
            end
            $$;
        {%- endif %}
        commit;
    {%- endif -%}
{%- endmacro %}

{# pre-hook of every model, inside its transaction: the build stays open until the model has committed. #}
{% macro assert_build() -%}
    {%- if execute -%} select ops.assert_build({{ build_id() }}) {%- endif -%}
{%- endmacro %}

{# pre-hook of every model, inside its transaction: a model counts as made exactly when it is there. It stands before
   the model itself, because whether it was there before is part of what is written. #}
{% macro record_model() -%}
    {%- if execute -%}
        insert into ops.model_builds (build_id, model, checksum, is_whole)
        values ({{ build_id() }}, '{{ model.name }}', '{{ model_checksum() }}', {{ is_new() | lower }})
        on conflict (build_id, model) do update set
            built_at = excluded.built_at,
            checksum = excluded.checksum,
            is_whole = model_builds.is_whole or excluded.is_whole
    {%- endif -%}
{%- endmacro %}

{# on-run-end: the verdict of each test goes to the database, where the audit reads it. A warning passes. #}
{% macro record_test_results(results) -%}
    {%- if execute and (run_writes_models() or env_var('SHOPX_BUILD_ID', '')) -%}
        {%- set rows = [] -%}
        {%- for result in results if result.node.resource_type in ('test', 'unit_test') -%}
            {%- set passed = result.status | string in ('pass', 'warn') -%}
            {%- do rows.append(
                "(" ~ sql_text(result.node.unique_id) ~ ", " ~ sql_text(result.failures) ~ ", " ~ passed | lower
                ~ ", " ~ sql_text(result.message or result.status) ~ ")"
            ) -%}
        {%- endfor -%}
        {%- if rows -%}
            insert into ops.audit_results (build_id, kind, name, observed, limit_value, passed, message)
            select b.build_id, 'dbt', t.name, t.observed, '0', t.passed, t.message
            from (values
            {{ rows | join(',\n') }}
            ) as t (name, observed, passed, message)
            inner join ops.builds as b on b.build_id = {{ build_id() }};
            commit;
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{# A value as an SQL string literal, or null. #}
{% macro sql_text(value) -%}
    {%- if value is none -%}
        null
    {%- else -%}
        '{{ value | string | replace("'", "''") }}'
    {%- endif -%}
{%- endmacro %}
