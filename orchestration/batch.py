"""What one batch was asked to do and what it found, step by step.

Put here: the plain record that the steps of a batch share within one process, and how they speak.
Never here: Dagster, SQL, or anything that decides what counts (the ledger does that).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from expectations.arrival import GateReport
    from ingestion.landing import LandingResult
    from publication.audit import AuditReport
    from publication.publish import Publication


def _silent(_sentence: str) -> None:
    """Say nothing: the default where nobody listens."""


@dataclass
class Batch:
    """Filled by the steps; read by whoever started the batch."""

    say: Callable[[str], None] = _silent
    done: Callable[[str], None] = _silent
    landing: "LandingResult | None" = None
    gate: "GateReport | None" = None
    audit: "AuditReport | None" = None
    publication: "Publication | None" = None
    nodes_built: int = 0
    tests_passed: int = 0
    failures: list[str] = field(default_factory=list)
    nothing_to_build: str | None = None
    paused: bool = False


def counted(number: int, noun: str) -> str:
    """Write a number with its noun: 1 file, 3 deliveries."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


_current: ContextVar[Batch | None] = ContextVar("batch", default=None)


def current_batch() -> Batch:
    """Return the batch of this process, making a silent one where the run came from the UI or a sensor."""
    batch = _current.get()
    if batch is None:
        batch = Batch()
        _current.set(batch)
    return batch


@contextmanager
def following(
    say: Callable[[str], None],
    landing: "LandingResult | None" = None,
    *,
    done: Callable[[str], None] = _silent,
) -> Iterator[Batch]:
    """Open a batch whose steps report what they do to `say` and what they have done to `done`; `landing` is
    what was landed before it.
    """
    batch = Batch(say=say, done=done, landing=landing)
    token = _current.set(batch)
    try:
        yield batch
    finally:
        _current.reset(token)
