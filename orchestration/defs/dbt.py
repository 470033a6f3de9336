"""dbt's models and tests as assets and checks, in two selections of one build: first core, then marts.

Put here: how dbt nodes look in Dagster, and running them. Never here: SQL, or what makes an audit pass.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetKey,
    AssetSpec,
    Failure,
    MaterializeResult,
    MetadataValue,
)
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtProject, dbt_assets

from orchestration.batch import current_batch
from orchestration.dbt_docs import address_of
from orchestration.dbt_runner import NodeResult, ensure_manifest, run_dbt
from orchestration.defs.resources import BatchSession
from warehouse.settings import load_settings

BUILD = AssetKey(["ops", "build_loads"])
UNIQUE_ID = "dagster_dbt/unique_id"
CORE = "path:models/staging path:models/core"
MARTS = "path:models/marts"
#: how a batch calls `dbt build`
IN_A_BATCH = (
    # a test that reads both layers runs once its last parent is built
    *("--indirect-selection", "buildable"),
    # unit tests judge the SQL, not this data: they run where the SQL changes (make dbt-build, CI)
    *("--exclude-resource-type", "unit_test"),
    *("--exclude-resource-type", "exposure"),  # nothing to run: see selectors.yml
)


class Translator(DagsterDbtTranslator):  # type: ignore[misc]
    """Names dbt's nodes: groups are layers, sources the assets that write them, tests what they promise."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> AssetKey:
        """Return [schema, table], so that a source is the asset that fills the table."""
        if dbt_resource_props["resource_type"] == "source" and dbt_resource_props["schema"] == "ops":
            return BUILD  # ops.builds and ops.build_loads are written by one step
        return AssetKey([dbt_resource_props["schema"], dbt_resource_props["name"]])

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """Return the description alone; the SQL is a click away in the repository."""
        return str(dbt_resource_props.get("description") or dbt_resource_props["name"])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """Return the layer."""
        return str(dbt_resource_props["schema"])

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> AssetSpec:
        """Add the owner and the way to the documentation."""
        spec: AssetSpec = super().get_asset_spec(manifest, unique_id, project)
        page = MetadataValue.url(address_of(unique_id))
        return spec.replace_attributes(
            owners=["team:data"], metadata={**spec.metadata, "documentation": page}
        )

    def get_asset_check_spec(
        self, asset_spec: AssetSpec, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> AssetCheckSpec | None:
        """Describe a test by its description, its first comment, or its name, which is a sentence."""
        node = manifest["nodes"].get(unique_id)
        if node is None:
            return None  # a unit test says something about the SQL and nothing about the data
        spec: AssetCheckSpec | None = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        if spec is None:
            if home_of(manifest, node) != asset_spec.metadata.get(UNIQUE_ID):
                return None
            # a test that compares tables belongs to none of them; dagster-dbt would not show it
            spec = AssetCheckSpec(name=node["name"], asset=asset_spec.key, metadata={UNIQUE_ID: unique_id})
        if node.get("test_metadata"):
            sentence = f"{node['name'].replace('_', ' ')}."
        else:
            sentence = node["raw_code"].partition("\n")[0].removeprefix("-- ")
        # the verdict belongs to the audit, which needs every result; so no check ends the run on its own
        return spec._replace(description=node.get("description") or sentence, blocking=False)


def home_of(manifest: Mapping[str, Any], test: Mapping[str, Any]) -> str | None:
    """The model at which a test of several tables is shown: the furthest down the lineage, the last by name.

    None for a test of one table, which has its place.
    """
    if test.get("attached_node") or len(test["depends_on"]["nodes"]) < 2:
        return None
    models = [one for one in test["depends_on"]["nodes"] if one.startswith("model.")]
    layers = ("staging", "core", "marts_next")
    return max(models, key=lambda one: (layers.index(manifest["nodes"][one]["schema"]), one), default=None)


_settings = load_settings()
_project = DbtProject(
    project_dir=_settings.project_root / "dbt_project", target_path=ensure_manifest(_settings).parent
)
_translator = Translator(DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=True))


def _outcomes(context: AssetExecutionContext, results: list[NodeResult]) -> Iterator[Any]:
    """Turn dbt's results into materializations and checks, each once."""
    assets = {spec.metadata[UNIQUE_ID]: spec for spec in context.assets_def.specs}
    asked = context.selected_asset_check_keys
    checks = {
        (spec.metadata or {}).get(UNIQUE_ID): spec
        for spec in context.assets_def.check_specs
        if spec.key in asked
    }
    for result in results:
        if result.unique_id in assets and result.good:
            yield MaterializeResult(
                asset_key=assets[result.unique_id].key, metadata={"seconds": round(result.seconds, 3)}
            )
        check = checks.get(result.unique_id)
        if check is not None and result.status != "skipped":
            yield AssetCheckResult(
                asset_key=check.asset_key,
                check_name=check.name,
                passed=result.good,
                severity=AssetCheckSeverity.ERROR,
                metadata={"value": result.failures or 0, "limit": 0, "message": result.message or ""},
            )


def _build(context: AssetExecutionContext, session: BatchSession, select: str) -> Iterator[Any]:
    batch = current_batch()
    build = session.build()
    selected = context.selected_asset_keys
    if len(selected) < len(list(context.assets_def.specs)):  # a subset chosen in the UI
        select = " ".join(sorted(key.path[-1] for key in selected))

    def narrate(event: Any) -> None:
        if event.info.name == "NodeStart":
            batch.say(f"dbt: {event.data.node_info.node_name}")

    done, results = run_dbt(
        "build",
        *("--select", *select.split()),
        *IN_A_BATCH,
        settings=session.warehouse.settings,
        environment={**session.warehouse.environment(), "SHOPX_BUILD_ID": str(build.build_id)},
        on_event=narrate,
    )
    batch.nodes_built += sum(result.kind == "model" and result.good for result in results)
    batch.tests_passed += sum(result.kind == "test" and result.good for result in results)
    yield from _outcomes(context, results)
    if done and select == MARTS:
        batch.done(f"{batch.nodes_built} tables built, {batch.tests_passed} tests passed")
    if not done:
        bad = [result for result in results if result.status in ("error", "fail")]
        batch.failures += [
            f"{result.kind} {result.name}: {result.message or result.status}" for result in bad
        ]
        context.log.error("; ".join(batch.failures))
        # where a model is missing the audit has nothing to judge; a failed test alone is the audit's to name
        if not bad or any(result.kind == "model" and not result.good for result in results):
            session.give_up()
            raise Failure(f"dbt: {batch.failures[-1] if batch.failures else 'nothing ran'}")


@dbt_assets(  # type: ignore[untyped-decorator]
    manifest=_project.manifest_path,
    project=_project,
    select=CORE,
    name="core",
    dagster_dbt_translator=_translator,
)
def core_models(context: AssetExecutionContext, session: BatchSession) -> Iterator[Any]:
    """Build staging and core."""
    yield from _build(context, session, CORE)


@dbt_assets(  # type: ignore[untyped-decorator]
    manifest=_project.manifest_path,
    project=_project,
    select=MARTS,
    name="marts",
    dagster_dbt_translator=_translator,
)
def mart_models(context: AssetExecutionContext, session: BatchSession) -> Iterator[Any]:
    """Build the marts beside the published ones."""
    yield from _build(context, session, MARTS)
