"""Fixture `files`: small sales files for the tests of the ledger, and ways to look at what became of them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from warehouse.database import Warehouse


class Files:
    """Writes deliveries of single-piece sales; reads tables back."""

    HEADER = "Order ID,Date,Product,Quantity,Unit Price,Amount,Store"

    def line(self, order: str, day: str, product: str = "Mug", cents: int = 250, store: str = "") -> str:
        """One sale of one piece."""
        amount = f"{cents // 100}.{cents % 100:02d}"
        return f"{order},{day},{product},1,{amount},{amount},{store}"

    def write(
        self, folder: Path, name: str, lines: Iterable[str], *, mtime: int = 1_000, header: str = HEADER
    ) -> Path:
        """A delivery of this age."""
        path = folder / name
        path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        os.utime(path, (mtime, mtime))
        return path

    def rows(self, warehouse: Warehouse, query: str) -> list[tuple[Any, ...]]:
        """What a query gives, as the owner."""
        with warehouse.connect("owner") as conn:
            return conn.execute(query).fetchall()

    def totals(self, warehouse: Warehouse) -> list[tuple[Any, ...]]:
        """Name, status, mode, rows and money of each load, in delivery order."""
        return self.rows(
            warehouse,
            "select delivered_name, status, mode, rows_accepted, amount_cents from raw.loads"
            " order by delivery_no",
        )


@pytest.fixture(scope="session")
def files() -> Files:
    return Files()
