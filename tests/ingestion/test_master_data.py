"""Master data: lists of products, customers, stores and the like land as versions, by the rules of any
delivery."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ingestion import deciding
from ingestion.contract import load_contracts, read_contract
from ingestion.entities import ENTITIES
from ingestion.landing import land, replay
from ingestion.matching import choose_contract
from ingestion.refusals import FileRefused
from warehouse.database import Warehouse
from warehouse.errors import ShopxError

TODAY = date(2026, 3, 1)

PRODUCTS = "SKU,Name,Category,Cost,Price,Active,Launch date"


def test_each_list_has_a_table_with_its_columns(files: Any, warehouse: Warehouse) -> None:
    for entity in ENTITIES.values():
        found = files.rows(
            warehouse,
            "select column_name from information_schema.columns"
            f" where table_schema = 'raw' and table_name = '{entity.name}' order by ordinal_position",
        )
        assert [name for (name,) in found] == ["load_id", "row_number", *entity.table_columns], entity.name


def test_a_product_list_lands_as_versions_and_refused_rows(
    files: Any, warehouse: Warehouse, tmp_path: Path
) -> None:
    path = files.write(
        tmp_path,
        "products.csv",
        [
            "007,Mug,Kitchen,1.2345,2.50,yes,2026-01-31",
            "P2,Tee,,,-3,maybe,31.02.2026",
            ",,Kitchen,1,2,no,",
            'P4,"Lamp, red",Light,0,19.99,0,2025-12-24 10:00',
        ],
        header=PRODUCTS,
    )
    (landed,) = land(warehouse, [path], today=TODAY).landed
    assert (landed.feed, landed.status, landed.rows_accepted, landed.rows_rejected, landed.amount_cents) == (
        "products_csv", "landed", 2, 2, 0,
    )  # fmt: skip
    assert files.rows(
        warehouse,
        "select row_number, product_id, product_name, category, unit_cost, unit_price, is_active, launched"
        " from raw.products order by 1",
    ) == [
        (1, "007", "Mug", "Kitchen", Decimal("1.2345"), Decimal("2.5"), True, date(2026, 1, 31)),
        (4, "P4", "Lamp, red", "Light", Decimal(0), Decimal("19.99"), False, date(2025, 12, 24)),
    ]
    assert files.rows(
        warehouse, "select line_number, columns, reasons from raw.rejected_rows order by 1"
    ) == [
        (3, ["Price", "Active", "Launch date"], ["VALUE_OUT_OF_RANGE", "FLAG_UNKNOWN", "DATE_IMPOSSIBLE"]),
        (4, ["SKU"], ["VALUE_MISSING"]),
    ]
    assert files.rows(warehouse, "select mode, holds, first_date, last_date, currency from raw.loads") == [
        ("lines", "products", None, None, None)
    ]


def test_the_same_list_again_is_a_duplicate_and_a_decision_about_it_is_a_change_of_master_data(
    files: Any, warehouse: Warehouse, tmp_path: Path
) -> None:
    one = files.write(tmp_path, "a.csv", ["P1,Mug,Kitchen,1,2,yes,"], header=PRODUCTS)
    (landed,) = land(warehouse, [one], today=TODAY).landed
    (again,) = [item for item in land(warehouse, [one], today=TODAY).landed if item.load_id != landed.load_id]
    assert (again.status, again.duplicate_of) == ("duplicate", landed.load_id)
    with warehouse.connect("loader") as conn, conn.transaction():
        deciding.decide(conn, landed.load_id, status="approved", by="test")
    deciding.withdraw(warehouse, landed.load_id, by="test", why="")
    assert files.rows(warehouse, "select kind from ops.changes") == [("master_data",), ("master_data",)]


@pytest.mark.parametrize(
    ("header", "lines_said"),
    [
        (PRODUCTS, (["P1,Mug,,1,2,yes,", "P1,Mug,,,2,yes,", "P2,Tee,,1,,,", "P1,Cup,,,3,yes,"],
         "1 of its products; the later row holds (first: product_name, data rows 1 and 4)")),
        (PRODUCTS, (["P1,Mug,,1,2,yes,", ",P1,,5,2,yes,"], None)),
        ("SKU,Price,Effective from", (["P1,2,2026-01-01", "P1,3,2026-02-01"], None)),
        ("Date,Store,SKU,On hand", (["2026-01-01,North,P1,3", "2026-01-01,South,P1,4"], None)),
        ("Date,Store,SKU,On hand", (["2026-01-01,,P1,3", "2026-01-01,,P1,3", "2026-01-01,,P1,4"],
         "1 of its counts; the later row holds (first: on_hand, data rows 1 and 3)")),
        ("Customer ID,Name,Email", (["1,Ann,a@x.test", "2,Bo,b@x.test", "1,Ann,c@x.test", "2,Bob,b@x.test"],
         "2 of its customers; the later row holds (first: customer_email, data rows 1 and 3)")),
    ],
)  # fmt: skip
def test_a_list_that_says_two_things_about_one_member_is_told_so(
    files: Any, warehouse: Warehouse, tmp_path: Path, header: str, lines_said: tuple[list[str], str | None]
) -> None:
    lines, said = lines_said
    path = files.write(tmp_path, "list.csv", lines, header=header)
    assert [item.status for item in land(warehouse, [path], today=TODAY).landed] == ["landed"]
    ((found,),) = files.rows(warehouse, "select reading #>> '{contradictions,says}' from raw.loads")
    assert found == (said and f"it says two different things about {said}")


def test_a_held_list_is_released_without_saying_what_it_means(
    files: Any, warehouse: Warehouse, tmp_path: Path
) -> None:
    path = files.write(tmp_path, "products.csv", ["P1,Mug,Kitchen,1,2,yes,"], header=PRODUCTS)
    (landed,) = land(warehouse, [path], today=TODAY).landed
    with warehouse.connect("loader") as conn, conn.transaction():
        deciding.decide(conn, landed.load_id, status="held", by="test", reason="HELD")
    with pytest.raises(ShopxError, match=f"is a product list.*`./shopx release {landed.load_id}`"):
        deciding.release(warehouse, landed.load_id, as_="orders", by="ann", why="")
    assert deciding.release(warehouse, landed.load_id, as_=None, by="ann", why="") == "landed"


HEADERS = {
    "products_csv": ["SKU,Name,Category,Cost,Price,Stock", "Artikelnummer,Bezeichnung,Warengruppe,EK,VK"],
    "categories_csv": [
        "Category ID,Category Name",
        "ProductSubcategoryKey,SubcategoryName,ProductCategoryKey",
    ],
    "customers_csv": ["Customer ID,First Name,Last Name,Email,Country", "Kundennummer,Kunde,Land"],
    "stores_csv": ["Store,Region,Country,Time zone", "Store ID,Store name,City"],
    "sales_reps_csv": ["Sales Rep,Email,Region,Commission rate", "Rep ID,Rep name,Commission"],
    "inventory_csv": ["Date,Store,SKU,On hand", "Stichtag,Artikelnummer,Bestand"],
    "rates_csv": ["Date,Currency,Rate", "date,currency code,exchange rate"],
    "sales_csv": [
        "Date,Product,Quantity,Price",
        "Order ID,Created at,SKU,Name,Category,Cost,Price,Quantity,Stock",
        "Date,Customer ID,First name,Last name,Email,City,State,Country,Segment,Product,Price,Quantity",
        "Date,Store,Region,Country,Product,Amount",
        "Date,Currency,Product,Amount,Sales Rep,Commission",
    ],
}


@pytest.mark.parametrize(("feed", "header"), [(f, h) for f, headers in HEADERS.items() for h in headers])
def test_a_header_is_recognised_for_what_it_lists(feed: str, header: str) -> None:
    contracts = {name: c for name, c in load_contracts().items() if c.builtin}
    assert choose_contract(header.split(","), contracts, feed=None).contract.feed == feed


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ("Created at,SKU,Name,Category,Subcategory,Cost,Price,Quantity,Stock,Active", "products_csv"),
        ("Order ID,SKU,Product,Cost,Price", "a date of sale"),
    ],
)
def test_what_could_be_two_things_or_none_is_refused_with_both_named(header: str, named: str) -> None:
    contracts = {name: c for name, c in load_contracts().items() if c.builtin}
    with pytest.raises(FileRefused, match=named):
        choose_contract(header.split(","), contracts, feed=None)


CONTRACT = """
feed: {feed}
title: A list
holds: {holds}
{more}
columns:
{columns}
"""


@pytest.mark.parametrize(
    ("holds", "more", "columns", "said"),
    [
        ("customers", "", "  customer_id: {names: [id]}", "source: is missing"),
        ("products", "", "  commission_rate: {names: [x]}", "commission_rate is no column of products"),
        ("products", "", "  unit_cost: {names: [x]}", "product_id or product_name is missing"),
        ("rates", "", "  date: {names: [d]}", "currency is missing"),
        ("products", "delivers: orders", "  product_id: {names: [x]}", "come as lines"),
        ("rates", "complete: true", "  date: {names: [d]}\n  currency: {names: [c]}\n  rate: {names: [r]}",
         "counted by day"),
        ("stores", "", "  opened: {names: [a, b], join: ' '}\n  store: {names: [s]}", "only text can be"),
        ("sales", "complete: true", "  date: {names: [d]}", "complete: is for master data"),
        ("sales", "", "  on_hand: {names: [d]}", "on_hand is no column of sales"),
    ],
)  # fmt: skip
def test_a_contract_of_master_data_is_told_what_it_lacks(
    tmp_path: Path, holds: str, more: str, columns: str, said: str
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(CONTRACT.format(feed="mine", holds=holds, more=more, columns=columns))
    with pytest.raises(ShopxError, match=said):
        read_contract(path)


PRICED = """
feed: tills
title: Tills that know no prices
price_from: products
round: line
columns:
  order_id: {names: [Ticket]}
  date: {names: [Day]}
  product_id: {names: [SKU]}
  quantity: {names: [Pieces]}
"""


def test_lines_without_a_price_take_the_newest_of_the_product_list(
    files: Any, warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feeds = tmp_path / "feeds"
    feeds.mkdir()
    (feeds / "tills.yaml").write_text(PRICED)
    known = load_contracts() | {"tills": read_contract(feeds / "tills.yaml")}
    for module in ("ingestion.reading.opening", "ingestion.landing"):
        monkeypatch.setattr(f"{module}.load_contracts", lambda: known)
    inbox = tmp_path / "in"
    inbox.mkdir()
    header = "Ticket,Day,SKU,Pieces"
    lines = ["1,2026-02-01,P1,3", "2,2026-02-01,P2,1", "3,2026-02-01,P1,-1", "4,2026-02-01,P1,x"]
    files.write(inbox, "till.csv", lines, header=header, mtime=1)
    files.write(inbox, "old.csv", ["P1,0.9"], header="SKU,Price", mtime=2)
    files.write(inbox, "new.csv", ["P1,1.2345", "P9,7"], header="SKU,Price", mtime=3)
    result = land(warehouse, [inbox], today=TODAY)
    assert [(i.delivered_name, i.feed, i.status) for i in result.landed] == [
        ("till.csv", "tills", "landed"), ("old.csv", "products_csv", "landed"),
        ("new.csv", "products_csv", "landed"),
    ]  # fmt: skip
    assert files.rows(
        warehouse,
        "select order_id, line_type, unit_price_millionths, net_cents from raw.sales_lines order by 1",
    ) == [("1", "sale", 1_234_500, 370), ("3", "return", 1_234_500, -123)]
    assert files.rows(
        warehouse, "select line_number, columns, reasons from raw.rejected_rows order by 1"
    ) == [
        (3, ["SKU"], ["PRICE_UNKNOWN"]),
        (5, ["Pieces"], ["NUMBER_FORMAT"]),
    ]
    # a price that comes later is found by reading the till's file again
    late = files.write(inbox, "late.csv", ["P2,5"], header="SKU,Price", mtime=4)
    land(warehouse, [late], today=TODAY)
    replayed = replay(warehouse, 1, by="ann", why="the price is known now", today=TODAY)
    assert files.rows(
        warehouse,
        "select order_id, unit_price_millionths, net_cents from raw.sales_lines"
        f" where load_id = {replayed.load_id} order by 1",
    ) == [("1", 1_234_500, 370), ("2", 5_000_000, 500), ("3", 1_234_500, -123)]
