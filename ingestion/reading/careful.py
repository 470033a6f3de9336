"""The careful reader: cuts a damaged file record by record, and validates with the same query as the fast
one.

It resynchronises at the next sound line; what cannot be cut is rejected with its bytes, never shifted or
repaired. What it says about a file is right by definition; the fast reader must say the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ingestion.reading import finishing, messages, views
from ingestion.reading.delivery import Delivery
from ingestion.reading.finishing import Answer, Place
from ingestion.reading.gaps import Gaps, Verdict, sums_above
from ingestion.reading.identities import Identities
from ingestion.reading.order_cells import OrderCells
from ingestion.reading.rows import Batch, Reading, RejectedRow
from ingestion.reading.stretches import Stretch
from ingestion.reading.tokens import UNIT, cut
from ingestion.reading.validated import Answered, Validated

if TYPE_CHECKING:
    from ingestion.reading.stretches import Numbers


class CarefulReading(Reading):
    """A delivery read record by record."""

    def __init__(self, delivery: Delivery) -> None:
        self.delivery = delivery
        self.contract = delivery.contract
        self.facts = delivery.facts | {"reader": "careful"}
        self.rows_gap = 0
        self.identities: Identities | None = None
        self.order_cells = OrderCells(self.contract.once_per_order)

    def careful(self) -> Reading:
        """A fresh careful reading of the same delivery."""
        return CarefulReading(self.delivery)

    def refusing(self, orders: frozenset[int]) -> Reading:
        """The same delivery without these orders."""
        return CarefulReading(self.delivery.refusing(orders))

    def batches(self) -> Iterator[Batch]:
        """Yield batches in file order. Raises Undecided where a second table starts, FileRefused for a line
        longer than any row."""
        self.identities = Identities() if self.delivery.plan.has_identity else None
        self.order_cells = OrderCells(self.contract.once_per_order)
        gaps = Gaps(self.delivery)
        records = rows = padded = 0
        is_over = False
        for found in Validated(self.delivery):
            stretch = found.stretch
            padded += stretch.padded
            if is_over:
                gaps.counts["other_table"] += len(stretch)
                continue
            batch, count, is_over = self._batch(found, gaps, records, rows)
            records += len(stretch)
            rows += count
            if count:
                yield batch
        self.rows_gap = gaps.total
        self.facts |= gaps.facts() | ({"rows_padded": padded} if padded else {})

    def _batch(self, validated: Answered, gaps: Gaps, records: int, rows: int) -> tuple[Batch, int, bool]:
        """The batch of one stretch, how many rows it holds, and whether the table ended in it."""
        stretch, whole, answers = validated
        d = self.delivery
        found = finishing.answer(
            answers,
            plan=d.plan,
            contract=d.contract,
            today=d.today,
            identities=self.identities,
            order_cells=self.order_cells,
        )
        self.note_repeated_hour(found.twice)
        is_row = np.ones(len(stretch), bool)
        refused: list[RejectedRow] = []
        end = len(stretch)
        doubtful = np.ones(len(stretch), bool)
        doubtful[whole[~found.failed]] = False
        for index, position, place in _places(stretch, whole, np.flatnonzero(doubtful)):
            cells, row = self._refused(place, stretch.uncut.get(index), position, found)
            verdict = gaps.judge(
                cells,
                number=records + index,
                offset=place.offset,
                above=lambda i=index: sums_above(found, int(np.searchsorted(whole, i))),  # type: ignore[misc]
            )
            if verdict is Verdict.END:
                end = index
                break
            is_row[index] = verdict is not Verdict.GAP
            if verdict is Verdict.ROW:
                gaps.add_refused(cells)
                refused.append(row)
            elif verdict is Verdict.WRONG_TOTAL:
                refused.append(finishing.wrong_total(row, gaps.wrong_total(cells), header=d.head.header))
        if end < len(stretch):
            is_row[end:] = False
            gaps.counts["other_table"] += len(stretch) - end
            found = found.up_to(int(np.searchsorted(whole, end)))
        gaps.add(found)
        numbers = (np.cumsum(is_row) + rows)[whole]
        batch = Batch(
            finishing.accepted(found, row_numbers=numbers),
            d.traced(refused),
            found.repeated,
            finishing.refused_orders(found, up_to=int(np.searchsorted(whole, end))),
        )
        return batch, int(is_row.sum()), end < len(stretch)

    def _refused(
        self, place: Place, uncut: str | None, position: int, found: Answer
    ) -> tuple[list[str], RejectedRow]:
        """The cells of a record as far as it has some, and the rejected row it is unless it is a gap."""
        d = self.delivery
        if position >= 0:
            row = finishing.rejected(place, found.bits(position), plan=d.plan, header=d.head.header)
            return list(place.cells), row
        code = uncut or "ROW_TOO_SHORT"
        cells: list[str] = []
        if code in ("ROW_TOO_SHORT", "ROW_TOO_LONG"):
            text = place.raw.decode(d.encoding)
            cells = cut(text, d.head.delimiter, quote=d.head.quote, backslash=d.head.backslash)[0] or []
        said = messages.for_row(
            code, place.raw, width=len(d.head.header), cells=len(cells), encoding=d.encoding,
            row=place.sheet_row, line=place.line,
        )  # fmt: skip
        row = RejectedRow(place.line, place.sheet_row, place.offset, ("",), (code,), (said,), place.raw)
        return cells if code.startswith("ROW_") else [place.raw.decode(d.encoding, errors="replace")], row


def _places(stretch: Stretch, whole: Numbers, wanted: Numbers) -> Iterator[tuple[int, int, Place]]:
    """For each wanted record: its index, its position among those that have cells (-1: it has none), and
    where it stands."""

    positions = np.full(len(stretch), -1, np.int64)
    positions[whole] = np.arange(len(whole))
    columns = (a[wanted].tolist() for a in (positions, stretch.lines, stretch.sheet_rows, stretch.offsets))
    texts = stretch.texts.take(views.positions(wanted)).to_pylist()
    for index, position, line, sheet_row, offset, text in zip(wanted.tolist(), *columns, texts, strict=True):
        cells = text.split(UNIT) if position >= 0 else []
        yield index, position, Place(line, sheet_row, offset, stretch.raw(index), cells)
