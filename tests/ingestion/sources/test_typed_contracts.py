"""Contracts of sheets and databases: what they mean unless they say so, and what would make no sense."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingestion.contract import Contract, read_contract
from warehouse.errors import ShopxError

COLUMNS = """
title: Somebody else's sales
columns:
  order_id: {names: [order]}
  line_number: {names: [line]}
  date: {names: [day]}
  product_name: {names: [product]}
  amount: {names: [amount]}
"""
SHEET = "kind: sheet\nsheet: {id: 1AbCdEfGhIjK}\n"
QUERY = "kind: database\ndatabase: {url_env: ERP_URL, query: select * from lines}\n"
CHANGES = "kind: database\ndatabase: {url_env: ERP_URL, query: select * from lines, cursor: changed_at}\n"


def contract(folder: Path, text: str) -> Contract:
    path = folder / "theirs.yaml"
    path.write_text(f"feed: theirs\n{COLUMNS}{text}")
    return read_contract(path)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [(SHEET, "days"), (QUERY, "days"), (CHANGES, "lines"), (CHANGES + "delivers: events\n", "events")],
)
def test_a_delivery_means_what_its_kind_gives(tmp_path: Path, text: str, meaning: str) -> None:
    read = contract(tmp_path, text)
    assert (read.meaning, read.is_fetched, read.decimal_mark) == (meaning, True, ".")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SHEET + "encoding: cp1252\n", "encoding: has no meaning with kind: sheet"),
        (SHEET + 'decimal_mark: ","\n', "decimal_mark: the numbers of a sheet need none"),
        (QUERY + 'decimal_mark: ","\n', "into numbers in the query"),
        (CHANGES + "delivers: days\n", "leave cursor out"),
        ("kind: sheet\n", "kind: sheet needs the block sheet:"),
        ("kind: database\n", "kind: database needs the block database:"),
        ("sheet: {id: 1AbCdEfGhIjK}\n", "sheet: has no meaning with kind: csv"),
        ("kind: sheet\nsheet: {id: 1AbCdEfGhIjK, url: https://x}\n", "as the browser shows it"),
        ("kind: database\ndatabase: {url_env: erp, query: select 1}\n", "database.url_env"),
        (CHANGES.replace("changed_at", "c") + "x: 1\n", "x: Extra inputs"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ShopxError) as caught:
        contract(tmp_path, text)
    assert caught.value.message.startswith("theirs.yaml: ")
    assert said in caught.value.message


def test_lines_need_their_keys_also_where_they_are_the_default(tmp_path: Path) -> None:
    without = COLUMNS.replace("  line_number: {names: [line]}\n", "")
    path = tmp_path / "theirs.yaml"
    path.write_text(f"feed: theirs\n{without}{CHANGES}")
    with pytest.raises(ShopxError, match="delivers: lines needs the columns order_id and line_number"):
        read_contract(path)


def test_a_list_that_gives_changes_only_cannot_be_complete(tmp_path: Path) -> None:
    path = tmp_path / "theirs.yaml"
    columns = "columns:\n  product_id: {names: [sku]}\n  product_name: {names: [name]}\n"
    path.write_text(f"feed: theirs\ntitle: Products\nholds: products\n{columns}{CHANGES}")
    assert read_contract(path).meaning == "lines"
    path.write_text(path.read_text() + "complete: true\n")
    with pytest.raises(ShopxError, match="complete: with database: cursor only changes come"):
        read_contract(path)
