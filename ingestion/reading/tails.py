"""Finds the notes under a table: lines of one cell at the very end, after a blank line or a total.

Put the look at the end of a file here. A last line that was merely cut off follows a row, so it is no note.
"""

from __future__ import annotations

from ingestion.reading import tokens
from ingestion.reading.delivery import Text
from ingestion.reading.totals import is_total

_TAIL = 16 * 1024
NO_NOTES = 1 << 62


def notes_from(text: Text) -> int:
    """The byte offset from which lines of one cell are notes."""
    newline = text.found.newline
    size = text.found.size
    with text.path.open("rb") as file:
        start = max(size - _TAIL, 0)
        file.seek(start)
        data = file.read(_TAIL)
    if start:
        start += data.find(newline) + 1
        data = data[data.find(newline) + 1 :]
    offset, found = start + len(data), NO_NOTES
    lines = data.split(newline)
    for index in range(len(lines) - 1, -1, -1):
        offset -= len(lines[index]) + (len(newline) if index < len(lines) - 1 else 0)
        cells, _ = tokens.cut(
            lines[index].decode(text.encoding, errors="replace").rstrip("\r"),
            text.head.delimiter,
            quote=text.head.quote,
            backslash=text.head.backslash,
        )
        filled = [cell for cell in cells or [] if cell.strip()]
        if cells is not None and not filled:
            found = offset if index < len(lines) - 1 else found  # the lines below a blank one
        elif cells is None or len(filled) > 1:
            below = offset + len(lines[index]) + len(newline)
            return below if any(map(is_total, filled)) else found
    return found
