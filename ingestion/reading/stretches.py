"""Walks a file in stretches of whole records: the plain lines of each are cut at once with numpy, the others
one by one.

Put the walk and its vectors here; what a record is, tokens.py alone says. A line is plain when its bytes
leave no doubt: as many delimiters outside of quotes as the header, and each quote beside a delimiter or an
end of the line. Memory is flat, each byte is looked at a fixed number of times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ingestion.reading import views
from ingestion.reading.rows import BATCH_ROWS
from ingestion.reading.tokens import UNIT, Cut, Grammar, take
from ingestion.refusals import FileRefused

if TYPE_CHECKING:
    import pyarrow as pa

_CHUNK = 1024 * 1024
#: A line longer than this is no row of any table.
LONGEST_LINE = 16 * 1024 * 1024
Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Stretch:
    """Consecutive records, at most BATCH_ROWS of them, in file order; blank lines are records too.

    `texts`: cells joined by UNIT, "" for a blank or an uncut record; `uncut`: index -> reason; `padded`: how
    many rows got empty cells at their end. `lines` and `sheet_rows` count from 1, `offsets` are bytes from
    the file's first, each for one record.
    """

    texts: pa.Array
    uncut: dict[int, str]
    padded: int
    lines: Numbers
    sheet_rows: Numbers
    offsets: Numbers
    data: bytes
    base: int
    ends: Numbers

    def __len__(self) -> int:
        return len(self.lines)

    def raw(self, index: int) -> bytes:
        """The bytes of a record without its line end."""
        return self.data[int(self.offsets[index]) - self.base : int(self.ends[index])]


@dataclass(frozen=True)
class _Lines:
    """The whole lines of one window: where each starts, where it stops (after its end) and where its end
    begins."""

    data: bytes
    starts: Numbers
    stops: Numbers
    ends: Numbers

    def line(self, index: int) -> bytes | None:
        """One line with its end; None past the window."""
        if index >= len(self.starts):
            return None
        return self.data[int(self.starts[index]) : int(self.stops[index])]


class _RunsOut(Exception):
    """An open quote leaves the window; more must be read before it can be judged."""


def stretches(
    path: Path, *, grammar: Grammar, lines_before: int, has_header: bool, start: int
) -> Iterator[Stretch]:
    """Every record under the header; `start` is the length of the byte order mark.

    Raises FileRefused for a line that is longer than any row.
    """
    line_number, sheet_row, offset = 1, 1, start
    header_due, limit = has_header, BATCH_ROWS
    data, ended = b"", False
    with path.open("rb") as file:
        file.seek(start)
        while not ended or data:
            if not ended:
                chunk = file.read(_CHUNK)
                ended = not chunk
                data += chunk
            at = 0
            while lines := _lines(data, at, grammar.newline, ended=ended, limit=limit):
                try:
                    if lines_before:
                        taken = rows = min(lines_before, len(lines.starts))
                        lines_before -= taken
                    elif header_due:
                        (taken, _), rows = take(_ahead(lines, 0, ended=ended), grammar), 1
                        header_due = False
                    else:
                        found, taken = _cut(lines, grammar, ended=ended)
                        rows = len(found.first)
                        yield Stretch(
                            texts=found.texts,
                            uncut=found.uncut,
                            padded=found.padded,
                            lines=found.first + line_number,
                            sheet_rows=np.arange(sheet_row, sheet_row + rows),
                            offsets=lines.starts[found.first] + offset,
                            data=data,
                            base=offset,
                            ends=found.ends,
                        )
                except _RunsOut:
                    if len(lines.stops) < limit:
                        break
                    limit *= 4
                    continue
                limit = BATCH_ROWS
                line_number += taken
                sheet_row += rows
                at = int(lines.stops[taken - 1])
            data = data[at:]
            offset += at
            if len(data) > LONGEST_LINE:
                raise FileRefused(
                    f"{path.name} has a line of more than {LONGEST_LINE:,} bytes (line {line_number:,}); "
                    "export it again with one sale per line [LINE_TOO_LONG]"
                )


def _lines(data: bytes, at: int, newline: bytes, *, ended: bool, limit: int) -> _Lines | None:
    """Up to `limit` whole lines from `at` on; at the end of the file the last one needs no line end."""
    codes = np.frombuffer(data, np.uint8, offset=at) if at < len(data) else np.empty(0, np.uint8)
    stops = np.flatnonzero(codes == newline[0]) + 1 + at
    if ended and len(codes) and (not len(stops) or stops[-1] != len(data)):
        stops = np.append(stops, len(data))
    stops = stops[:limit]
    if not len(stops):
        return None
    starts = np.concatenate(([at], stops[:-1]))
    whole = np.frombuffer(data, np.uint8)
    ends = stops - (whole[stops - 1] == newline[0])
    if newline == b"\n":
        some = ends > starts
        ends[some] -= whole[ends[some] - 1] == 13
    return _Lines(data, starts, stops, ends)


@dataclass(frozen=True)
class _Found:
    first: Numbers
    ends: Numbers
    texts: pa.Array
    uncut: dict[int, str]
    padded: int


def _ahead(lines: _Lines, index: int, *, ended: bool) -> Callable[[int], bytes | None]:
    is_end = ended and lines.stops[-1] == len(lines.data)

    def line(ahead: int) -> bytes | None:
        found = lines.line(index + ahead)
        if found is None and not is_end:
            raise _RunsOut
        return found

    return line


def _cut(lines: _Lines, grammar: Grammar, *, ended: bool) -> tuple[_Found, int]:
    """The records of these lines, and how many lines they take: all, or up to an open quote that must be
    followed further than the window. Raises _RunsOut when that is the first of them."""
    import pyarrow as pa  # noqa: PLC0415

    plain, inside = _plain(lines, grammar)
    blank = lines.ends == lines.starts
    count = len(plain)
    is_first = np.ones(count, bool)
    cuts: list[tuple[int, int, Cut]] = []
    free = 0
    for index in np.flatnonzero(~(plain | blank)).tolist():
        if index < free:
            continue
        if index >= BATCH_ROWS:
            break
        try:
            taken, record = take(_ahead(lines, index, ended=ended), grammar)
        except _RunsOut:
            if index == 0:
                raise
            count = index
            break
        cuts.append((index, taken, record))
        free = index + taken
        is_first[index + 1 : free] = False
    count = min(count, max(BATCH_ROWS, free))
    is_first = is_first[:count]
    first = np.flatnonzero(is_first)
    good = plain[:count] & is_first
    ends = lines.ends[first]
    texts = _plain_texts(lines, good, inside, grammar)
    if not good.all():
        order = np.full(count, -1, np.int64)
        order[good] = np.arange(int(good.sum()))
        uncut, padded = {}, 0
        rank = np.cumsum(is_first) - 1
        others = [""]
        order[order < 0] = len(texts)
        for index, taken, record in cuts:
            if record.reason:
                uncut[int(rank[index])] = record.reason
            elif record.text:
                order[index] = len(texts) + len(others)
                others.append(record.text)
                padded += record.padded
            ends[rank[index]] = lines.ends[index + taken - 1]
        both = pa.concat_arrays([texts, views.texts(others)])
        return _Found(first, ends, both.take(views.positions(order[first])), uncut, padded), count
    return _Found(first, ends, texts, {}, 0), count


def _plain(lines: _Lines, grammar: Grammar) -> tuple[Flags, _Marks]:
    """Which lines are plain, and where delimiters and quotes stand in all of them."""
    begin, end = int(lines.starts[0]), int(lines.stops[-1])
    codes = np.frombuffer(lines.data, np.uint8, count=end - begin, offset=begin)
    starts, ends = lines.starts - begin, lines.ends - begin
    marks = np.flatnonzero(codes == ord(grammar.delimiter))
    plain = np.ones(len(starts), bool)
    window = lines.data[begin:end]
    quotes = np.flatnonzero(codes == ord(grammar.quote)) if grammar.quote else np.empty(0, np.int64)
    if len(quotes):
        first_quote = np.searchsorted(quotes, starts)
        after_last = np.append(first_quote[1:], len(quotes))
        amount = after_last - first_quote
        of_line = np.repeat(np.arange(len(starts)), amount)
        opens = (np.arange(len(quotes)) - first_quote[of_line]) % 2 == 0
        padded = np.concatenate((codes, [0]))
        mark = ord(grammar.delimiter)
        before = (quotes == starts[of_line]) | (codes[quotes - 1] == mark)
        behind = (quotes + 1 == ends[of_line]) | (padded[quotes + 1] == mark)
        plain &= amount % 2 == 0
        plain[of_line[~np.where(opens, before, behind)]] = False
        marks = marks[np.searchsorted(quotes, marks) % 2 == _parity(marks, starts, first_quote)]
    have = np.searchsorted(marks, lines.stops - begin)
    plain &= np.diff(have, prepend=0) == grammar.width - 1
    for doubtful in (b"\0", UNIT.encode(), b"\\" if grammar.backslash else b"\0"):
        if doubtful in window:
            plain[_lines_of(codes == doubtful[0], starts)] = False
    if not window.isascii() and not (grammar.encoding == "utf-8" and _is_utf8(window)):
        other = np.unique(_lines_of(codes >= 128, starts))
        in_utf8 = [grammar.encoding == "utf-8" and _is_utf8(lines.line(i) or b"") for i in other.tolist()]
        plain[other] &= np.array(in_utf8, bool)
    return plain, _Marks(codes, marks, quotes, begin)


@dataclass(frozen=True)
class _Marks:
    codes: NDArray[np.uint8]
    delimiters: Numbers
    quotes: Numbers
    begin: int


def _parity(marks: Numbers, starts: Numbers, first_quote: Numbers) -> Numbers:
    """Whether an even or odd number of quotes stands before the line of each delimiter."""
    return first_quote[np.searchsorted(starts, marks, side="right") - 1] % 2


def _lines_of(where: Flags, starts: Numbers) -> Numbers:
    return np.searchsorted(starts, np.flatnonzero(where), side="right") - 1


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _plain_texts(lines: _Lines, good: Flags, marks: _Marks, grammar: Grammar) -> pa.Array:
    """The texts of the plain lines in `good`, as one array without a copy per line."""
    import pyarrow as pa  # noqa: PLC0415

    count = len(good)
    begin = marks.begin
    starts, ends, stops = (a[:count] - begin for a in (lines.starts, lines.ends, lines.stops))
    size = int(stops[-1]) if count else 0
    codes = marks.codes[:size].copy()
    codes[marks.delimiters[: np.searchsorted(marks.delimiters, size)]] = ord(UNIT)
    keep = np.repeat(good, stops - starts)
    for back in (1, 2):  # line ends have one byte, two, or none at the end of the file
        some = ends <= stops - back
        keep[(stops - back)[some]] = False
    quotes = marks.quotes[: np.searchsorted(marks.quotes, size)]
    keep[quotes] = False
    lengths = (ends - starts)[good]
    if len(quotes):
        edges = np.searchsorted(quotes, starts)
        lengths = lengths - np.diff(np.append(edges, len(quotes)))[good]
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
    return pa.StringArray.from_buffers(
        len(lengths), pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(codes[keep]))
    )
