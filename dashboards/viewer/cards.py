"""An answer as a card shows it: words, table, and the data of its chart. No HTML, no SQL.

Put here: what of an answer stands where on a card. Never here: markup (templates/), how a chart is drawn
(static/charts.js), how a value is written (formats.py).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from dashboards import formats
from dashboards.answers.answer import Answer, Change, Column, Ignored, plain
from dashboards.answers.state import FilterState
from dashboards.palette import palette
from dashboards.spec.model import Card

MOST_TABLE_ROWS = 200  # of a table on a page; downloads hold all
SPARK_HEIGHT = 36.0


@dataclass(frozen=True)
class Cell:
    """A cell of a table as text; `short` where a chart says it shorter."""

    text: str
    numeric: bool
    link: str | None = None
    short: str | None = None


@dataclass(frozen=True)
class Head:
    """A heading of a table."""

    label: str
    numeric: bool


@dataclass(frozen=True)
class Table:
    """Heads, rows and what to say about rows that are left out."""

    heads: tuple[Head, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str | None


@dataclass(frozen=True)
class Spark:
    """Two paths in a box of 100 × 36: the line, and the area under it."""

    line: str
    area: str


@dataclass(frozen=True)
class CardView:
    """A card, ready for a template. `spec` is JSON that is safe inside a script element."""

    key: str
    kind: str
    display: str
    name: str
    title: str
    said: str
    definition: str
    source: str
    shown: str
    exact: str
    raw: str
    reason: str | None
    beside: str
    changes: tuple[Change, ...]
    no_change: tuple[str, ...]
    spark: Spark | None
    cannot: tuple[Ignored, ...]
    notes: tuple[str, ...]
    empty: str | None
    table: Table | None
    spec: str
    csv: str
    xlsx: str


def card_view(answer: Answer) -> CardView:
    """Everything a card shows of an answer."""
    card = answer.card
    kind = {"scalar": "kpi", "table": "table"}.get(card.display, "chart")
    query = answer.state.query()
    shown = exact = raw = ""
    reason = None
    if kind == "kpi":
        value, column = answer.value, card.y[0]
        if value is None:
            reason = answer.missing.get(column) or answer.empty or card.empty
        else:
            shown = answer.shown(answer.rows[0], column, exact=False)
            exact = answer.shown(answer.rows[0], column, exact=True)
            raw = str(value)
    return CardView(
        key=card.key,
        kind=kind,
        display=card.display,
        name=card.name,
        title=answer.title,
        said=_said(answer),
        definition=card.definition,
        source=card.source,
        shown=shown,
        exact=exact,
        raw=raw,
        reason=reason,
        beside=_beside(answer) if kind == "kpi" and reason is None else "",
        changes=answer.changes,
        no_change=answer.no_change,
        spark=None if reason else spark_of([value for _, value in answer.spark]),
        # a card without days shows the state of its last day: its period is no choice that goes unheard
        cannot=answer.ignored,
        notes=(*answer.notes, *(answer.missing.values() if kind == "table" else ())),
        empty=_nothing(answer) if kind != "kpi" else None,
        table=_spark_table(answer) if kind == "kpi" else _table(answer),
        spec=chart_spec(answer) if kind == "chart" and _nothing(answer) is None else "",
        csv=f"/cards/{quote(card.key)}.csv?{query}",
        xlsx=f"/cards/{quote(card.key)}.xlsx?{query}",
    )


def failed_view(card: Card, state: FilterState, said: str) -> CardView:
    """A card without an answer, and why."""
    query = state.query()
    return CardView(
        key=card.key,
        kind="kpi" if card.display == "scalar" else "chart",
        display=card.display,
        name=card.name,
        title=card.name,
        said=card.name,
        definition=card.definition,
        source=card.source,
        shown="",
        exact="",
        raw="",
        reason=said,
        beside="",
        changes=(),
        no_change=(),
        spark=None,
        cannot=(),
        notes=(),
        empty=said,
        table=None,
        spec="",
        csv=f"/cards/{quote(card.key)}.csv?{query}",
        xlsx=f"/cards/{quote(card.key)}.xlsx?{query}",
    )


def _said(answer: Answer) -> str:
    """One sentence in place of the picture."""
    rows = len(answer.rows)
    finding = "" if answer.title == answer.card.name else f"{answer.title}. "
    span = f", {answer.span.words}" if answer.span else ""
    return f"{finding}{answer.card.name}{span}: chart of {rows:,} {'row' if rows == 1 else 'rows'}."


def _nothing(answer: Answer) -> str | None:
    """Why there is nothing to draw, None where there is something."""
    if answer.empty is None and answer.card.y and all(name in answer.missing for name in answer.card.y):
        return answer.missing[answer.card.y[0]]
    return answer.empty


def _beside(answer: Answer) -> str:
    """Smaller figures next to the one of a scalar: Margin 44.6 % · Cost known for 93.0 %."""
    row = answer.rows[0]
    return " · ".join(
        f"{answer.column(name).label} {answer.shown(row, name, exact=False)}" for name in answer.card.beside
    )


def _visible(answer: Answer) -> list[Column]:
    """The columns of the table, what names a row first."""
    card = answer.card
    named = [name for name in (card.label, card.x, card.series) if name]
    if card.display == "scatter":
        named = [name for name in (card.label, card.series) if name]
    seen = [
        column
        for column in answer.columns
        if column.name not in card.hidden or column.name in (*named, *card.y)
    ]
    return sorted(seen, key=lambda column: named.index(column.name) if column.name in named else len(named))


def _table(answer: Answer) -> Table | None:
    if not answer.rows:
        return None
    columns = _visible(answer)
    places = [answer.place(column.name) for column in columns]
    before = compared_rows(answer)
    heads = [Head(column.label, _numeric(column)) for column in columns]
    if before is not None:
        heads += [Head(_compared_label(answer, name), True) for name in answer.card.y]
    drawn = answer.card.y if answer.card.display != "table" else ()
    most = MOST_TABLE_ROWS if answer.card.display == "table" else len(answer.rows)
    rows = []
    for number, row in enumerate(answer.rows[:most]):
        cells = [
            Cell(
                answer.shown(row, column.name),
                _numeric(column),
                _link(answer, column, row),
                answer.shown(row, column.name, exact=False) if column.name in drawn else None,
            )
            for column in columns
        ]
        if before is not None:
            other = before[number]
            cells += [
                Cell(answer.shown(other, name) if other is not None else formats.NO_VALUE, True)
                for name in answer.card.y
            ]
        rows.append(tuple(cells))
    note = None
    if len(answer.rows) > most:
        note = f"The first {most:,} of {len(answer.rows):,} rows; CSV and XLSX hold all of them."
    assert places  # noqa: S101  an answer has columns
    return Table(tuple(heads), tuple(rows), note)


def _spark_table(answer: Answer) -> Table | None:
    if not answer.spark:
        return None
    column = answer.column(answer.card.y[0])
    rows = tuple(
        (
            Cell(formats.day(day), False),
            Cell(formats.shown(value, column.format, currency=answer.currency, exact=True), True),
        )
        for day, value in answer.spark
    )
    return Table((Head("Day", False), Head(column.label, True)), rows, None)


def _numeric(column: Column) -> bool:
    return column.kind in ("whole", "number") and formats.number_format(column.format).style not in (
        "text",
        "hour",
    )


def _link(answer: Answer, column: Column, row: Sequence[Any]) -> str | None:
    target = answer.card.link.get(column.name)
    if target is None:
        return None
    for place, other in enumerate(answer.columns):
        wanted = f"{{{other.name}}}"
        if wanted in target:
            if row[place] is None:
                return None
            target = target.replace(wanted, quote(str(row[place]), safe=""))
    return target


def _compared_label(answer: Answer, name: str) -> str:
    base = answer.compared_with
    assert base is not None  # noqa: S101  there are compared rows
    label = base.words if len(answer.card.y) == 1 else f"{answer.column(name).label}, {base.words}"
    return f"{label} ({base.caution})" if base.caution else label


def compared_rows(answer: Answer) -> list[tuple[Any, ...] | None] | None:
    """For each row the row of the compared period that belongs to it: the day as far into that period, or the
    same name.

    None where nothing is compared, or where series are told apart: two lines each would be a tangle.
    """
    card, compared = answer.card, answer.compared
    if compared is None or card.x is None or card.series is not None or card.display == "scalar":
        return None
    place = answer.place(card.x)
    offset = answer.compared_offset_days
    by_name = {row[place]: row for row in compared}
    found: list[tuple[Any, ...] | None] = []
    style = formats.number_format(answer.columns[place].format).style
    for row in answer.rows:
        key = row[place]
        if isinstance(key, date) and style == "date" and offset is not None:
            key -= timedelta(days=offset)
        found.append(by_name.get(key))
    if not any(row is not None for row in found) and len(compared) == len(answer.rows):
        return list(compared)  # months of another year: the first stands beside the first
    return found


def chart_spec(answer: Answer) -> str:
    """What the browser draws, as JSON without a character that could end its element."""
    card = answer.card
    names = [column.name for column in answer.columns]
    visible = [column.name for column in _visible(answer)]

    def place(name: str | None) -> int | None:
        return names.index(name) if name in names else None

    before = compared_rows(answer) if card.display in ("line", "area", "bar", "combo") else None
    compared = None
    if before is not None:
        compared = [
            {
                "column": names.index(name),
                "label": _compared_label(answer, name),
                "data": [plain(row[names.index(name)]) if row is not None else None for row in before],
            }
            for name in card.y[:1]
        ]
    band = [place(card.low), place(card.high)]
    spec = {
        "display": card.display,
        "locale": formats.DEFAULT_LOCALE.replace("_", "-"),
        "x": place(card.x),
        "y": [names.index(name) for name in card.y],
        "series": place(card.series),
        "size": place(card.size),
        "stack": card.stack,
        "bars": [names.index(name) for name in card.bars],
        "lines": dict(card.lines),
        "dashes": palette().dashes,
        "markers": palette().markers,
        "band": band if None not in band else None,
        "columns": [
            {
                "name": column.name,
                "label": column.label,
                "style": _style(column),
                "scale": _scale(column, answer.currency),
                "currency": answer.currency if column.is_money else None,
                "cell": visible.index(column.name) if column.name in visible else None,
            }
            for column in answer.columns
        ],
        "rows": [[plain(value) for value in row] for row in answer.rows],
        "compared": compared,
    }
    text = json.dumps(spec, ensure_ascii=False, separators=(",", ":"), default=str)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _style(column: Column) -> str:
    style = formats.number_format(column.format).style
    if column.format == "week":
        return "week"
    return {"currency": "money", "share": "percent", "decimal": "number"}.get(style, style)


def _scale(column: Column, currency: str | None) -> float:
    if column.is_money:
        return float(Decimal(1).scaleb(-formats.minor_digits(currency)))
    return 100.0 if formats.number_format(column.format).style == "share" else 1.0


def spark_of(values: Sequence[Any]) -> Spark | None:
    """A line through the values that are known, zero always in sight. None for fewer than two."""
    known = [float(value) for value in values if value is not None]
    if len(known) < 2:
        return None
    low, high = min(0.0, *known), max(0.0, *known)
    reach = (high - low) or 1.0
    points, pen = [], "M"
    for number, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        x = 100 * number / (len(values) - 1)
        y = SPARK_HEIGHT - 1 - (SPARK_HEIGHT - 2) * (float(value) - low) / reach
        points.append(f"{pen}{x:.1f} {y:.1f}")
        pen = "L"
    line = " ".join(points)
    ground = SPARK_HEIGHT - 1 - (SPARK_HEIGHT - 2) * (0 - low) / reach
    return Spark(line=line, area=f"{line} L100 {ground:.1f} L0 {ground:.1f}Z" if line.count("M") == 1 else "")
