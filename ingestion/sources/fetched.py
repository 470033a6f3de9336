"""The seam between sources and landing: what a source is asked for, and what it hands over.

Put the shapes of that seam here. Never a connection, never a query.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from warehouse.errors import ShopxError

if TYPE_CHECKING:
    from ingestion.contract import Contract

#: How far a source has been read, in its own words: JSON-ready, opaque to everybody else.
Cursor = Mapping[str, object]


class FetchFailed(ShopxError):
    """The source could not be asked, or its answer cannot be trusted; nothing was delivered.

    `message` is one sentence that names the feed, what was seen and what to do, and holds no secret.
    """


@dataclass(frozen=True)
class Window:
    """Days on the feed's clock, both ends inclusive."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError(f"a window ends before it begins: {self}")

    def __str__(self) -> str:
        return f"{self.first}" if self.first == self.last else f"{self.first}_{self.last}"


@dataclass(frozen=True)
class Request:
    """What a source is asked for.

    `window`: the days wanted, for a source that is asked by days; `cursor`: where the last counted delivery
    ended, None at the first time; `folder`: where the file is to be written, gone when all is landed.
    """

    contract: Contract
    folder: Path
    window: Window | None = None
    cursor: Cursor | None = None
    progress: Callable[[str], None] = lambda _: None


@dataclass(frozen=True)
class Fetched:
    """A delivery that a source has written to `path`, complete, exactly as received.

    `name`: what the ledger calls it; it needs no path and may come again. `window`: the days it is complete
    for: the scope of `delivers: days`. `cursor_from`, `cursor`: where it begins and how far it reaches; the
    latter is where the next one goes on, once the rows count. `facts`: JSON-ready, kept with what reading
    finds; never a secret, never what changes from one equal answer to the next.
    """

    path: Path
    name: str
    feed: str
    window: Window | None = None
    cursor_from: Cursor | None = None
    cursor: Cursor | None = None
    facts: Mapping[str, object] = field(default_factory=dict)


class Source(Protocol):
    """A way to fetch: `Request` in, `Fetched` out, or None where there is nothing new since the cursor.

    Raises FetchFailed. Leaves nothing outside of `request.folder`.
    """

    def __call__(self, request: Request) -> Fetched | None:
        """Ask the source."""
