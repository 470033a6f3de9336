"""An answer as a file: CSV and XLSX, with what was chosen and the trust line in it.

Put here: typed cells that no spreadsheet takes for a formula. Never here: HTTP, mails, SQL.
"""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from dashboards import formats
from dashboards.answers.answer import Answer, Column
from dashboards.answers.trust import Trust

# What a spreadsheet takes for a formula at the start of a cell (OWASP, "CSV Injection").
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
NAME_LENGTH = 31  # of a sheet, by Excel
NOT_IN_SHEET_NAMES = str.maketrans("[]:*?/\\'", "        ")


def csv_bytes(answer: Answer, trust: Trust) -> bytes:
    """UTF-8 with a byte order mark. Lines that begin with # say what it is; then headings, then a line per
    row.

    Money stands in major units with all its decimals (1234.50), days as 2026-05-31, percent as 12.3, nothing
    as an empty cell. Text that a spreadsheet would take for a formula has an apostrophe in front.
    """
    text = io.StringIO()
    for line in _head(answer, trust):
        text.write(f"# {' '.join(line.split())}\r\n")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([_harmless(_heading(column, answer)) for column in answer.columns])
    for row in answer.rows:
        writer.writerow(
            [_csv_cell(value, column, answer) for value, column in zip(row, answer.columns, strict=True)]
        )
    return text.getvalue().encode("utf-8-sig")


def xlsx_bytes(answer: Answer, trust: Trust) -> bytes:
    """A workbook of one sheet: what it is, headings, typed cells. No text becomes a formula or a link."""
    import xlsxwriter  # noqa: PLC0415  only an export needs it

    target = io.BytesIO()
    book = xlsxwriter.Workbook(
        target,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_numbers": False,
            "strings_to_urls": False,
            "nan_inf_to_errors": True,
        },
    )
    # a file's bytes follow from its figures alone, so that the same download is the same file
    created = trust.published_at.astimezone(UTC).replace(tzinfo=None)
    book.set_properties({"title": answer.title, "created": created})
    sheet = book.add_worksheet(
        answer.card.name.translate(NOT_IN_SHEET_NAMES).strip()[:NAME_LENGTH] or "Answer"
    )
    bold = book.add_format({"bold": True})
    heading = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    head = _head(answer, trust)
    for line, said in enumerate(head):
        sheet.write_string(line, 0, said, bold if line == 0 else None)
    top = len(head) + 1
    cells = [book.add_format({"num_format": _number_format(column, answer)}) for column in answer.columns]
    for place, column in enumerate(answer.columns):
        sheet.write_string(top, place, _heading(column, answer), heading)
        sheet.set_column(place, place, 32 if column.kind == "text" else 14)
    for line, row in enumerate(answer.rows, start=top + 1):
        for place, (value, column) in enumerate(zip(row, answer.columns, strict=True)):
            _write(sheet, (line, place), _typed(value, column, answer), cells[place])
    sheet.freeze_panes(top + 1, 0)
    if answer.rows:
        sheet.autofilter(top, 0, top + len(answer.rows), len(answer.columns) - 1)
    book.close()
    return target.getvalue()


def file_name(answer: Answer, form: str) -> str:
    """overview-net_sales-2026-05-04-to-2026-05-31.xlsx; letters, digits, dots and dashes only."""
    days = f"{answer.span.first}-to-{answer.span.last}" if answer.span else f"as-of-{answer.as_of}"
    return f"{answer.card.board}-{answer.card.key}-{days}.{form}"


def _head(answer: Answer, trust: Trust) -> list[str]:
    return [answer.title, answer.card.definition, *answer.said, f"Source: {answer.card.source}", trust.text]


def _heading(column: Column, answer: Answer) -> str:
    unit = f" ({answer.currency})" if column.is_money and answer.currency else ""
    return f"{column.label}{unit}"


def _typed(value: Any, column: Column, answer: Answer) -> Any:
    """Minor units as an exact amount, moments in UTC; everything else as it is."""
    if value is None:
        return None
    if column.is_money:
        return formats.major(value, answer.currency)
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    return value


def _csv_cell(value: Any, column: Column, answer: Answer) -> str:
    typed = _typed(value, column, answer)
    if typed is None:
        return ""
    if isinstance(typed, bool):
        return "yes" if typed else "no"
    if isinstance(typed, int | Decimal):
        return f"{typed:f}" if isinstance(typed, Decimal) else str(typed)
    if isinstance(typed, date):
        return typed.isoformat()
    return _harmless(str(typed))


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _write(sheet: Any, at: tuple[int, int], value: Any, form: Any) -> None:
    if value is None:
        sheet.write_blank(*at, None, form)
    elif isinstance(value, bool):
        sheet.write_boolean(*at, value, form)
    elif isinstance(value, int | float | Decimal):
        # a spreadsheet holds 15 digits; a longer number (a key) stays whole as text
        if isinstance(value, int) and abs(value) >= 10**15:
            sheet.write_string(*at, str(value))
        else:
            sheet.write_number(*at, value, form)
    elif isinstance(value, datetime | date):
        sheet.write_datetime(*at, value, form)
    else:
        sheet.write_string(*at, str(value))


def _number_format(column: Column, answer: Answer) -> str:
    kind = formats.number_format(column.format)
    if kind.style == "currency":
        digits = formats.minor_digits(answer.currency)
        return "#,##0" + (f".{'0' * digits}" if digits else "")
    if kind.style in ("percent", "points"):
        return f'0.{"0" * (kind.decimals or 1)}" {"%" if kind.style == "percent" else "pp"}"'
    if kind.style == "share":
        return f"0.{'0' * (kind.decimals or 1)}%"
    styles = {"date": "yyyy-mm-dd", "month": "mmm yyyy", "datetime": "yyyy-mm-dd hh:mm", "hour": '00":00"'}
    if kind.style == "decimal":
        most = max(kind.decimals or 0, kind.up_to or 0)
        return "#,##0" + (
            f".{'0' * (kind.decimals or 0)}{'#' * (most - (kind.decimals or 0))}" if most else ""
        )
    return styles.get(kind.style, "General")
