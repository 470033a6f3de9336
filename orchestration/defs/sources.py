"""The assets `fetched/<feed>`: feeds that are asked, one day one partition; and the nightly asking of all.

Put here: how fetching looks in Dagster. Never here: what is asked for or how (ingestion/sources/).
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetMaterialization,
    AssetsDefinition,
    BackfillPolicy,
    DailyPartitionsDefinition,
    DefaultScheduleStatus,
    DefaultSensorStatus,
    EventLogEntry,
    Failure,
    MaterializeResult,
    OpExecutionContext,
    RunConfig,
    RunRequest,
    ScheduleEvaluationContext,
    SensorDefinition,
    SensorEvaluationContext,
    SkipReason,
    asset,
    asset_sensor,
    job,
    op,
    schedule,
)

from ingestion.sources.fetched import Window
from ingestion.sources.fetching import fetch_feed, fetch_feeds, fetched_feeds, is_configured
from orchestration.defs.builds import BuildConfig
from orchestration.defs.deliveries import KINDS
from orchestration.defs.jobs import batch_job
from orchestration.defs.resources import BatchSession
from warehouse.database import Warehouse
from warehouse.settings import load_settings

if TYPE_CHECKING:
    from ingestion.contract import Contract
    from ingestion.landed import Landed

FETCHED = "fetched"
EARLIEST_DAY = "2020-01-01"


def partitions_of(contract: "Contract") -> DailyPartitionsDefinition | None:
    """The days of a feed that is asked by days, on its own clock; None for one that is asked for changes."""
    window = contract.api.window if contract.api else None
    if window is None:
        return None
    return DailyPartitionsDefinition(
        start_date=window.since.isoformat() if window.since else EARLIEST_DAY,
        timezone=contract.timezone,
        end_offset=1 if window.through == "today" else 0,
    )


def _asset(contract: "Contract") -> AssetsDefinition:
    partitions = partitions_of(contract)

    @asset(
        key=[FETCHED, contract.feed],
        partitions_def=partitions,
        # many days of a backfill are one request, not one process each
        backfill_policy=BackfillPolicy.single_run() if partitions else None,
        description=f"{contract.title}, asked and landed. One row of the ledger per answer.",
        group_name=FETCHED,
        kinds={KINDS[contract.kind], "postgres"},
        owners=["team:data"],
        metadata={"dagster/table_name": "raw.loads"},
    )
    def fetched(context: AssetExecutionContext, session: BatchSession) -> MaterializeResult[Any]:
        window = None
        if partitions is not None:
            days = context.partition_key_range
            window = Window(date.fromisoformat(days.start), date.fromisoformat(days.end))
        landed = fetch_feed(session.warehouse, contract.feed, window=window, progress=context.log.info)
        return MaterializeResult(metadata=_metadata(landed))

    return fetched


def _metadata(landed: "list[Landed]") -> dict[str, Any]:
    return {
        "verdict": "\n".join(f"{load.delivered_name}: {load.status}" for load in landed) or "nothing new",
        "rows_delivered": sum(load.rows_delivered for load in landed),
        "rows_accepted": sum(load.rows_accepted for load in landed),
        "rows_rejected": sum(load.rows_rejected for load in landed),
        "net_sales": sum(load.amount_cents for load in landed) / 100,
    }


fetched_assets = [_asset(contract) for contract in fetched_feeds()]


@op(description="Ask every feed that is set up for what is due; one that fails harms no other.")
def ask_all(context: OpExecutionContext, session: BatchSession) -> None:
    """Fetch and land all; red at the end with one sentence for each feed that failed."""
    ready = [contract for contract in fetched_feeds() if is_configured(contract)]
    result = fetch_feeds(session.warehouse, [contract.feed for contract in ready], progress=context.log.info)
    for contract in ready:
        landed = [load for load in result.landed if load.feed == contract.feed]
        for event in _materializations(session.warehouse, contract, landed):
            context.log_event(event)
    if result.failures:
        raise Failure(" ".join(result.failures.values()), allow_retries=False)


def _materializations(
    warehouse: Warehouse, contract: "Contract", landed: "list[Landed]"
) -> Iterator[AssetMaterialization]:
    """One per day that was asked for, so that the UI shows which days are there."""
    key = AssetKey([FETCHED, contract.feed])
    if partitions_of(contract) is None:
        if landed:
            yield AssetMaterialization(key, metadata=_metadata(landed))
        return
    of_load = {load.load_id: load for load in landed}
    with warehouse.connect("loader") as conn:
        scopes = conn.execute(
            "select load_id, first_date, last_date from raw.load_scopes"
            " where load_id = any(%s) and store is null order by first_date",
            [list(of_load)],
        ).fetchall()
    for load_id, first, last in scopes:
        for number in range((last - first).days + 1):
            day = first + timedelta(days=number)
            yield AssetMaterialization(key, partition=day.isoformat(), metadata=_metadata([of_load[load_id]]))


@job(description="Ask APIs, sheets and databases for what is new, and land it.")
def sync_job() -> None:
    """One step: feeds share nothing, so that one failing is only red."""
    ask_all()


@schedule(
    job=sync_job,
    cron_schedule="0 2 * * *",
    execution_timezone=load_settings().time_zone,
    default_status=DefaultScheduleStatus.RUNNING,
    description="Every night at 02:00 in the shop's time zone, before the nightly batch.",
)
def nightly_sync(context: ScheduleEvaluationContext) -> RunRequest | SkipReason:
    """Ask for one run, where any feed is set up."""
    if not any(is_configured(contract) for contract in fetched_feeds()):
        return SkipReason("no feed that is asked is set up; .env.example names the variables")
    return RunRequest(tags={"shopx/by": "nightly_sync"})


def _sensor(feed: str) -> SensorDefinition:
    @asset_sensor(
        name=f"{FETCHED}_{feed}",
        asset_key=AssetKey([FETCHED, feed]),
        job=batch_job,
        default_status=DefaultSensorStatus.RUNNING,
        description=f"Starts one batch when {feed} was fetched, so that it is checked and published.",
    )
    def fetched_sensor(context: SensorEvaluationContext, event: EventLogEntry) -> RunRequest:
        return RunRequest(
            run_key=event.run_id,  # a backfill of many days is one run and wants one batch
            run_config=RunConfig(ops={"ops__build_loads": BuildConfig(when="changed")}),
            tags={"shopx/by": f"fetched {feed}"},
        )

    return fetched_sensor


fetched_sensors = [_sensor(contract.feed) for contract in fetched_feeds()]
