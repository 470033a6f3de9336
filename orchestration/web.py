"""Dagster's web server behind a guard of ours, in one process: no unguarded port exists.

Put here: who may talk to the UI. Never here: pages or data.
The web server itself has no login, ignores Host and Origin and accepts mutations by GET, so any web page
could have steered it.
Run as `python -m orchestration.web --port 3000 --token-file FILE --workspace workspace.yaml`.
"""

import argparse
import hmac
import importlib
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from orchestration.dbt_docs import WithDocs
from orchestration.gate_pages.serving import GatePages

OPEN_PATHS = frozenset({"/server_info"})  # the health check: a version number, nothing else


class Guard:
    """ASGI middleware: right Host, right Origin, the session's token, and no GraphQL by GET."""

    def __init__(self, app: ASGIApp, *, token: str, port: int) -> None:
        self._app = app
        self._token = token
        self._hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}
        self._cookie = f"shopx_ui_{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what may not pass; hand on the rest."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(HTTPConnection(scope))
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refusal(scope, receive, send)

    def _refusal(self, asked: HTTPConnection) -> Response | None:
        elsewhere = self._from_elsewhere(asked)
        if elsewhere is not None:
            return elsewhere
        path, method = asked.url.path, asked.scope.get("method", "GET")
        if path in OPEN_PATHS:
            return None
        given = asked.query_params.get("token")
        if given is not None and method == "GET":
            return self._sign_in(asked, given)
        if not self._signed_in(asked):
            return PlainTextResponse(
                "Open the address that `shopx up` printed: it holds this session's token.\n", 401
            )
        if path.rstrip("/").endswith("/graphql") and asked.scope["type"] == "http" and method != "POST":
            return PlainTextResponse("GraphQL is answered to POST only.\n", 405, {"allow": "POST"})
        return None

    def _from_elsewhere(self, asked: HTTPConnection) -> Response | None:
        if asked.headers.get("host") not in self._hosts:
            return PlainTextResponse("This address is not served here.\n", 421)
        origin = asked.headers.get("origin")
        if origin is not None and origin.removeprefix("http://") not in self._hosts:
            return PlainTextResponse("Requests from other sites are refused.\n", 403)
        return None

    def _sign_in(self, asked: HTTPConnection, given: str) -> Response:
        if not self._is_token(given):
            return PlainTextResponse("This token belongs to another session; see `shopx up`.\n", 401)
        rest = urlencode([(name, value) for name, value in parse_qsl(asked.url.query) if name != "token"])
        answer = RedirectResponse(f"{asked.url.path}?{rest}" if rest else asked.url.path, 303)
        answer.set_cookie(self._cookie, given, httponly=True, samesite="lax", path="/")
        return answer

    def _signed_in(self, asked: HTTPConnection) -> bool:
        bearer = asked.headers.get("authorization", "").removeprefix("Bearer ")
        jar: SimpleCookie = SimpleCookie(asked.headers.get("cookie", ""))
        kept = jar[self._cookie].value if self._cookie in jar else ""
        return self._is_token(bearer) or self._is_token(kept)

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._token.encode())


def serve(*, host: str, port: int, token: str, workspace: Path) -> None:
    """Serve the UI of the instance in DAGSTER_HOME until interrupted."""
    cli: Any = importlib.import_module("dagster_webserver.cli")
    make_app = cli.create_app_from_workspace_process_context

    def guarded(*args: Any, **kwargs: Any) -> Guard:
        return Guard(GatePages(WithDocs(make_app(*args, **kwargs))), token=token, port=port)

    cli.create_app_from_workspace_process_context = (
        guarded  # the one place where the server makes its application
    )
    cli.dagster_webserver(["--host", host, "--port", str(port), "--workspace", str(workspace)])


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--token-file", type=Path, required=True)
    options.add_argument("--workspace", type=Path, required=True)
    given = options.parse_args()
    serve(
        host=given.host,
        port=given.port,
        token=given.token_file.read_text().strip(),
        workspace=given.workspace,
    )
