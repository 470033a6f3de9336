"""The fast reader: DuckDB parses and validates sound files; this only hands its batches on.

Anything DuckDB cannot read strictly raises DamagedFile, and the careful reader takes the whole file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from ingestion.reading import finishing
from ingestion.reading.ahead import Ahead, answers, query_of
from ingestion.reading.careful import CarefulReading
from ingestion.reading.delivery import Delivery
from ingestion.reading.finishing import Answer, Place
from ingestion.reading.gaps import Gaps, Verdict, sums_above
from ingestion.reading.identities import Identities
from ingestion.reading.locate import Located, Locator
from ingestion.reading.order_cells import OrderCells
from ingestion.reading.rows import Batch, Reading, RejectedRow
from ingestion.reading.tokens import cut, fitted
from ingestion.refusals import DamagedFile

if TYPE_CHECKING:
    import pyarrow as pa


class FastReading(Reading):
    """A delivery read by DuckDB."""

    def __init__(self, delivery: Delivery, begun: Ahead | None = None) -> None:
        self.delivery = delivery
        self.begun = begun
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
        gaps = Gaps(d)
        identities = Identities() if d.plan.has_identity else None
        order_cells = OrderCells(d.contract.once_per_order)
        seen = rows_before = 0
        end: int | None = None
        with Locator(d.path, grammar=d.grammar, lines_before=d.head.lines_before) as locator:
            for rows in answers if answers is not None else self._answers():
                found = finishing.answer(
                    rows,
                    plan=d.plan,
                    contract=d.contract,
                    today=d.today,
                    identities=identities,
                    order_cells=order_cells,
                )
                self.note_repeated_hour(found.twice)
                is_row = np.ones(rows.num_rows, bool)
                refused: list[RejectedRow] = []
                flagged = found.flagged if end is None else found.flagged[:0]
                if len(flagged):
                    places = locator.find([seen + d.head.in_file + int(i) for i in flagged])
                    for index, located in zip(flagged.tolist(), places, strict=True):
                        verdict, row = self._judged(gaps, found, index, located)
                        if verdict is Verdict.END:
                            end = seen + index
                            break
                        is_row[index] = verdict is not Verdict.GAP
                        if row is not None:
                            refused.append(row)
                over = rows.num_rows if end is None else max(end - seen, 0)
                if end is not None:
                    is_row[over:] = False
                    found = found.up_to(over)
                    gaps.counts["other_table"] += rows.num_rows - over
                gaps.add(found)
                numbers = np.cumsum(is_row) + rows_before
                seen += rows.num_rows
                rows_before += int(is_row.sum())
                accepted = finishing.accepted(found, row_numbers=numbers)
                orders = finishing.refused_orders(found, up_to=over)
                yield Batch(accepted, d.traced(refused), found.repeated, orders)
            if blank := self._blank_lines(locator, seen):
                gaps.counts["blank"] += blank
        self.rows_gap = gaps.total
        self.facts |= gaps.facts()

    def _answers(self) -> Iterator[pa.RecordBatch]:
        import duckdb  # noqa: PLC0415
        import pyarrow as pa  # noqa: PLC0415

        query = query_of(self.delivery)
        begun, self.begun = self.begun, None
        try:
            yield from begun.answers(query) if begun else answers(query)
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            raise DamagedFile(str(error)) from error

    def _judged(
        self, gaps: Gaps, found: Answer, index: int, located: Located | None
    ) -> tuple[Verdict, RejectedRow | None]:
        """What a flagged record is, and the rejected row where it is one."""
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
        verdict = gaps.judge(
            cells,
            number=located.sheet_row,
            offset=located.offset,
            above=lambda: sums_above(found, index),
        )
        if verdict in (Verdict.GAP, Verdict.END):
            return verdict, None
        place = Place(located.line, located.sheet_row, located.offset, located.raw, cells)
        row = finishing.rejected(place, found.bits(index), plan=d.plan, header=d.head.header)
        if verdict is Verdict.WRONG_TOTAL:
            return verdict, finishing.wrong_total(row, gaps.wrong_total(cells), header=d.head.header)
        gaps.add_refused(cells)
        return verdict, row

    def _blank_lines(self, locator: Locator, rows: int) -> int:
        """Lines that hold no record; the file is only walked for them when lines and records differ in
        number."""
        head = self.delivery.head
        if self.delivery.found.lines - head.lines_before == rows + head.in_file:
            return 0
        locator.finish()
        if locator.records != rows + head.in_file:
            raise DamagedFile(f"{locator.records - head.in_file} records by line, {rows} parsed")
        if locator.rows_in_quotes:
            raise DamagedFile("a quoted cell holds whole rows")
        return locator.blank_lines
