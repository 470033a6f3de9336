"""Cells that stand on an order's first line only, whatever the batches they come in."""

from __future__ import annotations

from itertools import pairwise

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.reading.order_cells import OrderCells

LINE = st.tuples(st.sampled_from([None, "1", "2"]), st.sampled_from([None, "paid", "voided"]))


def filled(lines: list[tuple[str | None, str | None]]) -> list[str | None]:
    """Line by line, as a person would."""
    out: list[str | None] = []
    before: str | None = None
    last: str | None = None
    for order, cell in lines:
        if order is None or order != before:
            last = None
        last = cell if cell is not None else last
        out.append(cell if order is None else last)
        before = order
    return out


@settings(max_examples=100, deadline=None)
@given(lines=st.lists(LINE, max_size=40), cuts=st.sets(st.integers(0, 40)))
def test_an_empty_cell_takes_that_of_the_line_above_of_its_order(
    lines: list[tuple[str | None, str | None]], cuts: set[int]
) -> None:
    cells, found = OrderCells(["order_status"]), []
    edges = sorted({0, len(lines), *(cut for cut in cuts if cut < len(lines))})
    for start, end in pairwise(edges):
        part = lines[start:end]
        batch = pa.RecordBatch.from_pydict(
            {
                "order_id": pa.array([order for order, _ in part], pa.string()),
                "order_status": pa.array([cell for _, cell in part], pa.string()),
                "product_name": pa.array([None] * len(part), pa.string()),
            }
        )
        done = cells.fill(batch)
        assert done.schema == batch.schema
        assert done["product_name"].null_count == len(part)
        found += done["order_status"].to_pylist()
    assert found == filled(lines)
