"""A delivery with single rows corrected: they are written anew in a copy of its text, which is then read as
ever.

Put finding rows in the text and writing them anew here. Never where corrections come from (corrections/).
The archived bytes stay as they were delivered, and so do the places and bytes of rows that are refused again.
"""

from __future__ import annotations

import csv
import io
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from ingestion.forms.unpacked import Unpacked, Work
from ingestion.reading import dialect
from ingestion.reading.careful import CarefulReading
from ingestion.reading.delivery import Delivery, Text
from ingestion.reading.fast import FastReading
from ingestion.reading.plan import Plan
from ingestion.reading.rows import Reading, RejectedRow
from ingestion.reading.settling import with_bytes_of
from ingestion.reading.tokens import cut
from ingestion.reading.validation import compile_plan
from warehouse.errors import ShopxError

_CHUNK = 1 << 20
#: (line_number, sheet_row) of a row in the delivered file
Key = tuple[int, int]


@dataclass(frozen=True)
class Fix:
    """A row as it should be: `cells`, one per column of the header, instead of the bytes with this hash."""

    line_number: int
    sheet_row: int
    raw_sha256: str
    cells: tuple[str, ...]

    @property
    def key(self) -> Key:
        """Where the row stands in the delivered file."""
        return self.line_number, self.sheet_row


@dataclass(frozen=True)
class Written:
    """A row of the delivery: its place in the text that is read, its hash as delivered, its cells."""

    in_text: RejectedRow
    raw_sha256: str
    cells: tuple[str, ...]


def header_of(reading: Reading) -> list[str]:
    """The header of a delivery as it was opened."""
    return list(delivery_of(reading).head.header)


def written_rows(reading: Reading, keys: set[Key]) -> dict[Key, Written]:
    """These rows of the delivered file, as far as they are there; one pass over its text."""
    delivery = delivery_of(reading)
    found: dict[Key, Written] = {}
    # forms whose text has a header that the file has not count from one line further on
    near = {sheet_row + more for _, sheet_row in keys for more in (-1, 0, 1)}
    for row in records_of(delivery):
        if row.sheet_row not in near:
            continue
        (as_delivered,) = delivery.traced([row])
        key = as_delivered.line_number, as_delivered.sheet_row
        if key in keys:
            digest = sha256(as_delivered.raw_bytes).hexdigest()
            found[key] = Written(row, digest, tuple(_cells(delivery, row.raw_bytes)))
    return found


def corrected(reading: Reading, fixes: Sequence[Fix], *, work: Path | None = None) -> Reading:
    """The same delivery with these rows corrected; `reading.facts["fixes"]` counts them.

    What the whole file proves (date order, decimal mark) stays what the file as delivered proved. Raises
    ShopxError where a correction meets another row than it was made for, or fits no column.
    """
    delivery = delivery_of(reading)
    rows = written_rows(reading, {fix.key for fix in fixes})
    width = len(delivery.head.header)
    spliced = []
    for fix in fixes:
        row = rows.get(fix.key)
        if row is None or row.raw_sha256 != fix.raw_sha256:
            raise ShopxError(
                f"Row {fix.sheet_row:,} (line {fix.line_number:,}) was corrected, but today's contract reads "
                "another row there; change the contract back, or deliver the corrected file."
            )
        if len(fix.cells) != width:
            raise ShopxError(
                f"Row {fix.sheet_row:,} (line {fix.line_number:,}) was corrected with {len(fix.cells)} "
                f"cells, but today's contract reads {width}; correct it again: ./shopx rejects LOAD --xlsx "
                "FILE."
            )
        spliced.append((row.in_text, _line(delivery, fix.cells)))
    spliced.sort(key=lambda pair: pair[0].byte_offset)
    unpacked = delivery.unpacked or Unpacked(delivery.path)
    room = unpacked.work or Work(work)
    target = room.place(delivery.path.name)
    origin = _splice(delivery.path, target, spliced)
    found = dialect.scan(target)
    fixed = replace(
        delivery,
        path=target,
        found=found,
        plan=_plan(delivery, replace(delivery, path=target, found=found)),
        facts=delivery.facts | {"fixes": len(spliced)},
        unpacked=replace(unpacked, path=target, origins=(*unpacked.origins, origin), work=room),
    )
    return FastReading(fixed) if fixed.can_be_fast else CarefulReading(fixed)


def _plan(delivery: Delivery, text: Text) -> Plan:
    """The rules of the delivery for the corrected text, whose cells may hold what none of it held before."""
    was = delivery.plan
    settled = with_bytes_of(delivery.settled, text)
    plan = compile_plan(delivery.contract, was.columns, settled, given=was.given)
    return replace(plan, refused_orders=was.refused_orders)


def delivery_of(reading: Reading) -> Delivery:
    """The opened delivery behind a reading."""
    if not isinstance(reading, FastReading | CarefulReading):
        raise TypeError(f"{type(reading).__name__} was not opened from a text")
    return reading.delivery


def records_of(delivery: Delivery) -> Iterator[RejectedRow]:
    """Every record of the text with its place and bytes in it, as a row without reasons."""
    for stretch in delivery.stretches():
        for index in range(len(stretch)):
            line, row, offset = (
                int(place[index]) for place in (stretch.lines, stretch.sheet_rows, stretch.offsets)
            )
            yield RejectedRow(line, row, offset, (), (), (), stretch.raw(index))


def _cells(delivery: Delivery, raw: bytes) -> list[str]:
    """The cells of a row as far as it can be cut; what cannot is cut at every delimiter."""
    text = raw.decode(delivery.encoding, "replace")
    head = delivery.head
    cells, _ = cut(text, head.delimiter, quote=head.quote, backslash=head.backslash)
    return cells or text.split(head.delimiter)


def _line(delivery: Delivery, cells: Sequence[str]) -> bytes:
    """The cells as one record of the text, without a line end. Raises ShopxError where the file's way of
    writing has no room for them."""
    head = delivery.head
    quote, backslash = head.quote, head.backslash
    if not quote:
        if any(mark in cell for cell in cells for mark in (head.delimiter, "\n", "\r")):
            raise ShopxError(
                f'A corrected cell holds the delimiter "{head.delimiter}" or a line end, and this file has '
                "no quotes to put around it; write it without."
            )
        return head.delimiter.join(cells).encode(delivery.encoding)
    line = io.StringIO()
    writer = csv.writer(
        line,
        delimiter=head.delimiter,
        quotechar=quote,
        doublequote=not backslash,
        escapechar="\\" if backslash else None,
        quoting=csv.QUOTE_ALL if backslash else csv.QUOTE_MINIMAL,
        lineterminator="",
    )
    writer.writerow(cells)
    return line.getvalue().encode(delivery.encoding)


@dataclass(frozen=True)
class _Span:
    """Where a corrected row stands: the text it replaced, and how far what follows it was moved."""

    start: int
    was: RejectedRow
    bytes_after: int
    lines_after: int


class _Corrected:
    """The way back from the corrected text to the text it was made from."""

    def __init__(self, spans: Sequence[_Span]) -> None:
        self._spans = spans
        self._starts = [span.start for span in spans]

    def retrace(self, row: RejectedRow) -> RejectedRow:
        at = bisect_right(self._starts, row.byte_offset) - 1
        if at < 0:
            return row
        span = self._spans[at]
        if span.start == row.byte_offset:
            was = span.was
            line, offset, raw = was.line_number, was.byte_offset, was.raw_bytes
        else:
            line, offset = row.line_number - span.lines_after, row.byte_offset - span.bytes_after
            raw = row.raw_bytes
        before, after = f"(line {row.line_number:,})", f"(line {line:,})"
        messages = tuple(said.replace(before, after, 1) for said in row.messages)
        return replace(row, line_number=line, byte_offset=offset, raw_bytes=raw, messages=messages)


def _splice(path: Path, target: Path, rows: Sequence[tuple[RejectedRow, bytes]]) -> _Corrected:
    """Copy `path` with these rows written anew; they stand in file order."""
    spans: list[_Span] = []
    moved_bytes = moved_lines = 0
    with path.open("rb") as source, target.open("wb") as out:
        for was, line in rows:
            _copy(source, out, was.byte_offset - source.tell())
            start = out.tell()
            out.write(line)
            source.seek(len(was.raw_bytes), io.SEEK_CUR)
            moved_bytes += len(line) - len(was.raw_bytes)
            moved_lines += line.count(b"\n") - was.raw_bytes.count(b"\n")
            spans.append(_Span(start, was, moved_bytes, moved_lines))
        _copy(source, out, None)
    return _Corrected(spans)


def _copy(source: io.BufferedReader, out: io.BufferedWriter, size: int | None) -> None:
    while size is None or size > 0:
        chunk = source.read(_CHUNK if size is None else min(size, _CHUNK))
        if not chunk:
            return
        out.write(chunk)
        size = None if size is None else size - len(chunk)
