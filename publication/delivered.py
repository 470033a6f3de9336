"""Counts what was delivered a second time, from the archived bytes, and compares it with the ledger.

Put here: counting records of archived files with nothing of the readers' code: newlines, and Python's csv
module where quotes may hold some. Never reading of cells, never repairing.
"""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

LARGEST = 1 << 30  # bytes; what is larger is not held in memory for a count
_LOADS = """
select load_id, delivered_name, content_sha256, byte_count, rows_delivered + rows_gap, reading
from raw.loads
where landed_at is not null and status <> 'duplicate' and jsonb_exists(reading, 'delimiter')
order by load_id
"""
_REFUSED = "select byte_offset, raw_bytes from raw.rejected_rows where load_id = %s order by byte_offset"


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


def recount(connection: psycopg.Connection[Any], archive: Path) -> Recount:
    """Count the records of each archived delivery; stops at the first that the ledger counts otherwise."""
    skipped: Counter[str] = Counter()
    counted = 0
    for load_id, name, content_sha256, byte_count, ledger, reading in connection.execute(_LOADS).fetchall():
        try:
            text = _text(archive / content_sha256[:2] / content_sha256, byte_count, reading)
            refused = connection.execute(_REFUSED, [load_id]).fetchall()
            wrong = _compare(text, refused, ledger + (not reading.get("header_in_contract")), reading)
        except _NotCounted as why:
            skipped[str(why)] += 1
            continue
        if wrong:
            return Recount(counted, skipped, f"load {load_id} ({name}): {wrong}")
        counted += 1
    return Recount(counted, skipped, None)


def _text(blob: Path, byte_count: int, reading: Mapping[str, Any]) -> bytes:
    """The delimited text in the archived bytes."""
    if not blob.is_file():
        raise _NotCounted("archived elsewhere")
    if byte_count > LARGEST:
        raise _NotCounted("larger than a gigabyte")
    if reading.keys() & {"fixes", "row_fixes"} or "other_table" in reading.get("gaps", {}):
        raise _NotCounted("read in part, or with corrections")
    data = blob.read_bytes()
    try:
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        elif data[:4] == b"PK\x03\x04":
            with zipfile.ZipFile(io.BytesIO(data)) as packed:
                data = packed.read(str(reading.get("member")))
    except (OSError, KeyError, ValueError, zlib.error, zipfile.BadZipFile) as error:
        raise _NotCounted("not text") from error
    data = data.removeprefix(b"\xef\xbb\xbf")
    head = data[:4096].lstrip()
    if (
        b"\0" in head
        or head[:1] in (b"{", b"[")
        or head[:2] in (b"\xff\xfe", b"\xfe\xff")
        or "line_ends" in reading
    ):
        raise _NotCounted("not text as it lies")
    return data


def _compare(
    text: bytes, refused: Sequence[tuple[int, bytes]], expected: int, reading: Mapping[str, Any]
) -> str | None:
    """What differs, in words; None where every record is accounted for."""
    shift = 3 if reading.get("byte_order_mark") else 0
    parts, at = [], 0
    for offset, raw in refused:
        start = offset - shift
        if start < at or text[start : start + len(raw)] != raw:
            return f"the row refused at byte {offset:,} does not stand there"
        parts += [text[at:start], b"x"]  # something without quotes stands for it, and its line end stays
        at = start + len(raw)
    found = records(b"".join([*parts, text[at:]]), reading)
    if found != expected:
        return f"its bytes hold {found:,} records with the header, the ledger accounts for {expected:,}"
    return None


def records(text: bytes, reading: Mapping[str, Any]) -> int:
    """How many records `text` holds, blank lines and lines before the header included."""
    if b"\n" not in text:
        text = text.replace(b"\r", b"\n")
    before = int(reading.get("lines_before_header", 0))
    if before:
        text = text.split(b"\n", before)[-1]
    quote = str(reading.get("quote", '"'))
    if not quote or quote.encode() not in text:
        return before + text.count(b"\n") + (not text.endswith(b"\n") and bool(text))
    if reading.get("escape") == "backslash":
        text = text.replace(b"\\\\", b"").replace(b"\\" + quote.encode(), b"")
    # to csv a carriage return ends a record anywhere, and only ASCII matters here
    plain = text.replace(b"\r\n", b"\n").replace(b"\r", b" ").replace(b"\0", b" ")
    lines = io.TextIOWrapper(io.BytesIO(plain), encoding="latin-1", newline="\n")
    reader = csv.reader(lines, delimiter=str(reading["delimiter"]), quotechar=quote, skipinitialspace=True)
    try:
        return before + sum(1 for _ in reader)
    except csv.Error as error:
        raise _NotCounted("with cells too long to count") from error
