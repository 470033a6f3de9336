"""The asset `ops/build_loads`: the loads that count, frozen, so that all models of a run read the same rows.

Put here: opening a build. Never here: which loads count (the ledger) or what a build must pass (publication).
"""

from collections.abc import Iterator
from datetime import date
from typing import Any, Literal

from dagster import AssetExecutionContext, Config, MaterializeResult, asset
from pydantic import Field

from orchestration.batch import current_batch
from orchestration.defs.deliveries import LEDGER
from orchestration.defs.resources import BatchSession


class BuildConfig(Config):
    """How to open the build."""

    when: Literal["always", "changed"] = Field(
        default="always", description="changed: do nothing unless a decision about a load is unpublished"
    )
    as_of: str | None = Field(
        default=None, description="last business day of the figures, YYYY-MM-DD; default: of the data"
    )
    full_refresh: bool = Field(default=False, description="rebuild every model from the raw rows")


@asset(
    key=["ops", "build_loads"],
    deps=[LEDGER],
    description="The loads that count in a build, frozen. One row per build and load.",
    group_name="ops",
    kinds={"postgres"},
    owners=["team:data"],
    metadata={"dagster/table_name": "ops.build_loads"},
    output_required=False,
)
def build_loads(context: AssetExecutionContext, config: BuildConfig, session: BatchSession) -> Iterator[Any]:
    """Open a build under the driver's lock, or skip everything downstream when there is nothing to build."""
    from publication.stepping_back import open_pause

    batch = current_batch()
    with session.warehouse.connect("owner", autocommit=True) as conn:
        counting = conn.execute("select count(*) from raw.loads where status = 'approved'").fetchone()
        sales = conn.execute(
            "select exists (select from raw.loads where status = 'approved' and last_date is not null)"
        ).fetchone()
        published = conn.execute("select count(*) from ops.publications").fetchone()
        pause = open_pause(conn)
    if pause is not None:
        batch.paused, batch.nothing_to_build = True, f"Nothing is built. {pause.sentence()}"
    elif sales == (False,) and published == (0,):
        batch.nothing_to_build = "No sales count yet, so there is nothing to publish."
    elif config.when == "changed" and session.driver.pending_changes() == 0:
        batch.nothing_to_build = "Nothing new: every delivery that counts is in the current publication."
    if batch.nothing_to_build:
        context.log.info(batch.nothing_to_build)
        return
    build = session.open_build(
        as_of=date.fromisoformat(config.as_of) if config.as_of else None,
        full_refresh=config.full_refresh,
        opened_by=context.run.tags.get("shopx/by", "dagster"),
    )
    batch.say(f"Building #{build.build_id} as of {build.as_of}")
    yield MaterializeResult(
        metadata={"build": build.build_id, "as_of": str(build.as_of), "loads": counting[0] if counting else 0}
    )
