"""Writes fetched rows as the CSV that is archived and read: UTF-8, commas, one line end, one way to quote.

Put the form of those bytes here. Never where rows come from. The same rows always give the same bytes, so
that the ledger knows a delivery that came before.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

_QUOTED = frozenset('",\r\n')


def cell(value: str | None) -> str:
    """One cell. None is nothing at all; a text that is empty, or stands between blanks, is quoted."""
    if value is None:
        return ""
    if not value or value != value.strip() or not _QUOTED.isdisjoint(value):
        return '"' + value.replace('"', '""') + '"'
    return value


def line(cells: Sequence[str | None]) -> bytes:
    """One record with its line end."""
    # a lone surrogate (damaged text of the source) cannot be UTF-8: it becomes a replacement character
    return (",".join(map(cell, cells)) + "\n").encode("utf-8", "replace")


class Rectangle:
    """A CSV whose rows all get the width of the widest, written in one pass over the rows and flat memory.

    Blank rows between others are kept as blank lines, so that a record's number is its row in the
    spreadsheet; blank rows at the end and blank cells at the end of every row are left out.

    with Rectangle(path) as table:
        table.add(["Date", "Product", None])
    """

    def __init__(self, path: Path) -> None:
        self.rows = 0
        self.width = 0
        self._path = path
        self._draft_path = path.with_name(path.name[:200] + ".draft")
        self._draft: BinaryIO
        self._sizes = array("L")
        self._widths = array("L")
        self._blank = 0

    def __enter__(self) -> Rectangle:
        self._draft = os.fdopen(os.open(self._draft_path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b")
        return self

    def add(self, cells: Sequence[str | None]) -> None:
        """The next row of the sheet."""
        used = len(cells)
        while used and not cells[used - 1]:
            used -= 1
        if not used:
            self._blank += 1
            return
        for _ in range(self._blank):
            self._put(b"", 0)
        self._blank = 0
        self._put(line(cells[:used])[:-1], used)
        self.width = max(self.width, used)

    def _put(self, record: bytes, width: int) -> None:
        self._draft.write(record)
        self._sizes.append(len(record))
        self._widths.append(width)
        self.rows += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self._draft.close()
            self._draft_path.unlink(missing_ok=True)

    def _finish(self) -> None:
        self._draft.seek(0)
        with os.fdopen(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
            for size, width in zip(self._sizes, self._widths, strict=True):
                missing = self.width - width if width else 0
                target.write(self._draft.read(size) + b"," * missing + b"\n")
