"""The inbox sensor: files that lie still start one batch.

Put here: sensors. Never here: a memory of what was loaded (the ledger knows).
"""

import json
import time

from dagster import (
    DagsterRunStatus,
    DefaultSensorStatus,
    RunConfig,
    RunRequest,
    RunsFilter,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)

from orchestration.defs.builds import BuildConfig
from orchestration.defs.deliveries import DeliveriesConfig
from orchestration.defs.jobs import batch_job
from orchestration.instance import BATCH_JOB, fail_runs_without_process
from orchestration.retrying import RETRY_TAG, worth_a_retry
from warehouse.settings import load_settings

_ACTIVE = [
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
]
_ASK_AGAIN_AFTER_S = 600.0


@sensor(
    job=batch_job,
    default_status=DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=10,
    description="Starts one batch for the inbox's files once their size and time have stopped changing.",
)
def inbox_sensor(context: SensorEvaluationContext) -> SensorResult | SkipReason:
    """Ask for a batch over every still file; the same files are asked for again only after a while."""
    from ingestion.inbox import still_files

    state = json.loads(context.cursor) if context.cursor else {}
    seen = {name: (int(size), int(mtime)) for name, (size, mtime) in state.get("seen", {}).items()}
    asked = {tuple(key): at for key, at in state.get("asked", [])}
    fail_runs_without_process(context.instance)
    still, seen = still_files(load_settings().inbox, seen)
    now = time.time()
    asked = {key: at for key, at in asked.items() if now - at < _ASK_AGAIN_AFTER_S}
    fingerprints = {path: (str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in still}
    new = [path for path in still if fingerprints[path] not in asked]
    busy = context.instance.get_runs_count(RunsFilter(job_name=BATCH_JOB, statuses=_ACTIVE)) > 0
    requests = []
    killed = None if busy else worth_a_retry(context.instance, job=BATCH_JOB)
    if killed and not new:
        config = RunConfig(ops={"ops__build_loads": BuildConfig(when="changed")})
        requests = [
            RunRequest(run_key=None, run_config=config, tags={"shopx/by": "retry", RETRY_TAG: killed})
        ]
    if new and not busy:
        asked |= {fingerprints[path]: now for path in new}
        config = RunConfig(
            ops={
                "deliveries": DeliveriesConfig(paths=[str(path) for path in new]),
                "ops__build_loads": BuildConfig(when="changed"),
            }
        )
        requests = [
            RunRequest(
                run_key=None, run_config=config, tags={"shopx/by": "inbox", "shopx/files": str(len(new))}
            )
        ]
    cursor = json.dumps({"seen": seen, "asked": [[list(key), at] for key, at in asked.items()]})
    return SensorResult(
        run_requests=requests,
        cursor=cursor,
        skip_reason=None
        if requests
        else ("a batch is running" if busy and new else "no new still file in the inbox"),
    )
