"""The jobs `release_load`, `withdraw_load`, `replay_load`: a decision about one delivery, published at once.

Put here: how decisions look in Dagster; each is what `shopx release`, `withdraw` and `replay` do. Never here:
what a decision does (ingestion/deciding.py), or steps of the batch that follows.
"""

from collections.abc import Callable

from dagster import Config, Failure, OpExecutionContext, in_process_executor, job, op
from pydantic import Field

from orchestration.defs.failures import tell_of_failure
from orchestration.defs.resources import BatchSession
from orchestration.landing import land_given
from orchestration.running import pending, run_batch
from warehouse.database import Warehouse

_WHO = "somebody in Dagster"
_WHICH = "number of the delivery, as the page /gate and `shopx loads` show it"


class ReleaseConfig(Config):
    """Which delivery counts after all, and what it means where that is asked."""

    load: int = Field(description=_WHICH)
    as_: str | None = Field(
        default=None,
        description="the answer that its hold asks for; which there are, and what each would change in rows "
        "and money, stands on the page /gate/loads/N. What it means: days (it is complete for its days), "
        "orders (its orders replace older versions), lines, events (every row is new), match (only rows that "
        "are not there yet are new). How it is read: day-first, month-first, decimal-comma, decimal-point, "
        "sheet-1, cp1252 … Leave it out where nothing is asked",
    )
    always: bool = Field(default=False, description="write the answer into the feed's contract too")
    why: str = Field(default="", description="the reason, kept beside the decision")
    by: str = Field(default=_WHO, description="who decides, kept too")


class WithdrawConfig(Config):
    """Which delivery is taken out; what it had replaced counts once more."""

    load: int = Field(description=_WHICH)
    why: str = Field(default="", description="the reason, kept beside the decision")
    by: str = Field(default=_WHO, description="who decides, kept too")


class ReplayConfig(Config):
    """Which delivery is read again."""

    load: int = Field(description=_WHICH)
    why: str = Field(default="", description="the reason, kept beside the decision")
    by: str = Field(default=_WHO, description="who decides, kept too")


@op
def release(context: OpExecutionContext, config: ReleaseConfig, session: BatchSession) -> None:
    """Let a held delivery count, and publish."""
    from ingestion.deciding import release as let_count

    def decide(warehouse: Warehouse) -> None:
        why = config.why.strip() or "released in Dagster"
        let_count(
            warehouse,
            config.load,
            as_=config.as_,
            always=config.always,
            by=config.by.strip() or _WHO,
            why=why,
        )

    _decide_and_publish(context, session.warehouse, decide)


@op
def withdraw(context: OpExecutionContext, config: WithdrawConfig, session: BatchSession) -> None:
    """Take a delivery out again, and publish."""
    from ingestion.deciding import withdraw as take_out

    def decide(warehouse: Warehouse) -> None:
        take_out(
            warehouse,
            config.load,
            by=config.by.strip() or _WHO,
            why=config.why.strip() or "withdrawn in Dagster",
        )

    _decide_and_publish(context, session.warehouse, decide)


@op
def replay(context: OpExecutionContext, config: ReplayConfig, session: BatchSession) -> None:
    """Read a delivery again under today's contract, and publish."""
    from ingestion.landing import replay as read_again

    def decide(warehouse: Warehouse) -> None:
        why = config.why.strip() or "replayed in Dagster"
        new = read_again(
            warehouse, config.load, by=config.by.strip() or _WHO, why=why, progress=context.log.info
        ).load_id
        context.log.info(f"load {config.load} is read again as load {new}")

    _decide_and_publish(context, session.warehouse, decide)


def _decide_and_publish(
    context: OpExecutionContext, warehouse: Warehouse, decide: Callable[[Warehouse], None]
) -> None:
    """Decide, then run the batch that publishes it; a run of its own in the UI, as after the command."""
    say = context.log.info
    decide(warehouse)
    landing = land_given(warehouse, [], feed=None, say=say)
    if not pending(warehouse):
        return
    batch = run_batch(warehouse, [], by=f"dagster {context.op.name}", landing=landing, say=say, done=say)
    if batch.failures:
        raise Failure(f"Decided, not published: {'; '.join(batch.failures)}")


@job(
    executor_def=in_process_executor,
    hooks={tell_of_failure},
    description="Let a held, repeated or withdrawn delivery count, and publish. The page /gate of this UI "
    "shows what is held and why, what each answer would change in rows and money, and opens this job with "
    "the answer filled in. The launchpad wants `load`, and `as_` where the hold asks a question.",
)
def release_load() -> None:
    """One decision."""
    release()


@job(
    executor_def=in_process_executor,
    hooks={tell_of_failure},
    description="Take a delivery out, and publish; what it had replaced counts once more.",
)
def withdraw_load() -> None:
    """One decision."""
    withdraw()


@job(
    executor_def=in_process_executor,
    hooks={tell_of_failure},
    description="Read a delivery again from the archive, with its corrected rows and today's contract, as a "
    "new load in its place; the old one is withdrawn. Then publish.",
)
def replay_load() -> None:
    """One decision."""
    replay()
