"""The assets `dashboards/<board>`: Metabase after each publication, where METABASE_URL is set.

Put here: how dashboards in Metabase look in Dagster.
Never here: what is written there (dashboards/metabase/).
They have a job of their own, so that a Metabase that does not answer never makes a published batch fail.
"""

from collections.abc import Iterator
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetSelection,
    AssetSpec,
    DefaultSensorStatus,
    Definitions,
    EventLogEntry,
    Failure,
    MaterializeResult,
    MetadataValue,
    RunRequest,
    SensorEvaluationContext,
    asset_sensor,
    define_asset_job,
    in_process_executor,
    multi_asset,
)

from orchestration.defs.resources import BatchSession
from warehouse.settings import Settings

PUBLICATION = AssetKey(["marts", "publication"])
GROUP = "dashboards"
ALERT = "dashboards in Metabase"


def in_metabase(settings: Settings) -> Definitions:
    """Return an asset for each board, their job and what starts it; nothing where there is no Metabase."""
    if settings.metabase_url is None:
        return Definitions()
    from dashboards.spec.loading import load_boards

    url = settings.metabase_url.rstrip("/")
    specs = [
        AssetSpec(
            key=AssetKey([GROUP, board.key]),
            deps=[PUBLICATION],
            description=f"{board.name} in Metabase: {board.question}",
            group_name=GROUP,
            kinds={"metabase"},
            owners=["team:data"],
            metadata={"dagster/table_name": f"metabase.{board.key}", "url": MetadataValue.url(url)},
        )
        for board in load_boards()
    ]

    @multi_asset(name="bring_dashboards", specs=specs)
    def dashboards(context: AssetExecutionContext, session: BatchSession) -> Iterator[Any]:
        """Bring the dashboards to Metabase, for the publication that readers see."""
        changes = bring(session, say=context.log.info)
        for spec in specs:
            yield MaterializeResult(asset_key=spec.key, metadata={"changes": changes})

    job = define_asset_job(
        GROUP,
        selection=AssetSelection.groups(GROUP),
        description="Bring the dashboards to Metabase as the files say, for the publication readers see.",
        executor_def=in_process_executor,
    )

    @asset_sensor(
        name="after_publication",
        asset_key=PUBLICATION,
        job=job,
        default_status=DefaultSensorStatus.RUNNING,
        description="After each publication: the dashboards in Metabase. A failed audit publishes nothing.",
    )
    def after_publication(context: SensorEvaluationContext, event: EventLogEntry) -> RunRequest:
        """Ask for the dashboards of a publication, once."""
        return RunRequest(run_key=event.run_id, tags={"shopx/by": "publication"})

    return Definitions(assets=[dashboards], jobs=[job], sensors=[after_publication])


def bring(session: BatchSession, *, say: Any) -> int:
    """Apply; returns how much was changed. A failure is an alert, which the next success closes."""
    from dashboards.metabase.gathering import wanted_of
    from dashboards.metabase.provisioning import apply
    from warehouse.alerts import raise_alert, resolve_alerts
    from warehouse.errors import ShopxError

    warehouse = session.warehouse
    try:
        changes = apply(warehouse.settings, wanted_of(warehouse), say=say)
    except ShopxError as problem:
        message = f"{problem.message} Then: ./shopx dashboards apply"
        with warehouse.connect("owner") as conn:
            raise_alert(conn, kind="batch", subject=ALERT, message=message)
        raise Failure(problem.message, allow_retries=False) from None
    with warehouse.connect("owner") as conn:
        resolve_alerts(conn, kind="batch", subject=ALERT)
    return len(changes)
