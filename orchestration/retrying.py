"""Which runs of a batch are started once more by themselves, and which never.

Put here: telling failures that pass (a killed process, a lost connection) from those that stay (a failed
audit, an unreadable contract). Never here: starting a run (defs/sensors.py).

Nothing has to be undone before: what a failed batch did not publish is simply still pending.
"""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from dagster import DagsterInstance

PASSING_TAG = "shopx/may_pass"
RETRY_TAG = "shopx/retry_of"
RETRIED_TAG = "shopx/retried"
WITHIN = timedelta(hours=1)
# how libpq and PostgreSQL say it, where only words are left of an exception, as in dbt's results
WORDS = (
    "server closed the connection",
    "terminating connection",
    "connection refused",
    "connection to the database was lost",
    "the database system is",
    "deadlock detected",
    "lock timeout",
    "kept a mart locked",
)


def may_pass(error: BaseException | None, said: str = "") -> bool:
    """Whether the same work can succeed a moment later with nobody having done anything."""
    while error is not None:
        if isinstance(error, psycopg.OperationalError | ConnectionError):
            return True
        said += f" {error}"
        error = error.__cause__ or error.__context__
    return any(words in said.lower() for words in WORDS)


def worth_a_retry(instance: "DagsterInstance", *, job: str) -> str | None:
    """The newest run of a job, where it failed of something that may pass and was not a retry itself.

    Asked once: the run is marked, so that it is given once only.
    """
    from dagster import DagsterRunStatus, RunsFilter

    newest = instance.get_run_records(
        filters=RunsFilter(job_name=job, created_after=datetime.now(UTC) - WITHIN), limit=1
    )
    if not newest:
        return None
    run = newest[0].dagster_run
    tags = run.tags
    if (
        run.status != DagsterRunStatus.FAILURE
        or tags.get(PASSING_TAG) != "true"
        or RETRY_TAG in tags
        or RETRIED_TAG in tags
    ):
        return None
    instance.add_run_tags(run.run_id, {RETRIED_TAG: "true"})
    return str(run.run_id)
