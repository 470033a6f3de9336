"""A local Google: token endpoint, Drive's file metadata, the grid of Sheets v4, and faults on demand."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

CELL = re.compile(r"^'(?P<title>.*)'!(?P<c1>[A-Z]+)(?P<r1>\d+):(?P<c2>[A-Z]+)(?P<r2>\d+)$")


def number_of(letters: str) -> int:
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - 64
    return column


def text(value: str) -> dict[str, Any]:
    return {"effectiveValue": {"stringValue": value}}


def number(value: float, kind: str | None = None, pattern: str | None = None) -> dict[str, Any]:
    cell: dict[str, Any] = {"effectiveValue": {"numberValue": value}}
    if kind:
        cell["effectiveFormat"] = {
            "numberFormat": {"type": kind, **({"pattern": pattern} if pattern else {})}
        }
    return cell


def error(kind: str) -> dict[str, Any]:
    return {
        "effectiveValue": {"errorValue": {"type": kind, "message": "as the sheet says"}},
        "userEnteredValue": {"formulaValue": "=1/0"},
    }


def row(*values: object) -> list[dict[str, Any]]:
    """Cells of texts and numbers; None is a blank one; a dict is a cell as the API writes it."""
    return [
        {} if value is None else value if isinstance(value, dict) else
        text(value) if isinstance(value, str) else number(float(value))  # type: ignore[arg-type]
        for value in values
    ]  # fmt: skip


@dataclass
class Tab:
    title: str
    rows: list[list[dict[str, Any]]]
    gid: int = 0
    hidden: bool = False
    columns: int = 26
    spare_rows: int = 10


@dataclass
class LocalGoogle:
    """What it holds and what it does wrong. `faults`: answers given before the true ones, in order."""

    number = staticmethod(number)
    error = staticmethod(error)
    row = staticmethod(row)
    tab = Tab

    tabs: list[Tab] = field(default_factory=list)
    spreadsheet: str = "1AbCdEfGhIjKlMnOpQrStUvWxYz"
    modified_at: str = "2026-03-01T08:00:00.000Z"
    modified_at_each: Callable[[], str] | None = None
    shared: bool = True
    drive_enabled: bool = True
    token_status: int = 200
    faults: deque[tuple[int, dict[str, str], str]] = field(default_factory=deque)
    asked: Counter[str] = field(default_factory=Counter)
    address: str = ""

    def answer(  # noqa: PLR0911 - one return for each answer of the API
        self, target: str, token: str | None
    ) -> tuple[int, dict[str, str], str]:
        """One GET."""
        parts = urlsplit(target)
        path, query = unquote(parts.path), parse_qs(parts.query)
        if self.faults:
            return self.faults.popleft()
        if token != "Bearer token-of-the-test":
            return self._refusal(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        if path.startswith("/drive/v3/files/"):
            return self._drive(path.rsplit("/", 1)[1])
        if path != f"/v4/spreadsheets/{self.spreadsheet}":
            return self._refusal(404, "NOT_FOUND", "Requested entity was not found.")
        if not self.shared:
            return self._refusal(403, "PERMISSION_DENIED", "The caller does not have permission")
        if "ranges" in query:
            self.asked["grid"] += 1
            return 200, {}, json.dumps({"sheets": [{"data": [self._grid(query["ranges"][0])]}]})
        self.asked["properties"] += 1
        return 200, {}, json.dumps({"properties": {"title": "Shop"}, "sheets": [
            {"properties": {
                "title": tab.title, "sheetId": tab.gid, "sheetType": "GRID",
                **({"hidden": True} if tab.hidden else {}),
                "gridProperties": {"rowCount": len(tab.rows) + tab.spare_rows, "columnCount": tab.columns},
            }} for tab in self.tabs
        ]})  # fmt: skip

    def _drive(self, spreadsheet: str) -> tuple[int, dict[str, str], str]:
        self.asked["drive"] += 1
        if not self.drive_enabled:
            body = {
                "code": 403,
                "message": "Google Drive API has not been used in project 1 before or it is disabled.",
                "errors": [{"domain": "usageLimits", "reason": "accessNotConfigured"}],
            }
            return 403, {}, json.dumps({"error": body})
        if spreadsheet != self.spreadsheet or not self.shared:
            body = {"code": 404, "message": "File not found.", "errors": [{"reason": "notFound"}]}
            return 404, {}, json.dumps({"error": body})
        at = self.modified_at_each() if self.modified_at_each else self.modified_at
        return 200, {}, json.dumps({"id": self.spreadsheet, "name": "Shop", "modifiedTime": at})

    def _grid(self, a1: str) -> dict[str, Any]:
        found = CELL.match(a1)
        assert found is not None, a1
        title = found["title"].replace("''", "'")
        tab = next(tab for tab in self.tabs if tab.title == title)
        first, last = int(found["r1"]), int(found["r2"])
        left, right = number_of(found["c1"]), number_of(found["c2"])
        rows: list[dict[str, Any]] = []
        for cells in tab.rows[first - 1 : last]:
            kept = cells[left - 1 : right]
            while kept and not kept[-1]:
                kept = kept[:-1]
            rows.append({"values": kept} if kept else {})
        while rows and not rows[-1]:
            rows.pop()
        grid: dict[str, Any] = {"rowData": rows} if rows else {}
        return grid | ({"startRow": first - 1} if first > 1 else {})

    @staticmethod
    def _refusal(code: int, status: str, message: str) -> tuple[int, dict[str, str], str]:
        return code, {}, json.dumps({"error": {"code": code, "message": message, "status": status}})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    google: LocalGoogle


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._give(*self.server.google.answer(self.path, self.headers.get("Authorization")))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        google = self.server.google
        google.asked["token"] += 1
        assert "assertion=" in body
        if google.token_status != 200:
            self._give(google.token_status, {}, '{"error": "invalid_grant", "error_description": "Invalid"}')
        else:
            token = {"access_token": "token-of-the-test", "expires_in": 3600, "token_type": "Bearer"}
            self._give(200, {}, json.dumps(token))

    def _give(self, status: int, headers: dict[str, str], body: str) -> None:
        data = body.encode()
        self.send_response(status)
        about = {"Content-Type": "application/json", "Content-Length": str(len(data))}
        for name, value in (about | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def serve(google: LocalGoogle) -> _Server:
    """Start it on a free port of the loopback; `shutdown()` and `server_close()` end it."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.google = google
    google.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True).start()
    return server


@pytest.fixture(scope="session")
def private_key() -> str:
    """A key made for this run; a small one is quick to make and signs as well."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalGoogle]:
    """A Google of this test's own on the loopback; no other host is looked for."""
    local = LocalGoogle()
    server = serve(local)
    look_up, strangers = socket.getaddrinfo, []

    def only_here(host: str, *more: Any, **named: Any) -> Any:
        if host not in ("127.0.0.1", "localhost"):
            strangers.append(host)
            raise OSError(f"{host} is not here")
        return look_up(host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", only_here)
    yield local
    server.shutdown()
    server.server_close()
    assert strangers == []


@pytest.fixture
def credentials(google: LocalGoogle, private_key: str, tmp_path: Path) -> Path:
    """The key file of a service account whose tokens the local Google gives."""
    path = tmp_path / "service-account.json"
    path.write_text(
        json.dumps(
            {
                "type": "service_account",
                "project_id": "shop",
                "private_key_id": "1",
                "private_key": private_key,
                "client_email": "shopx@shop.iam.gserviceaccount.com",
                "client_id": "1",
                "token_uri": f"{google.address}/token",
            }
        )
    )
    return path
