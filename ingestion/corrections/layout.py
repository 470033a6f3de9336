"""How the workbook of corrections is laid out, and the hidden marks by which it and its rows are known again.

Put here what writing and reading must agree about. Never a library for workbooks.

Each visible sheet holds rows of one header: a hidden mark, where the row stands, what is wrong, the cells as
delivered, and the same cells once more to be corrected. The mark of a row hashes both, so that a sheet that
was sorted or shifted in part is noticed and no correction reaches another row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

#: The hidden sheet that makes a workbook one of corrections; its cells: version, warehouse, "header" + cells.
MARK_SHEET = "shopx_corrections"
VERSION = "1"
FIXED_COLUMNS = ("mark", "load", "file", "row", "line", "reason", "what to do")
CORRECT = "correct here: "


@dataclass(frozen=True)
class Mark:
    """What the hidden cell of a row says: the row it corrects, and hashes of what the workbook showed."""

    load_id: int
    delivery_no: int
    line_number: int
    sheet_row: int
    raw_sha256: str
    original: str
    proposed: str

    def __str__(self) -> str:
        return ":".join(map(str, vars(self).values()))


def mark_from(text: str) -> Mark | None:
    """The mark in a cell, or None where none stands."""
    parts = text.strip().split(":")
    if len(parts) != 7 or not all(part.isdecimal() for part in parts[:4]):
        return None
    load, delivery, line, row = map(int, parts[:4])
    return Mark(load, delivery, line, row, *parts[4:])


def digest(cells: Sequence[str]) -> str:
    """A short hash of the cells of a row, blank cells at the end left out."""
    text = "\x1f".join(cells).rstrip("\x1f")
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def shown(cell: str) -> str:
    """A cell as a workbook can hold it: no characters that XML lacks, at most 32,767 of them, "\\n" as line
    end."""
    plain = cell.replace("\r\n", "\n").replace("\r", "\n")
    plain = "".join(c if c in "\n\t" or (c >= " " and c not in "\ufffe\uffff") else "�" for c in plain)
    return plain.encode("utf-8", "replace").decode("utf-8")[:32_767]
