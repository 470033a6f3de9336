"""A REST API as a source: asks for the window or the changes, writes each record on a line as it came.

Put here what makes one delivery of the answers. Never how a request survives (web.py), nor when the pages
end (paging.py).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ingestion.json_text import field_of, on_one_line, steps
from ingestion.sources.fetched import Fetched, FetchFailed, Request, Window
from ingestion.sources.paging import Shifted, pages
from ingestion.sources.web import Query, Web
from warehouse.settings import named_secret

if TYPE_CHECKING:
    from ingestion.contract import Contract
    from ingestion.sources.api import ApiSource

TIMES_ANEW = 3  # how often all pages are asked for again when records shifted between them


def fetch(request: Request, **clock: Any) -> Fetched | None:
    """Ask for everything that is due and write it down; None where nothing changed since the cursor.

    `clock` is handed to Web: sleep, now, resolve. Raises FetchFailed.
    """
    contract = request.contract
    source = contract.api
    if source is None:
        raise FetchFailed(f"Feed {contract.feed} has no block api: in its contract.")
    base = named_secret(source.url_env)
    if base is None:
        raise FetchFailed(
            f"Feed {contract.feed}: {source.url_env} is not set; write the address of the API into it, in "
            "the environment or in .env."
        )
    key = named_secret(source.auth.key_env) if source.auth else None
    if source.auth and key is None:
        raise FetchFailed(
            f"Feed {contract.feed}: {source.auth.key_env} is not set; write the key of the API into it, in "
            "the environment or in .env."
        )
    with Web(source, feed=contract.feed, base=base, key=key, progress=request.progress, **clock) as web:
        for attempt in range(1, TIMES_ANEW + 1):
            try:
                return _write(request, contract, source, web)
            except Shifted as shifted:
                if attempt == TIMES_ANEW:
                    raise web.failed(f"{shifted.said}, {TIMES_ANEW} times") from None
                request.progress(f"{contract.feed}: {web.hide(shifted.said)}; asking for all of it again")
    raise AssertionError("unreachable")


def _write(request: Request, contract: Contract, source: ApiSource, web: Web) -> Fetched | None:
    query: dict[str, str | int] = dict(source.parameters)
    if request.window and source.window:
        query |= window_query(request.window, contract)
    reached = (request.cursor or {}).get("reached")
    if source.cursor and reached is not None:
        query[source.cursor.parameter] = str(reached)
    target = request.folder / "answer.jsonl"
    page_count = count = size = 0
    largest = None if reached is None else str(reached)
    request.progress(f"{contract.feed}: asking for {request.window or 'what is new'}")
    with target.open("wb") as out:
        for page in pages(web, source, query):
            page_count += 1
            for found in page.records:
                line = on_one_line(page.text, found).encode("utf-8", "surrogateescape") + b"\n"
                size += len(line)
                out.write(line)
                if source.cursor:
                    largest = _larger(largest, field_of(found.value, steps(source.cursor.field)), web)
            count += len(page.records)
            if size > source.max_bytes:
                raise web.failed(
                    f"it gave more than {source.max_bytes:,} bytes",
                    "Ask for fewer days, or raise max_bytes in the contract",
                )
            if page_count > 1:
                request.progress(f"{contract.feed}: {count:,} records on {page_count:,} pages so far")
    request.progress(f"{contract.feed}: {count:,} records")
    if source.cursor and (largest is None or largest == reached):
        return None
    cursor = {"reached": largest} if source.cursor else None
    return Fetched(
        path=target,
        name=_name(contract, request.window, cursor),
        feed=contract.feed,
        window=request.window,
        cursor_from=request.cursor,
        cursor=cursor,
        facts={"records": count, "pages": page_count},
    )


def window_query(window: Window, contract: Contract) -> Query:
    """The two parameters that ask for `window`, in days or in moments of the feed's time zone."""
    source = contract.api
    assert source is not None  # noqa: S101 - for the type checker; rest.fetch says so
    asked = source.window
    assert asked is not None  # noqa: S101
    end = window.last + timedelta(days=1)
    if asked.as_ == "date":
        return {
            asked.from_: window.first.isoformat(),
            asked.to: (end if asked.is_exclusive else window.last).isoformat(),
        }
    first, after = _begins(window.first, contract), _begins(end, contract)
    last = after if asked.is_exclusive else after - timedelta(seconds=1)
    if asked.as_ == "epoch":
        return {asked.from_: int(first.timestamp()), asked.to: int(last.timestamp())}
    form = "%Y-%m-%dT%H:%M:%SZ"
    return {asked.from_: first.strftime(form), asked.to: last.strftime(form)}


def _begins(day: date, contract: Contract) -> datetime:
    """The moment a business day begins, in UTC."""
    starts = time.fromisoformat(contract.day_starts_at)
    return datetime.combine(day, starts, ZoneInfo(contract.timezone)).astimezone(UTC)


def _larger(largest: str | None, value: object, web: Web) -> str:
    if not isinstance(value, str) or not value:
        raise web.failed(
            f"a record holds no text or number at {web.source.cursor.field if web.source.cursor else ''}",
            "Correct cursor: in the contract",
        )
    if largest is None:
        return value
    if value.isdigit() and largest.isdigit():
        return max(value, largest, key=int)
    return max(value, largest)


def _name(contract: Contract, window: Window | None, cursor: dict[str, str | None] | None) -> str:
    """What the ledger calls the delivery: the feed and what was asked, never an address or a key."""
    if window is not None:
        return f"{contract.feed}_{window}.jsonl"
    if cursor is not None:
        said = "".join(c if c.isalnum() or c in "-.:" else "-" for c in str(cursor["reached"]))
        return f"{contract.feed}_to_{said[:60]}.jsonl"
    return f"{contract.feed}.jsonl"
