"""Reads a workbook of corrections back: which rows were changed, and to what.

Put recognising and reading one here. Never what is done with the corrections (replaying.py). Programs for
spreadsheets turn what is typed into numbers and dates; they become text again as a delivered workbook's do.
"""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ingestion.corrections import layout
from ingestion.forms.limits import Budget, Limits
from ingestion.forms.workbook import text_of
from ingestion.forms.workbook_parts import sheets
from ingestion.reading.corrected import Fix
from ingestion.refusals import FileRefused

_INDEX = "xl/workbook.xml"
_LARGEST_INDEX = 1 << 20


@dataclass
class Book:
    """The corrections of one workbook: delivery_no -> its corrected rows; `rows` counts all its rows, changed
    or not."""

    rows: int = 0
    fixes: dict[int, list[Fix]] = field(default_factory=dict)


def is_corrections(path: Path) -> bool:
    """Whether a file is a workbook of corrections, by what is in it. Never raises."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return False
        with path.open("rb") as file:
            if file.read(4) != b"PK\x03\x04":
                return False
        with zipfile.ZipFile(path) as archive, archive.open(_INDEX) as index:
            return f'"{layout.MARK_SHEET}"'.encode() in index.read(_LARGEST_INDEX)
    except (OSError, KeyError, RuntimeError, NotImplementedError, zipfile.BadZipFile, ValueError):
        return False


def read_workbook(path: Path, *, warehouse_id: str) -> Book:
    """The corrected rows of a workbook. Raises FileRefused, saying what to do, where it is of another
    warehouse, or a row of it is no longer what was written."""
    found = {sheet.name: sheet for sheet in sheets(path, Budget(path, Limits()))}
    marks = [cells for _, cells in _rows(path, layout.MARK_SHEET)]
    said = [cells[0] if cells else "" for cells in marks]
    if said[:1] != [layout.VERSION] or len(said) < 2:
        raise FileRefused(
            f"{path.name} is a workbook of corrections whose hidden sheet is damaged; write it again: "
            "./shopx rejects LOAD --xlsx FILE [CORRECTIONS_REFUSED]"
        )
    if said[1] != warehouse_id:
        raise FileRefused(
            f"{path.name} holds corrections of another warehouse; drop it where it was written "
            "[CORRECTIONS_REFUSED]"
        )
    book = Book()
    for name in found:
        if name != layout.MARK_SHEET:
            _read_sheet(path, name, book)
    return book


def _read_sheet(path: Path, name: str, book: Book) -> None:
    rows = _rows(path, name)
    _, titles = next(rows, (0, []))
    first = next((n for n, title in enumerate(titles) if title.startswith(layout.CORRECT)), None)
    if first is None or titles[:1] != list(layout.FIXED_COLUMNS[:1]):
        if first is not None or any(layout.mark_from(cells[0]) for _, cells in rows if cells):
            raise _refused(path, name, 1, "has lost its titles")
        return  # a sheet of somebody's own
    given = len(layout.FIXED_COLUMNS)
    width = sum(title.startswith(layout.CORRECT) for title in titles)
    for number, cells in rows:
        mark = layout.mark_from(cells[0]) if cells else None
        if mark is None:
            if any(cells):
                raise _refused(path, name, number, "was added, and nothing says which row it corrects")
            continue
        whole = [_same(cell) for cell in (*cells, *[""] * (first + width - len(cells)))]
        book.rows += 1
        if layout.digest(whole[given:first]) != mark.original:
            raise _refused(path, name, number, "does not show the cells it was written with")
        if any(whole[first + width :]):
            raise _refused(path, name, number, "has cells beside its last column")
        corrected = tuple(whole[first : first + width])
        if layout.digest(corrected) == mark.proposed:
            continue
        if not any(cell.strip() for cell in corrected):
            raise _refused(path, name, number, "was emptied; a row cannot be taken out, only corrected")
        fix = Fix(mark.line_number, mark.sheet_row, mark.raw_sha256, corrected)
        fixes = book.fixes.setdefault(mark.delivery_no, [])
        if any(other.key == fix.key for other in fixes):
            raise _refused(path, name, number, "corrects a row that another one corrects too")
        fixes.append(fix)


def _same(cell: str) -> str:
    return cell.replace("\r\n", "\n").replace("_x000D_", "")


def _rows(path: Path, sheet: str) -> Iterator[tuple[int, list[str]]]:
    """Number from 1 and cells of each row of a sheet, as text."""
    from python_calamine import CalamineError, CalamineWorkbook  # noqa: PLC0415

    try:
        with CalamineWorkbook.from_path(str(path)) as book:
            data = book.get_sheet_by_name(sheet)
            top, left = data.start or (0, 0)
            for number, row in enumerate(data.iter_rows(), start=top + 1):
                yield number, [""] * left + [text_of(value) for value in row]
    except CalamineError as error:
        said = " ".join(str(error).split())[:120]
        raise FileRefused(
            f"{path.name} is a damaged workbook ({said}); save it again [FILE_DAMAGED]"
        ) from None


def _refused(path: Path, sheet: str, row: int, what: str) -> FileRefused:
    return FileRefused(
        f'{path.name}, sheet "{sheet}", row {row:,} {what}; write the workbook again with ./shopx rejects '
        "LOAD --xlsx FILE, and correct only the columns to correct [CORRECTIONS_REFUSED]"
    )
