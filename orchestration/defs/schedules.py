"""The nightly build: publishes even without deliveries, so that every morning has a figure of last night.

Put here: schedules, in the shop's time zone. Never here: jobs.
"""

from dagster import DefaultScheduleStatus, RunRequest, ScheduleEvaluationContext, schedule

from orchestration.defs.jobs import batch_job
from warehouse.settings import load_settings


@schedule(
    job=batch_job,
    # 02:30 does not exist on one night a year and comes twice on another; Dagster runs it once on each
    cron_schedule="30 2 * * *",
    execution_timezone=load_settings().time_zone,
    default_status=DefaultScheduleStatus.RUNNING,
    description="Every night at 02:30 in the shop's time zone: whatever is pending, then a publication.",
)
def nightly(context: ScheduleEvaluationContext) -> RunRequest:
    """Ask for one batch."""
    return RunRequest(tags={"shopx/by": "nightly"})
