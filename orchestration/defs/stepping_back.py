"""The jobs `step_back` and `resume_publication`: taking the newest publication back, and going on.

Put here: how that looks in Dagster; it is what `shopx publish --rollback` and `--resume` do.
Never here: what it does (publication/stepping_back.py).
"""

from dagster import Config, Failure, OpExecutionContext, in_process_executor, job, op
from pydantic import Field

from orchestration.defs.failures import tell_of_failure
from orchestration.defs.resources import BatchSession
from orchestration.landing import land_given
from orchestration.running import run_batch


class StepBackConfig(Config):
    """Why the newest publication is taken back."""

    why: str = Field(default="stepped back in Dagster", description="told to everybody while the pause lasts")


@op
def take_back(context: OpExecutionContext, config: StepBackConfig, session: BatchSession) -> None:
    """Show the figures of the publication before, and pause publication."""
    from publication.stepping_back import step_back as back

    pause = back(session.warehouse, by="dagster", why=config.why, progress=context.log.info)
    context.log.warning(pause.sentence())


@op
def go_on(context: OpExecutionContext, session: BatchSession) -> None:
    """End the pause, and publish what waits."""
    from publication.stepping_back import resume

    resume(session.warehouse, by="dagster")
    say = context.log.info
    landing = land_given(session.warehouse, [], feed=None, say=say)
    batch = run_batch(session.warehouse, [], by="dagster go_on", landing=landing, say=say, done=say)
    if batch.failures:
        raise Failure(f"Resumed, not published: {'; '.join(batch.failures)}")


@job(
    executor_def=in_process_executor,
    hooks={tell_of_failure},
    description="Take the newest publication back: readers see the figures of the one before, under a new "
    "number, and nothing is published until `resume_publication`.",
)
def step_back() -> None:
    """One decision."""
    take_back()


@job(
    executor_def=in_process_executor,
    hooks={tell_of_failure},
    description="End the pause after `step_back`, and publish what waits.",
)
def resume_publication() -> None:
    """One decision."""
    go_on()
