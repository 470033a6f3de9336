"""Reading a page: every answer on it comes out of one transaction, so out of one publication.

Put here: the transaction and running cards in it. Never here: who may read (the surfaces), how it looks.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from dashboards.answers.answer import (
    Answer,
    Change,
    Column,
    Ignored,
    Kind,
    change_of,
    default_format,
    default_label,
)
from dashboards.answers.compiling import Bound, compiled
from dashboards.answers.findings import title_of
from dashboards.answers.spans import Base, Span, span_of
from dashboards.answers.state import FilterState
from dashboards.answers.trust import Publication, Trust, read_publication, read_trust
from dashboards.spec.model import BASE, DAY, Board, Card
from warehouse.errors import ShopxError

if TYPE_CHECKING:
    from warehouse.database import Warehouse

SPARK_DAYS = 28
KINDS: Mapping[int, Kind] = {
    16: "truth", 20: "whole", 21: "whole", 23: "whole", 700: "number", 701: "number", 1700: "number",
    1082: "date", 1114: "moment", 1184: "moment",
}  # fmt: skip
NO_VALUE_LABEL = "(none named)"


class NothingPublished(ShopxError):
    """There is no publication yet, so there is no figure to show."""

    def __init__(self) -> None:
        super().__init__(
            "Nothing is published yet: load a file with `./shopx run FILE`, or try `./shopx demo`."
        )


@dataclass(frozen=True)
class Option:
    """A value of a filter; None stands for rows that name none."""

    value: str | None
    label: str


@dataclass(frozen=True)
class Rows:
    """What one statement gave."""

    columns: tuple[tuple[str, Kind], ...]
    rows: tuple[tuple[Any, ...], ...]


class Page:
    """Answers out of one transaction; made by `reading`."""

    def __init__(self, connection: psycopg.Connection[Any], *, time_zone: str = "UTC") -> None:
        self._connection = connection
        self.time_zone = time_zone
        self.publication: Publication | None = read_publication(connection)

    @cached_property
    def currency(self) -> str | None:
        """The reporting currency, None before the first load."""
        row = self._connection.execute("select currency from ops.publication_trust").fetchone()
        return row[0] if row else None

    @cached_property
    def first_sale(self) -> date | None:
        """The first business day published."""
        row = self._connection.execute("select min(sale_date) from marts.daily_sales").fetchone()
        return row[0] if row else None

    def published(self) -> Publication:
        """The publication. Raises NothingPublished before the first."""
        if self.publication is None:
            raise NothingPublished
        return self.publication

    def trust(self) -> Trust:
        """The trust strip. Raises NothingPublished."""
        return self._trust

    @cached_property
    def _trust(self) -> Trust:
        return read_trust(self._connection, self.published(), time_zone=self.time_zone)

    def span(self, state: FilterState) -> Span:
        """The days a state means in this publication. Raises NothingPublished."""
        return span_of(state, as_of=self.published().as_of, first_sale=self.first_sale)

    def options(self, board: Board) -> dict[str, tuple[Option, ...]]:
        """What can be chosen in each string filter of a board; a filter without any choice is left out."""
        found = {}
        for key, one in board.filters.items():
            if one.options is not None and (options := self._options(one.options)):
                found[key] = options
        return found

    def answer(self, card: Card, state: FilterState, *, board: Board | None = None) -> Answer:
        """Ask a card. Raises NothingPublished, and ShopxError naming the card when its SQL cannot run."""
        publication = self.published()
        began = time.perf_counter()
        span = self.span(state) if DAY in card.filters else None
        if span is not None:
            span = _within_reach(card, span, as_of=publication.as_of)
        chosen = {name: values for name, values in state.chosen.items() if name in card.filters}
        base = span.base(state.compare) if span else None
        bound = Bound(
            days=(span.first, span.last) if span else None,
            base=(base.first, base.last) if base else None,
            chosen=chosen,
        )
        found = self._run(card, card.sql, bound)
        columns = tuple(_column(card, name, kind) for name, kind in found.columns)
        compared = None
        if card.compare and card.display != "scalar" and base is not None:
            compared = self._run(card, card.sql, replace(bound, days=(base.first, base.last), base=None)).rows
        missing = _missing(card, columns, found.rows)
        changes, no_change = self._changes(card, columns, found, bound, span)
        answer = Answer(
            card=card,
            title=card.name,
            columns=columns,
            rows=found.rows,
            compared=compared,
            compared_with=base,
            changes=changes,
            no_change=no_change,
            spark=self._spark(card, bound, publication.as_of),
            cannot_obey=_cannot_obey(card, state, board),
            notes=_notes(card, span, chosen),
            missing=missing,
            empty=None if missing or _has_figures(card, columns, found.rows) else card.empty,
            publication_id=publication.publication_id,
            as_of=publication.as_of,
            currency=self.currency,
            span=span,
            state=state,
            seconds=time.perf_counter() - began,
        )
        return replace(answer, title=title_of(answer))

    def _options(self, column: str) -> tuple[Option, ...]:
        *table, name = column.split(".")
        values = self._connection.execute(
            sql.SQL("select distinct {} from {} order by 1 nulls last").format(
                sql.Identifier(name), sql.Identifier(*table)
            )
        ).fetchall()
        if all(value is None for (value,) in values):
            return ()
        return tuple(Option(value, NO_VALUE_LABEL if value is None else str(value)) for (value,) in values)

    def _run(self, card: Card, statement: str, bound: Bound) -> Rows:
        query, parameters = compiled(statement, card.filters, bound)
        try:
            cursor = self._connection.execute(query, parameters)
        except psycopg.errors.QueryCanceled:
            raise ShopxError(f"Card {card.key} took too long; choose a shorter period.") from None
        except psycopg.Error as problem:
            said = problem.diag.message_primary or str(problem)
            raise ShopxError(f"{card.board}.yaml, card {card.key}, sql: {said}") from problem
        columns = tuple((one.name, KINDS.get(one.type_code, "text")) for one in cursor.description or [])
        return Rows(columns, tuple(tuple(row) for row in cursor.fetchall()))

    def _changes(
        self, card: Card, columns: Sequence[Column], found: Rows, bound: Bound, span: Span | None
    ) -> tuple[tuple[Change, ...], tuple[str, ...]]:
        """A scalar beside the same figure of the period before and of a year before, each with equal days."""
        if card.display != "scalar" or span is None or not found.rows or not card.compare:
            return (), ()
        changes, without = [], []
        pairs: tuple[tuple[Literal["previous", "year_before"], Base | None, str | None], ...] = (
            ("previous", span.previous, span.why_no_previous),
            ("year_before", span.year_before, span.why_no_year_before),
        )
        names = [column.name for column in columns]
        place = names.index(card.y[0])
        orders = names.index(card.base) if card.base else None
        for name, base, why in pairs:
            if base is None:
                without.append(why or "")
                continue
            other = self._run(card, card.sql, replace(bound, days=(base.first, base.last), base=None)).rows
            change = change_of(
                card,
                columns[place],
                compared=name,
                base=base,
                value=found.rows[0][place],
                base_value=other[0][place] if other else None,
                base_orders=other[0][orders] if other and orders is not None else None,
                orders=found.rows[0][orders] if orders is not None else None,
                currency=self.currency,
            )
            if change is not None:
                changes.append(change)
            elif found.rows[0][place] is not None:
                without.append(f"No figure for {base.words}.")
        return tuple(changes), tuple(dict.fromkeys(without))

    def _spark(self, card: Card, bound: Bound, as_of: date) -> tuple[tuple[date, Any], ...]:
        """A value for each of the 28 days up to the period's end; days without sales are 0."""
        if card.spark is None:
            return ()
        last = bound.days[1] if bound.days else as_of
        days = (last - timedelta(days=SPARK_DAYS - 1), last)
        found = dict(self._run(card, card.spark, replace(bound, days=days, base=None)).rows)
        return tuple(
            (day, found.get(day, Decimal(0) if card.y[0].endswith("_cents") else None))
            for day in (days[0] + timedelta(days=number) for number in range(SPARK_DAYS))
        )


@contextmanager
def reading(connection: psycopg.Connection[Any], *, time_zone: str = "UTC") -> Iterator[Page]:
    """A page on a connection of role shopx_reader, in one REPEATABLE READ READ ONLY transaction.

    An idle connection gets its transaction here and is left idle; one that is in a transaction already keeps
    it, and its isolation is the caller's business.
    """
    if connection.info.transaction_status is TransactionStatus.INTRANS:
        yield Page(connection, time_zone=time_zone)
        return
    if connection.autocommit:
        connection.execute("begin isolation level repeatable read read only")
        try:
            yield Page(connection, time_zone=time_zone)
        finally:
            connection.execute("rollback")
        return
    kept = connection.isolation_level, connection.read_only
    connection.isolation_level, connection.read_only = psycopg.IsolationLevel.REPEATABLE_READ, True
    try:
        yield Page(connection, time_zone=time_zone)
    finally:
        connection.rollback()
        connection.isolation_level, connection.read_only = kept


@contextmanager
def reading_as_reader(warehouse: Warehouse) -> Iterator[Page]:
    """A page on a connection of its own."""
    with (
        warehouse.connect("reader", application_name="shopx dashboards") as connection,
        reading(connection, time_zone=warehouse.settings.time_zone) as page,
    ):
        yield page


def _column(card: Card, name: str, kind: Kind) -> Column:
    return Column(
        name=name,
        label=card.labels.get(name) or default_label(name),
        format=card.format.get(name) or default_format(name, kind),
        kind=kind,
    )


def _within_reach(card: Card, span: Span, *, as_of: date) -> Span:
    """Compared days that a mart of the last days no longer holds are no base."""
    if card.reaches_back_days is None:
        return span
    oldest = as_of - timedelta(days=card.reaches_back_days - 1)
    why = f"The figures by filter reach back to {oldest:%d %b %Y}."
    if span.previous is not None and span.previous.first < oldest:
        span = replace(span, previous=None, why_no_previous=why)
    if span.year_before is not None and span.year_before.first < oldest:
        span = replace(span, year_before=None, why_no_year_before=why)
    if span.first < oldest:
        first_words = f"Begins on {oldest:%d %b %Y}: older days are not kept by filter."
        span = replace(span, first=min(oldest, span.last), note=first_words)
    return span


def _cannot_obey(card: Card, state: FilterState, board: Board | None) -> tuple[Ignored, ...]:
    names = {key: one.name for key, one in board.filters.items()} if board else {}
    return tuple(
        Ignored(
            filter=key,
            name=names.get(key, "Period" if key == DAY else key.capitalize()),
            reason=reason,
            is_set=key == DAY or bool(state.chosen.get(key)),
        )
        for key, reason in card.ignores.items()
        if key != BASE
    )


def _notes(card: Card, span: Span | None, chosen: Mapping[str, tuple[str | None, ...]]) -> tuple[str, ...]:
    notes = [said for name, said in card.several.items() if len(chosen.get(name, ())) > 1]
    if span is not None and span.note:
        notes.append(span.note)
    return tuple(notes)


def _missing(card: Card, columns: Sequence[Column], rows: Sequence[tuple[Any, ...]]) -> dict[str, str]:
    """Columns that have no value in any row, with the reason."""
    names = [column.name for column in columns]
    return {
        name: reason
        for name, reason in card.missing.items()
        if name in names and rows and all(row[names.index(name)] is None for row in rows)
    }


def _has_figures(card: Card, columns: Sequence[Column], rows: Sequence[tuple[Any, ...]]) -> bool:
    """Whether there is a row with a figure in it: an aggregate gives a row even of nothing."""
    if not card.y:
        return bool(rows)
    places = [place for place, column in enumerate(columns) if column.name in card.y]
    return any(row[place] is not None for row in rows for place in places)
