"""A worksheet that was asked for: cells that are the error of a formula, or a number that lost digits.

Put here what must not be taken for a text or a number although it looks like one. Such a cell is written as
a stand-in that no column takes, so that its row is refused, and the way back gives the true reason.
"""

from __future__ import annotations

import csv
import re
from bisect import bisect_left
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ingestion import reasons
from ingestion.forms.unpacked import Asked, Unpacked
from ingestion.sources.delimited import line
from ingestion.sources.worksheet import ERRORS

if TYPE_CHECKING:
    from ingestion.reading.rows import RejectedRow

NAME = "sheet"
WRAPS = False
#: Longer than any text, and neither a number nor a date: whatever column it stands in, its row is refused.
_STAND_IN = "?" * 1001
_BROKEN = re.compile("|".join([*map(re.escape, ERRORS.values()), r"-?\d\.?\d*e\+\d+"]))
_SEEN = re.compile(r'saw "(#[A-Z0/]+[!?]?|-?\d[\d.]*(?:e\+?\d*)?)[?…]')


def recognise(path: Path, head: bytes, asked: Asked) -> bool:
    """What a feed of kind sheet has fetched."""
    del path, head
    return asked.contract is not None and asked.contract.kind == "sheet"


def unpack(path: Path, asked: Asked) -> Unpacked:
    """The file as it lies where nothing in it is broken."""
    with path.open(encoding="utf-8", newline="") as file:
        if not any(_BROKEN.search(text) for text in file):
            return Unpacked(path)
    origin = _FromSheet()
    target = asked.work.place(path.name)
    with path.open(encoding="utf-8", newline="") as file, target.open("wb") as out:
        for number, cells in enumerate(csv.reader(file), start=1):
            marked = [cell + _STAND_IN if _BROKEN.fullmatch(cell) else cell for cell in cells]
            broken = sum(map(len, marked)) - sum(map(len, cells))
            if broken:
                origin.rows.add(number)
                origin.grown.append((out.tell(), broken))
            out.write(line([cell or None for cell in marked]) if cells else b"\n")
    return Unpacked(target, {}, (origin,), asked.work)


@dataclass
class _FromSheet:
    """`rows`: those with a broken cell; `grown`: where such a row stands in the text, and by how much it is
    longer than in the file."""

    rows: set[int] = field(default_factory=set)
    grown: list[tuple[int, int]] = field(default_factory=list)

    def retrace(self, row: RejectedRow) -> RejectedRow:
        """The row as the file has it, with what is wrong in its broken cells and only that."""
        before = self.grown[: bisect_left(self.grown, (row.byte_offset, 0))]
        row = replace(row, byte_offset=row.byte_offset - sum(more for _, more in before))
        if row.sheet_row not in self.rows:
            return row
        told: dict[str, tuple[str, str, str]] = {}
        for column, code, said in zip(row.columns, row.reasons, row.messages, strict=True):
            seen = _SEEN.search(said)
            if seen is None:
                told.setdefault(f"{column}\0{code}", (column, code, said))
            else:
                told[column] = (column, *_true_reason(row, column, seen[1]))
        broken = {key for key in told if "\0" not in key}
        kept = [told[key] for key in told if key in broken or key.split("\0")[0] not in broken]
        return replace(
            row,
            columns=tuple(column for column, _, _ in kept),
            reasons=tuple(code for _, code, _ in kept),
            messages=tuple(said for _, _, said in kept),
            raw_bytes=row.raw_bytes.replace(_STAND_IN.encode(), b""),
        )


def _true_reason(row: RejectedRow, column: str, saw: str) -> tuple[str, str]:
    is_error = saw.startswith("#")
    code = "CELL_IS_ERROR" if is_error else "DIGITS_LOST"
    expected = "a value" if is_error else "at most 15 digits, or text"
    return code, reasons.message(
        code, row=row.sheet_row, line=row.line_number, column=column, saw=saw, expected=expected
    )
