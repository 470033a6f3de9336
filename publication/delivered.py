"""Counts what was delivered a second time, from the archived bytes, and compares it with the ledger.

Put here: counting records of archived files with nothing of the readers' code: newlines, and Python's csv
module where quotes may hold some. Memory is flat. Never reading of cells, never repairing.
"""

from __future__ import annotations

import csv
import gzip
import zipfile
import zlib
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import psycopg

CHUNK = 1 << 20  # bytes looked at together
ROWS_AT_ONCE = 5_000
_BOM = b"\xef\xbb\xbf"
_LOADS = """
select load_id, delivered_name, coalesce(archived_sha256, content_sha256), rows_delivered + rows_gap, reading
from raw.loads
where landed_at is not null and status <> 'duplicate' and jsonb_exists(reading, 'delimiter')
order by load_id
"""
_REFUSED = """
select byte_offset, raw_bytes from raw.rejected_rows where load_id = %s order by line_number, sheet_row
"""


@dataclass(frozen=True)
class Recount:
    """How many deliveries were counted again, why others were not, and the first that differs."""

    counted: int
    skipped: Mapping[str, int]
    broken: str | None

    def __str__(self) -> str:
        left_out = ", ".join(f"{count:,} {why}" for why, count in self.skipped.items())
        return f"{self.counted:,} deliveries counted again" + (
            f"; not looked at: {left_out}" if left_out else ""
        )


class _NotCounted(Exception):
    """Why a delivery cannot be counted by this simple code."""


class _Elsewhere(Exception):
    """A refused row that does not stand where the ledger says."""


def recount(connection: psycopg.Connection[Any], archive: Path) -> Recount:
    """Count the records of each archived delivery; stops at the first that the ledger counts otherwise."""
    skipped: Counter[str] = Counter()
    counted = 0
    for load_id, name, content_sha256, ledger, reading in connection.execute(_LOADS).fetchall():
        try:
            with (
                ExitStack() as open_files,
                connection.transaction(),
                connection.cursor("refused_rows") as refused,
            ):
                text = _text(archive / content_sha256[:2] / content_sha256, reading, open_files)
                refused.itersize = ROWS_AT_ONCE
                refused.execute(_REFUSED, [load_id])
                wrong = compare(text, refused, ledger + (not reading.get("header_in_contract")), reading)
        except _NotCounted as why:
            skipped[str(why)] += 1
            continue
        except (OSError, KeyError, EOFError, zlib.error, zipfile.BadZipFile):
            skipped["not text"] += 1
            continue
        if wrong:
            return Recount(counted, skipped, f"load {load_id} ({name}): {wrong}")
        counted += 1
    return Recount(counted, skipped, None)


def compare(
    text: IO[bytes], refused: Iterable[tuple[int, bytes]], expected: int, reading: Mapping[str, Any]
) -> str | None:
    """What differs, in words; None where every record of `text` is accounted for.

    `refused`: byte offset and bytes of each refused row, in file order; `expected`: accepted, refused,
    repeated and gap records together, and the header.
    """
    chunks = iter(lambda: text.read(CHUNK), b"")
    first = next(chunks, b"")
    while 0 < len(first) < len(_BOM) and (more := next(chunks, b"")):
        first += more
    shift = len(_BOM) if first.startswith(_BOM) else 0
    try:
        found = records(_without(chain([first[shift:]], chunks), refused, base=shift), reading)
    except _Elsewhere as row:
        return str(row)
    if found != expected:
        return f"its bytes hold {found:,} records with the header, the ledger accounts for {expected:,}"
    return None


def records(chunks: Iterable[bytes], reading: Mapping[str, Any]) -> int:
    """How many records there are in text that comes in pieces, blank lines and lines before the header
    included."""
    blocks = _blocks(chunks)
    found = before = int(reading.get("lines_before_header", 0))
    if before:
        blocks = _after(blocks, before)
    quote = str(reading.get("quote", '"')).encode()
    pending: deque[str] = deque()

    def lines() -> Iterator[str]:
        while True:
            if not pending and (block := next(blocks, None)) is not None:
                pending.extend(_lines(block, reading, quote))
            if not pending:
                return
            yield pending.popleft()

    reader = csv.reader(
        lines(), delimiter=str(reading["delimiter"]), quotechar=quote.decode() or '"', skipinitialspace=True
    )
    try:
        for block in blocks:
            if not quote or quote not in block:
                found += block.count(b"\n") + (not block.endswith(b"\n"))
                continue
            pending.extend(_lines(block, reading, quote))
            while pending:  # the reader takes the lines of one record, and of further blocks if it must
                next(reader)
                found += 1
    except csv.Error as error:
        raise _NotCounted("with cells too long to count") from error
    return found


def _text(blob: Path, reading: Mapping[str, Any], open_files: ExitStack) -> IO[bytes]:
    """The delimited text in the archived bytes."""
    if not blob.is_file():
        raise _NotCounted("archived elsewhere")
    if reading.keys() & {"fixes", "row_fixes"} or "other_table" in reading.get("gaps", {}):
        raise _NotCounted("read in part, or with corrections")

    def opened() -> IO[bytes]:
        file = open_files.enter_context(blob.open("rb"))
        start = file.read(4)
        file.seek(0)
        if start[:2] == b"\x1f\x8b":
            unpacked = gzip.GzipFile(fileobj=file)
            open_files.callback(unpacked.close)
            return cast("IO[bytes]", unpacked)
        if start == b"PK\x03\x04":
            packed = open_files.enter_context(zipfile.ZipFile(file))
            return open_files.enter_context(packed.open(str(reading.get("member"))))
        return file

    head = opened().read(4096).removeprefix(_BOM).lstrip()
    if (
        b"\0" in head
        or head[:1] in (b"{", b"[")
        or head[:2] in (b"\xff\xfe", b"\xfe\xff")
        or "line_ends" in reading
    ):
        raise _NotCounted("not text as it lies")
    return opened()


def _without(chunks: Iterator[bytes], refused: Iterable[tuple[int, bytes]], *, base: int) -> Iterator[bytes]:
    """The text with an x in the place of each refused record, whose line end stays; `base` is where it starts
    in the file."""
    data, at = next(chunks, b""), 0
    parts: list[bytes] = []
    for offset, raw in refused:
        start = offset - base
        while start + len(raw) > len(data) and (more := next(chunks, b"")):
            sure = min(max(start, at), len(data))
            yield b"".join([*parts, data[at:sure]])
            parts, base, start = [], base + sure, start - sure
            data, at = data[sure:] + more, 0
        if start < at or data[start : start + len(raw)] != raw:
            raise _Elsewhere(f"the row refused at byte {offset:,} does not stand there")
        parts += [data[at:start], b"x"]
        at = start + len(raw)
    yield b"".join([*parts, data[at:]])
    yield from chunks


def _blocks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same text in pieces that end where a line ends, all with LF."""
    newline = b""
    rest: list[bytes] = []
    for piece in chunks:
        chunk = piece
        if not newline and (b"\n" in chunk or b"\r" in chunk[:-1]):
            newline = b"\n" if b"\n" in chunk else b"\r"
        if newline == b"\r":
            if b"\n" in chunk:
                raise _NotCounted("with more than one kind of line end")
            chunk = piece.replace(b"\r", b"\n")
        stop = chunk.rfind(b"\n") + 1
        if not stop:
            rest.append(chunk)
            continue
        yield b"".join([*rest, chunk[:stop]])
        rest = [chunk[stop:]]
    if last := b"".join(rest):
        yield last.replace(b"\r", b"\n") if not newline else last


def _after(blocks: Iterator[bytes], count: int) -> Iterator[bytes]:
    """What comes after the first `count` lines."""
    for block in blocks:
        held = block.count(b"\n")
        if held >= count:
            if rest := block.split(b"\n", count)[count]:
                yield rest
            break
        count -= held
    yield from blocks


def _lines(block: bytes, reading: Mapping[str, Any], quote: bytes) -> list[str]:
    if reading.get("escape") == "backslash":
        block = block.replace(b"\\\\", b"").replace(b"\\" + quote, b"")
    # to csv a carriage return ends a record anywhere, and only ASCII matters here
    block = block.replace(b"\r\n", b"\n").replace(b"\r", b" ").replace(b"\0", b" ")
    return [f"{line}\n" for line in block.removesuffix(b"\n").decode("latin-1").split("\n")]
