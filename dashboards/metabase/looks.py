"""How a card looks in Metabase: chart, axes, colours, number formats.

Put here: a card's drawing in Metabase's visualization settings, which it never checks: a word it does not
know is kept and ignored. Never here: colours and formats themselves (palette.yaml), the card's SQL.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from dashboards.answers.answer import Column
from dashboards.formats import minor_digits, number_format
from dashboards.palette import palette
from dashboards.spec.model import Card

#: ours → Metabase's; a heat map is a table that Metabase turns itself
DISPLAYS = {"heatmap": "table"}
DASHES = {"solid": "solid", "dashed": "dashed", "dotted": "dotted"}
DAY = {"date_style": "D MMMM, YYYY", "date_abbreviate": True}


def display_of(card: Card) -> str:
    """Return Metabase's name of the card's chart."""
    return card.metabase.display or DISPLAYS.get(card.display, card.display)


def settings_of(card: Card, columns: Sequence[Column], *, currency: str | None) -> dict[str, Any]:
    """Return the visualization settings of a card whose answer has these columns.

    What the file says under `metabase: visualization_settings` is merged last.
    """
    made = {**_chart(card), **_table(card, columns)}
    columns_made = {
        json.dumps(["name", column.name], separators=(",", ":")): _column(column, currency)
        for column in columns
    }
    made["column_settings"] = {name: said for name, said in columns_made.items() if said}
    return {**made, **card.metabase.visualization_settings}


def _chart(card: Card) -> dict[str, Any]:
    if card.display == "scalar":
        return {"scalar.field": card.y[0]}
    if card.display == "table":
        return {}
    if card.display == "pie":
        return {"pie.dimension": card.x, "pie.metric": card.y[0], "pie.show_legend": True}
    if card.display == "heatmap":
        return {"table.pivot": True, "table.pivot_column": card.x, "table.cell_column": card.y[0]}
    drawn = [*card.y, *(edge for edge in (card.low, card.high) if edge and edge not in card.y)]
    made: dict[str, Any] = {
        "graph.dimensions": [name for name in (card.x, card.series) if name],
        "graph.metrics": drawn,
        "graph.x_axis.labels_enabled": False,
        "graph.y_axis.labels_enabled": False,
        "graph.show_values": card.display in ("row", "waterfall"),
    }
    if card.stack:
        made["stackable.stack_type"] = card.stack
    if card.display == "scatter" and card.size:
        made["scatter.bubble"] = card.size
    if card.series is None and card.display != "waterfall":
        made["series_settings"] = {name: _series(card, name, place) for place, name in enumerate(drawn)}
    return made


def _series(card: Card, name: str, place: int) -> dict[str, Any]:
    """The look of one column; the edges of a band are dotted, because Metabase draws no bands."""
    colours = palette().light.series
    edge = name in (card.low, card.high)
    made: dict[str, Any] = {"color": colours[0 if edge else place % len(colours)]}
    if card.display in ("line", "area", "combo"):
        made["line.style"] = "dotted" if edge else DASHES[card.lines.get(name, "solid")]
    if card.display == "combo":
        made["display"] = "bar" if name in card.bars else "line"
    if name in card.labels:
        made["title"] = card.labels[name]
    return made


def _table(card: Card, columns: Sequence[Column]) -> dict[str, Any]:
    """Tables leave out hidden columns; Metabase wants every column named for that."""
    if card.display != "table":
        return {}
    return {"table.columns": [{"name": c.name, "enabled": c.name not in card.hidden} for c in columns]}


def _column(column: Column, currency: str | None) -> dict[str, Any]:
    return {"column_title": column.label, **_format(column.format, currency)}


def _format(name: str, currency: str | None) -> dict[str, Any]:
    """Return a format of palette.yaml in Metabase's words. Money comes in minor units and is scaled here."""
    kind = number_format(name)
    decimals = kind.decimals or 0
    if kind.style == "currency":
        digits = minor_digits(currency)
        shown = digits if kind.decimals is None else min(kind.decimals, digits)
        style = {"number_style": "currency", "currency": currency, "currency_style": "symbol"}
        scaled = {"scale": 10**-digits, "decimals": shown}
        return {**(style if currency else {"number_style": "decimal"}), **scaled}
    if kind.style == "decimal" and kind.up_to:
        return {"number_style": "decimal"}  # Metabase has no "at most"
    number = {"number_style": "decimal", "decimals": decimals}
    said: dict[str, dict[str, Any]] = {
        "decimal": number,
        "percent": {**number, "suffix": "\N{NO-BREAK SPACE}%"},
        "points": {**number, "suffix": "\N{NO-BREAK SPACE}pp"},
        "share": {"number_style": "percent", "decimals": decimals},
        "hour": {**number, "suffix": ":00"},
        "date": DAY,
        "month": {"date_style": "MMMM, YYYY", "date_abbreviate": True},
        "datetime": {**DAY, "time_enabled": "minutes", "time_style": "HH:mm"},
    }
    return said.get(kind.style, {})
