"""The asset `marts/publication`: the audit of a build and, when all of it holds, its publication.

Put here: how audit and publication look in Dagster. Never here: the sums and limits (publication/).
"""

from collections.abc import Iterator
from typing import Any

from dagster import (
    AssetCheckResult,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetKey,
    Config,
    Failure,
    MaterializeResult,
    MetadataValue,
    asset,
)
from pydantic import Field

from orchestration.batch import current_batch
from orchestration.defs.dbt import mart_models
from orchestration.defs.resources import BatchSession
from orchestration.gate_pages.serving import build_address
from warehouse.database import Warehouse

KEY = AssetKey(["marts", "publication"])
# kind in ops.audit_results → what its results promise together
PROMISES = {
    "completeness": "Every model and every test of the project ran in this build.",
    "dbt": "No dbt test found a row that breaks its rule.",
    "expectation": "The marts hold rows, in the ranges and shapes expected of them.",
    "reconciliation": "Delivered = accepted + rejected; raw = facts = marts, to the cent.",
}


class PublicationConfig(Config):
    """What a person allows this publication to take away."""

    allow_breaking: bool = Field(default=False, description="readers may lose columns or marts")
    allow_shrink: bool = Field(default=False, description="a mart may lose more than half of its rows")


def _checks(warehouse: Warehouse, build_id: int) -> Iterator[AssetCheckResult]:
    """Yield one result per kind of audit, from what the audit wrote down."""
    with warehouse.connect("owner", autocommit=True) as conn:
        for kind in PROMISES:
            rows = conn.execute(
                "select name, observed, limit_value, passed, message from ops.audit_results"
                " where build_id = %s and kind = %s order by passed, name",
                (build_id, kind),
            ).fetchall()
            broken = [row for row in rows if not row[3]]
            yield AssetCheckResult(
                asset_key=KEY,
                check_name=kind,
                passed=bool(rows) and not broken,
                metadata={
                    "evaluated": len(rows),
                    "value": len(broken),
                    "limit": 0,
                    "audit": MetadataValue.url(build_address(build_id)),
                    "broken": MetadataValue.md(
                        "\n".join(
                            f"- **{name}**: {message or observed} (limit {limit})"
                            for name, observed, limit, _, message in broken[:10]
                        )
                        or "none"
                    ),
                },
            )


def daily_preview(warehouse: Warehouse) -> str:
    """Return the last ten days of marts.daily_sales as a Markdown table, money in major units."""
    with warehouse.connect("reader", autocommit=True) as conn:
        rows = conn.execute(
            "select sale_date, orders, gross_sales_cents, returns_cents, net_sales_cents"
            " from marts.daily_sales order by sale_date desc limit 10"
        ).fetchall()
    head = "| day | orders | gross | returns | net |\n|---|--:|--:|--:|--:|\n"
    return head + "\n".join(
        f"| {day} | {orders:,} | {gross / 100:,.2f} | {returns / 100:,.2f} | {net / 100:,.2f} |"
        for day, orders, gross, returns, net in rows
    )


def published_totals(warehouse: Warehouse) -> tuple[int, int]:
    """Return (net sales in cents, orders) of everything published."""
    with warehouse.connect("reader", autocommit=True) as conn:
        row = conn.execute(
            "select coalesce(sum(net_sales_cents), 0), coalesce(sum(orders), 0) from marts.daily_sales"
        ).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


@asset(
    key=KEY,
    deps=[spec.key for spec in mart_models.specs],
    description="The publication all of `marts` belongs to: audited, copied in one transaction. One row.",
    group_name="marts",
    kinds={"postgres"},
    owners=["team:data"],
    metadata={"dagster/table_name": "marts.publication"},
    check_specs=[
        AssetCheckSpec(name=kind, asset=KEY, description=sentence) for kind, sentence in PROMISES.items()
    ],
)
def publication(
    context: AssetExecutionContext, config: PublicationConfig, session: BatchSession
) -> Iterator[Any]:
    """Audit the build; publish it, or leave the last publication as it is and say what failed."""
    from publication.audit import audit
    from publication.publish import publish

    batch = current_batch()
    build = session.build()
    batch.say("Auditing: every test, every sum to the cent")
    report = batch.audit = audit(session.warehouse, build)
    yield from _checks(session.warehouse, build.build_id)
    if not report.passed:
        session.give_up()
        batch.failures += [failure for failure in report.failures if failure not in batch.failures]
        raise Failure(
            "The audit failed, so the last publication stays as it is: " + "; ".join(report.failures[:5]),
            metadata={"audit": MetadataValue.url(build_address(build.build_id))},
            allow_retries=False,
        )
    batch.done("Audited: delivered = facts = marts, to the cent")
    batch.say("Publishing")
    made = batch.publication = publish(
        session.warehouse,
        build,
        report,
        allow_breaking=config.allow_breaking,
        allow_shrink=config.allow_shrink,
    )
    net_cents, orders = published_totals(session.warehouse)
    yield MaterializeResult(
        metadata={
            "publication": made.publication_id,
            "as_of": str(made.as_of),
            "net_sales": net_cents / 100,
            "orders": orders,
            "rows_deleted": made.rows_deleted,
            "rows_inserted": made.rows_inserted,
            "daily_sales": MetadataValue.md(daily_preview(session.warehouse)),
        }
    )
