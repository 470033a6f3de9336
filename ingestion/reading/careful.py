"""The careful reader: cuts a damaged file by hand, row by row, and validates with the same query as the fast one.

It resynchronises at the next sound line; what cannot be cut is rejected with its bytes, never shifted or repaired.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from ingestion.reading import finishing, messages
from ingestion.reading.delivery import Delivery
from ingestion.reading.engine import cursor
from ingestion.reading.finishing import Place
from ingestion.reading.rows import BATCH_ROWS, Batch, Reading, RejectedRow
from ingestion.reading.tokens import Record, cut, records

if TYPE_CHECKING:
    import pyarrow as pa


class CarefulReading(Reading):
    """A delivery read row by row."""

    def __init__(self, delivery: Delivery) -> None:
        self.delivery = delivery
        self.contract = delivery.contract
        self.facts = delivery.facts | {"reader": "careful"}
        self.rows_gap = 0

    def careful(self) -> Reading:
        """A fresh careful reading of the same delivery."""
        return CarefulReading(self.delivery)

    def batches(self) -> Iterator[Batch]:
        """Yield batches in file order. Never raises for what stands in the file."""
        seen = 0
        connection = cursor()
        try:
            found = all_records(self.delivery)
            while chunk := list(islice(found, BATCH_ROWS)):
                kept = [r for r in chunk if r.reason or not is_gap(r.cells or [], self.delivery.head.header)]
                self.rows_gap += len(chunk) - len(kept)
                if kept:
                    yield self._batch(connection, kept, seen)
                seen += len(kept)
        finally:
            connection.close()

    def _batch(self, connection: object, kept: list[Record], seen: int) -> Batch:
        d = self.delivery
        whole = [index for index, record in enumerate(kept) if record.cells]
        refused = [(index, self._uncut(record)) for index, record in enumerate(kept) if not record.cells]
        rows = self._validated(connection, [kept[index].cells or [] for index in whole])
        found = finishing.answer(rows, plan=d.plan, contract=d.contract, today=d.today)
        for position in found.flagged:
            record = kept[whole[position]]
            place = Place(record.line, record.sheet_row, record.offset, record.raw, record.cells or [])
            row = finishing.rejected(place, int(found.bits[position]), plan=d.plan, header=d.head.header)
            refused.append((whole[position], row))
        numbers = np.array(whole, np.int64) + seen + 1
        return Batch(
            finishing.accepted(found, row_numbers=numbers),
            [row for _, row in sorted(refused, key=lambda pair: pair[0])],
        )

    def _validated(self, connection: object, rows: list[list[str]]) -> pa.RecordBatch:
        """The plan's query over rows of text cells."""
        import pyarrow as pa  # noqa: PLC0415

        width = len(self.delivery.head.header)
        columns = list(zip(*rows, strict=True)) if rows else [()] * width
        used = sorted(set(self.delivery.plan.columns.values()))
        table = pa.table({f"c{i}": pa.array(columns[i], pa.string()) for i in used})
        connection.register("src", table)  # type: ignore[attr-defined]
        try:
            answer = connection.sql(self.delivery.plan.query).to_arrow_reader(BATCH_ROWS).read_all()  # type: ignore[attr-defined]
        finally:
            connection.unregister("src")  # type: ignore[attr-defined]
        batches = answer.combine_chunks().to_batches()
        return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=answer.schema)

    def _uncut(self, record: Record) -> RejectedRow:
        d = self.delivery
        code = record.reason or "ROW_TOO_SHORT"
        cells = 0
        if code in ("ROW_TOO_SHORT", "ROW_TOO_LONG"):
            cells = len(cut(record.raw.decode(d.encoding), d.head.delimiter)[0] or [])
        text = messages.for_row(
            code, record.raw, width=len(d.head.header), cells=cells, encoding=d.encoding,
            row=record.sheet_row, line=record.line,
        )  # fmt: skip
        return RejectedRow(record.line, record.sheet_row, record.offset, ("",), (code,), (text,), record.raw)


def all_records(delivery: Delivery) -> Iterator[Record]:
    """Every record of the file under its header."""
    with delivery.path.open("rb") as file:
        start = len(codecs.BOM_UTF8) if delivery.found.has_bom else 0
        file.seek(start)
        for record in records(
            file, delimiter=delivery.head.delimiter, newline=delivery.found.newline, encoding=delivery.encoding,
            width=len(delivery.head.header), lines_before=delivery.head.lines_before, start=start,
        ):  # fmt: skip
            yield record


def is_gap(cells: list[str], header: list[str]) -> bool:
    """A record that says nothing: only blanks, or the header repeated inside the body."""
    return not any(cell.strip() for cell in cells) or [c.strip() for c in cells] == [
        h.strip() for h in header
    ]
