"""Runs one batch in this process: the same Dagster job that the UI and the sensor start.

Put here: finding out whether a batch is needed, and executing the job. Never here: steps of the job.
"""

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.batch import Batch, following
from orchestration.dbt_runner import ensure_manifest, exported
from orchestration.instance import BATCH_JOB, BATCH_TAG, write_instance_config
from orchestration.interrupts import watched
from warehouse.database import Warehouse
from warehouse.errors import ShopxError

if TYPE_CHECKING:
    from ingestion.landing import LandingResult


def pending(warehouse: Warehouse) -> int:
    """Return how many loads or decisions wait for a batch."""
    with warehouse.connect("owner", autocommit=True) as conn:
        row = conn.execute(
            "select (select count(*) from raw.loads where status in ('landing', 'landed'))"
            " + (select count(*) from ops.changes where publication_id is null)"
        ).fetchone()
    return int(row[0]) if row else 0


def run_batch(
    warehouse: Warehouse,
    paths: Sequence[Path],
    *,
    feed: str | None = None,
    as_of: date | None = None,
    full_refresh: bool = False,
    allow_breaking: bool = False,
    allow_shrink: bool = False,
    by: str,
    landing: "LandingResult",
    say: Callable[[str], None],
    done: Callable[[str], None],
) -> Batch:
    """Gate what was landed, build, audit and publish in this process; the UI shows a run of job `batch`.

    Never raises for a failed step: the batch's `failures` say what failed, and `publication` is None. Raises
    KeyboardInterrupt when the run was interrupted.
    """
    settings = warehouse.settings
    home = write_instance_config(settings)
    environment = {**warehouse.environment(), "DAGSTER_HOME": str(home)}
    with (
        watched() as interrupts,
        following(interrupts.heeded(say), landing, done=done) as batch,
        exported(environment),
    ):
        say("starting the pipeline")
        from dagster import DagsterInstance, RunConfig

        ensure_manifest(settings, say=say)
        from orchestration.definitions import defs
        from orchestration.defs.builds import BuildConfig
        from orchestration.defs.deliveries import DeliveriesConfig
        from orchestration.defs.publication import PublicationConfig

        asked = full_refresh or as_of or allow_breaking or allow_shrink
        config = RunConfig(
            ops={
                "deliveries": DeliveriesConfig(paths=[str(path.absolute()) for path in paths], feed=feed),
                "ops__build_loads": BuildConfig(
                    when="always" if asked else "changed",
                    as_of=as_of.isoformat() if as_of else None,
                    full_refresh=full_refresh,
                ),
                "marts__publication": PublicationConfig(
                    allow_breaking=allow_breaking, allow_shrink=allow_shrink
                ),
            },
            loggers={"console": {"config": {"log_level": "WARNING"}}},
        )
        with DagsterInstance.from_config(str(home), "in_process.yaml") as instance:
            # a batch stores some 300 events; without this Dagster opens a connection for each
            instance.optimize_for_webserver(statement_timeout=60_000, pool_recycle=3600, max_overflow=20)
            result = defs.resolve_job_def(BATCH_JOB).execute_in_process(
                run_config=config,
                instance=instance,
                raise_on_error=False,
                tags={BATCH_TAG: "true", "shopx/by": by},
            )
            if _was_interrupted(result) or (interrupts.asked_to_stop() and not result.success):
                raise KeyboardInterrupt
            if not result.success and not batch.failures:
                batch.failures += _what_failed(result)
    return batch


def _was_interrupted(result: object) -> bool:
    """Whether the run ended by Ctrl-C, which Dagster catches and reports as a failure of the run."""
    for event in getattr(result, "all_events", []):
        if event.is_job_failure:
            reason = event.job_failure_data.failure_reason
            return reason is not None and reason.value == "UNEXPECTED_TERMINATION"
    return False


def _what_failed(result: object) -> list[str]:
    """Return the first cause of each failed step in its own words."""
    said: list[str] = []
    for event in getattr(result, "all_events", []):
        if event.is_step_failure:
            error = event.step_failure_data.error
            while error is not None and error.cause is not None:
                error = error.cause
            text = (error.message if error else "no message").strip()
            said.append(
                f"{event.step_key}: {text.removeprefix(f'{ShopxError.__module__}.{ShopxError.__name__}: ')}"
            )
    return said or [_why_the_run_failed(result)]


def _why_the_run_failed(result: object) -> str:
    """Return what Dagster says of a run in which no step failed."""
    for event in getattr(result, "all_events", []):
        if event.is_job_failure:
            error = event.job_failure_data.error
            while error is not None and error.cause is not None:
                error = error.cause
            return f"the run failed outside its steps: {(error.message if error else event.message).strip()}"
    return "the run failed outside its steps, and Dagster does not say why"
