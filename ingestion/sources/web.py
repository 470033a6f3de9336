"""One GET at a time over HTTP: to public addresses only, with patience, within limits, and without telling
the key.

Put here what holds for every request, whatever is asked. Never pages (paging.py), never JSON (records.py).
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urljoin

import httpx
import tenacity

from ingestion.sources.fetched import FetchFailed

if TYPE_CHECKING:
    from ingestion.sources.api import ApiSource

AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
REDIRECTS = frozenset({301, 302, 303, 307, 308})
MOST_REDIRECTS = 5
ANSWER_S = 20  # times the time-out: a body that drips is given up at last
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Query = Mapping[str, str | int]
T = TypeVar("T")


@dataclass(frozen=True)
class Answer:
    """What came: the address asked (without secrets in it), the headers and the decoded text.

    Bytes that are no UTF-8 are kept as lone surrogates, so that encoding with `surrogateescape` gives back
    what was received.
    """

    url: httpx.URL
    headers: httpx.Headers
    text: str


class TryAgain(Exception):
    """An answer that may be better the next time; `after_s`: not before so many seconds."""

    def __init__(self, said: str, *, after_s: float | None = None) -> None:
        super().__init__(said)
        self.said = said
        self.after_s = after_s


class Web:
    """A connection to one API. Use it in a `with`; `sleep` and `now` are the clock, `resolve` the names.

    `base` and `key` are secrets: no message, no log line, no file ever holds them.
    """

    def __init__(
        self,
        source: ApiSource,
        *,
        feed: str,
        base: str,
        key: str | None,
        progress: Callable[[str], None] = lambda _: None,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        resolve: Callable[[str, int], list[str]] | None = None,
    ) -> None:
        self.source = source
        self.feed = feed
        self.key = key
        self.progress = progress
        self.sleep = sleep
        self.now = now
        self.resolve = resolve or _resolve
        self.url = self._url(base)
        # what these two log holds addresses with their parameters
        for name in ("httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.WARNING)
        headers = {"Accept": "application/json", "User-Agent": "shopx-warehouse"}
        auth = source.auth
        if auth and key is not None and auth.kind == "bearer":
            headers["Authorization"] = f"Bearer {key}"
        elif auth and auth.name and key is not None and auth.kind == "header":
            headers[auth.name] = key
        self.client = httpx.Client(
            headers=headers, timeout=source.timeout_s, follow_redirects=False, trust_env=False
        )

    def __enter__(self) -> Web:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()

    def get(
        self,
        read: Callable[[Answer], T],
        *,
        url: httpx.URL | None = None,
        query: Query = MappingProxyType({}),
    ) -> T:
        """Ask until `read` takes the answer; `read` may raise TryAgain. Raises FetchFailed."""
        asked = 0

        def once() -> T:
            nonlocal asked
            asked += 1
            return read(self._ask(url or self.url, query, attempt=asked))

        trying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(TryAgain),
            stop=tenacity.stop_after_attempt(self.source.attempts),
            wait=self._wait,
            before_sleep=self._tell,
            sleep=self.sleep,
            reraise=True,
        )
        try:
            return trying(once)
        except TryAgain as last:
            raise self.failed(f"{last.said}, {asked} times") from None

    def failed(self, said: str, todo: str = "The next run asks again") -> FetchFailed:
        """The sentence for a person, without the key even where the API repeats it."""
        return FetchFailed(f"Feed {self.feed}: {self.hide(said)}. {todo}.")

    def hide(self, text: str) -> str:
        """`text` without the key and without what the address holds beyond its host."""
        for secret in (self.key, str(self.url), self.url.raw_path.decode(), self.url.password):
            if secret and len(secret) > 3:
                text = text.replace(secret, "…")
        return text

    def same_place(self, address: str, *, base: httpx.URL) -> httpx.URL:
        """An address that the API names, if it lies on the same host: the key goes nowhere else."""
        try:
            url = httpx.URL(urljoin(str(base), address))
        except (httpx.InvalidURL, ValueError):
            raise self.failed("it names a next address that is none") from None
        here = self.url
        secure = here.scheme == "http" and url.scheme == "https" and url.host == here.host
        if (url.scheme, url.host, url.port) != (here.scheme, here.host, here.port) and not secure:
            raise self.failed(
                f"it leads from {here.host} to {url.scheme}://{url.host}, and the key is sent nowhere else",
                f"If that is right, write that address into {self.source.url_env}",
            )
        return url

    def _url(self, base: str) -> httpx.URL:
        named = self.source.url_env
        try:
            url = httpx.URL(base.rstrip("/") + "/" + self.source.path if self.source.path else base)
        except (httpx.InvalidURL, ValueError):
            raise FetchFailed(f"Feed {self.feed}: {named} is no address; write https://… .") from None
        if url.scheme not in ("http", "https") or not url.host:
            raise FetchFailed(
                f"Feed {self.feed}: {named} must be an address that begins with https:// or http://."
            )
        return url

    def _ask(self, url: httpx.URL, query: Query, *, attempt: int) -> Answer:
        merged = url.copy_merge_params(dict(query)) if query else url
        for _ in range(MOST_REDIRECTS + 1):
            answer = self._once(merged, attempt=attempt)
            if isinstance(answer, Answer):
                return answer
            merged = self.same_place(answer, base=merged)
        raise self.failed(f"it redirects more than {MOST_REDIRECTS} times")

    def _once(self, url: httpx.URL, *, attempt: int) -> Answer | str:
        """One request; the text where it was redirected to, or the answer."""
        address = self._address(url, attempt=attempt)
        auth = self.source.auth
        asked = url
        if auth and auth.name and self.key is not None and auth.kind == "query":
            asked = url.copy_set_param(auth.name, self.key)
        request = self.client.build_request(
            "GET",
            # the address that was looked at is the one connected to, whatever the name means a moment later
            asked.copy_with(host=address),
            headers={"Host": url.netloc.decode("ascii")},
            extensions={"sni_hostname": url.host} if url.scheme == "https" else None,
        )
        try:
            response = self.client.send(request, stream=True)
            try:
                return self._read(url, response)
            finally:
                response.close()
        except httpx.TimeoutException:
            raise TryAgain(f"{url.host} did not answer within {self.source.timeout_s:g} s") from None
        except httpx.ConnectError as error:
            if "CERTIFICATE" in str(error).upper():
                raise self.failed(f"{url.host} shows a certificate that is not valid for it") from None
            raise TryAgain(f"{url.host} cannot be reached") from None
        except httpx.DecodingError:
            raise TryAgain(f"{url.host} sent an answer that cannot be unpacked") from None
        except httpx.TransportError:
            raise TryAgain(f"{url.host} broke off its answer") from None

    def _read(self, url: httpx.URL, response: httpx.Response) -> Answer | str:
        status = response.status_code
        if status in REDIRECTS and "location" in response.headers:
            return response.headers["location"]
        if status in AGAIN:
            after = retry_after_s(response.headers.get("retry-after"), now=self.now())
            if after is not None and after > self.source.patience_s:
                raise self.failed(
                    f"{url.host} asks to be left alone for {after:,.0f} s (status {status})",
                    "Run it again after that, or raise patience_s in the contract",
                )
            raise TryAgain(f"{url.host} answered with status {status}", after_s=after)
        if status in (401, 403):
            named = self.source.auth.key_env if self.source.auth else "auth: in the contract"
            raise self.failed(f"{url.host} does not accept the key (status {status})", f"Look at {named}")
        if status != 200:
            raise self.failed(
                f"{url.host} answered with status {status}",
                f"Look at {self.source.url_env} and at api: in the contract",
            )
        return Answer(url, response.headers, self._body(url, response))

    def _body(self, url: httpx.URL, response: httpx.Response) -> str:
        limit, body = self.source.max_answer_bytes, bytearray()
        until = time.monotonic() + ANSWER_S * self.source.timeout_s
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > limit:
                raise self.failed(
                    f"an answer of {url.host} is larger than {limit:,} bytes",
                    "Ask for fewer days or smaller pages, or raise max_answer_bytes in the contract",
                )
            if time.monotonic() > until:
                raise TryAgain(f"{url.host} did not finish its answer in time")
        return bytes(body).removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")

    def _address(self, url: httpx.URL, *, attempt: int) -> str:
        """The address to connect to. Raises FetchFailed where any that the name means is not public."""
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            found = self.resolve(url.host, port)
        except OSError:
            raise TryAgain(f"nobody knows the address of {url.host}") from None
        if not self.source.allow_private_addresses:
            for address in found:
                if not is_public(address):
                    raise self.failed(
                        f"{url.host} leads to {address}, which is not a public address",
                        "If the API lives in your own network, write allow_private_addresses: true under "
                        "api: in the contract",
                    )
        return found[(attempt - 1) % len(found)]

    def _wait(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, TryAgain) and error.after_s is not None:
            return error.after_s
        return tenacity.wait_exponential_jitter(initial=1, max=60, jitter=1)(state)

    def _tell(self, state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        seconds = state.next_action.sleep if state.next_action else 0
        if isinstance(error, TryAgain):
            self.progress(f"{self.feed}: {self.hide(error.said)}; again in {seconds:,.0f} s")


def retry_after_s(value: str | None, *, now: datetime) -> float | None:
    """Seconds to wait by a Retry-After header, in either of its forms (RFC 9110, 10.2.3); None for none."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return max((at - now).total_seconds(), 0.0)


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet, also where IPv6 wraps an IPv4 address."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if found in _NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            found = inner
    return found.is_global and not found.is_multicast


def _resolve(host: str, port: int) -> list[str]:
    """Every address of a name, in the system's order."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
