"""Answers that are made once per edition: looked up by what was asked, sent with a tag, or not sent again.

Put here: the way from a question to a response, whatever the question. Never here: what an answer holds.

The tag of an answer is that of its edition (editions.py), so it is right for every address; If-None-Match
with it is answered 304 without asking for figures. Answers made of live views of `ops` are made each time.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio.to_thread
from fastapi import Request
from starlette.responses import Response

from dashboards.answers.page import NothingPublished, Page
from dashboards.editions import Edition, edition_of
from dashboards.readers import readers_of

if TYPE_CHECKING:
    from dashboards.editions import Editions

KEPT_BYTES = 64_000_000


@dataclass(frozen=True)
class Made:
    """The bytes of an answer, and what they are."""

    body: bytes
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


Maker = Callable[[Page, Edition], Made]


class Kept:
    """Answers by edition and question; those asked for longest ago go first.

    Whoever asks for what is being made waits for it.
    """

    def __init__(self, largest: int = KEPT_BYTES) -> None:
        self._largest = largest
        self._bytes = 0
        self._made: OrderedDict[tuple[str, str], Made] = OrderedDict()
        self._making: dict[tuple[str, str], asyncio.Task[tuple[str, Made]]] = {}

    def find(self, tag: str, question: str) -> Made | None:
        """The answer, where it is kept."""
        made = self._made.get((tag, question))
        if made is not None:
            self._made.move_to_end((tag, question))
        return made

    async def make(self, tag: str, question: str, make: Callable[[], tuple[str, Made]]) -> tuple[str, Made]:
        """Make an answer once for all who wait for it; returns the tag of the edition it was made from."""
        task = self._making.get((tag, question))
        if task is None:
            task = asyncio.create_task(self._make((tag, question), question, make))
            self._making[tag, question] = task
        return await asyncio.shield(task)

    async def _make(
        self, asked: tuple[str, str], question: str, make: Callable[[], tuple[str, Made]]
    ) -> tuple[str, Made]:
        try:
            tag, made = await anyio.to_thread.run_sync(make)
        finally:
            del self._making[asked]
        self._keep((tag, question), made)
        return tag, made

    def _keep(self, key: tuple[str, str], made: Made) -> None:
        if len(made.body) > self._largest // 4:
            return
        before = self._made.pop(key, None)
        self._bytes += len(made.body) - (len(before.body) if before else 0)
        self._made[key] = made
        while self._bytes > self._largest:
            self._bytes -= len(self._made.popitem(last=False)[1].body)


async def answered(request: Request, question: str, make: Maker, *, live: bool = False) -> Response:
    """The response to a question: 304 where the one who asks has it, else kept or made bytes.

    `question` tells apart all that can be asked. Raises NothingPublished, NotReady, and what `make` raises.
    """
    editions: Editions = request.app.state.editions
    kept: Kept = request.app.state.kept

    def read() -> tuple[str, Made]:
        with readers_of(request).reading() as page:
            edition = edition_of(page)
            if edition is None:
                raise NothingPublished
            return edition.tag, make(page, edition)

    if live:
        _, made = await anyio.to_thread.run_sync(read)
        return _response(request, hashlib.sha256(made.body).hexdigest()[:16], made)
    edition = await editions.current()
    if edition is None:
        raise NothingPublished
    if _has(request, edition.tag):
        return _not_modified(edition.tag)
    tag = edition.tag
    made_before = kept.find(tag, question)
    if made_before is None:
        tag, made = await kept.make(tag, question, read)
    else:
        made = made_before
    return _response(request, tag, made)


def _response(request: Request, tag: str, made: Made) -> Response:
    if _has(request, tag):
        return _not_modified(tag)
    return Response(made.body, media_type=made.media_type, headers={**made.headers, **_headers(tag)})


def _not_modified(tag: str) -> Response:
    return Response(status_code=304, headers=_headers(tag))


def _headers(tag: str) -> dict[str, str]:
    # private: a token may have been needed; no-cache: ask each time whether it is still so
    return {"etag": f'"{tag}"', "cache-control": "private, no-cache"}


def _has(request: Request, tag: str) -> bool:
    said = request.headers.get("if-none-match")
    if said is None:
        return False
    return said.strip() == "*" or f'"{tag}"' in (one.strip().removeprefix("W/") for one in said.split(","))
