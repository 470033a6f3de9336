"""What an empty text stands for, where a contract says so."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ingestion.contract import Contract, load_contracts
from ingestion.reading import open_reading

COLUMNS = {
    "date": {"names": ["Date"]},
    "product_name": {"names": ["Item"], "if_empty": "Item's name unknown"},
    "amount": {"names": ["Amount"]},
}


def till(columns: dict[str, object], **keys: object) -> Contract:
    return Contract.model_validate(
        {"feed": "till", "title": "Till", "currency": "EUR", "columns": columns, **keys}
    )


@pytest.mark.parametrize("careful", [False, True])
def test_an_empty_text_and_a_null_word_get_it_and_a_blank_row_stays_no_row(
    tmp_path: Path, careful: bool
) -> None:
    path = tmp_path / "till.csv"
    path.write_text("Date,Item,Amount\n2026-01-02,,1.00\n2026-01-02,?,2.00\n,,\n2026-01-02,Mug,3.00\n")
    contracts = {**load_contracts(), "till": till(dict(COLUMNS), null_words=["?"])}
    reading = open_reading(path, today=date(2026, 2, 1), feed="till", contracts=contracts)
    batches = list((reading.careful() if careful else reading).batches())
    names = [name for batch in batches for name in batch.accepted["product_name"].to_pylist()]
    assert names == ["Item's name unknown", "Item's name unknown", "Mug"]
    assert [row for batch in batches for row in batch.rejected] == []


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("order_id", {"names": ["Order"], "if_empty": "none"}),
        ("customer_id", {"names": ["Customer"], "if_empty": "guest"}),
        ("quantity", {"names": ["Qty"], "if_empty": "1"}),
        ("store", {"names": ["Shop"], "if_empty": "Web", "required": True}),
    ],
)
def test_it_is_refused_where_it_would_join_what_is_apart(name: str, column: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="if_empty"):
        till(COLUMNS | {name: column})


def test_master_data_have_none() -> None:
    with pytest.raises(ValueError, match="if_empty"):
        till({"product_name": {"names": ["Item"], "if_empty": "x"}}, holds="products")
