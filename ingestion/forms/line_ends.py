"""Text whose lines end in a carriage return alone, all of them or some: written anew with line feeds.

One byte stands for one byte, so that places stay what they were. A carriage return inside a quoted cell is
text and stays.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ingestion.forms.unpacked import Asked, Unpacked

if TYPE_CHECKING:
    from ingestion.reading.rows import RejectedRow

_CHUNK = 1024 * 1024
_LONGEST_CELL = 64 * 1024
_RETURN = rb"\r(?!\n)"


def unpack(path: Path, asked: Asked) -> Unpacked:
    """`path` with a line feed for each carriage return that ends a line by itself; in flat memory."""
    target = asked.work.place(path.name)
    ends = _ends(asked.contract.quote if asked.contract else '"')
    carry = b"\n"  # what stands before the first cell
    with path.open("rb") as source, target.open("wb") as out:
        while True:
            chunk = source.read(_CHUNK)
            data = carry + chunk
            cut = len(data) if not chunk else _safe_end(data)
            done = ends.sub(_line_feed, data[:cut])
            # the last byte is kept for the next look behind
            out.write(done[1:])
            if not chunk:
                break
            carry = done[-1:] + data[cut:]
    return Unpacked(target, {"line_ends": "mixed"}, (_SameBytes(path),), asked.work)


def _ends(quote: str) -> re.Pattern[bytes]:
    """Matches a quoted cell between delimiters, or a return that no line feed follows."""
    if quote == "none":
        return re.compile(_RETURN)
    q = re.escape(quote).encode()
    cell = rb"(?<=[,;\t|\r\n]) *+%b[^%b]*+(?:%b%b[^%b]*+)*+%b *+(?=[,;\t|\r\n]|\Z)" % (q, q, q, q, q, q)
    return re.compile(cell + b"|" + _RETURN)


def _line_feed(found: re.Match[bytes]) -> bytes:
    return b"\n" if found[0] == b"\r" else found[0]


def _safe_end(data: bytes) -> int:
    """Where the text can be parted: after a line feed with room for a long cell before the end, if any."""
    most = max(len(data) - _LONGEST_CELL, 1)
    at = data.rfind(b"\n", 1, most)
    if at < 0:
        at = data.rfind(b"\r", 1, most)
        at += data[at + 1 : at + 2] == b"\n"
    return at + 1 if at > 0 else 1


@dataclass(frozen=True)
class _SameBytes:
    """Places are the same; the bytes are those of the file before."""

    original: Path

    def retrace(self, row: RejectedRow) -> RejectedRow:
        with self.original.open("rb") as file:
            file.seek(row.byte_offset)
            return replace(row, raw_bytes=file.read(len(row.raw_bytes)))
