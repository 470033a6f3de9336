"""Fixture `api`: a real HTTP server on this machine that misbehaves as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from ingestion.contract import Contract, load_contracts
from ingestion.sources import rest
from ingestion.sources.fetched import Fetched, Request, Window

KEY = "canary-7f3e9d2c"


@dataclass(frozen=True)
class Asked:
    """One request as the server met it."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]


@dataclass(frozen=True)
class Reply:
    """What the server sends. `cut`: how many bytes of the body it keeps back before it hangs up; `chunked`:
    without saying how long the body is; `stalls`: it sends nothing until the client is gone."""

    body: Any = ()
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = 0
    hides_length: bool = False
    stalls: bool = False

    @property
    def data(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


class Api:
    """`replies` are sent one after the other, the last one for ever; or `answer` decides."""

    key = KEY
    reply = Reply

    @staticmethod
    def sale(day: int, *, amount: str = "2.50", product: str = "Mug", **more: Any) -> str:
        """One record of the plain answer, as text, so that its numbers stay what they are."""
        known = {"date": f"2026-02-{day:02d}", "user_id": 7, "product_name": product, "region": "North"}
        numbers = f'"quantity": 1, "unit_price": {amount}, "total_amount": {amount}'
        return f"{json.dumps(known | more)[:-1]}, {numbers}}}"

    @staticmethod
    def list_of(*records: str) -> str:
        """A JSON list of records."""
        return f"[{', '.join(records)}]"

    def __init__(self) -> None:
        self.replies: list[Reply] = [Reply([])]
        self.answer: Callable[[Asked], Reply] | None = None
        self.asked: list[Asked] = []
        self.done = threading.Event()
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                asked = Asked(parts.path, dict(parse_qsl(parts.query)), dict(self.headers))
                api.asked.append(asked)
                reply = api.answer(asked) if api.answer else api.next()
                if reply.stalls:
                    api.done.wait(20)
                    return
                data = reply.data
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if not reply.hides_length:
                    self.send_header("Content-Length", str(len(data)))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(data[: len(data) - reply.cut])
                self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/sales"

    def next(self) -> Reply:
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def stop(self) -> None:
        self.done.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    api = Api()
    monkeypatch.setenv("SALES_API_URL", api.url)
    monkeypatch.setenv("SALES_API_KEY", KEY)
    yield api
    api.stop()


def contract_with(**more: Any) -> Contract:
    """The built-in feed with other settings of its block `api`; contract keys by `contract={…}`."""
    changed = more.pop("contract", {})
    known = load_contracts()["sales_api"].model_dump(by_alias=True, exclude_none=True)
    known["api"] = known["api"] | {"allow_private_addresses": True, "timeout_s": 5} | more
    known["api"] = {name: value for name, value in known["api"].items() if value is not None}
    return Contract.model_validate(known | changed)


@pytest.fixture
def fetch(tmp_path: Path) -> Callable[..., Fetched | None]:
    """Fetch by a changed contract, without waiting: the seconds waited are in `waited`."""

    def run(*, waited: list[float] | None = None, window: Any = "default", **more: Any) -> Fetched | None:
        cursor = more.pop("cursor_from", None)
        clock = {name: more.pop(name) for name in ("now", "resolve") if name in more}
        if "window_block" in more:
            more["window"] = more.pop("window_block")
        contract = contract_with(**more)
        days = (1, 3) if window == "default" else window
        asked = Window(date(2026, 2, days[0]), date(2026, 2, days[1])) if days else None
        return rest.fetch(
            Request(contract, tmp_path, window=asked, cursor=cursor),
            sleep=(waited if waited is not None else []).append,
            **clock,
        )

    return run
