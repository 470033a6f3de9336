"""Money of another currency: converted line by line, exactly, or held until the rates are known."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.conversion import converted
from ingestion.deciding import decide, release
from ingestion.landing import land
from warehouse.database import Warehouse
from warehouse.errors import ShopxError

TODAY = date(2026, 3, 1)
HEADER = "Order ID,Date,Product,Quantity,Unit Price,Amount,Currency,Discount amount"


@given(
    st.integers(-(10**13), 10**13),
    st.integers(1, 10**15),
    st.sampled_from([0, 2, 3]),
    st.sampled_from([0, 2, 3]),
)
def test_conversion_is_exact_and_rounds_half_away_from_zero(
    minor: int, rate: int, digits: int, into: int
) -> None:
    amount = Decimal(minor).scaleb(-digits) * Decimal(rate).scaleb(-9)
    expected = amount.quantize(Decimal(1).scaleb(-into), rounding=ROUND_HALF_UP).scaleb(into)
    assert converted(minor, rate, digits=digits, into_digits=into) == int(expected)


def test_a_half_goes_away_from_zero() -> None:
    assert [converted(n, 500_000_000, digits=2, into_digits=2) for n in (1, -1, 3, 100)] == [1, -1, 2, 50]


def approve_all(warehouse: Warehouse) -> None:
    with warehouse.connect("loader") as conn, conn.transaction():
        for (load_id,) in conn.execute("select load_id from raw.loads where status = 'landed'").fetchall():
            decide(conn, load_id, status="approved", by="test")


@pytest.fixture
def a_shop_in_pounds(files: Any, warehouse: Warehouse, tmp_path: Path) -> Path:
    path = files.write(tmp_path, "gbp.csv", ["1,2026-01-15,Mug,1,2.50,2.50,GBP,0"], header=HEADER, mtime=1)
    land(warehouse, [path], today=TODAY)
    approve_all(warehouse)
    return tmp_path


EUROS = [
    "2,2026-02-01,Mug,2,2.50,5.00,EUR,0.35",
    "2,2026-02-02,Tee,-1,0.05,-0.05,EUR,0",
]


def test_a_foreign_delivery_waits_for_its_rates_and_is_converted_when_released(
    files: Any, warehouse: Warehouse, a_shop_in_pounds: Path
) -> None:
    euros = files.write(a_shop_in_pounds, "eur.csv", EUROS, header=HEADER, mtime=2)
    held = land(warehouse, [euros], today=TODAY).landed[0]
    assert (held.status, held.held_reason) == ("held", "FOREIGN_CURRENCY")
    with pytest.raises(ShopxError, match="no exchange rates are known"):
        release(warehouse, held.load_id, as_=None, by="test", why="")

    one = files.write(a_shop_in_pounds, "r1.csv", ["2026-02-01,EUR,0.85"], header="Date,Currency,Rate")
    assert land(warehouse, [one], today=TODAY).landed[0].feed == "rates_csv"
    assert release(warehouse, held.load_id, as_=None, by="test", why="") == "landing"
    (again, *_) = [i for i in land(warehouse, [], today=TODAY).landed if i.load_id == held.load_id]
    assert (again.status, again.held_reason) == ("held", "RATE_MISSING")
    assert "2026-02-02 (EUR)" in (again.message or "")
    assert files.rows(warehouse, "select count(*) from raw.sales_lines") == [(1,)]

    two = files.write(
        a_shop_in_pounds, "r2.csv", ["2026-02-01,EUR,0.85", "2026-02-02,eur,0.9"], header="Date,Currency,Rate"
    )
    land(warehouse, [two], today=TODAY)
    assert release(warehouse, held.load_id, as_=None, by="test", why="") == "landing"
    land(warehouse, [], today=TODAY)
    assert files.rows(
        warehouse,
        "select gross_cents, discount_cents, net_cents, original_currency, original_gross_cents,"
        " exchange_rate_billionths, unit_price_millionths from raw.sales_lines where order_id = '2'"
        " order by sale_date",
    ) == [
        (425, -30, 395, "EUR", 500, 850_000_000, 2_125_000),
        (-5, 0, -5, "EUR", -5, 900_000_000, 45_000),
    ]
    assert files.rows(
        warehouse,
        f"select status, currency, amount_cents, reading -> 'converted_from' from raw.loads"
        f" where load_id = {held.load_id}",
    ) == [("landed", "GBP", 390, ["EUR"])]
    approve_all(warehouse)
    assert files.rows(warehouse, "select distinct status from raw.loads") == [("approved",)]


def test_rates_in_the_same_folder_are_used_however_old_the_files_are(
    files: Any, warehouse: Warehouse, a_shop_in_pounds: Path
) -> None:
    files.write(a_shop_in_pounds, "eur.csv", EUROS, header=HEADER, mtime=2)
    rates = ["2026-02-01,EUR,0.85", "2026-02-02,EUR,0.9"]
    files.write(a_shop_in_pounds, "rates.csv", rates, header="Date,Currency,Rate", mtime=3)
    result = land(warehouse, [a_shop_in_pounds], today=TODAY)
    assert [(i.delivered_name, i.status, i.amount_cents) for i in result.landed if i.status == "landed"] == [
        ("eur.csv", "landed", 390), ("rates.csv", "landed", 0),
    ]  # fmt: skip
    assert all(i.path is not None and i.fingerprint is not None for i in result.landed)


def test_lines_of_several_currencies_are_converted_each_by_its_own_rate(
    files: Any, warehouse: Warehouse, a_shop_in_pounds: Path
) -> None:
    rates = ["2026-02-01,EUR,0.85", "2026-02-01,USD,0.75", "2026-02-01,JPY,0.005"]
    land(
        warehouse,
        [files.write(a_shop_in_pounds, "r.csv", rates, header="Date,Currency,Rate")],
        today=TODAY,
    )
    mixed = [
        "7,2026-02-01,Mug,1,2.50,2.50,GBP,0",
        "8,2026-02-01,Mug,1,1.00,1.00,EUR,0",
        "9,2026-02-01,Mug,1,1.00,1.00,usd,0",
        "10,2026-02-01,Mug,1,1000,1000,JPY,0",
        "11,2026-02-01,Mug,1,1.00,1.00,CHF,0",
    ]
    path = files.write(a_shop_in_pounds, "mixed.csv", mixed, header=HEADER, mtime=9)
    (landed,) = [i for i in land(warehouse, [path], today=TODAY).landed if i.delivered_name == "mixed.csv"]
    assert (landed.status, landed.rows_accepted, landed.rows_rejected) == ("landed", 4, 1)
    assert files.rows(
        warehouse,
        "select order_id, net_cents, original_currency, original_gross_cents from raw.sales_lines"
        " where order_id in ('7', '8', '9', '10') order by order_id::int",
    ) == [("7", 250, None, None), ("8", 85, "EUR", 100), ("9", 75, "USD", 100), ("10", 500, "JPY", 100_000)]
    assert files.rows(warehouse, "select reasons from raw.rejected_rows") == [(["FOREIGN_CURRENCY"],)]
