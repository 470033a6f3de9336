"""`GET /api/v1/dashboards` and `GET /api/v1/cards/<key>`: what can be looked at, and what each card answers.

Put here: the shape of these answers. Never here: SQL, or how a file is written (exports.py).
"""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi import Path as InPath
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from dashboards import exports
from dashboards.answers.answer import Answer
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
    records_of,
    source_of,
)
from dashboards.editions import Edition
from dashboards.spec.loading import load_boards
from dashboards.spec.model import Board, Card

router = APIRouter(prefix="/api/v1", tags=["figures"])
MOST_ROWS = 10_000
CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class DescribedFilter(BaseModel):
    """A filter of a dashboard, and what can be chosen in it (null: rows that name none, asked as ~none)."""

    key: str
    name: str
    choices: list[str | None] | None = Field(description="Null for the period.")


class DescribedCard(BaseModel):
    """A card of a dashboard."""

    key: str
    name: str
    display: str
    definition: str
    source: str = Field(description="The mart column behind it.")
    filters: list[str] = Field(description="Those it obeys.")
    cannot_obey: dict[str, str] = Field(description="Those it does not, with the reason.")
    address: str


class Dashboard(BaseModel):
    """A dashboard and the decision it helps with."""

    key: str
    name: str
    question: str
    filters: list[DescribedFilter]
    cards: list[DescribedCard]


class Dashboards(BaseModel):
    """All dashboards, in the order of the menu."""

    source: Source
    dashboards: list[Dashboard]


class AnswerColumn(BaseModel):
    """A column of the rows."""

    name: str
    label: str
    unit: str = Field(description="minor_units, or the format: count, percent, date, text, …")


class CardAnswer(BaseModel):
    """What a card answers. `rows` from `offset`, at most `limit`; `next` leads to the rows after them."""

    source: Source
    key: str
    dashboard: str
    name: str
    title: str = Field(description="A finding where the figures support one, else the name.")
    display: str
    definition: str
    mart_column: str
    period: Period | None = Field(description="Null where the card is not about days.")
    filters: dict[str, list[str]]
    columns: list[AnswerColumn]
    rows: list[dict[str, Value]]
    rows_in_all: int
    offset: int
    limit: int
    next: str | None = None
    compared_rows: list[dict[str, Value]] | None = Field(
        None, description="The same of the compared days, where the card draws them; all of them."
    )
    comparisons: list[Comparison] = []
    why_no_comparison: list[str] = []
    cannot_obey: list[CannotObey] = []
    notes: list[str] = []
    missing: dict[str, str] = Field({}, description="Columns without any value, with the reason.")
    empty: str | None = Field(None, description="Why there are no figures, where there are none.")


class CardFilters(Filters):
    """Period, filters, page and form."""

    format: Literal["json", "csv", "xlsx"] = Field("json", description="csv and xlsx hold every row.")
    limit: int = Field(1_000, ge=1, le=MOST_ROWS)
    offset: int = Field(0, ge=0, le=10_000_000)


@router.get(
    "/dashboards", response_model=Dashboards, responses={304: {"description": "Still what you have."}}
)
async def dashboards(request: Request) -> Response:
    """Every dashboard with its filters, their choices, and its cards."""

    def make(page: Page, edition: Edition) -> Made:
        found = [_described(page, board) for board in load_boards()]
        body = Dashboards(source=source_of(page, edition), dashboards=found)
        return Made(body.model_dump_json().encode())

    return await answered(request, make)


@router.get(
    "/cards/{key}",
    response_model=CardAnswer,
    responses={
        200: {"content": {CSV: {}, XLSX: {}}},
        304: {"description": "Still what you have."},
    },
)
async def card(
    request: Request,
    key: Annotated[str, InPath(max_length=100, description="As /api/v1/dashboards lists it.")],
    asked: Annotated[CardFilters, Query()],
) -> Response:
    """What a card answers for a period and filters, as JSON, CSV or a workbook."""
    board = next((one for one in load_boards() if key in one.cards), None)
    if board is None:
        raise HTTPException(404, "There is no card of that key; /api/v1/dashboards lists them.")
    refuse_strange(asked, board)
    found = board.cards[key]

    def make(page: Page, edition: Edition) -> Made:
        answer = page.answer(found, asked.state(as_of=page.published().as_of), board=board)
        if asked.format == "json":
            return Made(_answer(page, edition, board, answer, asked).model_dump_json().encode())
        name = exports.file_name(answer, asked.format)
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        if asked.format == "csv":
            return Made(exports.csv_bytes(answer, edition.trust), CSV, headers)
        return Made(exports.xlsx_bytes(answer, edition.trust), XLSX, headers)

    return await answered(request, make, live=_is_live(found))


def _is_live(found: Card) -> bool:
    """Whether a card shows what changes without a publication."""
    return re.search(r"\bops\.", found.sql) is not None


def _described(page: Page, board: Board) -> Dashboard:
    choices = page.options(board)
    return Dashboard(
        key=board.key,
        name=board.name,
        question=board.question,
        filters=[
            DescribedFilter(
                key=key,
                name=one.name,
                choices=[choice.value for choice in choices[key]] if key in choices else None,
            )
            for key, one in board.filters.items()
            if key in choices or one.options is None
        ],
        cards=[
            DescribedCard(
                key=key,
                name=one.name,
                display=one.display,
                definition=one.definition,
                source=one.source,
                filters=[name for name in one.filters if name in board.filters],
                cannot_obey=dict(one.ignores),
                address=f"/api/v1/cards/{key}",
            )
            for key, one in board.cards.items()
        ],
    )


def _answer(page: Page, edition: Edition, board: Board, answer: Answer, asked: CardFilters) -> CardAnswer:
    found = answer.card
    end = asked.offset + asked.limit
    return CardAnswer(
        source=source_of(page, edition),
        key=found.key,
        dashboard=board.key,
        name=found.name,
        title=answer.title,
        display=found.display,
        definition=found.definition,
        mart_column=found.source,
        period=period_of(answer.span) if answer.span else None,
        filters=asked.chosen(),
        columns=[
            AnswerColumn(
                name=column.name,
                label=column.label,
                unit="minor_units" if column.is_money else column.format,
            )
            for column in answer.columns
        ],
        rows=records_of(answer, answer.rows[asked.offset : end]),
        rows_in_all=len(answer.rows),
        offset=asked.offset,
        limit=asked.limit,
        next=_next(found.key, asked, end) if end < len(answer.rows) else None,
        compared_rows=None if answer.compared is None else records_of(answer, answer.compared),
        comparisons=comparisons_of(answer),
        why_no_comparison=list(answer.no_change),
        cannot_obey=cannot_obey(answer.cannot_obey),
        notes=list(answer.notes),
        missing=answer.missing,
        empty=answer.empty,
    )


def _next(key: str, asked: CardFilters, offset: int) -> str:
    said = asked.model_copy(update={"offset": offset}).model_dump(
        mode="json", by_alias=True, exclude_defaults=True
    )
    return f"/api/v1/cards/{key}?{urlencode(said, doseq=True)}"
