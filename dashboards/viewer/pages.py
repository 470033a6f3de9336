"""The pages of the viewer: a tab of a board, a card as a file, and what stands there without figures.

Put here: addresses and what each reads, in one transaction.
Never here: what a card shows (cards.py), markup (templates/), uploads (uploads.py).
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from dashboards import exports, formats, readers
from dashboards.answers.page import Page, reading
from dashboards.answers.spans import Span
from dashboards.answers.state import FilterState
from dashboards.answers.trust import Trust
from dashboards.editions import edition_of
from dashboards.spec.loading import card_of, load_boards
from dashboards.spec.model import Board, Placed, Tab
from dashboards.viewer import assets, choices, markup
from dashboards.viewer.cards import CardView, card_view, failed_view
from warehouse.errors import ShopxError
from warehouse.progress import Step, read_steps

log = logging.getLogger(__name__)
PIPELINE = "/boards/pipeline"
OWN_KEYS = ("tab", "token")  # of the query, not of the filters
AGAIN_S = 2  # a page that waits looks again

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Link:
    """A place to go."""

    name: str
    address: str
    current: bool


@dataclass(frozen=True)
class Strip:
    """The trust strip."""

    address: str
    parts: tuple[str, ...]
    text: str
    paused: str | None


@dataclass(frozen=True)
class Part:
    """Something on the grid: a heading, a text or a card."""

    width: int
    height: int
    heading: str | None = None
    text: str | None = None
    card: CardView | None = None


@dataclass(frozen=True)
class Period:
    """The days a page shows, and what is to be said of them."""

    words: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Asked:
    """The one transaction of a page, and its connection."""

    page: Page
    connection: psycopg.Connection[Any]


@contextmanager
def reading_page(request: Request) -> Iterator[Asked]:
    """One REPEATABLE READ transaction as shopx_reader: a page belongs to one publication. Raises NotReady."""
    time_zone = request.app.state.settings.time_zone
    with (
        readers.readers_of(request).connection() as connection,
        reading(connection, time_zone=time_zone) as page,
    ):
        yield Asked(page, connection)


@router.get("/")
def start(request: Request) -> Response:
    """The first board."""
    return board(request, load_boards()[0].key)


@router.get("/boards/{key}")
def board(request: Request, key: str) -> Response:
    """A tab of a board, for the filters in the address."""
    boards = load_boards()
    found = next((one for one in boards if one.key == key), None)
    if found is None:
        raise HTTPException(404, f"There is no dashboard {key!r}; the menu lists those there are.")
    state = choices.of_board(found, _state(request))
    tab = _tab(found, request.query_params.get("tab"))
    with reading_page(request) as asked:
        edition = edition_of(asked.page)
        if edition is None:
            return waiting(request)
        tag = f'"{_digest(edition.tag, assets.version(), found.key, tab.name, state.query())}"'
        headers = {"etag": tag}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return _board_page(request, found, tab, state, asked=asked, trust=edition.trust, headers=headers)


@router.get("/cards/{key}.{form}")
def card_file(request: Request, key: str, form: str) -> Response:
    """A card's rows as CSV or XLSX, with the trust line and the filters in it."""
    sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    makers = {
        "csv": (exports.csv_bytes, "text/csv; charset=utf-8"),
        "xlsx": (exports.xlsx_bytes, sheet),
    }
    boards = load_boards()
    if form not in makers or not any(key in one.cards for one in boards):
        raise HTTPException(404)
    card = card_of(boards, key)
    of_board = next(one for one in boards if one.key == card.board)
    state = choices.of_board(of_board, _state(request))
    with reading_page(request) as asked:
        answer, trust = asked.page.answer(card, state, board=of_board), asked.page.trust()
    make, media_type = makers[form]
    name = exports.file_name(answer, form)
    return Response(
        make(answer, trust),
        media_type=media_type,
        headers={"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-cache"},
    )


def error_page(request: Request, status: int, title: str, detail: str) -> Response:
    """What a browser shows where something is wrong; while there is no database or figure."""
    if status == 503 and request.method == "GET":
        return waiting(request, said=detail, status=503)
    return markup.page(
        request, "wrong.html", status=status, title=title, detail=detail, menu=menu(load_boards())
    )


def waiting(request: Request, *, said: str | None = None, status: int = 200) -> Response:
    """The steps of what is happening, as the command line says them; the page looks again by itself."""
    steps = read_steps(request.app.state.settings.home)
    if any(step.kind == "done" and step.sentence.startswith("Published") for step in steps):
        steps = []  # of a command that is over; what is wrong now is another thing
    return markup.page(
        request,
        "waiting.html",
        status=status,
        headers={"cache-control": "no-store", **({"retry-after": "2"} if status == 503 else {})},
        menu=menu(load_boards()),
        steps=steps,
        heading="No figures at the moment" if status == 503 else "No figures yet",
        said=said,
        inbox=str(request.app.state.settings.inbox),
        again=AGAIN_S,
        trouble=_last_trouble(steps),
    )


def menu(boards: list[Board], current: str | None = None, state: FilterState | None = None) -> list[Link]:
    """All boards, for the bar; what is chosen goes along where the other board has that filter."""
    links = []
    for one in boards:
        kept = FilterState() if state is None else choices.of_board(one, state)
        query = "" if kept == FilterState() else f"?{kept.query()}"
        links.append(Link(one.name, f"/boards/{one.key}{query}", one.key == current))
    return links


def strip(trust: Trust) -> Strip:
    """The trust strip as a page shows it; that publication is paused has a banner of its own."""
    parts = tuple(words for name, words in trust.parts if name != "paused")
    return Strip(PIPELINE, parts, trust.text, trust.paused)


def _board_page(
    request: Request,
    board: Board,
    tab: Tab,
    state: FilterState,
    *,
    asked: Asked,
    trust: Trust,
    headers: dict[str, str],
) -> Response:
    page = asked.page
    span = page.span(state)
    made = choices.filter_choices(board, state, page.options(board))
    period = choices.period_choice(board, state, span)
    said = choices.chosen_words(made)
    parts = [
        _part(placed, board, state, asked)
        for placed in sorted(tab.layout, key=lambda one: (one.at[1], one.at[0]))
    ]
    address = f"/boards/{board.key}"
    return markup.page(
        request,
        "board.html",
        headers=headers,
        board=board,
        here=board.name,
        here_address=address,
        menu=menu(load_boards(), board.key, state),
        trust=strip(trust),
        span=_period(span, state.compare, has_days=period is not None, as_of=page.published().as_of),
        chosen_words=said,
        summary=" · ".join(filter(None, (span.name if period else "", said))),
        tabs=[
            Link(one.name, f"{address}?{state.query()}&tab={_slug(one.name)}", one.name == tab.name)
            for one in board.tabs
        ],
        tab_key=_slug(tab.name) if len(board.tabs) > 1 else None,
        period=period,
        filters=made,
        changed=state != FilterState(),
        reset_address=f"{address}?tab={_slug(tab.name)}" if len(board.tabs) > 1 else address,
        parts=parts,
    )


def _part(placed: Placed, board: Board, state: FilterState, asked: Asked) -> Part:
    """A card that cannot be answered says so; the others stand."""
    _, _, width, height = placed.at
    card = None
    if placed.card is not None:
        wanted = board.card(placed.card)
        try:
            with asked.connection.transaction():
                card = card_view(asked.page.answer(wanted, state, board=board))
        except ShopxError as problem:
            log.warning("card %s: %s", wanted.key, problem.message)
            card = failed_view(wanted, state, problem.message)
    return Part(width, height, placed.heading, placed.text, card)


def _period(span: Span, compare: str, *, has_days: bool, as_of: date) -> Period:
    if not has_days:
        return Period(f"To {formats.day(as_of)}", ())
    notes = [span.note, span.why_no_previous if compare == "previous" else None]
    if span.why_no_year_before and span.why_no_year_before != span.why_no_previous:
        notes.append(f"A year before: {span.why_no_year_before[:1].lower()}{span.why_no_year_before[1:]}")
    return Period(span.words, tuple(dict.fromkeys(note for note in notes if note)))


def _state(request: Request) -> FilterState:
    pairs = [(key, value) for key, value in request.query_params.multi_items() if key not in OWN_KEYS]
    return FilterState.from_query(pairs)


def _tab(board: Board, wanted: str | None) -> Tab:
    return next((tab for tab in board.tabs if _slug(tab.name) == wanted), board.tabs[0])


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


def _last_trouble(steps: list[Step]) -> str | None:
    return steps[-1].sentence if steps and steps[-1].kind == "warn" else None
