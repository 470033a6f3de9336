"""The fast reader: DuckDB parses and validates sound files; this only hands its batches on.

Anything DuckDB cannot read strictly raises DamagedFile, and the careful reader takes the whole file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from ingestion.reading import finishing
from ingestion.reading.careful import CarefulReading, is_gap
from ingestion.reading.delivery import Delivery, csv_source
from ingestion.reading.engine import cursor
from ingestion.reading.finishing import Answer, Place
from ingestion.reading.identities import Identities
from ingestion.reading.locate import Located, Locator
from ingestion.reading.rows import BATCH_ROWS, Batch, Reading, RejectedRow
from ingestion.reading.tokens import cut, fitted
from ingestion.refusals import DamagedFile

if TYPE_CHECKING:
    import pyarrow as pa


class FastReading(Reading):
    """A delivery read by DuckDB."""

    def __init__(self, delivery: Delivery) -> None:
        self.delivery = delivery
        self.contract = delivery.contract
        self.facts = delivery.facts | {"reader": "fast"}
        self.rows_gap = 0

    def careful(self) -> Reading:
        """The same delivery through the careful reader."""
        return CarefulReading(self.delivery)

    def refusing(self, orders: frozenset[int]) -> Reading:
        """The same delivery without these orders."""
        return FastReading(self.delivery.refusing(orders))

    def batches(self, answers: Iterable[pa.RecordBatch] | None = None) -> Iterator[Batch]:
        """Yield batches in file order. Raises DamagedFile at the first byte that is not sound.

        `answers`: the query's rows of this file where they are known already.
        """
        d = self.delivery
        seen = gaps = 0
        identities = Identities() if d.plan.has_identity else None
        with Locator(d.path) as locator:
            for rows in answers if answers is not None else self._answers():
                found = finishing.answer(
                    rows, plan=d.plan, contract=d.contract, today=d.today, identities=identities
                )
                self.note_repeated_hour(found.twice)
                flagged = found.flagged
                is_gap = np.zeros(rows.num_rows, bool)
                refused: list[RejectedRow] = []
                if len(flagged):
                    places = locator.find([seen + 1 + int(i) for i in flagged])
                    for index, located in zip(flagged, places, strict=True):
                        row = self._refused(found, int(index), located)
                        if row is None:
                            is_gap[index] = True
                        else:
                            refused.append(row)
                numbers = np.cumsum(~is_gap) + seen - gaps
                seen += rows.num_rows
                gaps += int(is_gap.sum())
                accepted = finishing.accepted(found, row_numbers=numbers)
                orders = finishing.refused_orders(found)
                yield Batch(accepted, d.traced(refused), found.repeated, orders)
            self.rows_gap = gaps + self._blank_lines(locator, seen)

    def _answers(self) -> Iterator[pa.RecordBatch]:
        import duckdb  # noqa: PLC0415
        import pyarrow as pa  # noqa: PLC0415

        d = self.delivery
        query = f"with src as (select * from {csv_source(d.path, d.head)}) {d.plan.query}"  # noqa: S608
        connection = cursor()
        try:
            yield from connection.sql(query).to_arrow_reader(BATCH_ROWS)
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            raise DamagedFile(str(error)) from error
        finally:
            connection.close()

    def _refused(self, found: Answer, index: int, located: Located | None) -> RejectedRow | None:
        """The rejected row, or None where the record is a gap: only blanks, or the header once more."""
        d = self.delivery
        if located is None:
            raise DamagedFile("records do not match the lines of the file")
        cells, _ = cut(located.raw.decode("utf-8"), d.head.delimiter)
        if cells is not None:
            cells, _ = fitted(cells, len(d.head.header))
        parsed = found.rows.column("raw_cells")[index].as_py()
        if cells is None or (
            parsed is not None and cells and parsed != [cells[p] for p in d.plan.columns.values()]
        ):
            raise DamagedFile("a record is not where its number says")
        if is_gap(cells, d.head.header):
            return None
        place = Place(located.line, located.sheet_row, located.offset, located.raw, cells)
        return finishing.rejected(place, found.bits(index), plan=d.plan, header=d.head.header)

    def _blank_lines(self, locator: Locator, rows: int) -> int:
        """Lines that hold no record; the file is only walked for them when lines and records differ in
        number."""
        if self.delivery.found.lines == rows + 1:
            return 0
        locator.finish()
        if locator.records != rows + 1:
            raise DamagedFile(f"{locator.records - 1} records by line, {rows} parsed")
        return locator.blank_lines
