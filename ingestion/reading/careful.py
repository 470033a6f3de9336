"""The careful reader: cuts a damaged file by hand, row by row, and validates with the same query as the fast
one.

It resynchronises at the next sound line; what cannot be cut is rejected with its bytes, never shifted or
repaired.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from ingestion.reading import finishing, messages
from ingestion.reading.delivery import Delivery, Text
from ingestion.reading.engine import cursor, literal
from ingestion.reading.finishing import Place
from ingestion.reading.identities import Identities
from ingestion.reading.rows import Batch, Reading, RejectedRow
from ingestion.reading.tokens import UNIT, Grammar, Record, cut, records

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

#: Records per batch: Python objects are large, and memory must stay flat.
CHUNK_ROWS = 20_000


class CarefulReading(Reading):
    """A delivery read row by row."""

    def __init__(self, delivery: Delivery) -> None:
        self.delivery = delivery
        self.contract = delivery.contract
        self.facts = delivery.facts | {"reader": "careful"}
        self.rows_gap = 0
        self.identities: Identities | None = None

    def careful(self) -> Reading:
        """A fresh careful reading of the same delivery."""
        return CarefulReading(self.delivery)

    def refusing(self, orders: frozenset[int]) -> Reading:
        """The same delivery without these orders."""
        return CarefulReading(self.delivery.refusing(orders))

    def batches(self) -> Iterator[Batch]:
        """Yield batches in file order. Never raises for what stands in the file."""
        seen = 0
        self.identities = Identities() if self.delivery.plan.has_identity else None
        self.rows_gap = self.delivery.head.lines_before
        connection = cursor()
        try:
            found = all_records(self.delivery)
            while chunk := list(islice(found, CHUNK_ROWS)):
                kept = [r for r in chunk if r.reason or not self._is_gap(r.text or "")]
                self.rows_gap += len(chunk) - len(kept)
                if kept:
                    yield self._batch(connection, kept, seen)
                seen += len(kept)
        finally:
            connection.close()

    def _is_gap(self, text: str) -> bool:
        first = self.delivery.head.header[0]
        return not text.strip(" \t" + UNIT) or (
            text.startswith(first) and is_gap(text.split(UNIT), self.delivery.head.header)
        )

    def _batch(self, connection: duckdb.DuckDBPyConnection, kept: list[Record], seen: int) -> Batch:
        d = self.delivery
        whole = [index for index, record in enumerate(kept) if record.text]
        refused = [(index, self._uncut(record)) for index, record in enumerate(kept) if not record.text]
        rows = self._validated(connection, [kept[index].text or "" for index in whole])
        found = finishing.answer(
            rows, plan=d.plan, contract=d.contract, today=d.today, identities=self.identities
        )
        self.note_repeated_hour(found.twice)
        for position in found.flagged:
            record = kept[whole[position]]
            place = Place(record.line, record.sheet_row, record.offset, record.raw, record.cells)
            row = finishing.rejected(place, found.bits(int(position)), plan=d.plan, header=d.head.header)
            refused.append((whole[position], row))
        numbers = np.array(whole, np.int64) + seen + 1
        return Batch(
            finishing.accepted(found, row_numbers=numbers),
            d.traced([row for _, row in sorted(refused, key=lambda pair: pair[0])]),
            found.repeated,
            finishing.refused_orders(found),
        )

    def _validated(self, connection: duckdb.DuckDBPyConnection, texts: list[str]) -> pa.RecordBatch:
        """The plan's query over records whose cells are joined by UNIT."""
        import pyarrow as pa  # noqa: PLC0415

        used = sorted(set(self.delivery.plan.columns.values()))
        cells = ", ".join(f"cells[{position + 1}] as c{position}" for position in used)
        split = f"select string_split(text, {literal(UNIT)}) as cells from texts"  # noqa: S608
        query = f"with src as (select {cells} from ({split})) {self.delivery.plan.query}"  # noqa: S608
        connection.register("texts", pa.table({"text": pa.array(texts, pa.string())}))
        try:
            answer = connection.sql(query).to_arrow_reader(CHUNK_ROWS).read_all()
        finally:
            connection.unregister("texts")
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


def all_records(text: Text) -> Iterator[Record]:
    """Every record of the file under its header."""
    with text.path.open("rb") as file:
        start = len(codecs.BOM_UTF8) if text.found.has_bom else 0
        file.seek(start)
        yield from records(
            file,
            grammar=Grammar(text.head.delimiter, text.found.newline, text.encoding, len(text.head.header)),
            lines_before=text.head.lines_before,
            start=start,
        )


def is_gap(cells: list[str], header: list[str]) -> bool:
    """A record that says nothing: only blanks, or the header repeated inside the body."""
    if cells and cells[0].strip() == header[0].strip():
        return [cell.strip() for cell in cells] == [name.strip() for name in header] or not any(
            map(str.strip, cells)
        )
    return not any(map(str.strip, cells))
