"""A card's SQL and a choice of filters → one statement with bound parameters.

Put here: what {{filter}} and [[…]] become. Never here: running it (page.py); other dialects of the same SQL
(a surface that speaks one has its own compiler).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg import sql

from dashboards.spec.model import BASE, DAY, TAG

OPTIONAL = re.compile(r"\[\[(.*?)\]\]", re.DOTALL)


@dataclass(frozen=True)
class Bound:
    """What filters are set to: ranges of days (both inclusive), values of the others (None is null)."""

    days: tuple[date, date] | None
    base: tuple[date, date] | None
    chosen: Mapping[str, tuple[str | None, ...]]

    def range_of(self, name: str) -> tuple[date, date] | None:
        """The days of the period, or those it is compared with."""
        return self.days if name == DAY else self.base

    def is_set(self, name: str) -> bool:
        """Whether a filter has a value."""
        return self.range_of(name) is not None if name in (DAY, BASE) else bool(self.chosen.get(name))


def compiled(statement: str, columns: Mapping[str, str], bound: Bound) -> tuple[sql.Composed, dict[str, Any]]:
    """The statement and its parameters; `columns`: filter to schema.table.column.

    A part in [[…]] is left out unless all its filters are set; a tag outside of one is true where unset.
    """
    parameters: dict[str, Any] = {}
    pieces: list[sql.Composable] = []
    position = 0
    for optional in OPTIONAL.finditer(statement):
        _append(pieces, statement[position : optional.start()], columns, bound, parameters)
        inner = optional.group(1)
        if all(bound.is_set(name) for name in TAG.findall(inner)):
            _append(pieces, inner, columns, bound, parameters)
        position = optional.end()
    _append(pieces, statement[position:], columns, bound, parameters)
    return sql.Composed(pieces), parameters


def _append(
    pieces: list[sql.Composable],
    text: str,
    columns: Mapping[str, str],
    bound: Bound,
    parameters: dict[str, Any],
) -> None:
    position = 0
    for tag in TAG.finditer(text):
        pieces.append(_literally(text[position : tag.start()]))
        pieces.append(_condition(tag.group(1), columns[tag.group(1)], bound, parameters))
        position = tag.end()
    pieces.append(_literally(text[position:]))


def _literally(text: str) -> sql.SQL:
    return sql.SQL(text.replace("%", "%%"))


def _condition(name: str, column: str, bound: Bound, parameters: dict[str, Any]) -> sql.Composable:
    if not bound.is_set(name):
        return sql.SQL("true")
    identifier = sql.Identifier(*column.split("."))
    days = bound.range_of(name) if name in (DAY, BASE) else None
    if days is not None:
        parameters[f"{name}_first"], parameters[f"{name}_last"] = days
        return sql.SQL("({} between {} and {})").format(
            identifier, sql.Placeholder(f"{name}_first"), sql.Placeholder(f"{name}_last")
        )
    values = bound.chosen[name]
    parameter = f"filter_{name}"
    parameters[parameter] = [value for value in values if value is not None]
    condition = sql.SQL("{} = any({})").format(identifier, sql.Placeholder(parameter))
    if None in values:
        condition = sql.SQL("{} or {} is null").format(condition, identifier)
    return sql.SQL("({})").format(condition)
