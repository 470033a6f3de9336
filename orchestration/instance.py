"""The Dagster instance of one SHOPX_HOME: its configuration file, and runs whose process is gone.

Put here: what must be true of Dagster's own storage before a run starts. Never here: assets or our data.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.retrying import PASSING_TAG
from warehouse.settings import Settings

if TYPE_CHECKING:
    from dagster import DagsterInstance

BATCH_JOB = "batch"
PROCESS_TAG = "shopx/process"
BATCH_TAG = "shopx/batch"

_STORAGE = """\
# Written by shopx at each start; edits are lost. Passwords come from the environment.
storage:
  postgres:
    postgres_db:
      # plain postgresql:// means psycopg 3 since SQLAlchemy 2.1; its NOTIFY takes no parameter
      scheme: postgresql+psycopg2
      hostname: {env: SHOPX_DAGSTER_PG_HOST}
      port: {env: SHOPX_DAGSTER_PG_PORT}
      db_name: {env: SHOPX_DAGSTER_PG_DATABASE}
      username: {env: SHOPX_DAGSTER_PG_USER}
      password: {env: SHOPX_DAGSTER_PG_PASSWORD}
telemetry: {enabled: false}
nux: {enabled: false}
# one batch at a time: the second waits in the queue instead of on the database lock
concurrency:
  runs:
    max_concurrent_runs: 4
    tag_concurrency_limits:
      - {key: shopx/batch, limit: 1}
run_monitoring:
  enabled: true
  start_timeout_seconds: 300
  max_runtime_seconds: 21600
  free_slots_after_run_end_seconds: 60
# a failed batch is simply still pending; the inbox sensor starts it once more where that can help
run_retries: {enabled: false}
code_servers: {local_startup_timeout: 240}
retention:
  schedule: {purge_after_days: {skipped: 7, failure: 90, success: 90}}
  sensor: {purge_after_days: {skipped: 2, failure: 90, success: 90}}
"""

# Inside `shopx run` the terminal belongs to the progress lines, so output of steps is not captured again.
_IN_PROCESS = """\
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
"""


def write_instance_config(settings: Settings) -> Path:
    """Write dagster.yaml (daemon, webserver) and in_process.yaml (`shopx run`) and return their folder."""
    home: Path = settings.dagster_home
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, text in {"dagster.yaml": _STORAGE, "in_process.yaml": _STORAGE + _IN_PROCESS}.items():
        target = home / name
        if not target.exists() or target.read_text() != text:
            part = home / f".{name}.{os.getpid()}"
            part.write_text(text)
            part.replace(target)
    return home


def process_tag() -> str:
    """Name this process so that a later one can tell whether it still lives: pid and start time."""
    return process_tag_of(os.getpid())


def process_tag_of(pid: int) -> str:
    """Name another process of ours in the same way."""
    import psutil

    return f"{pid}:{psutil.Process(pid).create_time():.2f}"


def is_alive(tag: str) -> bool:
    """Return whether the process named by a tag of `process_tag` still runs on this machine."""
    import psutil

    pid, _, started = tag.partition(":")
    try:
        process = psutil.Process(int(pid))
        return process.status() != psutil.STATUS_ZOMBIE and f"{process.create_time():.2f}" == started
    except (psutil.Error, ValueError):
        return False


def runs_without_process(instance: "DagsterInstance") -> list[str]:
    """Return the ids of runs that say they are running while their process is gone."""
    from dagster import DagsterRunStatus, RunsFilter

    running = instance.get_runs(
        filters=RunsFilter(
            statuses=[DagsterRunStatus.STARTED, DagsterRunStatus.STARTING, DagsterRunStatus.CANCELING]
        ),
        limit=200,
    )
    tags: list[tuple[str, Mapping[str, str]]] = [(run.run_id, run.tags) for run in running]
    return [run_id for run_id, of_run in tags if PROCESS_TAG in of_run and not is_alive(of_run[PROCESS_TAG])]


def fail_runs_without_process(instance: "DagsterInstance") -> int:
    """Mark runs of killed processes as failed, so that the UI tells the truth. Returns how many."""
    gone = runs_without_process(instance)
    for run_id in gone:
        run = instance.get_run_by_id(run_id)
        if run is not None:
            instance.report_run_failed(
                run,
                message="The process of this run was killed; the next run finishes its work.",
            )
            instance.add_run_tags(run_id, {PASSING_TAG: "true"})
    return len(gone)
