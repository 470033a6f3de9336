"""What answers hold, and how an Answer of the engine becomes that. Money is in minor units.

Put here: fields that several answers share. Never here: asking for figures.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, Field

from dashboards.answers.answer import Answer, Change, Ignored, plain
from dashboards.answers.page import Page
from dashboards.answers.spans import Base, Span
from dashboards.editions import Edition

Value = int | float | str | bool | None


class Trust(BaseModel):
    """How far, how fresh, how complete, and whether it adds up."""

    text: str = Field(description="The trust strip in one line.")
    loads: int
    rows_delivered: int
    rows_rejected: int
    held_loads: int
    late_feeds: list[str] = Field(description="Feeds whose next delivery is overdue.")
    is_reconciled: bool | None = Field(description="Whether ledger and marts agree to the cent.")
    paused: str | None = Field(description="Why nothing newer is published, where publication is paused.")


class Source(BaseModel):
    """What every answer says about itself."""

    publication_id: int
    published_at: datetime
    as_of: date = Field(description="The last complete business day of the figures; no other clock is used.")
    complete_through: date = Field(description="Every feed that counts has delivered up to here.")
    currency: str | None = Field(description="The reporting currency of all *_cents.")
    time_zone: str
    trust: Trust


class Days(BaseModel):
    """Days, both ends inclusive."""

    first: date
    last: date
    days: int
    words: str


class ComparedDays(Days):
    """Days that a period is compared with; `caution` says what is not alike."""

    caution: str | None = None


class Period(Days):
    """The days of the figures, and those they are compared with; where there are none, why."""

    previous: ComparedDays | None = None
    year_before: ComparedDays | None = None
    why_no_previous: str | None = None
    why_no_year_before: str | None = None
    note: str | None = None


class Comparison(BaseModel):
    """A figure beside the same figure of other days."""

    against: str = Field(description="previous or year_before")
    days: ComparedDays
    base_value: Value
    change: Value = Field(description="In the unit of the figure; percentages change by points.")
    change_pct: float | None = Field(description="Null where a percentage would mislead.")
    why_no_pct: str | None = None
    direction: str = Field(description="good, bad, neutral or flat: what the change means, not its sign.")
    words: str


class CannotObey(BaseModel):
    """A filter that a figure cannot obey, with the reason."""

    filter: str
    name: str
    reason: str
    is_set: bool


def source_of(page: Page, edition: Edition) -> Source:
    """The publication and its trust strip."""
    published, trust = page.published(), edition.trust
    return Source(
        publication_id=published.publication_id,
        published_at=published.published_at,
        as_of=published.as_of,
        complete_through=published.complete_through,
        currency=page.currency,
        time_zone=page.time_zone,
        trust=Trust(
            text=trust.text,
            loads=trust.loads,
            rows_delivered=trust.rows_delivered,
            rows_rejected=trust.rows_rejected,
            held_loads=trust.held_loads,
            late_feeds=list(trust.late_feeds),
            is_reconciled=trust.is_reconciled,
            paused=trust.paused,
        ),
    )


def period_of(span: Span) -> Period:
    """The days of a state."""
    return Period(
        first=span.first,
        last=span.last,
        days=span.days,
        words=span.words,
        previous=compared_days(span.previous) if span.previous else None,
        year_before=compared_days(span.year_before) if span.year_before else None,
        why_no_previous=span.why_no_previous,
        why_no_year_before=span.why_no_year_before,
        note=span.note,
    )


def compared_days(base: Base) -> ComparedDays:
    """The days of a comparison."""
    return ComparedDays(
        first=base.first, last=base.last, days=base.days, words=base.words, caution=base.caution
    )


def comparisons_of(answer: Answer) -> list[Comparison]:
    """What a figure is compared with."""
    return [_comparison(change) for change in answer.changes]


def _comparison(change: Change) -> Comparison:
    return Comparison(
        against=change.compared,
        days=compared_days(change.base),
        base_value=plain(change.base_value),
        change=plain(change.change),
        change_pct=None if change.pct is None else float(change.pct),
        why_no_pct=change.why_no_pct,
        direction=change.direction,
        words=change.words,
    )


def cannot_obey(found: tuple[Ignored, ...]) -> list[CannotObey]:
    """The filters an answer cannot obey."""
    return [
        CannotObey(filter=one.filter, name=one.name, reason=one.reason, is_set=one.is_set) for one in found
    ]


def records_of(answer: Answer, rows: tuple[tuple[Any, ...], ...]) -> list[dict[str, Value]]:
    """Rows by column name, with values that JSON can hold."""
    names = [column.name for column in answer.columns]
    return [dict(zip(names, map(plain, row), strict=True)) for row in rows]
