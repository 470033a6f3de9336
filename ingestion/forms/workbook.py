"""An Excel workbook (.xlsx, .xlsm): one worksheet becomes delimited text, a record for each row of the sheet.

Put reading of workbooks here; what must be known before a library may open one is in workbook_parts.py.
Numbers keep the 15 digits that Excel itself keeps and shows; a formula error or a number that lost digits is
written as a stand-in that no column takes, so that its row is refused, and the way back gives the reason.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingestion import reasons
from ingestion.forms.limits import Budget
from ingestion.forms.unpacked import Asked, Unpacked
from ingestion.forms.workbook_parts import Sheet, is_workbook, other_workbook, sheets
from ingestion.refusals import FileRefused, Undecided

if TYPE_CHECKING:
    from ingestion.reading.rows import RejectedRow

NAME = "xlsx"
WRAPS = False
_OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LARGEST_EXACT = 10**15
#: Longer than any text, and neither a number nor a date: whatever column it stands in, its row is refused.
_STAND_IN = "?" * 1001
_ERROR = re.compile(r'saw "(#[A-Z/0!]+\??)[?…]')
_LOST = re.compile(r'saw "(-?\d(?:\.\d+)?E?\+?\d*)[?…]')
_PLACE = re.compile(r"^row ([\d,]+) \(line [\d,]+\)")


def recognise(path: Path, head: bytes, asked: Asked) -> bool:
    """A zip file with a workbook in it, or the wrapping that old and locked workbooks have."""
    del asked
    return head.startswith(_OLE2) or (head.startswith(b"PK\x03\x04") and is_workbook(path))


def unpack(path: Path, asked: Asked) -> Unpacked:
    """The worksheet with the sales. Raises FileRefused, or Undecided where several sheets hold data."""
    _refuse_others(path)
    budget = Budget(path, asked.limits)
    sheet = _choose(path, sheets(path, budget), asked)
    target = asked.work.place(path.name)
    with target.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        for cells in _rows(path, sheet):
            if any(cells):
                budget.spend(sum(map(len, cells)))
                writer.writerow(cells)
            else:
                out.write("\n")
    facts: dict[str, object] = {"format": NAME, "worksheet": sheet.name, "error_cells": len(sheet.errors)}
    return Unpacked(target, facts, (_FromSheet(),), asked.work)


def _refuse_others(path: Path) -> None:
    with path.open("rb") as file:
        if file.read(len(_OLE2)) == _OLE2:
            if "EncryptedPackage".encode("utf-16-le") in file.read(64 * 1024 * 1024):
                raise FileRefused(
                    f"{path.name} is locked with a password; save it without one and drop it again "
                    "[FILE_ENCRYPTED]"
                )
            raise FileRefused(
                f"{path.name} is an old Excel workbook; save it as .xlsx or CSV UTF-8 and drop it again "
                "[FILE_BINARY]"
            )
    if other := other_workbook(path):
        raise FileRefused(
            f"{path.name} is {other}; save it as .xlsx or CSV UTF-8 and drop it again [FILE_BINARY]"
        )


def _choose(path: Path, found: list[Sheet], asked: Asked) -> Sheet:
    """The sheet a person or a contract names, or the only visible one with data."""
    named = asked.read_as.get("worksheet") or (asked.contract.worksheet if asked.contract else None)
    if named is not None:
        wanted = [sheet for sheet in found if sheet.name.strip().casefold() == named.strip().casefold()]
        if not wanted:
            names = ", ".join(f'"{sheet.name}"' for sheet in found[:8])
            raise FileRefused(
                f'{path.name} has no worksheet "{named}", only {names}; rename it, or correct worksheet in '
                "the contract [WORKSHEET_MISSING]"
            )
        return wanted[0]
    full = [sheet for sheet in found if sheet.cells and sheet.is_visible]
    if not full:
        raise FileRefused(f"{path.name} has no worksheet with data; export it again [FILE_EMPTY]")
    if len(full) > 1 and asked.contract is None:
        declared = {one.worksheet for one in asked.contracts.values() if one.worksheet}
        of_contracts = [sheet for sheet in full if sheet.name in declared]
        full = of_contracts if len(of_contracts) == 1 else full
    if len(full) > 1:
        names = ", ".join(f'"{sheet.name[:24]}" is sheet-{n}' for n, sheet in enumerate(full[:6], start=1))
        raise Undecided(
            "WORKSHEET_UNDECIDED",
            f"{path.name} has {len(full)} worksheets with data ({names}); say which holds the sales, or save "
            "each as a file of its own",
            choices={f"sheet-{n}": {"worksheet": sheet.name} for n, sheet in enumerate(full, start=1)},
        )
    return full[0]


def _rows(path: Path, sheet: Sheet) -> Iterator[list[str]]:
    """The rows from the first row of the sheet on, as text."""
    from python_calamine import CalamineError, CalamineWorkbook  # noqa: PLC0415

    try:
        with CalamineWorkbook.from_path(str(path)) as book:
            data = book.get_sheet_by_name(sheet.name)
            left = data.start[1] if data.start else 0
            for number, row in enumerate(data.iter_rows()):
                cells = [text_of(value) for value in row]
                for column in sheet.errors_by_row.get(number, ()):
                    while len(cells) <= column - left:
                        cells.append("")
                    if column >= left:
                        cells[column - left] = sheet.errors[number, column] + _STAND_IN
                yield cells
    except CalamineError as error:
        raise FileRefused(_damaged(path, error)) from None
    except (KeyboardInterrupt, SystemExit, GeneratorExit, FileRefused, OSError):
        raise
    except BaseException as error:  # the library's own panic is no Exception
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            raise FileRefused(_damaged(path, error)) from None
        raise


def _damaged(path: Path, error: BaseException) -> str:
    said = " ".join(str(error).split())[:120]
    return f"{path.name} is a damaged workbook ({said}); save or export it again [FILE_DAMAGED]"


def text_of(value: Any) -> str:
    """A cell as text: dates as ISO, numbers with the digits that Excel keeps."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return _number(float(value))
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        seconds = round(value.total_seconds())
        return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return "" if value is None else str(value)


def _number(value: float) -> str:
    if abs(value) >= _LARGEST_EXACT:
        return f"{value:.14E}" + _STAND_IN
    if value == int(value):
        return str(int(value))
    text = f"{value:.15g}"
    return f"{Decimal(text):f}" if "e" in text else text


class _FromSheet:
    """Rows of the text are rows of the sheet; what stood for a broken cell is explained."""

    def retrace(self, row: RejectedRow) -> RejectedRow:
        """`line_number` is the sheet's row; `byte_offset` stays that in the text, as a sheet has none."""
        told: dict[tuple[str, str], str] = {}
        broken = set()
        for column, code, message in zip(row.columns, row.reasons, row.messages, strict=True):
            found = _ERROR.search(message) or _LOST.search(message)
            if found and "?" in message:
                broken.add(column)
                new = "CELL_IS_ERROR" if found[1].startswith("#") else "DIGITS_LOST"
                told[column, new] = reasons.message(
                    new, row=row.sheet_row, line=row.sheet_row, column=column, saw=found[1],
                    expected="a value" if new == "CELL_IS_ERROR" else "at most 15 digits, or text",
                )  # fmt: skip
            else:
                told[column, code] = message
        kept = [(key, said) for key, said in told.items() if key[0] not in broken or key[1] in _OURS]
        return replace(
            row,
            line_number=row.sheet_row,
            columns=tuple(column for (column, _), _ in kept),
            reasons=tuple(code for (_, code), _ in kept),
            messages=tuple(_PLACE.sub(r"row \1", said) for _, said in kept),
            raw_bytes=row.raw_bytes.replace(_STAND_IN.encode(), b""),
        )


_OURS = ("CELL_IS_ERROR", "DIGITS_LOST")
