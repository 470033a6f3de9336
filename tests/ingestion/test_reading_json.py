"""JSON records become rows with exact numbers; what cannot be a row is refused alone, with its own bytes."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.contract import Contract, load_contracts
from ingestion.json_text import NotThere, on_one_line, records, value_at
from ingestion.reading import RejectedRow, open_reading

TODAY = date(2026, 3, 1)
FEED = "sales_api"


def contract_with(**more: Any) -> dict[str, Contract]:
    known = load_contracts()[FEED].model_dump(by_alias=True, exclude_none=True)
    return {FEED: Contract.model_validate(known | more)}


def read(
    path: Path, contracts: dict[str, Contract] | None = None
) -> tuple[list[dict[str, Any]], list[RejectedRow], Any]:
    reading = open_reading(path, today=TODAY, feed=FEED, contracts=contracts)
    rows, rejected = [], []
    for batch in reading.batches():
        rows += batch.accepted.to_pylist()
        rejected += batch.rejected
    return rows, rejected, reading


def write(tmp_path: Path, *lines: str | bytes) -> Path:
    path = tmp_path / "sales.jsonl"
    path.write_bytes(b"".join((x if isinstance(x, bytes) else x.encode()) + b"\n" for x in lines))
    return path


def sale(**fields: object) -> str:
    known = {"date": "2026-02-03", "product_name": "Mug", "quantity": 1, "unit_price": 2, "total_amount": 2}
    return json.dumps(known | fields)


def test_numbers_are_the_text_they_were(tmp_path: Path) -> None:
    """Amounts that float cannot hold, and a long id that it would round."""
    line = (
        '{"date": "2026-02-03", "user_id": 12345678901234567890, "product_name": "Mug", "quantity": 1.000,'
        ' "unit_price": 90071992547.41, "total_amount": 90071992547.41, "region": null}'
    )
    (row,), rejected, _ = read(write(tmp_path, line))
    assert rejected == []
    assert row["customer_id"] == "12345678901234567890"
    assert row["gross_cents"] == 9007199254741
    assert row["region"] is None


def test_keys_may_come_in_any_order_and_may_be_missing(tmp_path: Path) -> None:
    first = '{"date": "2026-02-03", "product_name": "A", "quantity": 2, "unit_price": 3, "total_amount": 6}'
    second = (
        '{"total_amount": 5, "unit_price": 5, "region": "N", "quantity": 1, "product_name": "B",'
        ' "date": "2026-02-04"}'
    )
    rows, rejected, _ = read(write(tmp_path, first, "", second, "{}"))
    assert [(r["product_name"], r["gross_cents"], r["region"]) for r in rows] == [
        ("A", 600, None),
        ("B", 500, "N"),
    ]
    assert rejected == []  # an object without members says nothing, like a blank line


def test_a_field_that_first_appears_late_is_not_lost(tmp_path: Path) -> None:
    path = write(tmp_path, *[sale()] * 1200, sale(region="North"), sale(product_name='a "b"\nc'))
    rows, rejected, _ = read(path)
    assert (len(rows), rejected) == (1202, [])
    assert [row["region"] for row in rows[-3:]] == [None, "North", None]
    assert rows[-1]["product_name"] == 'a "b"\nc'


BAD = {
    "{broken": "JSON_BROKEN",
    '{"date": "2026-02-03"': "JSON_BROKEN",
    "[1, 2]": "JSON_BROKEN",
    "null": "JSON_BROKEN",
    "[" * 5000: "JSON_BROKEN",
    sale()[:-1] + ', "quantity": 2}': "JSON_KEY_TWICE",
    sale(product_name=["Mug", "Cup"]): "JSON_NOT_A_VALUE",
    sale(product_name=True): "JSON_NOT_A_VALUE",
    sale(total_amount=[2]): "JSON_NOT_A_VALUE",
    sale(quantity=False): "JSON_NOT_A_VALUE",
    sale(date=[]): "JSON_NOT_A_VALUE",
    sale(total_amount=float("nan")): "NUMBER_FORMAT",
    sale(total_amount=float("inf")): "NUMBER_FORMAT",
    sale().replace('"total_amount": 2', '"total_amount": 2e0'): "NUMBER_FORMAT",
    sale(product_name=None): "VALUE_MISSING",
    sale(product_name=" "): "VALUE_MISSING",
    sale(date=None): "VALUE_MISSING",
    sale(date="yesterday"): "DATE_FORMAT",
}


@pytest.mark.parametrize("bad", BAD, ids=[f"{n}-{code}" for n, code in enumerate(BAD.values())])
def test_a_bad_record_costs_one_row_and_keeps_its_bytes(tmp_path: Path, bad: str) -> None:
    rows, (refused,), _ = read(write(tmp_path, sale(), "", bad, sale(product_name="Cup")))
    assert [row["product_name"] for row in rows] == ["Mug", "Cup"]
    assert refused.reasons == (BAD[bad],)
    assert refused.raw_bytes == bad.encode()
    assert (refused.line_number, refused.sheet_row) == (3, 2)
    assert refused.byte_offset == len(sale()) + 2
    assert refused.messages[0].startswith("row 2 (line 3)") and len(refused.messages[0]) <= 200
    assert "???" not in refused.messages[0]


def test_bytes_that_are_no_text_cost_one_row(tmp_path: Path) -> None:
    bad = sale(product_name="M?g").encode().replace(b"?", b"\xff")
    rows, (refused,), _ = read(write(tmp_path, sale(), bad))
    assert len(rows) == 1
    assert (refused.reasons, refused.raw_bytes) == (("NOT_TEXT",), bad)


def test_all_reasons_of_a_row_are_given(tmp_path: Path) -> None:
    _, (refused,), _ = read(write(tmp_path, sale(date="soon", product_name=[1], quantity=[1])))
    assert sorted(zip(refused.columns, refused.reasons, strict=True)) == [
        ("date", "DATE_FORMAT"), ("product_name", "JSON_NOT_A_VALUE"), ("quantity", "JSON_NOT_A_VALUE"),
    ]  # fmt: skip


def test_what_no_column_uses_may_be_anything(tmp_path: Path) -> None:
    rows, rejected, reading = read(write(tmp_path, sale(tags=["a"], meta={"x": [1], "y": None}, ok=True)))
    assert (len(rows), rejected) == (1, [])
    assert set(reading.facts["ignored"]) == {"tags", "meta.x", "meta.y", "ok"}


NESTED: dict[str, Any] = {
    "rows": "data.items",
    "columns": {
        "order_id": {"names": ["id"]},
        "date": {"names": ["at"]},
        "customer_id": {"names": ["user.id"]},
        "product_id": {"names": ["data.items.sku"]},
        "quantity": {"names": ["data.items.n"]},
        "amount": {"names": ["data.items.sum"]},
    },
}


def order(*items: object, **more: object) -> str:
    return json.dumps(
        {"id": "0042", "at": "2026-02-03", "user": {"id": "007"}, "data": {"items": list(items)}} | more
    )


def test_an_order_with_its_items_becomes_a_row_for_each(tmp_path: Path) -> None:
    contracts = contract_with(**NESTED)
    path = write(tmp_path, order({"sku": "A", "n": 1, "sum": 5}, {"sku": "B", "n": 2, "sum": 6}))
    rows, rejected, _ = read(path, contracts)
    assert rejected == []
    assert [(r["order_id"], r["customer_id"], r["product_id"], r["gross_cents"]) for r in rows] == [
        ("0042", "007", "A", 500), ("0042", "007", "B", 600),
    ]  # fmt: skip


def test_each_bad_item_is_refused_with_the_whole_order_as_its_bytes(tmp_path: Path) -> None:
    good, bad = {"sku": "A", "n": 1, "sum": 5}, {"sku": "B", "n": "two", "sum": 6}
    path = write(tmp_path, order(bad, good, bad), order(), order("A"), order(data={"items": 3}))
    rows, rejected, _ = read(path, contract_with(**NESTED))
    assert len(rows) == 1
    assert [(r.line_number, r.sheet_row, r.reasons[0]) for r in rejected] == [
        (1, 1, "NUMBER_FORMAT"), (1, 3, "NUMBER_FORMAT"), (2, 4, "VALUE_MISSING"),
        (3, 5, "JSON_NOT_A_VALUE"), (4, 6, "JSON_NOT_A_VALUE"),
    ]  # fmt: skip
    assert rejected[0].raw_bytes == rejected[1].raw_bytes == order(bad, good, bad).encode()


@pytest.mark.parametrize("indent", [None, 2])
def test_a_whole_list_is_read_as_well(tmp_path: Path, indent: int | None) -> None:
    path = tmp_path / "sales.json"
    path.write_text(json.dumps([json.loads(sale()), {"date": "?"}, json.loads(sale())], indent=indent))
    rows, (refused,), _ = read(path)
    assert len(rows) == 2
    assert path.read_bytes()[refused.byte_offset :].startswith(refused.raw_bytes)
    assert json.loads(refused.raw_bytes) == {"date": "?"}
    assert refused.line_number == (9 if indent else 1)


def test_a_list_that_is_cut_off_keeps_its_whole_records(tmp_path: Path) -> None:
    path = tmp_path / "sales.json"
    path.write_text(f"[{sale()}, {sale()}, {sale()[:30]}")
    rows, (refused,), _ = read(path)
    assert (len(rows), refused.reasons) == (2, ("JSON_BROKEN",))


def test_an_empty_answer_is_a_delivery_without_rows(tmp_path: Path) -> None:
    path = tmp_path / "sales.jsonl"
    path.write_bytes(b"")
    rows, rejected, _ = read(path)
    assert (rows, rejected) == ([], [])


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00\x1f"), max_size=8)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 10**9), TEXT.map(lambda t: "x" + t + "x"), TEXT), min_size=1, max_size=8
    )
)
def test_any_text_and_any_amount_comes_through(tmp_path_factory: pytest.TempPathFactory, sold: Any) -> None:
    sales = []
    for cents, name, region in sold:
        amount = Decimal(cents) / 100
        fields = json.dumps({"date": "2026-02-03", "product_name": name, "region": "y" + region + "y"})
        sales.append(f'{fields[:-1]}, "quantity": 1, "unit_price": {amount}, "total_amount": {amount}}}')
    rows, rejected, _ = read(write(tmp_path_factory.mktemp("json"), *sales))
    assert rejected == []
    assert [row["gross_cents"] for row in rows] == [cents for cents, _, _ in sold]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=50, deadline=None)
@given(st.lists(JSON, max_size=5), st.sampled_from([None, 2]), st.integers(0, 40))
def test_cutting_gives_each_record_as_it_stands_and_never_a_part(
    values: list[Any], indent: int | None, cut: int
) -> None:
    text = json.dumps({"a": {"b": values}, "c": 1}, indent=indent)
    found = [on_one_line(text, each) for each in records(text, ["a", "b"])]
    assert [json.loads(each) for each in found] == values
    assert all("\n" not in each for each in found)
    assert value_at(text, ["c"]) == "1"
    if cut:
        with pytest.raises((json.JSONDecodeError, NotThere)):
            list(records(text[:-cut], ["a", "b"]))
