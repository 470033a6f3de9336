"""Titles that say what the figures show, where they support it; else a card keeps its plain name.

Put here: one function per kind of finding: an answer in, a sentence or None out. Never here: SQL, colours.
A finding needs spans that are alike (no caution), a base above 0, and a change that is not rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from dashboards import formats
from dashboards.answers.answer import MIN_BASE_ORDERS, Answer

MIN_CHANGE_PCT = Decimal(1)  # less is "about the same"
MIN_PART = Decimal("0.5")  # what a reason must explain of the change it is named for
MIN_SHARE_PCT = Decimal(25)  # what "most" must bring to be worth a title

BECAUSE = {
    ("Orders", True): "more orders",
    ("Orders", False): "fewer orders",
    ("Order value", True): "larger orders",
    ("Order value", False): "smaller orders",
    ("Returns", True): "fewer returns",
    ("Returns", False): "more returns",
}

Finding = Callable[[Answer], str | None]


def title_of(answer: Answer) -> str:
    """The finding of the card's rule, or its name. Never raises: a title is worth no error."""
    rule = RULES.get(answer.card.finding or "")
    found = rule(answer) if rule and answer.rows else None
    return found or answer.card.name


def _trend(answer: Answer) -> str | None:
    """`Net sales by day` → Net sales rose 8.3 % on the period before."""
    if not answer.compared or answer.compared_with is None or answer.compared_with.caution:
        return None
    column = answer.card.y[0]
    pct = _pct(_total(answer, answer.rows, column), _total(answer, answer.compared, column))
    if pct is None or _too_few(answer):
        return None
    what = answer.column(column).label
    if abs(pct) < MIN_CHANGE_PCT:
        return f"{what} stayed level with {answer.compared_with.name}"
    verb = "rose" if pct > 0 else "fell"
    return f"{what} {verb} {formats.shown(abs(pct), 'percent')} on {answer.compared_with.name}"


def _why(answer: Answer) -> str | None:
    """Rows (reason, part, base) that sum to the change → Net sales rose 8.3 % because of more orders."""
    base = answer.span.base(answer.state.compare) if answer.span else None
    records = answer.records()
    if base is None or base.caution or any(row["change_cents"] is None for row in records):
        return None
    before = records[0]["base_net_sales_cents"]
    if min(records[0]["base_orders"] or 0, records[0]["orders"] or 0) < MIN_BASE_ORDERS:
        return None
    change = sum(row["change_cents"] for row in records)
    pct = _pct(before + change, before)
    if pct is None or abs(pct) < MIN_CHANGE_PCT:
        return f"Net sales stayed level with {base.name}" if pct is not None else None
    said = f"Net sales {'rose' if pct > 0 else 'fell'} {formats.shown(abs(pct), 'percent')}"
    sign = 1 if pct > 0 else -1
    most = max(records, key=lambda row: sign * row["change_cents"])
    explains = Decimal(sign * most["change_cents"]) >= MIN_PART * abs(change)
    because = BECAUSE.get((str(most["reason"]), pct > 0))
    return f"{said} because of {because}" if explains and because else said


def _leader(answer: Answer) -> str | None:
    """Groups whose rows add up → Camden brings 41.0 % of net sales."""
    column, group = answer.card.y[0], answer.card.x
    if group is None or len(answer.rows) < 3:
        return None
    values = [(row[answer.place(group)], row[answer.place(column)]) for row in answer.rows]
    if any(value is None or value < 0 for _, value in values):
        return None
    total = sum(value for _, value in values)
    name, largest = max(values, key=lambda found: found[1])
    if not total or name is None:
        return None
    share = Decimal(largest) * 100 / Decimal(total)
    if share < MIN_SHARE_PCT:
        return None
    return f"{name} brings {formats.shown(share, 'percent')} of {answer.column(column).label.lower()}"


def _count(answer: Answer) -> str | None:
    """A list → its name and how many there are."""
    return f"{answer.card.name}: {len(answer.rows):,}" if answer.rows else None


RULES: Mapping[str, Finding] = {"trend": _trend, "why": _why, "leader": _leader, "count": _count}


def _total(answer: Answer, rows: tuple[tuple[Any, ...], ...], column: str) -> Any:
    place = answer.place(column)
    return sum(row[place] for row in rows if row[place] is not None)


def _too_few(answer: Answer) -> bool:
    if answer.card.base is None or answer.compared is None:
        return False
    return any(
        _total(answer, rows, answer.card.base) < MIN_BASE_ORDERS for rows in (answer.rows, answer.compared)
    )


def _pct(value: Any, base: Any) -> Decimal | None:
    if base is None or value is None or base <= 0:
        return None
    return (Decimal(value) - Decimal(base)) * 100 / Decimal(base)
