"""What a landed delivery means, and whether that is safe: the decision table, first row that fits.

Put the verdicts here, over what overlap.py has measured. Never a query, never a change of status
(deciding.py). What a person said (`released_as`) is never questioned; a contract's `delivers` is checked for
what it would take away.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from ingestion.effects import Effect, effects, sentence
from ingestion.overlap import Comparison, SharedDays, SharedOrders, Sums
from ingestion.scopes import archived_months, note_days_beyond, note_days_of_rows, span_of

if TYPE_CHECKING:
    import psycopg

    from ingestion.ledger import Load

OVERLAPS = "OVERLAPS_EARLIER_LOAD"
MOST_LOST = 0.2  # share of the rows or of the money of its scope that a delivery may take away unasked


@dataclass(frozen=True)
class Meaning:
    """`mode` is None while undecided. `reason` says why the delivery is held, `message` what was found and
    what a person can choose, `choices` each answer with its effect."""

    mode: str | None
    reason: str | None = None
    message: str | None = None
    choices: dict[str, Effect] | None = None


@dataclass(frozen=True)
class Verdict:
    """A row of the decision table that fits: a mode, or a reason to hold with what was found."""

    mode: str | None = None
    reason: str | None = None
    found: str = ""


def meaning_of(
    conn: psycopg.Connection[Any],
    load: Load,
    *,
    declared: str | None,
    first: date | None,
    last: date | None,
    currency: str | None,
) -> Meaning:
    """What `load`, whose rows are in raw.sales_lines, means beside the loads of its source that count.

    `declared`: what its contract says it delivers; `first`, `last`: its days, None without rows. Notes the
    days it is complete for where its meaning may depend on them. `events` and `match` take nothing away, so
    they are not compared with anything.
    """
    month = _archived(conn, first, last)
    if month is None and declared in ("events", "match"):
        return Meaning(declared)
    if declared == "days":
        note_days_of_rows(conn, load.load_id)
    comparison = Comparison(conn, load, first=first, last=last)
    if month is not None:
        verdict = Verdict(reason="TOUCHES_ARCHIVED_MONTH", found=f"its rows reach into {month:%B %Y}")
    elif not comparison.neighbours:
        return Meaning(declared or "events")
    else:
        verdict = _verdict(conn, load, comparison, declared)
    if verdict.reason is None:
        return Meaning(verdict.mode)
    note_days_of_rows(conn, load.load_id)
    choices = effects(conn, load, comparison)
    message = f"{verdict.found}. {sentence(load.load_id, choices, currency=currency)}"
    return Meaning(declared, verdict.reason, message, choices)


def _verdict(
    conn: psycopg.Connection[Any], load: Load, comparison: Comparison, declared: str | None
) -> Verdict:
    if declared == "lines":
        before, after = comparison.shared_lines()
        return lost(before, after, what="the lines it brings again") or Verdict("lines")
    if declared == "days":
        return _days(conn, load, comparison)
    orders = comparison.shared_orders()
    verdict = reused_ids(orders)
    if verdict is None and declared == "orders":
        verdict = Verdict("orders")
    elif verdict is None:
        verdict = undeclared(orders, comparison.shared_days(), last=comparison.last)
    if verdict.mode == "days":
        note_days_of_rows(conn, load.load_id)
        return _days(conn, load, comparison)
    return (verdict.mode == "orders" and lost_of(orders)) or verdict


def _days(conn: psycopg.Connection[Any], load: Load, comparison: Comparison) -> Verdict:
    parts = note_days_beyond(conn, load)
    if parts is not None:
        return Verdict(
            reason="OUTSIDE_WINDOW",
            found=f"it holds only a part of {parts[0]:,} days that were not asked for (the first is "
            f"{parts[1]}); its source seems to cut days elsewhere than the feed does",
        )
    span = span_of(conn, load.load_id)
    before = comparison.in_scope(span)
    after = Sums(load.rows_accepted, load.amount_cents)
    if before.rows and not after.rows and span is not None:
        between = f"from {span[0]} to {span[1]}" if span[0] != span[1] else f"on {span[0]}"
        return Verdict(
            reason="EMPTY_SCOPE",
            found=f"it says nothing was sold {between}, where {before.rows:,} rows stand",
        )
    if shrinks := lost(before, after, what="the days it is complete for"):
        return shrinks
    moved, day, names = comparison.lines_elsewhere()
    if moved:
        return Verdict(
            reason="ORDER_MAY_HAVE_MOVED",
            found=f"{moved:,} of its orders have equal lines on days it does not cover (the first is {day}, "
            f"in {_names(names)}): they may have been moved, and would count twice",
        )
    return Verdict("days")


def reused_ids(orders: SharedOrders | None) -> Verdict | None:
    """Order ids that seem to name other orders: sales on another day, or not one product in common."""
    wrong = max(orders.moved_orders, orders.strangers) if orders else 0
    if orders is None or not wrong:
        return None
    how = "on another day" if orders.moved_orders >= orders.strangers else "with no line in common"
    return Verdict(
        reason="ORDER_ID_REUSED",
        found=f"{wrong:,} of the {orders.orders:,} orders it shares with {_names(orders.names)} come back "
        f"{how}",
    )


def lost_of(orders: SharedOrders | None) -> Verdict | None:
    """Too much lost of the orders that come again, unless what is there came later and stays."""
    if orders is None or orders.newer:
        return None
    before, after = Sums(orders.old_rows, orders.old_cents), Sums(orders.new_rows, orders.new_cents)
    return lost(before, after, what="the orders it brings again")


def lost(before: Sums, after: Sums, *, what: str) -> Verdict | None:
    """More than a fifth of the rows or of the money of a scope would be gone."""
    keeps = 1 - MOST_LOST
    rows_lost = after.rows < before.rows * keeps
    cents_lost = before.cents > 0 and after.cents < before.cents * keeps
    if not rows_lost and not cents_lost:
        return None
    return Verdict(
        reason="SHRINKS_SCOPE",
        found=f"of {what} {before.rows:,} rows and {before.cents:,} cents would become {after.rows:,} rows "
        f"and {after.cents:,} cents, more than a fifth less",
    )


def undeclared(orders: SharedOrders | None, days: SharedDays | None, *, last: date | None) -> Verdict:
    """What a delivery means by its rows alone, where no contract says it."""
    if orders is None and days is None:
        return Verdict("events")
    if orders is None and days is not None:
        nameless = not days.old_with_ids and not days.new_orders
        comes_back = days.reappearing * 2 >= days.without_ids > 0
        goes_on = last is not None and days.last_date is not None and last >= days.last_date
        if nameless and comes_back and goes_on:
            return Verdict("days")
        return Verdict(
            reason=OVERLAPS,
            found=f"{days.days:,} of its days (the first is {days.first_day}) already hold rows of the same "
            f"store from {_names(days.names)}",
        )
    assert orders is not None  # noqa: S101 - for the type checker
    mixed = days is not None and bool(days.without_ids and days.new_without_ids)
    if not orders.vanished_lines and not orders.newer and not mixed:
        return Verdict("orders")
    adds_nothing_else = days is None or not (days.new_orders or days.new_without_ids)
    if orders.only_returns_elsewhere and adds_nothing_else:
        return Verdict("events")
    gone = f"and {orders.vanished_lines:,} of their lines do not come back"
    if orders.newer:
        gone = "which is newer"
    elif not orders.vanished_lines:
        gone = "and other rows without an order are on the same days"
    return Verdict(
        reason=OVERLAPS,
        found=f"{orders.orders:,} of its orders are already in {_names(orders.names)}, {gone}",
    )


def _archived(conn: psycopg.Connection[Any], first: date | None, last: date | None) -> date | None:
    months = archived_months(conn)
    if first is None or last is None:
        return None
    start = first.replace(day=1)
    return min((month for month in months if start <= month <= last), default=None)


def _names(names: list[str]) -> str:
    first = ", ".join(sorted(names)[:3])
    return first if len(names) <= 3 else f"{first} and {len(names) - 3} more"
