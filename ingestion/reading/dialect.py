"""What kind of text a file is: one look at every byte, and the record that is its header.

Put facts about bytes here: encoding, NULs, line ends, delimiters. Never what columns mean (matching.py).
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR, S_ISREG

import numpy as np

from ingestion.reading import tokens
from ingestion.refusals import FileRefused

SAMPLE_BYTES = 256 * 1024
DELIMITERS = (",", ";", "\t", "|")
#: The header stands within these first lines of a file, and is itself no longer than so many.
HEADER_WITHIN, _HEADER_LINES = 60, 20
_CHUNK = SAMPLE_BYTES  # looked at several times, so it should fit the processor's cache
_MAGIC = {
    b"%PDF": "a PDF", b"\x89PNG": "a picture", b"\xff\xd8\xff": "a picture",
    b"SQLite format 3": "a database",
}  # fmt: skip


@dataclass(frozen=True)
class Scan:
    """What one pass over the bytes found. `lines` counts physical lines; `sample` is the start without
    BOM."""

    size: int
    lines: int
    has_bom: bool
    has_nul: bool
    is_utf8: bool
    has_lone_returns: bool
    wide_spaces: bool
    #: a blank stands beside a delimiter or a line end; without one, and without wide spaces, no cell has any
    #: to be trimmed of
    blank_edges: bool
    #: a + stands anywhere, as it does in numbers whose digits a spreadsheet lost
    plus_signs: bool
    newline: bytes
    sample: bytes


@dataclass(frozen=True)
class Head:
    """The header under one delimiter: its cells, and what stands before it.

    `lines_before` counts physical lines, `preamble` is their text; `in_file` is false where the contract
    gives the header; `quote` is '' where quotes are ordinary characters, `backslash` says that a quote in a
    cell is written \\" instead of twice.
    """

    delimiter: str
    header: list[str]
    lines_before: int
    preamble: str = ""
    in_file: bool = True
    quote: str = '"'
    backslash: bool = False

    @property
    def is_usual(self) -> bool:
        """Whether quotes are used as everywhere, and none stands where lines are only skipped."""
        return self.quote == '"' and not self.backslash and '"' not in self.preamble


def scan(path: Path) -> Scan:
    """Read every byte once. Raises FileRefused for what is no text file, with what to do."""
    try:
        mode = path.stat().st_mode
        if S_ISDIR(mode):
            raise FileRefused(f"{path.name} is a folder, not a file; name a file in it [FILE_IS_FOLDER]")
        if not S_ISREG(mode):
            raise FileRefused(
                f"{path.name} is a device or a pipe, not a file; save it as a file first [NOT_A_FILE]"
            )
        return _scan(path)
    except FileNotFoundError as error:
        raise FileRefused(f"there is no file {path}; check the path [FILE_MISSING]") from error
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise FileRefused(
            f"{path.name} cannot be read ({why}); check its permissions [FILE_UNREADABLE]"
        ) from error


def first_look(path: Path) -> Scan:
    """The same of the first lines alone. Raises FileRefused, or OSError."""
    with path.open("rb") as file:
        start = file.read(SAMPLE_BYTES)
    return _looked_at(path, [start[: start.rfind(b"\n") + 1]])


def _scan(path: Path) -> Scan:
    with path.open("rb") as file:
        return _looked_at(path, iter(lambda: file.read(_CHUNK), b""))


def _looked_at(path: Path, chunks: Iterable[bytes]) -> Scan:
    size = newlines = returns = 0
    has_nul = wide = lone = blank_edges = plus_signs = False
    is_utf8 = True
    decoder = codecs.getincrementaldecoder("utf-8")()
    edges = _Edges()
    sample, last = b"", b""
    for chunk in chunks:
        if not size:
            sample = chunk[:SAMPLE_BYTES]
            _refuse_binary(path, sample)
        size += len(chunk)
        newlines += edges.count(chunk, b"\n")
        returns += chunk.count(b"\r") if not newlines else 0
        lone = lone or _has_lone_return(last, chunk)
        has_nul = has_nul or b"\0" in chunk
        if not chunk.isascii() or not is_utf8:
            wide = True
            is_utf8 = is_utf8 and _decodes(decoder, chunk)
        elif is_utf8:
            is_utf8 = _decodes(decoder, b"") and not decoder.getstate()[0]
        wide = wide or b'"' in chunk or b"\t" in chunk
        blank_edges = blank_edges or wide or edges.have_blanks(last or b"\n", chunk)
        plus_signs = plus_signs or b"+" in chunk
        last = chunk[-1:]
    is_utf8 = is_utf8 and not decoder.getstate()[0]
    if not sample.removeprefix(codecs.BOM_UTF8).strip():
        raise FileRefused(f"{path.name} is empty; export it again and drop it again [FILE_EMPTY]")
    newline = b"\r" if not newlines and returns > 1 else b"\n"
    return Scan(
        size=size,
        lines=(newlines or returns) + (last != newline),
        has_bom=sample.startswith(codecs.BOM_UTF8),
        has_nul=has_nul,
        is_utf8=is_utf8,
        has_lone_returns=lone or last == b"\r",
        wide_spaces=wide or not is_utf8,
        blank_edges=blank_edges or last == b" ",
        plus_signs=plus_signs,
        newline=newline,
        sample=sample.removeprefix(codecs.BOM_UTF8),
    )


def _has_lone_return(before: bytes, chunk: bytes) -> bool:
    """Whether a carriage return without a line feed ends before the last byte of `chunk`."""
    if before == b"\r" and not chunk.startswith(b"\n"):
        return True
    if b"\r" not in chunk:
        return False
    returns = chunk.count(b"\r")
    return returns - chunk.endswith(b"\r") > chunk.count(b"\r\n")


class _Edges:
    """Counts and compares the bytes of pieces up to _CHUNK, in the same memory for each: getting it anew from
    the system costs several times as much as the work."""

    def __init__(self) -> None:
        self._blank, self._edge, self._other = (np.empty(_CHUNK + 1, bool) for _ in range(3))

    def count(self, chunk: bytes, byte: bytes) -> int:
        """How often `byte` occurs; bytes.count is slow where it occurs often."""
        found = self._other[: len(chunk)]
        np.equal(np.frombuffer(chunk, np.uint8), ord(byte), out=found)
        return int(np.count_nonzero(found))

    def have_blanks(self, before: bytes, chunk: bytes) -> bool:
        """Whether a blank in `chunk`, or the one it starts after, stands beside a delimiter or a line end."""
        both = np.frombuffer(before + chunk, np.uint8)
        blank, edge, other = (one[: len(both)] for one in (self._blank, self._edge, self._other))
        np.equal(both, ord(" "), out=blank)
        np.less(both, ord(" "), out=edge)
        for delimiter in DELIMITERS:
            if delimiter.encode() in chunk or delimiter.encode() == before:
                np.equal(both, ord(delimiter), out=other)
                np.logical_or(edge, other, out=edge)
        for here, beside in ((blank[1:], edge[:-1]), (blank[:-1], edge[1:])):
            np.logical_and(here, beside, out=other[1:])
            if other[1:].any():
                return True
        return False


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes) -> bool:
    try:
        decoder.decode(chunk)
    except UnicodeDecodeError:
        return False
    return True


def _refuse_binary(path: Path, sample: bytes) -> None:
    for magic, what in _MAGIC.items():
        if sample.startswith(magic):
            raise FileRefused(
                f"{path.name} is {what}, not text; save it as CSV UTF-8 and drop it again [FILE_BINARY]"
            )
    if sample.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise FileRefused(
            f"{path.name} is UTF-32 text; save it as CSV UTF-8 and drop it again [FILE_NOT_UTF8]"
        )
    if not sample.strip(b"\0"):
        raise FileRefused(
            f"{path.name} holds nothing but zero bytes, as a copy that was broken off does; copy or export "
            "it again [FILE_BINARY]"
        )
    for start, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        half, other = sample[start:4096:2], sample[1 - start : 4096 : 2]
        if half.count(0) * 2 > len(half) > 8 and other.count(0) * 4 < len(other):
            raise FileRefused(
                f"{path.name} looks like UTF-16 text without a byte order mark; save it as CSV UTF-8, or "
                f"write encoding: {encoding} into its contract [FILE_NOT_UTF8]"
            )
    first_line = sample.lstrip(b"\r\n").split(b"\n", 1)[0]
    odd = sum(sample.count(bytes([byte])) for byte in range(32) if byte not in b"\t\r\n\f")
    if b"\0" in first_line or odd * 20 > len(sample):
        raise FileRefused(f"{path.name} is not text; save it as CSV UTF-8 and drop it again [FILE_BINARY]")


def heads(
    found: Scan, *, encoding: str = "utf-8", quote: str = '"', header_row: int | None = None
) -> Iterator[list[Head]]:
    """Each of the first lines that may be the header, in file order, cut by each delimiter that occurs in it;
    most cells first.

    The first of them is the first line that is not blank. `header_row` allows that line only.
    """
    lines = sample_lines(found, encoding=encoding)
    is_first = True
    for index, line in enumerate(lines[:HEADER_WITHIN]):
        if not line.strip() or header_row not in (None, index + 1):
            continue
        delimiters = [mark for mark in DELIMITERS if is_first or mark in line]
        following = "".join(lines[index : index + _HEADER_LINES])
        cut = [
            Head(delimiter, cells, index, "".join(lines[:index]), quote=quote)
            for delimiter in delimiters
            if (cells := rows(following, delimiter=delimiter, limit=1, quote=quote)[0])
        ]
        is_first = False
        yield sorted(cut, key=lambda head: -len(head.header))


def sample_lines(found: Scan, *, encoding: str = "utf-8") -> list[str]:
    """The physical lines of the sample, ends included."""
    text = found.sample.decode(encoding, errors="replace")
    newline = found.newline.decode()
    return [line + newline for line in text.split(newline)]


def rows(
    text: str, *, delimiter: str, limit: int, quote: str = '"', backslash: bool = False
) -> list[list[str]]:
    """Up to `limit` records of a sample, leniently cut: only for looking, never for loading."""
    found: list[list[str]] = []
    reader = csv.reader(
        text.replace("\0", "").splitlines(keepends=True),
        delimiter=delimiter,
        quotechar=quote or None,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        escapechar="\\" if backslash else None,
    )
    try:
        for row in reader:
            found.append(row)
            if len(found) >= limit:
                break
    except csv.Error:
        pass
    return found or [[]]


def proves_backslash(lines: Sequence[str], *, delimiter: str, width: int) -> bool:
    """Whether quotes inside cells are written \\" in this file: some lines are sound only so, and none is
    sound only with quotes written twice."""
    proof = False
    for line in lines:
        if '\\"' not in line:
            continue
        text = line.rstrip("\r\n")
        twice, slashed = (
            len(tokens.cut(text, delimiter, backslash=way)[0] or []) == width for way in (False, True)
        )
        if twice and not slashed:
            return False
        proof = proof or (slashed and not twice)
    return proof
