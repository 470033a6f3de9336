"""The guard in front of the UI: another site, a wrong token or GraphQL by GET get nowhere."""

import asyncio
from typing import Any

import pytest

from orchestration.web import Guard

TOKEN = "a-token"
HERE = {"host": "127.0.0.1:3000"}
SIGNED_IN = {**HERE, "cookie": f"shopx_ui_3000={TOKEN}"}


async def _inside(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"inside"})


def ask(
    path: str, headers: dict[str, str], *, method: str = "GET", kind: str = "http"
) -> tuple[int, dict[str, str]]:
    """Ask through the guard; returns status and headers (for a refused websocket its close code)."""
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    path, _, query = path.partition("?")
    scope = {
        "type": kind,
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "scheme": "http",
        "server": ("127.0.0.1", 3000),
    }
    asyncio.run(Guard(_inside, token=TOKEN, port=3000)(scope, receive, send))
    first = sent[0]
    named = {name.decode(): value.decode() for name, value in first.get("headers", [])}
    return int(first.get("status") or first.get("code", 0)), named


@pytest.mark.parametrize(
    ("path", "headers", "method", "status"),
    [
        ("/", HERE, "GET", 401),
        ("/", SIGNED_IN, "GET", 200),
        ("/", {**HERE, "authorization": f"Bearer {TOKEN}"}, "GET", 200),
        ("/", {**HERE, "cookie": "shopx_ui_3000=other"}, "GET", 401),
        ("/", {**SIGNED_IN, "host": "evil.example"}, "GET", 421),
        ("/", {}, "GET", 421),
        ("/graphql", SIGNED_IN, "POST", 200),
        ("/graphql", SIGNED_IN, "GET", 405),
        ("/graphql/", SIGNED_IN, "GET", 405),
        ("/graphql", {**SIGNED_IN, "origin": "http://evil.example"}, "POST", 403),
        ("/graphql", {**SIGNED_IN, "origin": "null"}, "POST", 403),
        ("/graphql", {**SIGNED_IN, "origin": "http://127.0.0.1:3000"}, "POST", 200),
        ("/server_info", HERE, "GET", 200),
        ("/?token=wrong", HERE, "GET", 401),
    ],
)
def test_who_may_ask_what(path: str, headers: dict[str, str], method: str, status: int) -> None:
    assert ask(path, headers, method=method)[0] == status


def test_the_printed_address_signs_in_and_drops_the_token_from_the_address() -> None:
    status, headers = ask(f"/runs?token={TOKEN}&view=all", HERE)
    assert (status, headers["location"]) == (303, "/runs?view=all")
    assert "HttpOnly" in headers["set-cookie"] and "SameSite=lax" in headers["set-cookie"]


def test_a_websocket_of_another_site_is_closed() -> None:
    assert ask("/graphql", {**SIGNED_IN, "origin": "http://evil.example"}, kind="websocket")[0] == 1008
    assert ask("/graphql", HERE, kind="websocket")[0] == 1008
