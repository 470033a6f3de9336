"""What landing hands on: each delivery as it now stands in the ledger, each refused path with its sentence.

Put the shapes of that seam here. Never a query, never a decision.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingestion.archive import Staged
    from ingestion.ledger import Load


@dataclass(frozen=True)
class Landed:
    """A delivery in the ledger, as it is after this call. `path` and `fingerprint` (size, mtime in ns)
    where it came from.
    """

    load_id: int
    delivery_no: int
    feed: str
    delivered_name: str
    status: str
    rows_delivered: int
    rows_accepted: int
    rows_rejected: int
    amount_cents: int
    held_reason: str | None
    message: str | None
    duplicate_of: int | None
    path: Path | None = None
    fingerprint: tuple[int, int] | None = None


@dataclass(frozen=True)
class Refused:
    """A path that is no delivery, with the one sentence that says why. Nothing of it was kept."""

    path: Path
    sentence: str


@dataclass(frozen=True)
class LandingResult:
    """`landed` in delivery order, with every load that still waits for the gate; `refused` in the order
    given; `growing`: files left in the inbox because somebody may still be writing them.
    """

    landed: list[Landed] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    growing: list[Path] = field(default_factory=list)


def landed_from(load: Load, path: Path | None = None, staged: Staged | None = None) -> Landed:
    """The ledger row as it is handed on, with the file it came from if it came from one."""
    return Landed(
        load_id=load.load_id,
        delivery_no=load.delivery_no,
        feed=load.feed,
        delivered_name=load.delivered_name,
        status=load.status,
        rows_delivered=load.rows_delivered,
        rows_accepted=load.rows_accepted,
        rows_rejected=load.rows_rejected,
        amount_cents=load.amount_cents,
        held_reason=load.held_reason,
        message=load.held_message,
        duplicate_of=load.duplicate_of,
        path=path,
        fingerprint=None if staged is None else (staged.size, staged.mtime_ns),
    )
