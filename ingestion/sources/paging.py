"""From page to page until the end, and how it is noticed that a source goes in circles or shifts meanwhile.

Put here what one answer says about the next request. Never a connection (web.py), never a file (rest.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from json.decoder import JSONDecodeError
from typing import TYPE_CHECKING

import httpx

from ingestion.json_text import Found, NotThere, field_of, keys, records, steps, value_at
from ingestion.sources.web import Answer, Query, TryAgain, Web

if TYPE_CHECKING:
    from ingestion.sources.api import ApiSource, Pages


class Shifted(Exception):
    """The records changed their places while they were paged through: what was fetched may have holes."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


@dataclass(frozen=True)
class Page:
    """One answer, understood: its text, its records, and what it says about more of them."""

    url: httpx.URL
    text: str
    records: list[Found]
    next: str | None = None
    total: int | None = None


@dataclass
class _Seen:
    """What was met so far, to notice circles and shifts."""

    records: int = 0
    total: int | None = None
    asked_for: set[str] = field(default_factory=set)
    last_page: tuple[str, ...] = ()
    times_equal: int = 0
    ids: set[str] = field(default_factory=set)


def pages(web: Web, source: ApiSource, query: Query) -> Iterator[Page]:
    """Every page in order. Raises FetchFailed; raises Shifted when records moved between two pages."""
    seen = _Seen()
    asked: dict[str, str | int] = dict(query)
    paging = source.pages
    if paging and paging.size_parameter and paging.size:
        asked[paging.size_parameter] = paging.size
    url: httpx.URL | None = None
    number = 0
    while True:
        asked |= _place_of(paging, number=number, records=seen.records)
        page = web.get(lambda answer: read(answer, source, web), url=url, query=asked)
        number += 1
        _check(page, source, seen, web, number)
        seen.records += len(page.records)
        yield page
        if _is_last(page, paging, seen):
            return
        if number >= source.max_pages:
            raise web.failed(
                f"it has more than {source.max_pages:,} pages",
                "Ask for fewer days or larger pages, or raise max_pages in the contract",
            )
        if paging and page.next is not None:
            if page.next in seen.asked_for:
                raise web.failed(f"it goes in circles: page {number} names a next page that was there before")
            seen.asked_for.add(page.next)
            if paging.by == "link":
                url, asked = web.same_place(page.next, base=page.url), {}
            elif paging.parameter:
                asked[paging.parameter] = page.next


def read(answer: Answer, source: ApiSource, web: Web) -> Page:
    """Understand one answer. Raises TryAgain for what is cut off or no JSON, FetchFailed for what it says."""
    text = answer.text
    host = answer.url.host
    if not text.strip():
        raise TryAgain(f"{host} sent an empty answer")
    if text.lstrip()[:1] == "<":
        raise TryAgain(f"{host} answered with a web page instead of JSON")
    said = _error_in(text, source)
    try:
        found = list(records(text, steps(source.items)))
    except NotThere as other:
        if said:
            raise web.failed(f'{host} answered with an error: "{said}"') from None
        raise web.failed(_no_list(text, source, other, host), "Correct items: in the contract") from None
    except (JSONDecodeError, RecursionError):
        raise TryAgain(f"{host} sent an answer that ends too early or is no JSON") from None
    if said:
        raise web.failed(f'{host} answered with an error: "{said}"')
    paging = source.pages
    if paging is None:
        return Page(answer.url, text, found)
    return Page(answer.url, text, found, _next_of(answer, paging), _total_of(text, paging))


def _error_in(text: str, source: ApiSource) -> str | None:
    """What the answer gives as its error, in its own words."""
    if source.error is None or text.lstrip()[:1] != "{":
        return None
    try:
        value = value_at(text, steps(source.error))
    except (NotThere, JSONDecodeError, RecursionError):
        return None
    if value in (None, False, "", [], {}, "0"):
        return None
    if isinstance(value, dict):
        value = value.get("message") or value.get("detail") or value.get("code") or "no message"
    return " ".join(str(value).split())[:120]


def _no_list(text: str, source: ApiSource, other: NotThere, host: str) -> str:
    where = f'at "{source.items}" ' if source.items else ""
    has = ", ".join(f'"{key[:40]}"' for key in keys(text)[:8])
    return f"the answer of {host} holds no list {where}but {other.found}" + (
        f" (keys: {has})" if has and not source.items else ""
    )


def _next_of(answer: Answer, paging: Pages) -> str | None:
    if paging.by == "link" and not paging.next:
        link = httpx.Response(200, headers=answer.headers).links.get("next")
        return link["url"] if link else None
    if not paging.next:
        return None
    try:
        value = value_at(answer.text, steps(paging.next))
    except NotThere:
        return None
    return str(value) if isinstance(value, str) and value else None


def _total_of(text: str, paging: Pages) -> int | None:
    if not paging.total:
        return None
    try:
        value = value_at(text, steps(paging.total))
    except NotThere:
        return None
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else None


def _place_of(paging: Pages | None, *, number: int, records: int) -> dict[str, str | int]:
    """The parameter of the page with this number, from 0, where it is counted up."""
    if paging and paging.parameter and paging.by == "page":
        return {paging.parameter: paging.first + number}
    if paging and paging.parameter and paging.by == "offset":
        return {paging.parameter: records}
    return {}


def _is_last(page: Page, paging: Pages | None, seen: _Seen) -> bool:
    if paging is None:
        return True
    if paging.by in ("cursor", "link"):
        return page.next is None
    # a short page is no end: some sources give fewer than they are asked for
    return not page.records or (page.total is not None and seen.records >= page.total)


def _check(page: Page, source: ApiSource, seen: _Seen, web: Web, number: int) -> None:
    """Notice a page that came before, a total that changed, a record that came before."""
    if page.records and source.pages:
        mine = tuple(page.text[found.start : found.end] for found in page.records)
        seen.times_equal = seen.times_equal + 1 if mine == seen.last_page else 0
        seen.last_page = mine
        if seen.times_equal == 2:  # two equal pages of equal sales can be; three are one page that never ends
            raise web.failed(
                f"it gives the same records as page {number - 2}, {number - 1} and {number}",
                "Correct pages: in the contract",
            )
    if page.total is not None:
        if seen.total is not None and page.total != seen.total:
            raise Shifted(f"its total changed from {seen.total:,} to {page.total:,} while paging")
        seen.total = page.total
        count = seen.records + len(page.records)
        ended = _is_last(page, source.pages, _Seen(records=count))
        if count > page.total or (ended and count < page.total):
            raise Shifted(f"it announces {page.total:,} records and gives {count:,}")
    if source.record_id:
        path = steps(source.record_id)
        ids = [str(field_of(found.value, path)) for found in page.records]
        for each in ids:
            if each in seen.ids:
                raise Shifted(f"record {each[:40]} comes on two pages")
        seen.ids.update(ids)
