"""What happens when a step of a batch fails, whoever started it: its build is closed and a person is told.

Put here: hooks. Never here: what makes a step fail.
"""

from dagster import HookContext, failure_hook

from orchestration.batch import current_batch
from orchestration.retrying import PASSING_TAG, may_pass
from warehouse.alerts import raise_alert
from warehouse.errors import ShopxError


@failure_hook(required_resource_keys={"session"})
def tell_of_failure(context: HookContext) -> None:
    """Close the build as failed and raise one alert for the step, unless the audit has raised its own.

    What may pass by itself is marked, so that the inbox sensor starts it once more. A run that a person
    interrupted is no failure: its build is abandoned, and the next run goes on.
    """
    if not isinstance(context.op_exception, Exception):
        return
    session = context.resources.session
    session.give_up()
    batch = current_batch()
    if may_pass(context.op_exception, "; ".join(batch.failures)):
        context.instance.add_run_tags(context.run_id, {PASSING_TAG: "true"})
    if batch.audit is not None and not batch.audit.passed:
        return
    cause: BaseException | None = context.op_exception
    while cause is not None and cause.__cause__ is not None:
        cause = cause.__cause__
    said = "; ".join(batch.failures[:5]) or (
        cause.message if isinstance(cause, ShopxError) else f"{type(cause).__name__}: {cause}"
    )
    with session.warehouse.connect("owner") as conn:
        raise_alert(
            conn,
            kind="batch",
            subject=f"step {context.op.name} failed",
            message=f"{said.strip().rstrip('.')}. The last publication stays. Try again: ./shopx run.",
        )
