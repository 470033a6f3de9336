"""Finds the bytes of single records of a sound file by their number: lines outside of quotes, counted with
numpy.

Used by the fast reader only, and only for records that are rejected. What it finds is compared with what was
parsed; a quote inside an unquoted cell can mislead it, and then the file goes through the careful reader.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from ingestion.reading.tokens import Grammar, is_row

_CHUNK = 4 * 1024 * 1024


@dataclass(frozen=True)
class Located:
    """Where a record stands, and its bytes without the line end."""

    line: int
    sheet_row: int
    offset: int
    raw: bytes


@dataclass(frozen=True)
class _Block:
    """A run of whole records: where each starts and ends in `data`, and the line each starts on."""

    data: bytes
    offset: int
    first_record: int
    first_sheet_row: int
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    lines: NDArray[np.int64]
    filled: NDArray[np.int64]


class Locator:
    """Walks the file once, forward. Record 0 is the first after `lines_before` lines, so the header where
    the file has one; blank lines have no record number.

    `rows_in_quotes` counts lines inside quoted cells that are rows of their own: an earlier quote was not
    closed.
    """

    def __init__(self, path: Path, *, grammar: Grammar, lines_before: int) -> None:
        self._file = path.open("rb")
        self._grammar = grammar
        self._blocks = self._walk(lines_before)
        self.rows_in_quotes = 0
        self._block: _Block | None = None
        self.records = 0
        self.blank_lines = 0

    def __enter__(self) -> Locator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def find(self, numbers: Sequence[int]) -> list[Located | None]:
        """The records with these ascending numbers, at or after those asked for before; None past the end."""
        return [self._find(number) for number in numbers]

    def finish(self) -> None:
        """Walk to the end, so that `records` and `blank_lines` count the whole file."""
        for block in self._blocks:
            self._block = block

    def _find(self, number: int) -> Located | None:
        while self._block is None or number >= self._block.first_record + len(self._block.filled):
            self._block = next(self._blocks, None)
            if self._block is None:
                return None
        block = self._block
        index = int(block.filled[number - block.first_record])
        start, end = int(block.starts[index]), int(block.ends[index])
        return Located(
            line=int(block.lines[index]),
            sheet_row=block.first_sheet_row + index,
            offset=block.offset + start,
            raw=block.data[start:end],
        )

    def _walk(self, lines_before: int) -> Iterator[_Block]:
        for _ in range(lines_before):
            self._file.readline()
        carry, offset, line, sheet_row = b"", self._file.tell(), lines_before + 1, lines_before + 1
        ended = False
        while not ended:
            chunk = self._file.read(_CHUNK)
            ended = not chunk
            data = carry + chunk
            codes = np.frombuffer(data, np.uint8)
            newlines = np.flatnonzero(codes == 10)
            quotes = np.flatnonzero(codes == 34)
            outside = newlines[np.searchsorted(quotes, newlines) % 2 == 0] if len(quotes) else newlines
            stops = outside.astype(np.int64)
            if ended and (not len(stops) or stops[-1] != len(data) - 1) and data:
                stops = np.append(stops, len(data))
            if not len(stops):
                carry = data
                continue
            starts = np.concatenate(([0], stops[:-1] + 1))
            ends = stops.copy()
            some = ends > starts
            ends[some] -= codes[ends[some] - 1] == 13
            filled = np.flatnonzero(ends > starts)
            lines = line + np.searchsorted(newlines, starts)
            if len(quotes):
                self._look_into_quotes(data, newlines, outside)
            block = _Block(data, offset, self.records, sheet_row, starts, ends, lines, filled)
            self.records += len(filled)
            self.blank_lines += len(starts) - len(filled)
            used = min(int(stops[-1]) + 1, len(data))
            carry = data[used:]
            offset += used
            line += int(np.searchsorted(newlines, used))
            sheet_row += len(starts)
            yield block

    def _look_into_quotes(self, data: bytes, newlines: NDArray[np.int64], outside: NDArray[np.int64]) -> None:
        last = outside[-1] if len(outside) else 0
        for inside in np.setdiff1d(newlines[newlines < last], outside).tolist():
            line = data[inside + 1 : data.find(b"\n", inside + 1)]
            self.rows_in_quotes += is_row(line.decode("utf-8", "replace").rstrip("\r"), self._grammar)
