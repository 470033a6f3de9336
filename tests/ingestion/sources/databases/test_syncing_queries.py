"""Another database as deliveries: from its rows to the ledger, and what is asked for the next time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ingestion.contract import load_contracts
from ingestion.deciding import withdraw
from ingestion.landed import Landed
from ingestion.sources.fetching import fetch_feed, fetched_feeds, is_configured, missing_variables
from warehouse.database import Warehouse
from warehouse.errors import ShopxError

TODAY = date(2026, 3, 10)
ERP = """
feed: erp
title: Lines of the ERP
kind: database
currency: EUR
columns:
  order_id: {names: [order_id]}
  line_number: {names: [line]}
  date: {names: [sold_on]}
  product_name: {names: [product]}
  amount: {names: [amount]}
database: {url_env: ERP_URL, query: select * from lines, cursor: changed_at}
"""


@pytest.fixture
def feeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Contracts of this test's own, and no others."""
    folder = tmp_path / "feeds"
    folder.mkdir()
    monkeypatch.setattr(load_contracts, "__defaults__", (folder,))

    def write(name: str, text: str) -> None:
        (folder / f"{name}.yaml").write_text(text)

    return write


class Till:
    """A database file with lines of sale."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run("create table lines (order_id, line, sold_on, product, amount, changed_at)")

    def run(self, *statements: str) -> None:
        with sqlite3.connect(self.path) as conn:
            for statement in statements:
                conn.execute(statement)

    def sell(self, order: str, line: int, cents: int, changed_at: str, day: str = "2026-03-01") -> None:
        self.run(
            f"insert into lines values ('{order}', {line}, '{day}', 'Mug', {cents / 100!r}, '{changed_at}')"
        )


@pytest.fixture
def till(tmp_path: Path, feeds: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch) -> Till:
    feeds("erp", ERP)
    monkeypatch.setenv("ERP_URL", f"sqlite:///{tmp_path}/till.db")
    return Till(tmp_path / "till.db")


@pytest.fixture
def sync(warehouse: Warehouse) -> Callable[[str], list[Landed]]:
    def ask(feed: str) -> list[Landed]:
        return fetch_feed(warehouse, feed, today=TODAY)

    return ask


def test_a_database_goes_on_where_its_counted_deliveries_end(
    files: Any, warehouse: Warehouse, till: Till, sync: Any
) -> None:
    till.sell("1", 1, 250, "10:00")
    till.sell("1", 2, 199, "10:01")
    (first,) = sync("erp")
    assert (first.status, first.rows_accepted, first.amount_cents) == ("landed", 2, 449)
    assert sync("erp") == []
    assert files.rows(warehouse, "select delivered_name, mode, currency from raw.loads") == [
        ("erp.csv", "lines", "EUR")
    ]
    till.run("update lines set amount = 3, changed_at = '11:00' where line = 2")
    *_, second = sync("erp")
    assert (second.rows_accepted, second.amount_cents) == (1, 300)
    withdraw(warehouse, second.load_id, by="test", why="too early")
    *_, again = sync("erp")
    assert (again.status, again.amount_cents) == ("landed", 300)
    assert files.rows(warehouse, "select status from raw.loads order by load_id") == [
        ("landed",), ("withdrawn",), ("landed",),
    ]  # fmt: skip


def test_a_failed_query_delivers_nothing_and_raises_one_alert(
    files: Any, warehouse: Warehouse, till: Till, sync: Any
) -> None:
    till.run("alter table lines drop column amount")
    for _ in range(2):
        with pytest.raises(ShopxError, match="COLUMN_MISSING"):
            sync("erp")
    alerts = "select kind, subject from ops.alerts where resolved_at is null"
    assert files.rows(warehouse, alerts) == [("fetch", "erp")]
    assert files.rows(warehouse, "select count(*) from raw.loads") == [(0,)]
    till.run("alter table lines add column amount")
    assert sync("erp") == []
    assert files.rows(warehouse, alerts) == []


def test_wrong_values_are_refused_row_by_row(files: Any, warehouse: Warehouse, till: Till, sync: Any) -> None:
    for number in range(30):
        till.sell(str(number), 1, 100, "10:00")
    till.run("insert into lines values ('x', 1, '2026-02-30', 'Mug', 'much', '10:00')")
    (landed,) = sync("erp")
    assert (landed.rows_accepted, landed.rows_rejected) == (30, 1)
    assert files.rows(warehouse, "select reasons, sheet_row from raw.rejected_rows") == [
        (["DATE_IMPOSSIBLE", "NUMBER_FORMAT"], 32)
    ]


def test_a_password_stands_nowhere_in_the_warehouse(
    files: Any, warehouse: Warehouse, till: Till, sync: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ERP_URL", "postgresql+psycopg://reader:canary-of-the-test@127.0.0.1:9/erp")
    with pytest.raises(ShopxError) as caught:
        sync("erp")
    assert "canary" not in caught.value.message
    ((message,),) = files.rows(warehouse, "select message from ops.alerts")
    assert "canary" not in message and message.endswith("Ask again: `./shopx sync erp`.")


def test_what_is_not_set_up_is_named(feeds: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    feeds("erp", ERP)
    feeds(
        "shop",
        "feed: shop\ntitle: Sheet\nkind: sheet\nsheet: {id: 1AbCdEfGhIjK}\ncolumns:\n"
        "  date: {names: [d]}\n  product_name: {names: [p]}\n  amount: {names: [a]}\n",
    )
    missing = {contract.feed: missing_variables(contract) for contract in fetched_feeds()}
    assert missing == {"erp": ["ERP_URL"], "shop": ["GOOGLE_CREDENTIALS_FILE"]}
    # they are asked all the same, so that somebody is told
    assert all(is_configured(contract) for contract in fetched_feeds())
