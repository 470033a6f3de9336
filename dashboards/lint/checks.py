"""Rules of the cards that need the warehouse or the marts' contract; each problem names file, card and key.

Put here: one function per rule. Never here: the shape of a file (dashboards/spec).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from psycopg import sql

from dashboards.answers.answer import Kind
from dashboards.answers.compiling import Bound, compiled
from dashboards.answers.findings import RULES
from dashboards.answers.page import KINDS
from dashboards.answers.state import PRESETS
from dashboards.lint.contract import ADDS_UP_WITHIN, Mart, marts
from dashboards.palette import palette
from dashboards.spec.model import BASE, DAY, Board, Card
from warehouse.settings import PROJECT_ROOT

A_DAY = (date(2001, 1, 1), date(2001, 1, 1))
READS_OPS = frozenset({"pipeline"})
RELATION = re.compile(r"\b(?:from|join)\s+(?:lateral\s+)?([a-z_][a-z0-9_.]*)\b(?!\s*\()", re.IGNORECASE)
COMMON_TABLE = re.compile(r"\b([a-z_][a-z0-9_]*)\s+as\s+(?:not\s+)?(?:materialized\s+)?\(", re.IGNORECASE)
CLOCK = re.compile(
    r"\b(now|current_date|current_time|current_timestamp|localtime|localtimestamp|clock_timestamp|"
    r"statement_timestamp|transaction_timestamp|timeofday|random)\b",
    re.IGNORECASE,
)
SUM = re.compile(r"\b(?:sum|avg)\s*\(", re.IGNORECASE)
COLUMNS = """
    select table_schema || '.' || table_name || '.' || column_name, data_type
    from information_schema.columns
    where table_schema in ('marts', 'ops')
"""
NUMBERS: tuple[Kind, ...] = ("whole", "number")
FITS: dict[str, tuple[Kind, ...]] = {
    "currency": ("whole", "number"),
    "decimal": NUMBERS,
    "percent": NUMBERS,
    "points": NUMBERS,
    "share": NUMBERS,
    "hour": ("whole",),
    "date": ("date", "moment"),
    "month": ("date", "moment"),
    "datetime": ("moment", "date"),
    "yesno": ("truth",),
}


@dataclass(frozen=True)
class Problem:
    """What is wrong, and where."""

    board: str
    card: str
    key: str
    said: str

    def __str__(self) -> str:
        return f"{self.board}.yaml, card {self.card}, {self.key}: {self.said}"


def problems(boards: Sequence[Board], connection: psycopg.Connection[Any] | None = None) -> list[Problem]:
    """All problems of the boards. With a connection (role reader) each card's SQL is also run for no rows."""
    known = marts(PROJECT_ROOT / "dbt_project")
    found: list[Problem] = []
    for board in boards:
        default = board.default_period
        if default not in PRESETS:
            found.append(Problem(board.key, "-", "filters.day.default", f"{default!r} is no preset"))
        for card in board.cards.values():
            found += _without_warehouse(card, known)
    if connection is not None:
        types: dict[str, str] = dict(connection.execute(COLUMNS).fetchall())
        for board in boards:
            found += _options(board, types)
            for card in board.cards.values():
                found += _with_warehouse(card, types, connection)
        connection.rollback()
    return found


def relations_of(card: Card) -> set[str]:
    """What its SQL reads, without its own common tables."""
    text = _without_comments(f"{card.sql}\n{card.spark or ''}")
    # `extract(hour from x)` and `distinct from` are no relations
    text = re.sub(r"\b(extract\s*\(\s*\w+|distinct)\s+from\b", " ", text, flags=re.IGNORECASE)
    own = {name.lower() for name in COMMON_TABLE.findall(text)}
    return {name.lower() for name in RELATION.findall(text)} - own - {"lateral"}


def _without_warehouse(card: Card, known: dict[str, Mart]) -> Iterator[Problem]:
    def problem(key: str, said: str) -> Problem:
        return Problem(card.board, card.key, key, said)

    text = _without_comments(f"{card.sql}\n{card.spark or ''}")
    if clock := CLOCK.search(text):
        yield problem("sql", f"{clock.group(0)} is a clock (or chance); the one clock is as_of")
    reads = relations_of(card)
    for name in sorted(reads):
        schema, _, table = name.partition(".")
        if schema == "marts" and (table in known or table == "publication"):
            continue
        if schema == "ops" and card.board in READS_OPS:
            continue
        yield problem("sql", f"reads {name}; cards read marts" + (" that exist" if schema == "marts" else ""))
    if ".".join(card.source.split(".")[:2]) not in reads:
        yield problem("source", f"{card.source} is not what the SQL reads")
    for name, column in card.filters.items():
        if ".".join(column.split(".")[:2]) not in reads:
            yield problem(f"filters.{name}", f"{column} is not what the SQL reads")
    yield from (problem("sql", said) for said in _summed(text, reads, known))
    kept = [
        known[column.split(".")[1]].days
        for name, column in card.filters.items()
        if name in (DAY, BASE) and column.split(".")[1] in known
    ]
    shortest = min((days for days in kept if days), default=None)
    if shortest != card.reaches_back_days and DAY in card.filters:
        yield problem(
            "reaches_back_days", f"its mart keeps {shortest or 'all'} days, not {card.reaches_back_days}"
        )
    if card.finding is not None and card.finding not in RULES:
        yield problem("finding", f"{card.finding!r} is none of {', '.join(RULES)}")
    for name, form in card.format.items():
        if form not in palette().formats:
            yield problem(f"format.{name}", f"{form!r} is none of {', '.join(palette().formats)}")


def _summed(text: str, reads: set[str], known: dict[str, Mart]) -> Iterator[str]:
    for begin, argument in _arguments(text):
        words = set(re.findall(r"[a-z_][a-z0-9_]*", argument.lower()))
        scope = _select_around(text, begin)
        for name in sorted(reads & {found.lower() for found in RELATION.findall(scope)}):
            mart = known.get(name.removeprefix("marts."))
            for column in sorted(words & mart.not_additive) if mart else ():
                within = ADDS_UP_WITHIN.get((mart.name, column)) if mart else None
                if within is None or not re.search(rf"group by[^)]*\b{within}\b", scope, re.IGNORECASE):
                    yield f"sums {column}, which does not add up ({name}, meta.additive: false)"


def _arguments(text: str) -> Iterator[tuple[int, str]]:
    """What stands in sum(…) and avg(…), with its own parentheses, and where it begins."""
    for begin in SUM.finditer(text):
        yield begin.start(), text[begin.end() : _closing(text, begin.end())]


def _select_around(text: str, place: int) -> str:
    """The innermost select in parentheses around a place, else the whole text."""
    depth = 0
    for begin in range(place, -1, -1):
        depth += {")": 1, "(": -1}.get(text[begin], 0)
        if depth < 0:
            inner = text[begin + 1 : _closing(text, begin + 1)]
            if inner.lstrip().lower().startswith("select"):
                return inner
            depth = 0
    return text


def _closing(text: str, begin: int) -> int:
    """Where the parenthesis that is open at `begin` is closed."""
    depth, end = 1, begin
    while depth and end < len(text):
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        end += 1
    return end - 1 if depth == 0 else end


def _options(board: Board, types: dict[str, str]) -> Iterator[Problem]:
    for name, one in board.filters.items():
        if one.options is not None and types.get(one.options) != "text":
            said = f"{one.options} is {types.get(one.options, 'no column')}, not text"
            yield Problem(board.key, "-", f"filters.{name}.options", said)


def _with_warehouse(
    card: Card, types: dict[str, str], connection: psycopg.Connection[Any]
) -> Iterator[Problem]:
    def problem(key: str, said: str) -> Problem:
        return Problem(card.board, card.key, key, said)

    if card.source not in types:
        yield problem("source", f"there is no column {card.source}")
    for name, column in card.filters.items():
        wanted = "date" if name in (DAY, BASE) else "text"
        if types.get(column) != wanted:
            yield problem(f"filters.{name}", f"{column} is {types.get(column, 'no column')}, not {wanted}")
    columns: dict[str, Kind] = {}
    strings = {name: ("a", None) for name in card.filters if name not in (DAY, BASE)}
    for bound in (Bound(A_DAY, A_DAY, strings), Bound(A_DAY, None, {}), Bound(None, None, {})):
        for key, statement in (("sql", card.sql), ("spark", card.spark)):
            if statement is None:
                continue
            try:
                found = _columns_of(statement, card, bound, connection)
            except psycopg.Error as trouble:
                yield problem(key, " ".join((trouble.diag.message_primary or str(trouble)).split()))
                return
            if key == "sql":
                columns = found
            elif [kind in ("date", *NUMBERS) for kind in found.values()] != [True, True]:
                yield problem("spark", "must give two columns, a day and a number")
    yield from (problem(key, said) for key, said in _against(card, columns))


def _against(card: Card, columns: dict[str, Kind]) -> Iterator[tuple[str, str]]:
    """What a card says about columns that its SQL does not give, or not as such."""
    for key, name in _named(card):
        if name not in columns:
            yield key, f"the SQL gives no column {name}; it gives {', '.join(columns)}"
    for name in card.y:
        if columns.get(name, "whole") not in NUMBERS:
            yield "y", f"{name} is no number"
    for name, form in card.format.items():
        fits = FITS.get(palette().formats[form].style) if form in palette().formats else None
        if fits and columns.get(name) and columns[name] not in fits:
            yield f"format.{name}", f"{form} does not fit a {columns[name]}"


def _columns_of(
    statement: str, card: Card, bound: Bound, connection: psycopg.Connection[Any]
) -> dict[str, Kind]:
    query, parameters = compiled(statement, card.filters, bound)
    with connection.transaction():
        cursor = connection.execute(sql.SQL("select * from ({}) as card limit 0").format(query), parameters)
        return {one.name: KINDS.get(one.type_code, "text") for one in cursor.description or []}


def _named(card: Card) -> Iterator[tuple[str, str]]:
    """Every column a card names, and under which key."""
    for key in ("x", "series", "size", "label", "low", "high", "base"):
        if name := getattr(card, key):
            yield key, name
    for key in ("y", "bars", "beside", "hidden"):
        for name in getattr(card, key):
            yield key, name
    for key in ("format", "missing", "link"):
        for name in getattr(card, key):
            yield f"{key}.{name}", name
    for target in card.link.values():
        for name in re.findall(r"\{(\w+)\}", target):
            yield "link", name


def _without_comments(text: str) -> str:
    return re.sub(r"--[^\n]*|/\*.*?\*/", " ", text, flags=re.DOTALL)
