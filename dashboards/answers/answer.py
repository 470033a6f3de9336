"""What a card answers: rows with their meaning, what they are compared with, and what must be said beside
them.

Put here: the shape of an answer and the words of a change. Never here: SQL (compiling.py), running it
(page.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from dashboards import formats
from dashboards.answers.spans import Base, Span
from dashboards.answers.state import FilterState
from dashboards.spec.model import DAY, Card

MIN_BASE_ORDERS = 10  # below it a percentage would be chance: comparison_min_orders of the dbt project

Kind = Literal["whole", "number", "date", "moment", "truth", "text"]
Direction = Literal["good", "bad", "neutral", "flat"]


@dataclass(frozen=True)
class Column:
    """A column of an answer: its name in SQL, its heading, how it is written, what it holds."""

    name: str
    label: str
    format: str
    kind: Kind

    @property
    def is_money(self) -> bool:
        """Whether its values are minor units."""
        return formats.number_format(self.format).style == "currency"


@dataclass(frozen=True)
class Change:
    """A figure beside the same figure of other days. `pct` is None where a percentage would mislead."""

    compared: Literal["previous", "year_before"]
    base: Base
    value: Any
    base_value: Any
    change: Any
    pct: Decimal | None
    why_no_pct: str | None
    arrow: str
    direction: Direction
    words: str

    @property
    def caution(self) -> str | None:
        """What is not alike in the two spans."""
        return self.base.caution


@dataclass(frozen=True)
class Ignored:
    """A filter that a card cannot obey; `is_set`: the reader has chosen something in it."""

    filter: str
    name: str
    reason: str
    is_set: bool


@dataclass(frozen=True)
class Answer:
    """All that a surface needs to show a card. Values are as in the mart: minor units, Decimals, dates."""

    card: Card
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    compared: tuple[tuple[Any, ...], ...] | None
    compared_with: Base | None
    changes: tuple[Change, ...]
    no_change: tuple[str, ...]
    spark: tuple[tuple[date, Any], ...]
    cannot_obey: tuple[Ignored, ...]
    notes: tuple[str, ...]
    missing: dict[str, str]
    empty: str | None
    publication_id: int
    as_of: date
    currency: str | None
    span: Span | None
    state: FilterState
    seconds: float

    @property
    def ignored(self) -> tuple[Ignored, ...]:
        """The filters that are set and cannot be obeyed."""
        return tuple(one for one in self.cannot_obey if one.is_set)

    @property
    def said(self) -> tuple[str, ...]:
        """What the reader has chosen and what became of it, a sentence each: for exports, print and alt
        texts.
        """
        lines = [self.span.words] if self.span else []
        for name, values in self.state.chosen.items():
            if name in self.card.filters:
                chosen = ", ".join("none named" if value is None else value for value in values)
                lines.append(f"{default_label(name)}: {chosen}")
        lines += [f"Not by {one.name.lower()}: {one.reason}" for one in self.ignored if one.filter != DAY]
        lines += [one.reason for one in self.ignored if one.filter == DAY]
        return (*lines, *self.notes)

    @property
    def value(self) -> Any:
        """The figure of a scalar; None when there is none."""
        return self.rows[0][self.place(self.card.y[0])] if self.rows and self.card.y else None

    @property
    def compared_offset_days(self) -> int | None:
        """How far back the compared period begins."""
        if self.span is None or self.compared_with is None:
            return None
        return (self.span.first - self.compared_with.first).days

    def place(self, column: str) -> int:
        """Where a column stands in a row."""
        return next(i for i, found in enumerate(self.columns) if found.name == column)

    def column(self, name: str) -> Column:
        """A column by its name."""
        return self.columns[self.place(name)]

    def records(self) -> list[dict[str, Any]]:
        """Rows as maps of raw values."""
        return [dict(zip((column.name for column in self.columns), row, strict=True)) for row in self.rows]

    def shown(
        self, row: tuple[Any, ...], column: str, *, exact: bool | None = None, locale: str | None = None
    ) -> str:
        """A cell as text; tables show money with its decimals, a scalar without."""
        place = self.place(column)
        return formats.shown(
            row[place],
            self.columns[place].format,
            currency=self.currency,
            locale=locale or formats.DEFAULT_LOCALE,
            exact=self.card.display != "scalar" if exact is None else exact,
        )


def default_format(name: str, kind: Kind) -> str:
    """The format of a column that a card says nothing about, by the endings of docs/naming.md."""
    if kind in ("whole", "number"):
        for ending, found in (("_cents", "money"), ("_pct", "percent"), ("_share", "share")):
            if name.endswith(ending):
                return found
    if kind == "date" and name.endswith("_month"):
        return "month"
    return {"whole": "count", "number": "units", "date": "date", "moment": "datetime", "truth": "yesno"}.get(
        kind, "text"
    )


def default_label(name: str) -> str:
    """net_sales_cents → Net sales."""
    words = name.removesuffix("_cents").removesuffix("_pct").removesuffix("_share").replace("_", " ")
    return words[:1].upper() + words[1:] + (" %" if name.endswith(("_pct", "_share")) else "")


def plain(value: Any) -> Any:
    """A value as JSON can hold it without losing a cent: Decimals as text only where they are not whole."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    return value


def change_of(
    card: Card,
    column: Column,
    *,
    compared: Literal["previous", "year_before"],
    base: Base,
    value: Any,
    base_value: Any,
    base_orders: int | None,
    orders: int | None,
    currency: str | None,
) -> Change | None:
    """How a figure changed; None where one of the two is missing.

    A percentage stands on a base above 0 and at least 10 orders on both sides; a rate changes by points.
    """
    if value is None or base_value is None:
        return None
    change = value - base_value
    is_rate = formats.number_format(column.format).style in ("percent", "share", "points")
    why = None
    if is_rate:
        why = "a rate changes by points"
    elif base_value <= 0:
        why = "the base is not above 0"
    elif any(count is not None and count < MIN_BASE_ORDERS for count in (base_orders, orders)):
        why = f"fewer than {MIN_BASE_ORDERS} orders"
    pct = None if why else (Decimal(change) * 100 / Decimal(base_value)).quantize(Decimal("0.1"))
    size = formats.change_shown(change, pct, column.format, currency=currency)
    sign = (change > 0) - (change < 0)
    words = (
        f"{formats.ARROWS[0]} the same as {base.words}"
        if sign == 0
        else f"{formats.ARROWS[sign]} {size} {'more' if sign > 0 else 'less'} than {base.words}"
    )
    if is_rate and sign:
        words = words.replace(" more than ", " higher than ").replace(" less than ", " lower than ")
    if base.caution:
        words += f" ({base.caution})"
    return Change(
        compared=compared,
        base=base,
        value=value,
        base_value=base_value,
        change=change,
        pct=pct,
        why_no_pct=why,
        arrow=formats.ARROWS[sign],
        direction=_direction(sign, card.higher_is),
        words=words,
    )


def _direction(sign: int, higher_is: str) -> Direction:
    if sign == 0:
        return "flat"
    if higher_is == "neutral":
        return "neutral"
    return "good" if (sign > 0) == (higher_is == "good") else "bad"
