"""Contracts: what is checked when one is read, and what the error names."""

from pathlib import Path

import pytest

from ingestion.contract import load_contracts, read_contract
from ingestion.contract_edits import contract_keys, with_key
from warehouse.errors import ShopxError

GOOD = """
feed: till
title: Till export
timezone: Europe/Berlin
currency: EUR
columns:
  date: {names: [Datum]}
  product_name: {names: [Artikel]}
  amount: {names: [Betrag]}
"""


def write(folder: Path, text: str, name: str = "till.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_contracts_load() -> None:
    contracts = load_contracts()
    assert {"sales_csv", "online_retail"} <= contracts.keys()
    retail = contracts["online_retail"]
    assert (retail.timezone, retail.currency, retail.max_reject_share) == ("Europe/London", "GBP", 0.30)
    assert retail.delivers == "orders"
    assert len(retail.sha256) == 64


def test_a_contract_is_its_own_source_unless_it_names_one(tmp_path: Path) -> None:
    assert read_contract(write(tmp_path, GOOD)).source_name == "till"
    assert read_contract(write(tmp_path, GOOD + "source: shop\n")).source_name == "shop"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("timezone: Europe/Berlin", "timezone: Berlin time"), "timezone"),
        (("currency: EUR", "currency: euro"), "currency"),
        (("currency: EUR", "colour: red"), "colour"),
        (("  date: {names: [Datum]}", "  datum: {names: [Datum]}"), "datum"),
        (("  date: {names: [Datum]}\n", ""), "date is missing"),
        (("  amount: {names: [Betrag]}", "  quantity: {names: [Menge]}"), "amount is missing"),
        (("title: Till export", "title: Till export\nencoding: utf-7"), "encoding"),
        (("title: Till export", "encoding: klingon"), "encoding"),
        (("title: Till export", "max_reject_share: 30"), "max_reject_share"),
        (("feed: till", "feed: tills"), "tills.yaml"),
        (("title: Till export", "title: x\nonce_per_order: [amount]"), "needs the column order_id"),
    ],
)
def test_an_error_names_the_file_and_the_key(tmp_path: Path, change: tuple[str, str], named: str) -> None:
    path = write(tmp_path, GOOD.replace(*change))
    with pytest.raises(ShopxError) as caught:
        read_contract(path)
    assert caught.value.message.startswith("till.yaml: ")
    assert named in caught.value.message


def test_broken_yaml_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ShopxError, match=r"till\.yaml: not readable as YAML"):
        read_contract(write(tmp_path, "feed: [till"))


def test_a_changed_contract_is_read_again(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    assert load_contracts(tmp_path)["till"].currency == "EUR"
    write(tmp_path, GOOD.replace("EUR", "GBP") + "# later\n")
    assert load_contracts(tmp_path)["till"].currency == "GBP"


@pytest.mark.parametrize(
    "read_as",
    [{"date_order": "day-first"}, {"date_order": "year-first"}, {"date_count": "excel-serial-1904"},
     {"decimal_mark": "comma"}, {"decimal_mark": "point"}],
)  # fmt: skip
def test_an_answer_about_a_file_can_be_kept_in_its_contract(tmp_path: Path, read_as: dict[str, str]) -> None:
    ((key, value),) = contract_keys(read_as).items()
    contract = read_contract(write(tmp_path, with_key(GOOD, key, value)))
    assert str(getattr(contract, key)) in (str(value), str(tuple(value)))
