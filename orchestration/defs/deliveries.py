"""The assets `raw/<feed>` and `raw/sales_lines`: deliveries landed, checked by the arrival gate, and decided.

Put here: how landing and the gate look in Dagster. Never here: reading files, or what makes a load count.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetKey,
    AssetSpec,
    Config,
    MaterializeResult,
    MetadataValue,
    multi_asset,
)
from pydantic import Field

from ingestion.contract import load_contracts
from ingestion.entities import ENTITIES
from orchestration.batch import counted, current_batch
from orchestration.defs.resources import BatchSession
from orchestration.gate_pages.serving import ADDRESS, load_address, run_address
from orchestration.landing import gate_waiting, land_given
from warehouse.database import Warehouse

if TYPE_CHECKING:
    from expectations.arrival import CheckResult
    from ingestion.landing import Landed

#: names of files are data: what Markdown or HTML would take for its own is taken out
_PLAIN = str.maketrans(dict.fromkeys("[]()<>|`*_\\", " "))
CONTRACTS = load_contracts()
FEEDS = sorted(CONTRACTS)
#: kind of a feed → the kind that the UI has a picture for
KINDS = {"csv": "csv", "api": "json", "sheet": "googlesheets", "database": "sql"}
MASTER = [feed for feed in FEEDS if CONTRACTS[feed].entity is not None]
# reason of the arrival gate → the check and what it promises; the suite itself takes seconds to import
GATE_CHECKS = {
    "NOT_MEASURED": ("everything_is_measured", "Everything the gate looks at was measured."),
    "EMPTY_DELIVERY": ("rows_were_delivered", "The delivery holds at least one row."),
    "NOTHING_ACCEPTED": ("rows_were_accepted", "At least one row was accepted."),
    "ROWS_UNACCOUNTED": (
        "every_row_is_accounted_for",
        "Every delivered row was accepted, refused, or is a repeat.",
    ),
    "TOO_MANY_REJECTED": ("few_rows_are_refused", "No more rows were refused than the contract allows."),
    "PRODUCT_MISSING": ("every_row_names_a_product", "Every accepted row names a product."),
    "DATE_TOO_EARLY": ("no_day_is_too_early", "No row lies before the earliest day the contract allows."),
    "DATE_IN_FUTURE": ("no_day_is_in_the_future", "No row lies in the future."),
    "AMOUNT_NOT_RECOUNTED": (
        "amount_is_counted_twice",
        "The stored rows add up to the amount that was read, to the cent.",
    ),
    "AMOUNT_NOT_IN_LEDGER": (
        "amount_is_in_the_ledger",
        "The ledger's amount is the amount that was read, to the cent.",
    ),
    "TOTAL_IS_ZERO": ("total_is_not_zero", "The accepted rows add up to something."),
    "SALE_BELOW_ZERO": ("no_sale_is_below_zero", "No sale line is below zero."),
    "TOO_FEW_ROWS": (
        "enough_rows",
        "It holds as many rows as the contract expects at least (gate: least_rows).",
    ),
    "TOO_MANY_ROWS": (
        "not_too_many_rows",
        "It holds no more rows than the contract expects (gate: most_rows).",
    ),
    "ORDER_MISSING": ("orders_are_named", "Enough rows name their order (gate: most_without_order)."),
    "CUSTOMER_MISSING": (
        "customers_are_named",
        "Enough rows name their customer (gate: most_without_customer).",
    ),
    "LINE_TOO_LARGE": (
        "no_line_is_too_large",
        "No line is worth more than the contract allows (gate: largest_line_cents).",
    ),
    "FAR_ABOVE_LARGEST_DAY": (
        "no_day_is_far_above_the_largest",
        "No day is more than ten times the largest day the feed ever had.",
    ),
    "VOLUME_UNUSUAL": (
        "volume_is_usual",
        "As many lines as such weekdays of this feed usually bring (a warning by default).",
    ),
    "REVENUE_UNUSUAL": (
        "revenue_is_usual",
        "As much money as such weekdays of this feed usually bring (a warning by default).",
    ),
    "MIX_UNUSUAL": (
        "mix_is_usual",
        "Categories, stores and channels have their usual shares (a warning by default).",
    ),
    "COLUMNS_CHANGED": (
        "columns_are_the_same",
        "The same columns as before, written the same way (a warning by default).",
    ),
    "MANY_RETURNS": (
        "few_lines_are_returns",
        "No more lines are returns than the contract allows, or half (a warning only).",
    ),
    "LIST_CONTRADICTS": (
        "list_agrees_with_itself",
        "A list says one thing about each of its members (a warning only).",
    ),
}
MASTER_TABLES = [holds for holds in ENTITIES if holds not in FEEDS]
OF_EVERY_ROW = (
    "NOT_MEASURED", "EMPTY_DELIVERY", "NOTHING_ACCEPTED", "ROWS_UNACCOUNTED", "TOO_MANY_REJECTED",
)  # fmt: skip
OF_LISTS = (*OF_EVERY_ROW, "COLUMNS_CHANGED", "LIST_CONTRADICTS")
LINES = AssetKey(["raw", "sales_lines"])
LEDGER = AssetKey(["raw", "loads"])
SCOPES = AssetKey(["raw", "load_scopes"])


class DeliveriesConfig(Config):
    """What to land."""

    paths: list[str] = Field(default=[], description="files or folders; none: what lies still in the inbox")
    feed: str | None = Field(
        default=None, description="read them by this contract instead of by their header"
    )


def _specs() -> list[AssetSpec]:
    feeds = [
        AssetSpec(
            ["raw", feed],
            description=f"Deliveries of feed {feed}: each landed in one transaction, then approved or held.",
            group_name="raw",
            kinds={KINDS[CONTRACTS[feed].kind], "postgres"},
            # the days of a feed that is asked are an asset of their own (defs/sources.py)
            deps=[AssetKey(["fetched", feed])] if CONTRACTS[feed].is_fetched else [],
            owners=["team:data"],
            metadata={"dagster/table_name": "raw.loads"},
        )
        for feed in FEEDS
    ]
    lines = AssetSpec(
        LINES,
        deps=[
            AssetKey(["raw", feed])
            for feed in FEEDS
            if CONTRACTS[feed].holds in ("sales", "products", "rates")
        ],
        description="Accepted rows of every delivery, append-only. One row per accepted row of a delivery.",
        group_name="raw",
        kinds={"postgres"},
        owners=["team:data"],
        metadata={"dagster/table_name": "raw.sales_lines"},
    )
    ledger = AssetSpec(
        LEDGER,
        deps=[spec.key for spec in feeds],
        description="The ledger: what was delivered, and whether it counts. One row per delivery.",
        group_name="raw",
        kinds={"postgres"},
        owners=["team:data"],
        metadata={"dagster/table_name": "raw.loads"},
    )
    scopes = AssetSpec(
        SCOPES,
        deps=[spec.key for spec in feeds],
        description="The days a delivery is complete for. One row per delivery, store and stretch of days.",
        group_name="raw",
        kinds={"postgres"},
        owners=["team:data"],
        metadata={"dagster/table_name": "raw.load_scopes"},
    )
    return [*feeds, lines, ledger, scopes, *_master_tables()]


def _master_tables() -> list[AssetSpec]:
    """One asset per table of master data, unless a feed has taken its name."""
    return [
        AssetSpec(
            ["raw", holds],
            deps=[AssetKey(["raw", feed]) for feed in MASTER if CONTRACTS[feed].holds == holds],
            description=f"Versions of {holds.replace('_', ' ')}, append-only. "
            "One row per accepted row of a delivery.",
            group_name="raw",
            kinds={"postgres"},
            owners=["team:data"],
            metadata={"dagster/table_name": f"raw.{holds}"},
        )
        for holds in MASTER_TABLES
    ]


def _check_specs() -> list[AssetCheckSpec]:
    return [
        AssetCheckSpec(name=name, asset=AssetKey(["raw", feed]), description=sentence)
        for feed in FEEDS
        for reason, (name, sentence) in GATE_CHECKS.items()
        if _is_asked(feed, reason)
    ]


def _is_asked(feed: str, reason: str) -> bool:
    """Whether the check says anything about this feed: money and days are asked of sales alone."""
    return reason in OF_LISTS if feed in MASTER else reason != "LIST_CONTRADICTS"


def _check(
    feed: str, reason: str, found: "list[CheckResult]", *, gate_run_id: int | None
) -> AssetCheckResult:
    """Fold the results of one check over the loads of a batch: the first failing load stands for them."""
    bad = [result for result in found if not result.passed]
    shown = (bad or found)[:1]
    holds = any(result.severity == "hold" for result in bad)
    return AssetCheckResult(
        asset_key=AssetKey(["raw", feed]),
        check_name=GATE_CHECKS[reason][0],
        passed=not bad,
        severity=AssetCheckSeverity.ERROR if holds else AssetCheckSeverity.WARN,
        description="; ".join(
            f"load {r.load_id} is {'held' if r.severity == 'hold' else 'in, with a warning'}: {r.message}"
            for r in bad[:3]
        )
        or None,
        metadata={
            "reason": reason,
            "loads_checked": len(found),
            "loads_failed": len(bad),
            "value": str(shown[0].observed) if shown else "no new delivery",
            "limit": str(shown[0].limit) if shown else "-",
            "failed": MetadataValue.md(
                "\n".join(
                    f"- [load {r.load_id}]({load_address(r.load_id)}): {r.message or r.observed}"
                    for r in bad[:10]
                )
                or "none"
            ),
            **({"refused_rows": MetadataValue.url(load_address(bad[0].load_id))} if bad else {}),
            **({"data_docs": MetadataValue.url(run_address(gate_run_id))} if gate_run_id and found else {}),
        },
    )


def _verdicts(loads: "list[Landed]", status_of: dict[int, str]) -> str:
    """The deliveries of one feed with what became of them, each a link to its page."""
    said = [
        f"- [{load.delivered_name.translate(_PLAIN)}]({load_address(load.load_id)}): "
        f"{status_of.get(load.load_id, load.status)}"
        for load in loads[:10]
    ]
    return "\n".join(said) or "no new delivery"


def _held(warehouse: Warehouse) -> str:
    """What waits for a person, with each answer, as a Markdown table."""
    with warehouse.connect("loader", autocommit=True) as conn:
        rows = conn.execute(
            "select load_id, delivered_name, choice, rows_change, cents_change, command from ops.held_loads"
            " order by held_since, load_id, choice_number limit 40"
        ).fetchall()
    if not rows:
        return "nothing"
    told = [
        f"| [{load_id}]({load_address(load_id)}) {str(name).translate(_PLAIN)} | {choice} "
        f"| {'?' if change is None else f'{change:+,}'} | {'?' if cents is None else f'{cents / 100:+,.2f}'} "
        f"| `./{command}` |"
        for load_id, name, choice, change, cents, command in rows
    ]
    return "\n".join(["| load | answer | rows | net | command |", "|---|---|--:|--:|---|", *told])


@multi_asset(name="deliveries", specs=_specs(), check_specs=_check_specs())
def deliveries(
    context: AssetExecutionContext, config: DeliveriesConfig, session: BatchSession
) -> Iterator[Any]:
    """Land what was given (or lies in the inbox), gate it, and leave each load approved or held."""
    batch = current_batch()
    if batch.landing is None:  # `shopx run` has landed its files before it started this run
        batch.landing = land_given(
            session.warehouse, [Path(path) for path in config.paths], feed=config.feed, say=batch.say
        )
    done = gate_waiting(session.warehouse, batch.landing, say=batch.say)
    batch.gate = done.gate
    if done.gate is not None:
        passed, total = sum(result.passed for result in done.gate.results), len(done.gate.results)
        batch.done(
            f"Gate: {passed:,}{'' if passed == total else f' of {total:,}'} checks passed on"
            f" {counted(len(done.gate.approved) + len(done.gate.held), 'delivery')}"
        )
    status_of = (
        dict.fromkeys(done.gate.approved, "approved") | dict.fromkeys(done.gate.held, "held")
        if done.gate
        else {}
    )
    feed_of = {load.load_id: load.feed for load in done.loads}
    checks: dict[tuple[str | None, str], list[CheckResult]] = {}
    for result in done.results:
        checks.setdefault((feed_of.get(result.load_id), result.reason), []).append(result)
    gate_run_id = done.gate.gate_run_id if done.gate else None
    for feed in FEEDS:
        loads = [load for load in done.loads if load.feed == feed]
        yield MaterializeResult(
            asset_key=AssetKey(["raw", feed]),
            metadata={
                "verdict": MetadataValue.md(_verdicts(loads, status_of)),
                "deliveries": len(loads),
                "rows_delivered": sum(load.rows_delivered for load in loads),
                "rows_accepted": sum(load.rows_accepted for load in loads),
                "rows_rejected": sum(load.rows_rejected for load in loads),
                **({} if feed in MASTER else {"net_sales": sum(load.amount_cents for load in loads) / 100}),
            },
        )
        for reason in (name for name in GATE_CHECKS if _is_asked(feed, name)):
            yield _check(feed, reason, checks.get((feed, reason), []), gate_run_id=gate_run_id)
    for refused in done.refused:
        context.log.warning(f"{refused.path}: {refused.sentence}")
    yield MaterializeResult(
        asset_key=LINES,
        metadata={
            "rows_accepted": sum(load.rows_accepted for load in done.loads if load.feed not in MASTER),
            "refused_files": len(done.refused),
        },
    )
    for holds in MASTER_TABLES:
        names = {feed for feed in MASTER if CONTRACTS[feed].holds == holds}
        rows = sum(load.rows_accepted for load in done.loads if load.feed in names)
        yield MaterializeResult(asset_key=AssetKey(["raw", holds]), metadata={"rows_accepted": rows})
    yield MaterializeResult(asset_key=SCOPES)
    yield MaterializeResult(
        asset_key=LEDGER,
        metadata={
            "held": MetadataValue.md(_held(session.warehouse)),
            "gates": MetadataValue.url(ADDRESS),
            "deliveries": len(done.loads),
        },
    )
