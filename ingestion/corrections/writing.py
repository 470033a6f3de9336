"""Writes refused rows as one workbook: what is wrong with each, and a column to correct every cell.

Put the look of the workbook here. Never reading it back (reading.py). No text becomes a formula or a link.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingestion.corrections import layout
from ingestion.corrections.layout import Mark

if TYPE_CHECKING:
    from ingestion.corrections.fixes import Refused

_WIDTHS = (0, 7, 22, 7, 7, 24, 60)
_MOST_ROWS = 1_000_000  # of a sheet


@dataclass(frozen=True)
class Row:
    """One refused row of a load: its cells as delivered, and as they are proposed to be corrected."""

    load_id: int
    delivery_no: int
    file: str
    refused: Refused
    raw_sha256: str
    original: tuple[str, ...]
    proposed: tuple[str, ...]


def write_workbook(path: Path, rows: Iterable[tuple[tuple[str, ...], Row]], *, warehouse_id: str) -> int:
    """Write `rows`, each with the header of its delivery, to `path`; one sheet per header. Returns how many.

    Raises OSError when the file cannot be written.
    """
    import xlsxwriter  # noqa: PLC0415

    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "in_memory": True,
    }
    sheets: dict[tuple[str, ...], list[Row]] = {}
    for header, row in rows:
        sheets.setdefault(header, []).append(row)
    try:
        with xlsxwriter.Workbook(str(path), options) as book:
            look = _Look(book)
            for number, (header, of_header) in enumerate(sheets.items(), start=1):
                for part in range(0, len(of_header), _MOST_ROWS):
                    more = f".{part // _MOST_ROWS + 1}" if part else ""
                    sheet = book.add_worksheet(f"refused rows {number}{more}")
                    _write_sheet(sheet, look, header, of_header[part : part + _MOST_ROWS])
            marks = book.add_worksheet(layout.MARK_SHEET)
            for number, text in enumerate((layout.VERSION, warehouse_id)):
                marks.write_string(number, 0, text)
            marks.very_hidden()
    except xlsxwriter.exceptions.FileCreateError as error:
        raise OSError(f"{path} cannot be written: {error}") from None
    return sum(map(len, sheets.values()))


class _Look:
    """The formats of the workbook."""

    def __init__(self, book: Any) -> None:
        text = {"num_format": "@", "valign": "top"}
        self.head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        self.plain = book.add_format({**text, "font_color": "#555555"})
        self.wrapped = book.add_format({**text, "text_wrap": True})
        self.open = book.add_format({**text, "bg_color": "#F3F8EE"})
        self.wrong = book.add_format({**text, "bg_color": "#FFD9B3", "bold": True})


def _write_sheet(sheet: Any, look: _Look, header: Sequence[str], rows: Sequence[Row]) -> None:
    width = max(len(header), *(len(row.original) for row in rows))
    names = [header[n] if n < len(header) else f"cell {n + 1}" for n in range(width)]
    titles = [*layout.FIXED_COLUMNS, *names, *(layout.CORRECT + name for name in header)]
    for column, title in enumerate(titles):
        sheet.write_string(0, column, layout.shown(title), look.head)
    for column, wide in enumerate(_WIDTHS):
        sheet.set_column(column, column, wide, None, {"hidden": not wide})
    sheet.set_column(len(_WIDTHS), len(titles) - 1, 16)
    sheet.freeze_panes(1, 5)
    for number, row in enumerate(rows, start=1):
        _write_row(sheet, look, number, row, header=header, width=width)


def _write_row(sheet: Any, look: _Look, number: int, row: Row, *, header: Sequence[str], width: int) -> None:
    original = [layout.shown(cell) for cell in row.original]
    proposed = [layout.shown(cell) for cell in row.proposed]
    refused = row.refused
    mark = Mark(
        row.load_id, row.delivery_no, refused.line_number, refused.sheet_row, row.raw_sha256,
        layout.digest(original), layout.digest(proposed),
    )  # fmt: skip
    fixed = (
        str(mark), str(row.load_id), row.file, str(refused.sheet_row), str(refused.line_number),
        "\n".join(refused.reasons), "\n".join(refused.messages),
    )  # fmt: skip
    for column, text in enumerate(fixed):
        sheet.write_string(number, column, layout.shown(text), look.wrapped if column > 4 else look.plain)
    for column, text in enumerate(original, start=len(fixed)):
        sheet.write_string(number, column, text, look.plain)
    whole = "" in refused.columns
    for place, text in enumerate(proposed):
        wrong = whole or header[place] in refused.columns
        column = len(fixed) + width + place
        if text:
            sheet.write_string(number, column, text, look.wrong if wrong else look.open)
        else:
            sheet.write_blank(number, column, None, look.wrong if wrong else look.open)
