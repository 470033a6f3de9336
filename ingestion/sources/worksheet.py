"""What the cells of a Google worksheet say, as text: the grid of the Sheets API in, rows of exact cells out.

Put the meaning of a cell here: numbers, dates, errors, A1 ranges. Never a request (google.py).

Cells are read as the sheet holds them, not as it shows them: a price shown as "€ 1.2k" is 1234.56, a date in
whatever format and locale is ISO. docs/decisions/0020-sheets-are-read-by-cell.md says why.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from ingestion.sources.sheet import A1

#: what each page of the grid is asked for, and no more
FIELDS = (
    "sheets(data(startRow,startColumn,rowData(values("
    "effectiveValue,effectiveFormat(numberFormat),userEnteredValue(formulaValue)))))"
)
#: errorValue.type of the API -> what the sheet shows
ERRORS = {
    "ERROR": "#ERROR!", "NULL_VALUE": "#NULL!", "DIVIDE_BY_ZERO": "#DIV/0!", "VALUE": "#VALUE!",
    "REF": "#REF!", "NAME": "#NAME?", "NUM": "#NUM!", "N_A": "#N/A",
}  # fmt: skip
LOADING = "LOADING"
_DAY_ZERO = datetime(1899, 12, 30)  # Sheets API guide "Date/time serial numbers"
_LAST_SERIAL = 2958466  # 10000-01-01
_MS_PER_DAY = 86_400_000
_EXACT_BELOW = 10**15


class StillCalculating(Exception):
    """A formula has no value yet; the sheet must be read again."""


@dataclass(frozen=True)
class Area:
    """A part of a worksheet: rows and columns from 1, both ends inclusive."""

    first_row: int
    last_row: int
    first_column: int
    last_column: int

    def pages(self, cells: int) -> Iterator[Area]:
        """The area from top to bottom in parts of about so many cells."""
        rows = max(1, cells // (self.last_column - self.first_column + 1))
        for row in range(self.first_row, self.last_row + 1, rows):
            yield Area(row, min(row + rows - 1, self.last_row), self.first_column, self.last_column)

    def a1(self, worksheet: str) -> str:
        """The area as the API wants it, e.g. 'Sales 2026'!A1:H5000."""
        name = worksheet.replace("'", "''")
        first = f"{_letters(self.first_column)}{self.first_row}"
        return f"'{name}'!{first}:{_letters(self.last_column)}{self.last_row}"


def area(range_: str | None, *, rows: int, columns: int) -> Area | None:
    """The named part of a worksheet of this size; None where it lies outside. `range_` like A3:H or B:D."""
    if range_ is None:
        return Area(1, rows, 1, columns) if rows and columns else None
    found = A1.match(range_)
    if found is None:
        raise ValueError(f'"{range_}" is no range; write one like A3:H or B:D')
    left, top, right, bottom = found.groups()
    first_column, first_row = _number(left), int(top or 1)
    last_column = min(_number(right or left), columns)
    last_row = min(int(bottom or rows), rows)
    if first_column > last_column or first_row > last_row:
        return None
    return Area(first_row, last_row, first_column, last_column)


def page_rows(grid: Mapping[str, Any], part: Area) -> Iterator[tuple[list[str | None], bool]]:
    """Each row of one page, blank ones included, and whether it holds a formula.

    `grid` is one element of `data` in the API's answer, which leaves out blank rows at the end and blank
    cells at the end of a row. Raises StillCalculating.
    """
    rows: Sequence[Mapping[str, Any]] = grid.get("rowData") or []
    for number in range(part.last_row - part.first_row + 1):
        cells = (rows[number].get("values") or []) if number < len(rows) else []
        yield [text(cell) for cell in cells], any("userEnteredValue" in cell for cell in cells)


def text(cell: Mapping[str, Any]) -> str | None:
    """One cell; None where it is blank. Raises StillCalculating."""
    value: Mapping[str, Any] = cell.get("effectiveValue") or {}
    if "stringValue" in value:
        return str(value["stringValue"]) or None
    if "numberValue" in value:
        style = (cell.get("effectiveFormat") or {}).get("numberFormat") or {}
        return _moment(value["numberValue"], style.get("type")) or number(
            value["numberValue"], style.get("pattern")
        )
    if "boolValue" in value:
        return "TRUE" if value["boolValue"] else "FALSE"
    if "errorValue" in value:
        kind = value["errorValue"].get("type")
        if kind == LOADING:
            raise StillCalculating
        return ERRORS.get(kind, "#ERROR!")
    return None


def number(value: float | int, pattern: str | None = None) -> str:
    """A number as a spreadsheet knows it: 15 significant digits, so that 3 × 1.1 is 3.3 and no more.

    A whole number shown with leading zeros (pattern 00000) keeps them: it is an id. One of more than 15
    digits has lost its end in the sheet; it stays in the form 1.23456789012346e+15, which is no number here.
    """
    if not math.isfinite(value) or abs(value) >= _EXACT_BELOW:
        return format(value, ".15g")
    if float(value).is_integer():
        whole = str(int(value))
        return whole.zfill(len(pattern)) if pattern and value >= 0 and set(pattern) == {"0"} else whole
    return format(Decimal(format(value, ".15g")), "f")


def _moment(serial: float | int, kind: str | None) -> str | None:
    """A date or time as ISO, exact to the millisecond; None where the number is none."""
    if kind not in ("DATE", "DATE_TIME", "TIME") or not 0 <= serial < _LAST_SERIAL:
        return None
    moment = _DAY_ZERO + timedelta(milliseconds=round(serial * _MS_PER_DAY))
    clock = moment.strftime("%H:%M:%S") + (f".{moment.microsecond // 1000:03}" if moment.microsecond else "")
    if kind == "TIME" and serial < 1:
        return clock
    if kind == "DATE" and float(serial).is_integer():
        return moment.date().isoformat()
    return f"{moment.date().isoformat()} {clock}"


def _letters(column: int) -> str:
    name = ""
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def _number(letters: str) -> int:
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - 64
    return column
