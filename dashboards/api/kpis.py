"""`GET /api/v1/kpis/summary`: the key figures of the Overview, each with its definition and comparisons.

Put here: which cards are key figures, and the shape of their answer. Never here: SQL, which stands in the
cards.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from dashboards.answers.answer import Answer, plain
from dashboards.answers.page import Page
from dashboards.api.answering import Made, answered
from dashboards.api.asked import Filters, refuse_strange
from dashboards.api.shapes import (
    CannotObey,
    Comparison,
    Period,
    Source,
    Value,
    cannot_obey,
    comparisons_of,
    period_of,
    source_of,
)
from dashboards.editions import Edition
from dashboards.spec.loading import load_boards
from dashboards.spec.model import Board

router = APIRouter(prefix="/api/v1/kpis", tags=["figures"])
BOARD = "overview"
DAYS_BACK = 30


class Day(BaseModel):
    """A day of a figure's last 28."""

    day: date
    value: Value


class Figure(BaseModel):
    """A key figure. `value` is null where an input is missing; then `missing` says which."""

    key: str
    name: str
    value: Value
    shown: str | None = Field(description="The value as a dashboard writes it.")
    unit: str = Field(description="minor_units, or the format: count, percent, …")
    definition: str
    source: str = Field(description="The mart column behind it.")
    missing: str | None = None
    comparisons: list[Comparison]
    why_no_comparison: list[str] = []
    cannot_obey: list[CannotObey] = []
    notes: list[str] = []
    beside: dict[str, Value] = Field({}, description="Other columns of the same row.")
    last_28_days: list[Day] = []


class Summary(BaseModel):
    """The key figures of a period."""

    source: Source
    period: Period
    filters: dict[str, list[str]]
    figures: list[Figure]


@router.get("/summary", response_model=Summary, responses={304: {"description": "Still what you have."}})
async def summary(request: Request, asked: Annotated[Filters, Query()]) -> Response:
    """The six key figures: the last 30 days up to as_of, or whatever days and filters are asked for.

    Send the ETag back as If-None-Match: 304 while nothing else is published.
    """
    board = next(one for one in load_boards() if one.key == BOARD)
    refuse_strange(asked, board)
    asked = asked.or_days_back(DAYS_BACK)

    def make(page: Page, edition: Edition) -> Made:
        return Made(_summary(page, edition, board, asked).model_dump_json().encode())

    return await answered(request, make)


def _summary(page: Page, edition: Edition, board: Board, asked: Filters) -> Summary:
    state = asked.state(as_of=page.published().as_of)
    cards = [card for card in board.cards.values() if card.display == "scalar"]
    return Summary(
        source=source_of(page, edition),
        period=period_of(page.span(state)),
        filters=asked.chosen(),
        figures=[_figure(page.answer(card, state, board=board)) for card in cards],
    )


def _figure(answer: Answer) -> Figure:
    card = answer.card
    name = card.y[0]
    column = answer.column(name)
    value = answer.value
    others = {other.name: answer.rows[0][answer.place(other.name)] for other in answer.columns if answer.rows}
    return Figure(
        key=card.key,
        name=card.name,
        value=plain(value),
        shown=None if value is None else answer.shown(answer.rows[0], name),
        unit="minor_units" if column.is_money else column.format,
        definition=card.definition,
        source=card.source,
        missing=answer.missing.get(name) or (answer.empty if value is None else None),
        comparisons=comparisons_of(answer),
        why_no_comparison=list(answer.no_change),
        cannot_obey=cannot_obey(answer.cannot_obey),
        notes=list(answer.notes),
        beside={key: plain(other) for key, other in others.items() if key != name},
        last_28_days=[Day(day=day, value=plain(found)) for day, found in answer.spark],
    )
