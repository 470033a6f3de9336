"""Requests to Metabase: every status looked at, transient ones tried again, errors with what the server said.

Put here: how one request is made. Never here: what is asked or written (the other modules).
`metabase_api` is the transport; its own helpers swallow errors, so only its raw requests are used.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import requests
from metabase_api import Metabase_API

from warehouse.errors import ShopxError

log = logging.getLogger(__name__)

#: statuses of a server that is busy or starting: the same request may be answered a moment later
TRANSIENT = frozenset({429, 502, 503, 504})
TIMEOUT_S = 30.0
ATTEMPTS = 5


class MetabaseError(ShopxError):
    """Metabase could not be asked, or refused; `status` is None where it gave no answer."""

    def __init__(self, message: str, *, status: int | None = None, body: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.body = body


class Answers(Protocol):
    """What planning needs of a server: answers to questions."""

    def get(self, path: str, **query: str | int) -> Any:
        """Return the JSON answer of a GET."""


Send = Callable[[], requests.Response]


def answered(send: Send, *, what: str, attempts: int = ATTEMPTS, wait_s: float = 0.5) -> requests.Response:
    """Send a request until the answer is final; what came of it is the caller's to judge.

    Waits `wait_s` × 2ⁿ seconds between attempts, or as long as the server's Retry-After says (at most 30 s).
    Raises MetabaseError when the server is not reached or stays busy.
    """
    for attempt in range(attempts):
        last = attempt == attempts - 1
        try:
            response = send()
        except requests.RequestException as problem:
            if last:
                raise MetabaseError(
                    f"Metabase gave no answer to {what}: {type(problem).__name__}."
                    " Is METABASE_URL right, and is it running?"
                ) from None
            time.sleep(wait_s * 2**attempt)
            continue
        if response.status_code not in TRANSIENT:
            return response
        if last:
            raise _refusal(what, response)
        log.info("Metabase answered %s to %s; trying again", response.status_code, what)
        time.sleep(_pause(response, wait_s * 2**attempt))
    raise AssertionError("unreachable")


def accepted(response: requests.Response, *, what: str) -> Any:
    """Return the JSON of an answer (None where it has none); raises MetabaseError for any refusal."""
    if not response.ok:
        raise _refusal(what, response)
    if response.status_code == 204 or not response.content:
        return None
    try:
        return response.json()
    except ValueError:
        raise MetabaseError(
            f"METABASE_URL answers {what} with something that is no JSON; it must be Metabase's own address."
        ) from None


def _pause(response: requests.Response, default_s: float) -> float:
    said = response.headers.get("Retry-After", "")
    return min(float(said), 30.0) if said.isdigit() else default_s


def _refusal(what: str, response: requests.Response) -> MetabaseError:
    body = " ".join(response.text.split())[:600]
    hint = {
        401: " Check METABASE_API_KEY, or METABASE_USER and METABASE_PASSWORD.",
        403: " The key must belong to Metabase's group Administrators.",
    }.get(response.status_code, "")
    return MetabaseError(
        f"Metabase refused {what} ({response.status_code}): {body or 'no reason given'}.{hint}",
        status=response.status_code,
        body=body,
    )


class _Transport(Metabase_API):  # type: ignore[misc]
    """The package's raw requests, without the question its constructor asks: that one has no time-out."""

    def __init__(self, domain: str, api_key: str) -> None:
        self.domain = domain
        self.header = {"X-API-KEY": api_key}
        self.email = self.auth = None


class MetabaseClient:
    """An administrator's view of one Metabase, by API key.

    GET, PUT and DELETE are repeated when the server is busy. A POST makes something, and a proxy's 502 or 504
    does not say whether it did: `post` asks `found` before it sends again, so nothing is made twice.
    """

    def __init__(self, url: str, api_key: str, *, attempts: int = ATTEMPTS, wait_s: float = 0.5) -> None:
        self.url = url.rstrip("/")
        self.writes = 0
        self._attempts = attempts
        self._wait_s = wait_s
        self._transport = _Transport(self.url, api_key)

    def get(self, path: str, **query: str | int) -> Any:
        """Return the JSON answer of a GET."""
        return self._repeat("get", path, params=query)

    def put(self, path: str, body: Mapping[str, Any]) -> Any:
        """Write over something that exists; the answer's JSON."""
        self.writes += 1
        return self._repeat("put", path, json=body)

    def delete(self, path: str) -> None:
        """Remove something; gone already is as good."""
        self.writes += 1
        try:
            self._repeat("delete", path)
        except MetabaseError as problem:
            if problem.status != 404:
                raise

    def post(self, path: str, body: Mapping[str, Any], *, found: Callable[[], Any | None]) -> Any:
        """Make something; returns the answer's JSON, or what `found` finds after an unclear failure.

        `found` looks for the thing by what identifies it, and returns None where it is not there.
        """
        self.writes += 1
        what = f"POST {path}"
        for attempt in range(self._attempts):
            try:
                response = answered(
                    lambda: self._transport.post(path, "raw", json=body, timeout=TIMEOUT_S),
                    what=what,
                    attempts=1,
                )
                return accepted(response, what=what)
            except MetabaseError as problem:
                unclear = problem.status is None or problem.status in TRANSIENT
                made = found()
                if made is not None:
                    return made
                if not unclear or attempt == self._attempts - 1:
                    raise
                time.sleep(self._wait_s * 2**attempt)
        raise AssertionError("unreachable")

    def _repeat(self, verb: str, path: str, **more: Any) -> Any:
        what = f"{verb.upper()} {path}"
        response = answered(
            lambda: getattr(self._transport, verb)(path, "raw", timeout=TIMEOUT_S, **more),
            what=what,
            attempts=self._attempts,
            wait_s=self._wait_s,
        )
        return accepted(response, what=what)
