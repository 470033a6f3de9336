"""What a contract says about a whole delivery: values from its path, an identity, lines that are no sales."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ingestion import landing
from ingestion.contract import Contract, read_contract
from ingestion.inbox import clear_landed, still_files
from ingestion.landing import land
from ingestion.reading import opening
from warehouse.database import Warehouse
from warehouse.errors import ShopxError

CONTRACT = """
feed: till
title: Till, one folder per shop
timezone: Europe/Berlin
currency: EUR
delivers: events
date_formats: [YYYYMMDD]
identity: [order_id, line_number]
path: "(?P<store>[a-z]+)/till_(?P<date>[0-9]{8})\\\\.csv"
prices_include_tax: true
not_sales:
  - {column: product_name, words: [Voucher], as: gift_card}
columns:
  order_id: {names: [bon]}
  line_number: {names: [pos]}
  product_name: {names: [item]}
  amount: {names: [eur]}
"""
ROWS = "bon,pos,item,eur\n1,1,tea,1.00\n1,2,Voucher,50.00\n1,1,tea,1.00\n1,1,tea,1.10\n"


@pytest.fixture
def feed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Contract:
    """The till's contract, known beside the shipped ones."""
    path = tmp_path / "till.yaml"
    path.write_text(CONTRACT, encoding="utf-8")
    contract = read_contract(path)
    known = landing.load_contracts() | {"till": contract}
    for module in (landing, opening):
        monkeypatch.setattr(module, "load_contracts", lambda: known)
    return contract


def put(folder: Path, name: str, text: str = ROWS) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.usefixtures("feed")
def test_store_and_day_come_from_the_path_and_two_shops_may_use_one_file_name(
    files: Any, warehouse: Warehouse, tmp_path: Path
) -> None:
    north, south = (put(tmp_path / "in", f"{shop}/till_20260105.csv") for shop in ("north", "south"))
    result = land(warehouse, [tmp_path / "in"])
    assert [item.status for item in result.landed] == ["landed", "landed"]
    assert files.rows(
        warehouse,
        "select store, sale_date::text, count(*), sum(net_cents)::int from raw.sales_lines"
        " group by 1, 2 order by 1",
    ) == [("north", "2026-01-05", 2, 5100), ("south", "2026-01-05", 2, 5100)]
    again = land(warehouse, [north, south]).landed
    assert sorted(item.status for item in again if item.path) == ["duplicate", "duplicate"]


@pytest.mark.usefixtures("feed")
def test_every_row_is_accepted_refused_or_a_repeat(files: Any, warehouse: Warehouse, tmp_path: Path) -> None:
    land(warehouse, [put(tmp_path, "north/till_20260105.csv")])
    assert files.rows(
        warehouse,
        "select rows_delivered, rows_accepted, rows_rejected, rows_duplicate, amount_cents,"
        " reading ->> 'prices_include_tax' from raw.loads",
    ) == [(4, 2, 1, 1, 5100, "true")]
    assert files.rows(warehouse, "select reasons from raw.rejected_rows") == [(["IDENTITY_CONTRADICTS"],)]
    assert files.rows(
        warehouse, "select line_kind, net_cents from raw.sales_lines order by order_line_key"
    ) == [(None, 100), ("gift_card", 5000)]


@pytest.mark.usefixtures("feed")
def test_a_killed_landing_ends_with_the_values_of_its_path(
    files: Any, warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(tmp_path, "north/till_20260105.csv")

    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(landing, "load_rows", killed)
        land(warehouse, [path])
    other = put(tmp_path, "south/till_20260105.csv")
    land(warehouse, [path, other])
    assert files.rows(
        warehouse, "select path_values ->> 'store', status, rows_accepted from raw.loads order by load_id"
    ) == [("north", "landed", 2), ("south", "landed", 2)]


@pytest.mark.usefixtures("feed")
def test_a_file_in_the_wrong_place_is_refused_in_a_sentence(warehouse: Warehouse, tmp_path: Path) -> None:
    (refused,) = land(warehouse, [put(tmp_path, "north/till.csv")], feed="till").refused
    assert "does not fit path" in refused.sentence
    assert refused.sentence.endswith("[PATH_MISMATCH]")


def test_folders_of_the_inbox_hold_deliveries_and_refused_ones_do_not(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    deep = put(inbox, "north/2026/a.csv")
    for name in ("refused/b.csv", ".hidden/c.csv", "north/.d.csv"):
        put(inbox, name)
    _, seen = still_files(inbox, {})
    ready, _ = still_files(inbox, seen)
    assert ready == [deep]
    assert seen.keys() == {"north/2026/a.csv"}


def test_a_landed_file_leaves_its_folder_of_the_inbox(files: Any, warehouse: Warehouse) -> None:
    inbox = Path(warehouse.settings.inbox)
    (inbox / "north").mkdir(parents=True)
    path = files.write(inbox / "north", "a.csv", [files.line("1", "2026-02-01")])
    assert clear_landed(inbox, land(warehouse, [inbox])) == [path]
    assert not path.exists()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("date_formats: [YYYYMMDD]", "date_formats: [YYYYXX]"), "date_formats"),
        (("date_formats: [YYYYMMDD]", "date_formats: [YYYY-MM]"), "does not name year, month and day"),
        (("date_formats: [YYYYMMDD]", "date_formats: [DD.MM.YYYY mm]"), "half a time of day"),
        (("date_formats: [YYYYMMDD]", "date_formats: [day-first, by-proof]"), "two meanings"),
        (("(?P<store>[a-z]+)/", "(?P<shop>[a-z]+)/"), "shop is no column"),
        (("(?P<store>[a-z]+)/", "(?P<amount>[a-z]+)/"), "keep one"),
        (('path: "', 'path: "('), "path"),
        (("identity: [order_id, line_number]", "identity: [channel]"), "identity: there is no column"),
        (("words: [Voucher]", "words: []"), "either words or a pattern"),
        (("words: [Voucher]", 'pattern: "(?=x)"'), "looks ahead"),
        (("prices_include_tax: true", "discount_is: share"), "no column for discount"),
        (("prices_include_tax: true", "amount_counts: amount"), "amount_counts"),
        (("{names: [item]}", "{names: [item], above: 3}"), "above and below are for numbers"),
        (("{names: [eur]}", "{names: [eur], case: upper}"), "case, one_of and if_empty are for texts"),
        (("{names: [item]}", '{names: [item], pattern: "("}'), "no regular expression"),
    ],
)
def test_a_useless_key_of_a_contract_is_refused_in_a_sentence(
    tmp_path: Path, change: tuple[str, str], named: str
) -> None:
    path = tmp_path / "till.yaml"
    path.write_text(CONTRACT.replace(*change), encoding="utf-8")
    with pytest.raises(ShopxError) as caught:
        read_contract(path)
    assert named in caught.value.message
