"""The trust strip: how far, how fresh, how complete, and whether it adds up; on every page, answer, export
and mail.

Put here: reading it and its one line. Never here: figures of the shop.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from dashboards import formats

PUBLICATION = "select publication_id, published_at, as_of, complete_through from marts.publication"
TRUST = """
    select loads, rows_delivered, rows_rejected, is_reconciled, held_loads
    from ops.publication_trust
"""
FEEDS = "select feed, is_behind from ops.pipeline_health where holds = 'sales' order by feed"
PAUSE = "select why, figures_of, paused_at from ops.publication_pause"


@dataclass(frozen=True)
class Publication:
    """The publication every figure of a page belongs to."""

    publication_id: int
    published_at: datetime
    as_of: date
    complete_through: date


@dataclass(frozen=True)
class Trust:
    """What stands beside the figures. `late_feeds`: those whose next delivery is overdue; `paused`: why
    nothing newer is published, None where publication is not paused; `is_reconciled` None where nothing was
    reconciled.
    """

    publication_id: int
    as_of: date
    published_at: datetime
    time_zone: str
    feeds: tuple[str, ...]
    late_feeds: tuple[str, ...]
    loads: int
    rows_delivered: int
    rows_rejected: int
    held_loads: int
    is_reconciled: bool | None
    paused: str | None

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """The strip in parts: name and words."""
        published = self.published_at.astimezone(ZoneInfo(self.time_zone))
        rejected = "no rows refused"
        if self.rows_rejected:
            share = formats.shown(self.rows_rejected / max(self.rows_delivered, 1), "share")
            rejected = f"{self.rows_rejected:,} of {self.rows_delivered:,} rows refused ({share})"
        found = [
            ("as_of", f"Sales to {formats.day(self.as_of)}"),
            ("published", f"published {formats.shown(published, 'datetime')}"),
            ("feeds", f"{len(self.feeds) - len(self.late_feeds)} of {len(self.feeds)} feeds in"),
            ("rejected", rejected),
        ]
        if self.held_loads:
            found.append(
                ("held", f"{self.held_loads} {'delivery' if self.held_loads == 1 else 'deliveries'} held")
            )
        if self.is_reconciled is not None:
            found.append(("reconciled", "ledger = marts" if self.is_reconciled else "ledger ≠ marts"))
        found.append(("time_zone", self.time_zone))
        found.append(("publication", f"publication {self.publication_id}"))
        if self.paused:
            found.insert(0, ("paused", f"PUBLICATION IS PAUSED: {self.paused}"))
        return tuple(found)

    @property
    def text(self) -> str:
        """The strip as one line."""
        return " · ".join(words for _, words in self.parts)

    @property
    def is_clean(self) -> bool:
        """Nothing in it asks for attention."""
        return not (self.paused or self.late_feeds or self.held_loads) and self.is_reconciled is not False


def read_publication(connection: psycopg.Connection[Any]) -> Publication | None:
    """The publication of the caller's transaction; None before the first."""
    row = connection.execute(PUBLICATION).fetchone()
    return None if row is None else Publication(*row)


def read_trust(connection: psycopg.Connection[Any], publication: Publication, *, time_zone: str) -> Trust:
    """Read the strip in the caller's transaction."""
    row = connection.execute(TRUST).fetchone()
    loads, delivered, rejected, reconciled, held = row if row else (0, 0, 0, None, 0)
    feeds = connection.execute(FEEDS).fetchall()
    paused = connection.execute(PAUSE).fetchone()
    return Trust(
        publication_id=publication.publication_id,
        as_of=publication.as_of,
        published_at=publication.published_at,
        time_zone=time_zone,
        feeds=tuple(feed for feed, _ in feeds),
        late_feeds=tuple(feed for feed, is_behind in feeds if is_behind),
        loads=loads,
        rows_delivered=delivered,
        rows_rejected=rejected,
        held_loads=held,
        is_reconciled=reconciled,
        paused=f"{paused[0]} (figures of publication {paused[1]})" if paused else None,
    )
