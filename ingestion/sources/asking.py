"""What a feed is asked for next, from what the ledger holds of it. The ledger remembers, nothing else does.

Put here how past deliveries decide the next request: pure functions over `Past`, and the query that reads
it. Never asking itself (fetching.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from psycopg.rows import class_row

from ingestion.sources.fetched import Cursor, Window

if TYPE_CHECKING:
    import psycopg

COUNTS = ("landed", "approved")
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Past:
    """One fetched delivery as the ledger has it."""

    status: str
    asked_first: date | None
    asked_last: date | None
    cursor_from: Cursor | None
    cursor: Cursor | None


def past_of(conn: psycopg.Connection[Any], feed: str) -> list[Past]:
    """The fetched deliveries of a feed, oldest first."""
    with conn.cursor(row_factory=class_row(Past)) as cursor:
        return cursor.execute(
            """
            select l.status, s.first_date as asked_first, s.last_date as asked_last, l.cursor_from, l.cursor
            from raw.loads as l
            left join raw.load_scopes as s on s.load_id = l.load_id and s.store is null
            where l.feed = %s and (s.load_id is not null or l.cursor is not null)
            order by l.delivery_no, l.load_id
            """,
            [feed],
        ).fetchall()


def next_cursor(past: Sequence[Past], *, every_row_is_new: bool) -> Cursor | None:
    """Where to go on: the end of the unbroken chain of deliveries that count; None: from the beginning.

    What was held, withdrawn or failed breaks the chain and is asked for again, together with all that came
    after it: rows with keys then replace each other. Where every row is new (`delivers: events`) asking
    again would count twice, so only what failed is asked for again.
    """
    steps = [each for each in past if each.cursor is not None]
    if every_row_is_new:
        kept = [each for each in steps if each.status not in ("failed", "duplicate")]
        return kept[-1].cursor if kept else None
    reached: Cursor | None = None
    for step in steps:
        if step.status in COUNTS and (step.cursor_from == reached or step.cursor_from is None):
            reached = step.cursor
    return reached


def next_windows(
    past: Sequence[Past], *, last: date, days_back: int, since: date | None, at_most_days: int
) -> list[Window]:
    """The days to ask for, up to `last`: always those of `days_back` days, and what is missing besides.

    Missing are days that no delivery covers which counts: those since the last one that does, those since
    `since`, and those of a delivery that failed, was held or was withdrawn. No window is longer than
    `at_most_days`.
    """
    covered = [window for each in past if each.status in COUNTS and (window := _days(each))]
    recent = Window(min(last, last - (days_back - 1) * DAY), last)
    due = [window for each in past if each.status != "duplicate" and (window := _days(each))]
    if covered and (newest := max(window.last for window in covered)) < last:
        due.append(Window(newest + DAY, last))
    if since is not None and since <= last:
        due.append(Window(since, last))
    missing = [part for window in due for part in _without(window, covered) if part.first <= last]
    wanted = _joined([*missing, recent])
    return [part for window in wanted for part in split(window, at_most_days)]


def _days(past: Past) -> Window | None:
    return Window(past.asked_first, past.asked_last) if past.asked_first and past.asked_last else None


def _without(window: Window, covered: Sequence[Window]) -> list[Window]:
    """What is left of the days of `window`."""
    left = []
    at = window.first
    for known in sorted(covered, key=lambda each: each.first):
        if known.first > at:
            left.append(Window(at, min(known.first - DAY, window.last)))
        at = max(at, known.last + DAY)
        if at > window.last:
            return left
    return [*left, Window(at, window.last)]


def split(window: Window, at_most_days: int) -> list[Window]:
    """The window in parts of at most so many days."""
    parts = []
    first = window.first
    while first <= window.last:
        last = min(first + (at_most_days - 1) * DAY, window.last)
        parts.append(Window(first, last))
        first = last + DAY
    return parts


def _joined(windows: Sequence[Window]) -> list[Window]:
    """Windows in order, those that touch or overlap made one."""
    joined: list[Window] = []
    for window in sorted(windows, key=lambda each: (each.first, each.last)):
        if joined and window.first <= joined[-1].last + DAY:
            joined[-1] = Window(joined[-1].first, max(joined[-1].last, window.last))
        else:
            joined.append(window)
    return joined
