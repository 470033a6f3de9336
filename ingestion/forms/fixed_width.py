"""Text in which each column has its place in the line: cut as the contract's block `fixed_width` says.

A line that is too short for its columns is refused, never shifted: it becomes a row with cells missing.
"""

from __future__ import annotations

import csv
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from ingestion.forms.limits import Budget
from ingestion.forms.unpacked import Asked, Unpacked

if TYPE_CHECKING:
    from ingestion.reading.rows import RejectedRow

NAME = "fixed width"
WRAPS = False
_Position = Annotated[int, Field(ge=1)]


class FixedWidth(BaseModel):
    """`columns`: name in the file (or ours) -> [first character from 1, length]; `header`: the first line
    holds names, which are passed over; `line_length`: how many characters every line must have.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: dict[str, tuple[_Position, _Position]] = Field(min_length=1)
    header: bool = False
    line_length: _Position | None = None

    @property
    def shortest(self) -> int:
        """How many characters a line needs."""
        return max(start + length - 1 for start, length in self.columns.values())


def recognise(path: Path, head: bytes, asked: Asked) -> bool:
    """Only the contract knows: columns without delimiters look like any text."""
    del path
    return asked.contract is not None and asked.contract.fixed_width is not None and b"\0" not in head[:1]


def unpack(path: Path, asked: Asked) -> Unpacked:
    """The columns as delimited text, line by line."""
    assert asked.contract is not None and asked.contract.fixed_width is not None  # noqa: S101
    layout = asked.contract.fixed_width
    encoding = asked.read_as.get("encoding") or asked.contract.encoding or "utf-8"
    target = asked.work.place(path.name)
    budget = Budget(path, asked.limits)
    with (
        path.open("rb") as source,
        target.open("w", encoding="utf-8", errors="surrogateescape", newline="") as out,
    ):
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(layout.columns)
        for number, data in enumerate(source):
            line = _decoded(data, encoding, first=number == 0)
            budget.spend(len(data))
            if not number and layout.header:
                continue
            if line.strip():
                writer.writerow(_cut(line, layout))
            else:
                out.write("\n")
    origin = _FromLines(path, added=0 if layout.header else 1)
    facts: dict[str, object] = {"format": NAME, "encoding": encoding}
    return Unpacked(target, facts, (origin,), asked.work)


def _decoded(data: bytes, encoding: str, *, first: bool) -> str:
    line = data.decode(encoding, "surrogateescape").rstrip("\r\n\x1a")
    return line.removeprefix("\ufeff") if first else line


def _cut(line: str, layout: FixedWidth) -> list[str]:
    cells = [line[start - 1 : start - 1 + length].strip() for start, length in layout.columns.values()]
    if len(line) < (layout.line_length or layout.shortest):
        return [line] if len(cells) > 1 else []
    if layout.line_length is not None and line[layout.line_length :].strip():
        return [*cells, line[layout.line_length :]]
    return cells


class _FromLines:
    """Line n of the text is line n of the file, or n - 1 where the file has no header."""

    def __init__(self, original: Path, *, added: int) -> None:
        self._original, self._added = original, added
        self._line, self._offset = 1, 0

    def retrace(self, row: RejectedRow) -> RejectedRow:
        number = row.line_number - self._added
        if number < self._line:
            self._line, self._offset = 1, 0
        with self._original.open("rb") as file:
            file.seek(self._offset)
            for passed in islice(file, number - self._line):
                self._offset += len(passed)
            raw = file.readline().rstrip(b"\r\n")
        self._line = number
        was = f"row {row.sheet_row:,} (line {row.line_number:,})"
        where = f"row {number:,} (line {number:,})"
        messages = tuple(message.replace(was, where, 1) for message in row.messages)
        return replace(
            row,
            line_number=number,
            sheet_row=number,
            byte_offset=self._offset,
            raw_bytes=raw,
            messages=messages,
        )
