-- Who may do what inside the warehouse database. Run by shopx_owner after migrations and whenever this file changes,
-- so every statement must be repeatable. Roles and database-level rights: roles.py.

revoke all on all functions in schema raw, ops from public;
alter default privileges for role shopx_owner revoke execute on functions from public;

-- loader: appends deliveries and decides about them; never deletes
grant usage on schema raw, ops to shopx_loader;
grant select, insert, update on all tables in schema raw to shopx_loader;
grant usage, select on all sequences in schema raw, ops to shopx_loader;
grant execute on function
    raw.create_months(date, date),
    raw.fold(bigint[], text[], bigint[], date, date),
    raw.match_repeats(bigint[], text[]),
    raw.match_repeats(bigint[], text[], bigint[], bigint[]),
    raw.current_lines(bigint[], text[], date, date)
to shopx_loader;
grant usage on schema raw_parts to shopx_loader;
grant insert on all tables in schema raw_parts to shopx_loader;
alter default privileges for role shopx_owner in schema raw_parts grant insert on tables to shopx_loader;
grant select on all tables in schema ops to shopx_loader;
grant insert, update on
    ops.load_metrics, ops.gate_runs, ops.gate_results, ops.changes, ops.settings, ops.alerts
to shopx_loader;
grant execute on function ops.drop_old_gate_results(), ops.note_load_days(bigint[]) to shopx_loader;
alter default privileges for role shopx_owner in schema raw grant select, insert, update on tables to shopx_loader;
alter default privileges for role shopx_owner in schema ops grant select on tables to shopx_loader;

-- transformer: dbt. Owns what it makes in its four schemas, reads raw and ops, records builds and test results
grant usage on schema raw, ops to shopx_transformer;
grant select on all tables in schema raw, ops to shopx_transformer;
grant usage, create on schema staging, core, core_parts, marts_next to shopx_transformer;
grant execute on function
    ops.driver_lock_key(), ops.current_build(), ops.open_build(text, date, boolean), ops.assert_build(bigint),
    ops.settle_slices(bigint), ops.follow_swap(regclass, regclass)
to shopx_transformer;
grant insert on
    ops.model_builds, ops.audit_results, ops.build_slices, ops.fact_changes, ops.applied_changes
to shopx_transformer;
grant update on ops.model_builds, ops.build_slices, ops.applied_changes to shopx_transformer;
grant insert, delete on ops.product_terms to shopx_transformer;
grant usage, select on all sequences in schema ops to shopx_transformer;
-- tables of core that analytics/ fills between dbt's two selections
grant select, insert, delete on
    core.revenue_forecast_series, core.revenue_forecast_weeks, core.sales_anomaly_flags
to shopx_transformer;
alter default privileges for role shopx_owner in schema raw grant select on tables to shopx_transformer;
alter default privileges for role shopx_owner in schema ops grant select on tables to shopx_transformer;

-- reader: the published marts and views of the pipeline, nothing else
grant usage on schema marts, ops to shopx_reader;
grant select on all tables in schema marts to shopx_reader;
grant select on
    ops.loads, ops.held_loads, ops.pipeline_health, ops.pipeline_loads, ops.pipeline_checks, ops.pipeline_rejects,
    ops.pipeline_decisions, ops.pipeline_reconciliation, ops.pipeline_builds, ops.pipeline_publications,
    ops.pipeline_alerts, ops.publication_pause, ops.publication_trust
to shopx_reader;
alter default privileges for role shopx_owner in schema marts grant select on tables to shopx_reader;

-- analyst: a reader (by membership) who may also look into core, which can be ahead of the marts; into its partitions
-- through their parents only, so that no tool lists them
grant usage on schema core to shopx_analyst;
grant select on all tables in schema core to shopx_analyst;
alter default privileges for role shopx_transformer in schema core grant select on tables to shopx_analyst;
alter default privileges for role shopx_owner in schema core grant select on tables to shopx_analyst;
