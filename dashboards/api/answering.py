"""Answers that are made once per edition: kept by their address, sent with a tag, or not sent again.

Put here: the way from a question to a response, whatever the question. Never here: what an answer holds.

The tag of an answer is that of its edition (editions.py), so it is right for every address: whoever sends it
back while nothing else is published has what he asks for. Answers made of live views of `ops` are made each
time, and carry a tag of their own.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio.to_thread
import psycopg
from fastapi import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from dashboards.answers.page import NothingPublished, Page
from dashboards.editions import Edition, edition_of
from dashboards.problems import NotReady
from dashboards.readers import readers_of

if TYPE_CHECKING:
    from dashboards.editions import Editions

KEPT_BYTES = 64_000_000
KEPT_PATHS = ("/api/v1/kpis/", "/api/v1/cards/", "/api/v1/dashboards")


@dataclass(frozen=True)
class Made:
    """The bytes of an answer, and what they are."""

    body: bytes
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


Maker = Callable[[Page, Edition], Made]


class Kept:
    """Answers by edition and address; those asked for longest ago go first."""

    def __init__(self, largest: int = KEPT_BYTES) -> None:
        self._largest = largest
        self._bytes = 0
        self._made: OrderedDict[tuple[str, str], Made] = OrderedDict()
        self._making: dict[tuple[str, str], asyncio.Task[tuple[str, Made]]] = {}

    def find(self, tag: str, address: str) -> Made | None:
        """The answer, where it is kept."""
        made = self._made.get((tag, address))
        if made is not None:
            self._made.move_to_end((tag, address))
        return made

    async def make(self, tag: str, address: str, make: Callable[[], tuple[str, Made]]) -> tuple[str, Made]:
        """Make an answer, once for all who ask while it is made; returns the tag of what it was made from.

        `tag` is that of the edition now: nobody gets what began to be made from the one before.
        """
        task = self._making.get((tag, address))
        if task is None:
            task = asyncio.create_task(self._make((tag, address), make))
            self._making[tag, address] = task
        return await asyncio.shield(task)

    async def _make(self, asked: tuple[str, str], make: Callable[[], tuple[str, Made]]) -> tuple[str, Made]:
        try:
            tag, made = await anyio.to_thread.run_sync(make)
        finally:
            del self._making[asked]
        self._keep((tag, asked[1]), made)
        return tag, made

    def _keep(self, key: tuple[str, str], made: Made) -> None:
        if len(made.body) > self._largest // 4:
            return
        before = self._made.pop(key, None)
        self._bytes += len(made.body) - (len(before.body) if before else 0)
        self._made[key] = made
        while self._bytes > self._largest:
            self._bytes -= len(self._made.popitem(last=False)[1].body)


class FromKept:
    """ASGI middleware: what was answered in the current edition is answered again without any route."""

    def __init__(self, app: ASGIApp, editions: Editions, kept: Kept) -> None:
        self._app = app
        self._editions = editions
        self._kept = kept

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or hand on with the edition in the request's state."""
        answer = None
        if scope["type"] == "http" and scope["method"] == "GET" and scope["path"].startswith(KEPT_PATHS):
            edition = await self._current()
            scope.setdefault("state", {})["edition"] = edition
            answer = self._answer(scope, edition.tag) if edition else None
        await (answer or self._app)(scope, receive, send)

    def _answer(self, scope: Scope, tag: str) -> Response | None:
        said = next((value for name, value in scope["headers"] if name == b"if-none-match"), b"")
        if _is_among(tag, said.decode("latin-1")):
            return Response(status_code=304, headers=_headers(tag))
        made = self._kept.find(tag, _address(scope))
        return None if made is None else _response(said.decode("latin-1"), tag, made)

    async def _current(self) -> Edition | None:
        """The current edition; None where it cannot be asked for, which the route will say."""
        try:
            return await self._editions.current()
        except (NotReady, psycopg.Error):
            return None


async def answered(request: Request, make: Maker, *, live: bool = False) -> Response:
    """The response to what its address asks, made now. Nothing but the address may matter to it.

    Raises NothingPublished, NotReady, and what `make` raises.
    """

    def read() -> tuple[str, Made]:
        with readers_of(request).reading() as page:
            edition = edition_of(page)
            if edition is None:
                raise NothingPublished
            return edition.tag, make(page, edition)

    said = request.headers.get("if-none-match", "")
    if live:
        _, made = await anyio.to_thread.run_sync(read)
        return _response(said, hashlib.sha256(made.body).hexdigest()[:16], made)
    edition: Edition | None = request.state.edition or await request.app.state.editions.current()
    if edition is None:
        raise NothingPublished
    tag, made = await request.app.state.kept.make(edition.tag, _address(request.scope), read)
    return _response(said, tag, made)


def _response(said: str, tag: str, made: Made) -> Response:
    if _is_among(tag, said):
        return Response(status_code=304, headers=_headers(tag))
    return Response(made.body, media_type=made.media_type, headers={**made.headers, **_headers(tag)})


def _address(scope: Scope) -> str:
    return f"{scope['path']}?{scope['query_string'].decode('latin-1')}"


def _headers(tag: str) -> dict[str, str]:
    # private: a token may have been needed; no-cache: ask each time whether it is still so
    return {"etag": f'"{tag}"', "cache-control": "private, no-cache"}


def _is_among(tag: str, said: str) -> bool:
    """Whether If-None-Match names the tag. `*` means any answer at all, of which we know nothing."""
    return any(one.strip().removeprefix("W/") == f'"{tag}"' for one in said.split(","))
