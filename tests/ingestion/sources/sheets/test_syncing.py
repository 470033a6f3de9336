"""A worksheet as a delivery: in the ledger with its rows, again when it changed, never emptied."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ingestion.contract import load_contracts
from ingestion.deciding import withdraw
from ingestion.landed import Landed
from ingestion.sources.fetching import fetch_feed
from ingestion.sources.google import Endpoints, Google
from ingestion.sources.spreadsheet import SheetReader
from warehouse.database import Warehouse
from warehouse.errors import ShopxError

TODAY = date(2026, 3, 10)
FIRST_OF_MARCH = 46082
CONTRACT = """
feed: market
title: The market stall's sheet
kind: sheet
currency: EUR
max_reject_share: 1
columns:
  date: {names: [Date]}
  order_id: {names: [Order]}
  product_name: {names: [Product]}
  amount: {names: [Amount]}
"""
Sync = Callable[[], list[Landed]]


@pytest.fixture
def sync(
    warehouse: Warehouse, google: Any, credentials: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Sync:
    folder = tmp_path / "feeds"
    folder.mkdir()
    (folder / "market.yaml").write_text(f"{CONTRACT}sheet: {{id: {google.spreadsheet}}}\n")
    monkeypatch.setattr(load_contracts, "__defaults__", (folder,))
    endpoints = Endpoints(google.address, google.address)

    def never(seconds: float) -> None:
        raise AssertionError(f"waited {seconds} s")

    def ask() -> list[Landed]:
        reader = SheetReader(lambda: Google(credentials, endpoints=endpoints, wait=never), wait=never)
        return fetch_feed(warehouse, "market", today=TODAY, source=reader)

    return ask


def sell(google: Any, *sales: tuple[int, str, str, object], at: str) -> None:
    """The sheet as it is after an edit: title, blank row, header, sales."""
    google.modified_at = f"2026-03-0{at}T08:00:00.000Z"
    header = [google.row("Market stall"), [], google.row("Date", "Order", "Product", "Amount")]
    rows = [
        google.row(google.number(FIRST_OF_MARCH + day, "DATE"), order, product, amount)
        for day, order, product, amount in sales
    ]
    google.tabs = [google.tab("Sales", header[2:] + rows)]


def test_a_sheet_lands_and_lands_again_when_it_changed(
    files: Any, warehouse: Warehouse, google: Any, sync: Sync
) -> None:
    mug, tea = (0, "007", "Mug", 2.5), (1, "008", "Tea", 1.99)
    sell(google, mug, tea, at="1")
    (first,) = sync()
    assert (first.status, first.delivered_name, first.amount_cents) == ("landed", "Sales.csv", 449)
    assert sync() == []
    sell(google, mug, tea, at="2")
    assert sync() == []
    sell(google, mug, (1, "008", "Tea", 3), at="3")
    *_, second = sync()
    assert second.amount_cents == 550
    assert files.rows(warehouse, "select mode, cursor ->> 'modified_at' from raw.loads order by load_id") == [
        ("days", "2026-03-01T08:00:00.000Z"),
        ("days", "2026-03-03T08:00:00.000Z"),
    ]
    sold = "select distinct order_id, sale_date::text from raw.sales_lines order by 1"
    assert files.rows(warehouse, sold) == [("007", "2026-03-01"), ("008", "2026-03-02")]


def test_a_withdrawn_sheet_is_delivered_again_although_it_did_not_change(
    files: Any, warehouse: Warehouse, google: Any, sync: Sync
) -> None:
    sell(google, (0, "1", "Mug", 2.5), at="1")
    (first,) = sync()
    withdraw(warehouse, first.load_id, by="test", why="wrong")
    *_, again = sync()
    assert (again.status, again.rows_accepted) == ("landed", 1)


def test_an_emptied_sheet_takes_nothing_away(
    files: Any, warehouse: Warehouse, google: Any, sync: Sync
) -> None:
    sell(google, (0, "1", "Mug", 2.5), at="1")
    sync()
    sell(google, at="2")
    with pytest.raises(ShopxError, match="market: the worksheet Sales has no rows"):
        sync()
    assert files.rows(warehouse, "select status, rows_accepted from raw.loads") == [("landed", 1)]
    assert files.rows(warehouse, "select kind, subject from ops.alerts where resolved_at is null") == [
        ("fetch", "market")
    ]
    sell(google, (0, "1", "Mug", 2.5), at="3")
    assert sync() == []
    assert files.rows(warehouse, "select count(*) from ops.alerts where resolved_at is null") == [(0,)]


def test_a_refused_row_says_the_row_of_the_spreadsheet(
    files: Any, warehouse: Warehouse, google: Any, sync: Sync
) -> None:
    sell(google, (0, "1", "Mug", 2.5), (0, "2", "Tea", google.error("REF")), at="1")
    google.tabs[0].rows.insert(2, [])  # row 3 is blank
    (landed,) = sync()
    assert (landed.rows_accepted, landed.rows_rejected) == (1, 1)
    ((sheet_row, message),) = files.rows(warehouse, "select sheet_row, messages[1] from raw.rejected_rows")
    assert sheet_row == 4
    assert message.startswith('row 4 (line 4), column "Amount": saw "#REF!", expected a value')


def test_a_broken_cell_costs_its_row_also_where_a_text_stands(
    files: Any, warehouse: Warehouse, google: Any, sync: Sync
) -> None:
    """An error in a text column is no name of a product, and a number of 16 digits is no order id."""
    sell(
        google,
        (0, "1", "Mug", 2.5),
        (0, "2", google.error("NAME"), google.error("DIVIDE_BY_ZERO")),
        (40, "3", google.error("N_A"), 1),
        (0, google.number(1234567890123456), "Tea", 1),
        (0, "5", "see #REF! there", "much"),
        at="1",
    )
    sheet_row = google.tabs[0].rows
    for row in sheet_row:
        row.append({})
    sheet_row[1][4] = google.error("REF")  # in a column that nobody asked for
    (landed,) = sync()
    assert (landed.rows_accepted, landed.rows_rejected) == (1, 4)
    found = files.rows(
        warehouse,
        "select sheet_row, byte_offset, reasons, columns, raw_bytes from raw.rejected_rows order by 1",
    )
    told = [(row, *sorted(zip(columns, reasons, strict=True))) for row, _, reasons, columns, _ in found]
    assert told == [
        (3, ("Amount", "CELL_IS_ERROR"), ("Product", "CELL_IS_ERROR")),
        (4, ("Date", "DATE_IN_FUTURE"), ("Product", "CELL_IS_ERROR")),
        (5, ("Order", "DIGITS_LOST")),
        (6, ("Amount", "NUMBER_FORMAT")),
    ]
    ((sha256,),) = files.rows(warehouse, "select content_sha256 from raw.loads")
    data = (warehouse.settings.archive / sha256[:2] / sha256).read_bytes()
    for _, offset, _, _, raw in found:
        assert data[offset:].startswith(bytes(raw) + b"\n")
