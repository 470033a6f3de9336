"""Cuts bytes into records and cells by hand, losing one row and not the file where quotes are broken.

Put the grammar of delimited text here, the same that the fast reader's engine follows for sound files. Never
types.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import BinaryIO, NamedTuple

_CHUNK = 1024 * 1024
LONGEST_RECORD = 1024 * 1024


#: What parts cells inside Record.text; a cell that holds this control character itself is refused as
#: NOT_TEXT.
UNIT = "\x1f"


class Grammar(NamedTuple):
    """How one file is written: its delimiter, line end, encoding, and how many cells its header has."""

    delimiter: str
    newline: bytes
    encoding: str
    width: int


class Record(NamedTuple):
    """One record as it stands in the file: its cells joined by UNIT, or None where `reason` says why it has
    none.

    A blank line has the text "" and no reason.
    """

    line: int
    sheet_row: int
    offset: int
    raw: bytes
    text: str | None
    reason: str | None

    @property
    def cells(self) -> list[str]:
        """The cells; none for a blank or an uncut record."""
        return self.text.split(UNIT) if self.text else []


@lru_cache(maxsize=8)
def _patterns(delimiter: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    end = rf"(?={re.escape(delimiter)}|\Z)"
    return (
        re.compile(rf' *+"([^"]*+(?:""[^"]*+)*+)" *+{end}'),
        re.compile(r' *+"[^"]*+(?:""[^"]*+)*+(?:"|(\Z))'),
    )


def cut(text: str, delimiter: str) -> tuple[list[str] | None, str | None]:
    """The cells of one record without its line end, or why it has none: QUOTE_NOT_CLOSED or QUOTE_MISPLACED.

    A quote opens a cell only at its start (blanks before it are dropped); elsewhere it is an ordinary
    character.
    """
    if '"' not in text:
        return text.split(delimiter), None
    quoted, opening = _patterns(delimiter)
    cells: list[str] = []
    at, size = 0, len(text)
    while True:
        if not text.startswith(('"', " "), at):
            stop = text.find(delimiter, at)
            stop = size if stop < 0 else stop
            cells.append(text[at:stop])
            at = stop
        elif match := quoted.match(text, at):
            cells.append(match[1].replace('""', '"'))
            at = match.end()
        elif match := opening.match(text, at):
            return None, "QUOTE_NOT_CLOSED" if match[1] is not None else "QUOTE_MISPLACED"
        else:
            stop = text.find(delimiter, at)
            stop = size if stop < 0 else stop
            cells.append(text[at:stop])
            at = stop
        if at >= size:
            return cells, None
        at += 1


class _Lines:
    """Physical lines of a file with look-ahead, in flat memory."""

    def __init__(self, file: BinaryIO, newline: bytes) -> None:
        self.file = file
        self.newline = newline
        self.lines: list[bytes] = []
        self.at = 0
        self.tail = b""
        self.ended = False

    def peek(self, ahead: int) -> bytes | None:
        """The line `ahead` places on, line end included; None past the end."""
        while self.at + ahead >= len(self.lines) and not self.ended:
            self._fill()
        index = self.at + ahead
        return self.lines[index] if index < len(self.lines) else None

    def _fill(self) -> None:
        data = self.file.read(_CHUNK)
        self.ended = not data
        parts = (self.tail + data).split(self.newline)
        self.tail = parts.pop() if data else b""
        lines = [part + self.newline for part in parts]
        if not data and lines:
            lines[-1] = lines[-1].removesuffix(self.newline)
            lines = [line for line in lines if line]
        self.lines = self.lines[self.at :] + lines
        self.at = 0


def records(file: BinaryIO, *, grammar: Grammar, lines_before: int, start: int = 0) -> Iterator[Record]:
    """Every record under the header; a blank line is a record with no cells and no reason.

    An open quote is followed over lines until the record is sound with as many cells as the header;
    if it never is, its first line alone is given up (QUOTE_NOT_CLOSED) and reading goes on with the next.
    """
    delimiter, newline, encoding, width = grammar
    lines = _Lines(file, newline)
    number, sheet_row, offset = 1, 1, start
    header_done = False
    mark, commas = delimiter.encode(), width - 1
    while (line := lines.peek(0)) is not None:
        record: _Cut | None = None
        if b'"' not in line and line.count(mark) == commas and b"\0" not in line:
            raw = _bare(line, newline)
            try:
                text = raw.decode(encoding)
            except UnicodeDecodeError:
                record = (raw, None, "NOT_TEXT")
            else:
                if UNIT not in text:
                    record = (raw, text.replace(delimiter, UNIT), None)
            taken, size = 1, len(line)
        if record is None:
            taken, record = _one(lines, line, grammar)
            size = sum(len(part) for part in lines.lines[lines.at : lines.at + taken])
        if header_done:
            yield Record(number, sheet_row, offset, *record)
        elif number > lines_before:
            header_done = True
        lines.at += taken
        offset += size
        number += taken
        sheet_row += 1


_Cut = tuple[bytes, str | None, str | None]


def _one(lines: _Lines, line: bytes, grammar: Grammar) -> tuple[int, _Cut]:
    delimiter, newline, encoding, width = grammar
    raw = _bare(line, newline)
    text, reason = _decode(raw, encoding)
    if text is None:
        return 1, (raw, None, reason)
    cells, reason = cut(text, delimiter)
    if reason == "QUOTE_NOT_CLOSED":
        joined = _follow(lines, line, grammar)
        if joined is not None:
            return joined
        return 1, (raw, None, reason)
    if cells is None:
        return 1, (raw, None, reason)
    return 1, (raw, *_joined(cells, width))


def _follow(lines: _Lines, line: bytes, grammar: Grammar) -> tuple[int, _Cut] | None:
    """The record that starts with `line` and goes on over further lines, if there is a sound one."""
    delimiter, newline, encoding, width = grammar
    parts, size, ahead = [line], len(line), 0
    while size <= LONGEST_RECORD:
        ahead += 1
        more = lines.peek(ahead)
        if more is None:
            return None
        parts.append(more)
        size += len(more)
        if b'"' not in more:
            continue
        raw = _bare(b"".join(parts), newline)
        text, _ = _decode(raw, encoding)
        if text is None:
            return None
        cells, reason = cut(text, delimiter)
        if reason == "QUOTE_NOT_CLOSED":
            continue
        if cells is None:
            return None
        text, reason = _joined(cells, width)
        return (len(parts), (raw, text, None)) if reason is None else None
    return None


def _bare(line: bytes, newline: bytes) -> bytes:
    line = line.removesuffix(newline)
    return line.removesuffix(b"\r") if newline == b"\n" else line


def _decode(raw: bytes, encoding: str) -> tuple[str | None, str | None]:
    if b"\0" in raw:
        return None, "NUL_BYTE"
    try:
        return raw.decode(encoding), None
    except UnicodeDecodeError:
        return None, "NOT_TEXT"


def _joined(cells: list[str], width: int) -> tuple[str | None, str | None]:
    fitting, reason = fitted(cells, width)
    if fitting is None:
        return None, reason
    if any(UNIT in cell for cell in fitting):
        return None, "NOT_TEXT"
    return UNIT.join(fitting), None


def fitted(cells: list[str], width: int) -> tuple[list[str] | None, str | None]:
    """The cells if they are as many as the header's, else why not; ([], None) for a blank line."""
    if len(cells) == width:
        return cells, None
    if not any(cell.strip() for cell in cells):
        return [], None
    if len(cells) < width:
        return None, "ROW_TOO_SHORT"
    if not any(cells[width:]):
        return cells[:width], None
    return None, "ROW_TOO_LONG"
