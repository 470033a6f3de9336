"""Cells that an export writes only on the first line of an order: the lines below take them.

Put here how such a cell is carried from line to line and from batch to batch. Never which columns these are
(the contract says), never rows that stand elsewhere in the file: only lines next to each other belong
together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ingestion.reading import views

if TYPE_CHECKING:
    import pyarrow as pa


class OrderCells:
    """The columns `names`, often none, and what the order at the end of the last batch said in them."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self._order: str | None = None
        self._said: dict[str, str | None] = {}

    def fill(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """The batch of the query with each empty cell of these columns as in the nearest line above of the
        same order. Rows without an order id stay as they are."""
        import pyarrow as pa  # noqa: PLC0415

        count = rows.num_rows
        if not self.names or not count:
            return rows
        orders = rows.column("order_id")
        begins = _begins(orders)
        goes_on = self._order is not None and orders[0].as_py() == self._order
        columns = {field.name: rows.column(field.name) for field in rows.schema}
        for name in self.names:
            above = self._said.get(name) if goes_on else None
            columns[name] = _filled(columns[name], begins, above, is_order=views.known(orders))
        self._order = orders[count - 1].as_py()
        self._said = {name: columns[name][count - 1].as_py() for name in self.names}
        return pa.RecordBatch.from_pydict(columns, schema=rows.schema)


def _begins(orders: pa.Array) -> NDArray[np.int64]:
    """For each row where the run of lines of its order begins."""
    import pyarrow.compute as pc  # noqa: PLC0415

    count = len(orders)
    same = pc.fill_null(pc.equal(orders.slice(1), orders.slice(0, count - 1)), fill_value=False)
    starts = np.ones(count, bool)
    starts[1:] = [not one for one in same.to_pylist()]
    return np.maximum.accumulate(np.where(starts, np.arange(count), 0))


def _filled(
    cells: pa.Array, begins: NDArray[np.int64], above: str | None, *, is_order: NDArray[np.bool_]
) -> pa.Array:
    import pyarrow as pa  # noqa: PLC0415

    if not cells.null_count:
        return cells
    rows = np.arange(len(cells))
    nearest = np.maximum.accumulate(np.where(views.known(cells), rows, -1))
    carried = cells.take(views.array(np.where(is_order & (nearest >= begins), nearest, rows), pa.int64()))
    if above is None:
        return carried
    first = int(np.searchsorted(begins, 1))  # the run that began in the batch before
    values = [above if value is None else value for value in carried.slice(0, first).to_pylist()]
    return pa.concat_arrays([pa.array(values, carried.type), carried.slice(first)])
