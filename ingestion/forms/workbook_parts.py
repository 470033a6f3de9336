"""What stands in the parts of a workbook, read as a stream before a library opens it.

Put here what protects from workbooks made to do harm, and what the library does not tell: a workbook is a zip
file, and two cells at opposite corners of a sheet cost the library sixteen billion empty ones.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree as ET

from ingestion.forms.limits import Budget
from ingestion.forms.zipped import member_bytes, opened
from ingestion.refusals import FileRefused

_MOST_CELLS = 30_000_000
_FEW_CELLS = 2_000_000
_SPARSE = 50
_LARGEST_INDEX = 16 * 1024 * 1024
_LARGEST_STRINGS = 400 * 1024 * 1024
_MOST_TEXT = 2_000_000_000
_ROW = re.compile(rb'<(?:\w+:)?row\s[^>]*?\br=["\'](\d+)')
_WIDE = re.compile(rb'\br=["\']([A-Z]{2,3})\d')
_CELL = re.compile(rb"<(?:\w+:)?c[ >/]")
_ERROR = re.compile(rb'<(?:\w+:)?c\s([^>]*?\bt=["\']e["\'][^>]*)>(.*?)</(?:\w+:)?c>', re.DOTALL)
_VALUE = re.compile(rb"<(?:\w+:)?v>([^<]*)<")
_REFERENCE = re.compile(rb'\br=["\']([A-Z]+)(\d+)')


@dataclass
class Sheet:
    """One worksheet. `errors`: (row, column) from 0 -> the formula error that stands there."""

    name: str
    part: str
    is_visible: bool
    cells: int = 0
    rows: int = 0
    columns: int = 26
    errors: dict[tuple[int, int], str] = field(default_factory=dict)

    @property
    def errors_by_row(self) -> dict[int, list[int]]:
        """Row -> its columns with an error, both from 0."""
        if self._by_row is None:
            self._by_row = {}
            for row, column in self.errors:
                self._by_row.setdefault(row, []).append(column)
        return self._by_row

    _by_row: dict[int, list[int]] | None = None


def is_workbook(path: Path) -> bool:
    """Whether a zip file is a workbook of any program."""
    try:
        with opened(path) as archive:
            return _names(archive) & {"xl/workbook.xml", "xl/workbook.bin", "content.xml"} != set()
    except (FileRefused, OSError):
        return False


def other_workbook(path: Path) -> str | None:
    """What it is when it is a workbook that is not read here; formula errors would be lost in them."""
    with opened(path) as archive:
        names = _names(archive)
    if "xl/workbook.xml" in names:
        return None
    return "a binary Excel workbook (.xlsb)" if "xl/workbook.bin" in names else "an OpenDocument file"


def sheets(path: Path, budget: Budget) -> list[Sheet]:
    """The worksheets in their order. Raises FileRefused when the workbook is damaged or too large."""
    with opened(path) as archive:
        found = _listed(path, archive, budget)
        for sheet in found:
            _look_at(path, sheet, member_bytes(path, archive, archive.getinfo(sheet.part), budget))
        cells = sum(sheet.cells for sheet in found)
        for name in _names(archive) & {"xl/sharedStrings.xml", "xl/styles.xml"}:
            _check_strings(path, member_bytes(path, archive, archive.getinfo(name), budget), cells)
    return found


def _names(archive: zipfile.ZipFile) -> set[str]:
    return {member.filename for member in archive.infolist()}


def _listed(path: Path, archive: zipfile.ZipFile, budget: Budget) -> list[Sheet]:
    try:
        book = _xml(path, archive, "xl/workbook.xml", budget)
        links = _xml(path, archive, "xl/_rels/workbook.xml.rels", budget)
    except (KeyError, ET.ParseError) as error:
        raise FileRefused(_damaged(path, f"no list of worksheets: {error}")) from None
    parts = {link.get("Id"): link.get("Target", "") for link in links}
    found = []
    for entry in book.iter():
        if not entry.tag.endswith("}sheet"):
            continue
        target = parts.get(
            next((value for key, value in entry.attrib.items() if key.endswith("}id")), ""), ""
        )
        part = target.lstrip("/") if target.startswith("/") else str(PurePosixPath("xl") / target)
        if part in _names(archive) and "worksheet" in part.lower():
            found.append(Sheet(entry.get("name", ""), part, entry.get("state", "visible") == "visible"))
    return found


def _xml(path: Path, archive: zipfile.ZipFile, name: str, budget: Budget) -> ET.Element:
    member = archive.getinfo(name)
    data = b""
    for chunk in member_bytes(path, archive, member, budget):
        data += chunk
        if len(data) > _LARGEST_INDEX:
            raise FileRefused(f"{path.name} lists more worksheets than a workbook can [FILE_TOO_LARGE]")
    return ET.fromstring(data)  # noqa: S314 - small by the check above; expat itself bounds entities


def _look_at(path: Path, sheet: Sheet, chunks: Iterator[bytes]) -> None:
    """Count the cells of a sheet, find how far they lie apart, and collect its formula errors."""
    numbered = 0
    buffer = b""
    for chunk in chunks:
        buffer += chunk
        cut = buffer.rfind(b"<c ")
        if cut <= 0 and len(buffer) < _LARGEST_INDEX:
            continue
        numbered = _note(path, sheet, buffer[: cut if cut > 0 else len(buffer)], numbered)
        buffer = buffer[cut:] if cut > 0 else b""
    _note(path, sheet, buffer, numbered)
    needed = sheet.rows * sheet.columns
    if needed > _MOST_CELLS or (needed > _FEW_CELLS and sheet.cells * _SPARSE < needed):
        raise FileRefused(
            f'{path.name}: the cells of worksheet "{sheet.name}" lie too far apart ({sheet.rows:,} rows, '
            f"{sheet.columns:,} columns); delete what stands beside the table, or save it as CSV UTF-8 "
            "[FILE_TOO_LARGE]"
        )


def _note(path: Path, sheet: Sheet, xml: bytes, numbered: int) -> int:
    rows = [int(number) for number in _ROW.findall(xml)]
    sheet.rows = max([sheet.rows, *rows, numbered + xml.count(b"<row")])
    for letters in set(_WIDE.findall(xml)):
        sheet.columns = max(sheet.columns, _column(letters) + 1)
    sheet.cells += sum(1 for _ in _CELL.finditer(xml))
    if b't="e"' in xml or b"t='e'" in xml:
        for cell in _ERROR.finditer(xml):
            reference, value = _REFERENCE.search(cell[1]), _VALUE.search(cell[2])
            if reference is None:
                raise FileRefused(_damaged(path, "a formula error without a place"))
            shown = value[1].decode("ascii", "replace")[:20] if value else "#ERROR!"
            sheet.errors[int(reference[2]) - 1, _column(reference[1])] = shown
    return numbered + xml.count(b"<row")


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _check_strings(path: Path, chunks: Iterator[bytes], cells: int) -> None:
    """A text is stored once and copied into each cell that shows it: bound what the copies amount to."""
    size = longest = current = 0
    for chunk in chunks:
        size += len(chunk)
        parts = chunk.split(b"</si>")
        current += len(parts[0])
        for part in parts[1:]:
            longest, current = max(longest, current), len(part)
        if size > _LARGEST_STRINGS or (longest > 1000 and longest * min(cells, 10**7) > _MOST_TEXT * 10):
            raise FileRefused(
                f"{path.name} holds more text than a sales file does; save it as CSV UTF-8 [FILE_TOO_LARGE]"
            )


def _damaged(path: Path, why: str) -> str:
    return f"{path.name} is a damaged workbook ({why}); save or export it again [FILE_DAMAGED]"
