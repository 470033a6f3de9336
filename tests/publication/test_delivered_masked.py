"""The second count of what was delivered, after a person was erased from the archived bytes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from ingestion.forgetting import forget
from ingestion.landing import land
from publication.delivered import recount
from warehouse.database import Warehouse


def test_masked_bytes_are_counted_like_those_delivered(warehouse: Warehouse, tmp_path: Path) -> None:
    path = tmp_path / "till.csv"
    path.write_text(
        "Order ID,Date,Product,Quantity,Unit Price,Amount,Customer ID\n"
        "1,2026-02-01,Mug,1,2.50,2.50,C17\n2,2026-02-31,Mug,1,2.50,2.50,C17\n"
    )
    land(warehouse, [path], today=date(2026, 3, 1))
    assert forget(warehouse, customer_id="C17", by="ann").files_rewritten
    with warehouse.connect("owner") as conn:
        found = recount(conn, warehouse.settings.archive)
    assert (found.counted, found.broken) == (1, None)
