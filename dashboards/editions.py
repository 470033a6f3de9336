"""What is published right now, asked so that the answer is never older than the question.

Put here: the current publication as the server knows it, and the tag that answers made from it carry.
Never here: figures.

Each request needs it, and each asks the database: a notification may come late, a kept value is always old.
So that many requests cost little, those that arrive while a query runs share the next one, which begins after
they came.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

import anyio.to_thread

from dashboards.spec.loading import FOLDER

if TYPE_CHECKING:
    from dashboards.answers.page import Page
    from dashboards.answers.trust import Publication, Trust
    from dashboards.readers import Readers

T = TypeVar("T")


@dataclass(frozen=True)
class Edition:
    """A publication with all that its trust strip says. `tag`: differs wherever an answer may differ."""

    publication: Publication
    trust: Trust
    tag: str


class Shared(Generic[T]):
    """Runs `ask` for all who wait together; nobody gets what a run that began before they came has found."""

    def __init__(self, ask: Callable[[], Awaitable[T]]) -> None:
        self._ask = ask
        self._running: asyncio.Task[T] | None = None
        self._next: asyncio.Task[T] | None = None

    async def __call__(self) -> T:
        """The result of a run that begins now or later. Raises what it raises."""
        if self._next is None:
            self._next = asyncio.create_task(self._run(self._running))
        # shielded: one who leaves must not take the answer from the others
        return await asyncio.shield(self._next)

    async def _run(self, before: asyncio.Task[T] | None) -> T:
        if before is not None:
            await asyncio.wait([before])
        self._running, self._next = self._next, None
        return await self._ask()


class Editions:
    """The current edition of a server's warehouse."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers
        self._current = Shared(self._ask)

    async def current(self) -> Edition | None:
        """What is published now; None before the first publication. Raises NotReady."""
        return await self._current()

    async def _ask(self) -> Edition | None:
        return await anyio.to_thread.run_sync(self._read)

    def _read(self) -> Edition | None:
        with self._readers.reading() as page:
            return edition_of(page)


def edition_of(page: Page) -> Edition | None:
    """The edition that a page's transaction sees."""
    publication = page.publication
    if publication is None:
        return None
    trust = page.trust()
    files = [(file.name, file.stat().st_mtime_ns) for file in sorted(FOLDER.glob("*.yaml"))]
    seen = f"{publication!r} {trust!r} {page.currency} {page.time_zone} {files} {_SERVER}"
    return Edition(publication, trust, hashlib.sha256(seen.encode()).hexdigest()[:16])


#: Answers are made of code too, and another process may have another one.
_SERVER = secrets.token_hex(8)
