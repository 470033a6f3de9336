"""Cuts bytes into records and cells by hand, losing one row and not the file where quotes are broken.

Put the grammar of delimited text here, the same that the fast reader's engine follows for sound files. Never
types, never the walk over a file (stretches.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

#: How far an open quote is followed, in bytes.
LONGEST_RECORD = 1024 * 1024
#: What parts cells inside a record's text; a cell that holds this control character itself is refused as
#: NOT_TEXT.
UNIT = "\x1f"
_DIGITS_OF_A_DATE = 4


class Grammar(NamedTuple):
    """How one file is written.

    `width`: cells of its header; `shortest`: the fewest cells a row may have, the missing ones at its end
    being empty; `date_position`: where rows have their date, or -1; `quote`: '' where quotes are ordinary
    characters; `backslash`: whether a quote inside a quoted cell is written \\" instead of twice.
    """

    delimiter: str
    newline: bytes
    encoding: str
    width: int
    shortest: int = 0
    date_position: int = -1
    quote: str = '"'
    backslash: bool = False


class Cut(NamedTuple):
    """One record: its bytes without the line end, and its cells joined by UNIT, or None where `reason` says
    why it has none. A blank record has the text "" and no reason.
    """

    raw: bytes
    text: str | None
    reason: str | None
    padded: bool = False


@lru_cache(maxsize=8)
def _patterns(delimiter: str, quote: str, backslash: bool) -> tuple[re.Pattern[str], re.Pattern[str]]:
    q = re.escape(quote)
    plain, pair = (rf"[^{q}\\]*+", rf"(?:{q}{q}|\\[\s\S])") if backslash else (rf"[^{q}]*+", f"{q}{q}")
    rest = rf"({plain}(?:{pair}{plain})*+)(?:{q}( *+)(?={re.escape(delimiter)}|\Z)|(\Z))?"
    return re.compile(rf" *+{q}"), re.compile(rest)


def cut(
    text: str, delimiter: str, *, quote: str = '"', backslash: bool = False
) -> tuple[list[str] | None, str | None]:
    """The cells of one record without its line end, or why it has none: QUOTE_NOT_CLOSED or QUOTE_MISPLACED.

    A quote opens a cell only at its start (blanks before it are dropped); elsewhere it is an ordinary
    character.
    """
    cells, reason, _ = _cut(text, delimiter, quote, backslash, inside=False)
    return (None, reason) if reason else (cells, None)


def _cut(
    text: str, delimiter: str, quote: str, backslash: bool, *, inside: bool
) -> tuple[list[str], str | None, str]:
    """Cells, reason, and the beginning of the cell that QUOTE_NOT_CLOSED leaves open; `inside` starts within
    a quoted cell."""
    if not inside and (not quote or quote not in text):
        return text.split(delimiter), None, ""
    opening, rest = _patterns(delimiter, quote, backslash)
    cells: list[str] = []
    at, size = 0, len(text)
    while True:
        if not inside and text.startswith((quote, " "), at) and (match := opening.match(text, at)):
            inside, at = True, match.end()
        if inside:
            found = rest.match(text, at)
            assert found is not None  # noqa: S101 - every part of it may be empty
            cell = found[1].replace(quote * 2, quote)
            if backslash:
                cell = re.sub(rf"\\([{quote}\\])", r"\1", cell)
            if found[2] is None:
                return cells, "QUOTE_MISPLACED" if found[3] is None else "QUOTE_NOT_CLOSED", cell
            inside, at = False, found.end()
        else:
            stop = text.find(delimiter, at)
            stop = size if stop < 0 else stop
            cell, at = text[at:stop], stop
        cells.append(cell)
        if at >= size:
            return cells, None, ""
        at += 1


def take(line: Callable[[int], bytes | None], grammar: Grammar) -> tuple[int, Cut]:
    """The record that starts with `line(0)`, and how many lines it takes.

    `line(n)` gives the nth line from there with its end, None past the end of the file. An open quote is
    followed over lines until the record is sound with as many cells as the header. If it never is, or if a
    line on the way is a row of its own, then its first line alone is given up (QUOTE_NOT_CLOSED) and reading
    goes on with the next.
    """
    first = line(0)
    assert first is not None  # noqa: S101 - asked only where a line is
    raw = bare(first, grammar.newline)
    text, reason = _decode(raw, grammar.encoding)
    if text is None:
        return 1, Cut(raw, None, reason)
    cells, reason, open_cell = _cut(text, grammar.delimiter, grammar.quote, grammar.backslash, inside=False)
    if reason == "QUOTE_NOT_CLOSED":
        joined = _follow(line, first, cells, open_cell + _ending(first, raw), grammar)
        return joined or (1, Cut(raw, None, reason))
    if reason:
        return 1, Cut(raw, None, reason)
    return 1, _joined(raw, cells, grammar)


def _follow(
    line: Callable[[int], bytes | None], first: bytes, cells: list[str], open_cell: str, grammar: Grammar
) -> tuple[int, Cut] | None:
    """The record that goes on over further lines, if there is a sound one. Looks at each line once."""
    parts, open_parts, size = [first], [open_cell], len(first)
    while size <= LONGEST_RECORD:
        more = line(len(parts))
        if more is None:
            return None
        parts.append(more)
        size += len(more)
        raw = bare(more, grammar.newline)
        text, _ = _decode(raw, grammar.encoding)
        if text is None or is_row(text, grammar):
            return None
        found, reason, tail = _cut(text, grammar.delimiter, grammar.quote, grammar.backslash, inside=True)
        if reason == "QUOTE_MISPLACED":
            return None
        if found:
            cells.append("".join(open_parts) + found[0])
            cells += found[1:]
            open_parts = []
        if reason is None:
            joined = _joined(bare(b"".join(parts), grammar.newline), cells, grammar)
            return None if joined.reason else (len(parts), joined)
        open_parts.append(tail + _ending(more, raw))
    return None


def is_row(text: str, grammar: Grammar) -> bool:
    """Whether a line that seems to stand inside a quoted cell is a row of its own: as many cells as the
    header, and digits where rows have their date."""
    if grammar.date_position < 0 or text.count(grammar.delimiter) != grammar.width - 1:
        return False
    cell = text.split(grammar.delimiter)[grammar.date_position]
    return sum(map(str.isdigit, cell)) >= _DIGITS_OF_A_DATE


def bare(line: bytes, newline: bytes) -> bytes:
    """A line without its end."""
    line = line.removesuffix(newline)
    return line.removesuffix(b"\r") if newline == b"\n" else line


def _ending(line: bytes, raw: bytes) -> str:
    return line[len(raw) :].decode("ascii")


def _decode(raw: bytes, encoding: str) -> tuple[str | None, str | None]:
    if b"\0" in raw:
        return None, "NUL_BYTE"
    try:
        return raw.decode(encoding), None
    except UnicodeDecodeError:
        return None, "NOT_TEXT"


def _joined(raw: bytes, cells: list[str], grammar: Grammar) -> Cut:
    fitting, reason = fitted(cells, grammar.width, shortest=grammar.shortest)
    if fitting is None:
        return Cut(raw, None, reason)
    if any(UNIT in cell for cell in fitting):
        return Cut(raw, None, "NOT_TEXT")
    return Cut(raw, UNIT.join(fitting), None, padded=bool(fitting) and len(cells) < grammar.width)


def fitted(cells: list[str], width: int, *, shortest: int = 0) -> tuple[list[str] | None, str | None]:
    """The cells if they are as many as the header's, else why not; ([], None) for a blank line.

    A row of at least `shortest` cells (0: none may be missing) gets empty ones at its end.
    """
    if len(cells) == width:
        return cells, None
    if not any(cell.strip() for cell in cells):
        return [], None
    if len(cells) < width:
        if shortest and len(cells) >= shortest:
            return cells + [""] * (width - len(cells)), None
        return None, "ROW_TOO_SHORT"
    if not any(cells[width:]):
        return cells[:width], None
    return None, "ROW_TOO_LONG"
