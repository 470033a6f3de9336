"""Templates to HTML: the one place that knows Jinja.

Put here: the template environment, its filters, and sending a page. Never here: what stands on a page.
"""

from __future__ import annotations

import gzip
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from dashboards import formats
from dashboards.viewer import assets

PACK_LEVEL = 5
SMALLEST_PACKED = 1024


@lru_cache(maxsize=1)
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(asset=assets.address, language=formats.DEFAULT_LOCALE.replace("_", "-"))
    made.filters.update(change_words=change_words, markdown=markdown, day=formats.day, money=money)
    return made


def change_words(words: str) -> Markup:
    """▲ 8.3 % more than 1–28 Apr, the part that is read first set off."""
    size, than, base = words.partition(" than ")
    if not than:
        return escape(words)
    return Markup("<b>{}</b>{}{}").format(size, than, base)


def money(cents: int, currency: str) -> str:
    """Minor units with all their decimals; the currency is empty where none is known."""
    return formats.shown(cents, "money_exact", currency=currency or None)


def markdown(text: str) -> Markup:
    """A text of a board's file. HTML in it is shown as text."""
    return Markup(_markdown().render(text))  # noqa: S704  rendered with HTML off


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False})


def page(
    request: Request,
    template: str,
    /,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    **given: Any,
) -> HTMLResponse:
    """A page, packed where the browser can unpack it. A browser asks again each time it shows it."""
    blank: dict[str, Any] = {"menu": (), "here": None, "trust": None, "uploading": False}
    text = _environment().get_template(template).render({**blank, **given})
    body = text.encode()
    sent = {"cache-control": "no-cache", "vary": "accept, accept-encoding", **(headers or {})}
    if len(body) >= SMALLEST_PACKED and "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, PACK_LEVEL, mtime=0)
        sent["content-encoding"] = "gzip"
    return HTMLResponse(body, status, headers=sent)
