"""Who may talk to the server: right host, right origin, the token where it is needed, not too often.

Put here: what every request must pass and every answer carries, whatever its route.
Never here: pages or data.
A server on loopback is open to its user's programs, and with them to every web page in a browser: such a page
can send requests under a name of its own (DNS rebinding) or across origins, so names and origins are checked.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from ipaddress import IPv6Address, ip_address
from urllib.parse import parse_qsl, urlencode, urlsplit

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboards.problems import problem

REQUESTS_PER_MINUTE = 100
COOKIE = "shopx_dashboards"
UNCOUNTED = ("/static/",)  # the parts of a page come with it
OPEN = frozenset({"/health"})  # says only how it is to those without a token
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


@dataclass(frozen=True)
class Access:
    """Where the server listens, the token for all who are not on this machine, and names it answers to."""

    on_loopback: bool
    token: str | None
    names: frozenset[str] = frozenset()

    def answers_to(self, host: str | None) -> bool:
        """Whether a Host header may be meant: numbers cannot be rebound, names must be known."""
        name = _name(host)
        return name is not None and (name == "localhost" or _is_address(name) or name in self.names)


class Guard:
    """ASGI middleware around the whole application. Puts `trusted` into the request's state: whether it comes
    from this machine to loopback, or brings the token.
    """

    def __init__(self, app: ASGIApp, access: Access, *, per_minute: int = REQUESTS_PER_MINUTE) -> None:
        self._app = app
        self._access = access
        self._limit = RateLimitItemPerMinute(per_minute)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what may not pass; hand on the rest."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        asked = HTTPConnection(scope)
        refusal = self._refusal(asked)
        if refusal is not None:
            await refusal(scope, receive, send_guarded)
        else:
            await self._app(scope, receive, send_guarded)

    def _refusal(self, asked: HTTPConnection) -> Response | None:
        path = asked.scope["path"]
        local = self._access.on_loopback and _is_local(asked)
        asked.state.trusted = local or self._brings_token(asked)
        if not local and not path.startswith(UNCOUNTED) and (wait := self._seconds_to_wait(asked)):
            said = f"More than {self._limit.amount} requests in a minute; go on in {wait} s."
            return problem(429, said, path=path, headers={"retry-after": str(wait)})
        if not self._access.answers_to(asked.headers.get("host")):
            said = (
                "This server does not answer to that name; use its address, or add the name to "
                "SHOPX_DASHBOARDS_HOSTS."
            )
            return problem(421, said, path=path)
        if asked.scope["method"] not in SAFE_METHODS and _is_from_elsewhere(asked):
            return problem(403, "Requests that other sites send are refused; ask from here.", path=path)
        return None if local else self._without_token(asked)

    def _without_token(self, asked: HTTPConnection) -> Response | None:
        """The answer to who is not on this machine: signing in, or nothing where the token was brought."""
        given = asked.query_params.get("token")
        if given is not None and asked.scope["method"] == "GET":
            return self._sign_in(asked, given)
        if asked.state.trusted or asked.url.path in OPEN:
            return None
        said = (
            "Send the token of this server: `Authorization: Bearer …` (SHOPX_API_TOKEN where it was started)."
        )
        return problem(401, said, path=asked.url.path, headers={"www-authenticate": "Bearer"})

    def _seconds_to_wait(self, asked: HTTPConnection) -> int:
        address = _network(asked.client.host if asked.client else "")
        if self._limiter.hit(self._limit, address):
            return 0
        reset = self._limiter.get_window_stats(self._limit, address).reset_time
        return max(1, round(reset - time.time()))

    def _sign_in(self, asked: HTTPConnection, given: str) -> Response:
        if not self._is_token(given):
            return problem(
                401, "This is not the token of this server (SHOPX_API_TOKEN).", path=asked.url.path
            )
        rest = urlencode([(name, value) for name, value in parse_qsl(asked.url.query) if name != "token"])
        path = "/" + asked.url.path.lstrip("/")  # "//elsewhere" would lead to another site
        answer = RedirectResponse(f"{path}?{rest}" if rest else path, 303)
        secure = asked.url.scheme == "https"
        answer.set_cookie(COOKIE, given, httponly=True, samesite="strict", secure=secure, path="/")
        return answer

    def _brings_token(self, asked: HTTPConnection) -> bool:
        scheme, _, bearer = asked.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self._is_token(bearer.strip()):
            return True
        try:
            jar: SimpleCookie = SimpleCookie(asked.headers.get("cookie", ""))
        except CookieError:
            return False
        return COOKIE in jar and self._is_token(jar[COOKIE].value)

    def _is_token(self, given: str) -> bool:
        token = self._access.token
        return token is not None and hmac.compare_digest(given.encode(), token.encode())


def is_loopback(host: str) -> bool:
    """Whether an address to listen on can be reached from this machine only."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def names_from(text: str) -> frozenset[str]:
    """The names of a setting, separated by commas."""
    return frozenset(name.strip().lower() for name in text.split(",") if name.strip())


def _is_local(asked: HTTPConnection) -> bool:
    """Whether the one who asks sits at this machine: not behind a proxy that runs on it."""
    forwarded: Sequence[str] = ("forwarded", "x-forwarded-for", "x-real-ip")
    client = asked.client
    return (
        client is not None
        and is_loopback(client.host)
        and not any(name in asked.headers for name in forwarded)
    )


def _name(host: str | None) -> str | None:
    """The name of a Host header, without its port."""
    if not host or any(sign in host for sign in "/?#@\\ "):
        return None
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_from_elsewhere(asked: HTTPConnection) -> bool:
    """Whether a page of another site sent this. Programs say neither of these headers."""
    origin = asked.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc.lower() != asked.headers.get("host", "").lower():
        return True
    return asked.headers.get("sec-fetch-site", "none") not in ("same-origin", "none")


def _network(address: str) -> str:
    """Whom to count: one address, or for IPv6 the network one subscriber has."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(int(parsed) >> 64)
    return address
