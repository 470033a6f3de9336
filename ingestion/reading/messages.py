"""The words for one rejected row, made from the check that failed and the cells it looked at.

Put what differs from value to value here; what a code means stands in ingestion/reasons.py. Never decisions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ingestion import reasons
from ingestion.reading.plan import Check

_WHOLE_ROW = {
    "ROW_TOO_SHORT": "{width} cells",
    "ROW_TOO_LONG": "{width} cells",
    "QUOTE_NOT_CLOSED": "a closing quote",
    "QUOTE_MISPLACED": "a delimiter after the quote",
    "NOT_TEXT": "{encoding} text",
    "NUL_BYTE": "text without NUL bytes",
}


def code_of(check: Check, cells: Sequence[str], *, columns: Mapping[str, int]) -> str:
    """The code for one failed check of one row: a number in another script's digits has a reason of its
    own."""
    if check.code == "NUMBER_FORMAT" and check.column in columns:
        cell = cells[columns[check.column]]
        if any(letter.isdigit() and not letter.isascii() for letter in cell):
            return "NUMBER_SCRIPT"
    return check.code


def for_check(
    check: Check,
    cells: Sequence[str],
    *,
    columns: Mapping[str, int],
    given: Mapping[str, str],
    header: Sequence[str],
    row: int,
    line: int,
) -> str:
    """The message for one failed check of one row."""
    shown = [
        cells[columns[name]].strip() if name in columns else given[name]
        for name in check.shows
        if name in columns or name in given
    ]
    code = code_of(check, cells, columns=columns)
    expected = check.expected if code == check.code else "the digits 0 to 9"
    if check.column == "date" and shown and (separator := re.search(r"^\d+([-/.])\d+[-/.]\d", shown[0])):
        expected = expected.replace("/", separator[1]) if "YYYY-" not in expected else expected
    name = header[columns[check.column]] if check.column in columns else ""
    return reasons.message(code, row=row, line=line, column=name, saw=" · ".join(shown), expected=expected)


def for_row(code: str, raw: bytes, *, width: int, cells: int, encoding: str, row: int, line: int) -> str:
    """The message for a row that could not be cut into cells."""
    saw = raw.decode(encoding, errors="replace")
    if code in ("ROW_TOO_SHORT", "ROW_TOO_LONG"):
        saw = f"{cells}: {saw}"
    expected = _WHOLE_ROW[code].format(width=width, encoding=encoding.upper())
    return reasons.message(code, row=row, line=line, column="", saw=saw, expected=expected)
