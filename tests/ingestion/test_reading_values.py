"""What a cell becomes: money, dates, signs and ids, by both readers alike."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.contract import NUMBERS, Contract, load_contracts
from ingestion.reading import Reading, RejectedRow, Undecided, accepted_schema, open_reading
from ingestion.reading.months import MONTHS
from ingestion.reading.plan import Rules

TODAY = date(2026, 6, 30)


@dataclass(frozen=True)
class Read:
    rows: list[dict[str, Any]]
    rejected: list[RejectedRow]
    gaps: int
    repeats: int = 0

    @property
    def codes(self) -> list[tuple[str, ...]]:
        return [row.reasons for row in self.rejected]


def drain(reading: Reading) -> Read:
    rows: list[dict[str, Any]] = []
    rejected: list[RejectedRow] = []
    repeats = 0
    for batch in reading.batches():
        assert batch.accepted.schema.equals(accepted_schema())
        rows += batch.accepted.to_pylist()
        rejected += batch.rejected
        repeats += batch.repeats
    return Read(rows, rejected, reading.rows_gap, repeats)


def read(text: str | bytes, **given: Any) -> Read:
    """The file through both readers, which must agree."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sales.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        reading = open_reading(path, today=TODAY, **given)
        assert reading.facts["reader"] == "fast"
        fast = drain(reading)
        careful = drain(reading.careful())
    assert fast == careful
    return fast


def contract(**changes: Any) -> Mapping[str, Contract]:
    """The built-in contract, changed, under its own name."""
    known = load_contracts()["sales_csv"]
    return {"sales_csv": Contract.model_validate(known.model_dump() | changes)}


def amounts(*cells: str, **given: Any) -> Read:
    body = "".join(f'2026-01-05,tea,"{cell}"\n' for cell in cells)
    return read("date,product,amount\n" + body, **given)


# -- money --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("cell", "cents"),
    [
        ("19.99", 1999), ("0.01", 1), ("5", 500), ("5.", 500), (".5", 50), ("+7.10", 710), ("007.10", 710),
        ("12.500", 1250),
        ("£12.50", 1250), ("$1,234.56", 123456), ("1,234,567.89", 123456789), ("EUR 12.50", 1250),
        ("12.50 €", 1250),
        ("1'234.50", 123450), ("1 234.50", 123450), (" 8.00 ", 800), ("-4.20", -420), ("-£4.20", -420),
        ("£-4.20", -420), ("\u22124.20", -420), ("4.20-", -420), ("(4.20)", -420), ("(£4.20)", -420),
        ("£(4.20)", -420), ("- 4.20", -420), ("1\u2009234.50", 123450), ("1\u202f234.50", 123450),
        ("1,23,456.00", 12345600),
        ("£ 5", 500),        ("5.00 GBP", 500),
        ("99999999999.99", 9999999999999),
    ],
)  # fmt: skip
def test_money_is_exact(cell: str, cents: int) -> None:
    found = amounts(cell, "0.01")
    assert [row["gross_cents"] for row in found.rows] == [cents, 1]


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("19.999", "TOO_MANY_DECIMALS"), ("1e3", "NUMBER_FORMAT"), ("1_000", "NUMBER_FORMAT"), ("0x1F",
        "NUMBER_FORMAT"),
        ("NaN", "NUMBER_FORMAT"), ("inf", "NUMBER_FORMAT"), ("١٢", "NUMBER_SCRIPT"), ("１２",
        "NUMBER_SCRIPT"), ("--5", "NUMBER_FORMAT"), ("(5", "NUMBER_FORMAT"), ("-(5)", "NUMBER_FORMAT"),
        ("-5-",
        "NUMBER_FORMAT"), ("5 %", "NUMBER_FORMAT"), ("1,23,4", "NUMBER_FORMAT"), ("5e-1", "NUMBER_FORMAT"),
        ("Infinity", "NUMBER_FORMAT"), ("1.0E+02", "NUMBER_FORMAT"), ("1.2.3", "NUMBER_FORMAT"),
        ("12,34.56", "NUMBER_FORMAT"), ("abc",
        "NUMBER_FORMAT"),
        ("12 34", "NUMBER_FORMAT"), ("", "VALUE_MISSING"), ("0", "AMOUNT_NOT_POSITIVE"), ("0.00",
        "AMOUNT_NOT_POSITIVE"),
        ("100000000000", "NUMBER_TOO_LARGE"), ("9" * 40, "NUMBER_TOO_LARGE"), ("£", "NUMBER_FORMAT"), (".",
        "NUMBER_FORMAT"),
    ],
)  # fmt: skip
def test_what_is_not_money_is_rejected(cell: str, code: str) -> None:
    found = amounts(cell, "0.01")
    assert found.codes == [(code,)]
    assert [row["gross_cents"] for row in found.rows] == [1]
    assert found.rows[0]["row_number"] == 2


@settings(max_examples=15, deadline=None)
@given(st.lists(st.decimals("-99999999", "99999999", places=2).filter(bool), min_size=1, max_size=40))
def test_any_amount_comes_back_to_the_cent(values: list[Decimal]) -> None:
    found = amounts(*(str(value) for value in values))
    assert [row["net_cents"] for row in found.rows] == [int(value * 100) for value in values]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.decimals("0.01", "9999", places=4), min_size=1, max_size=30))
def test_round_line_rounds_half_away_from_zero(values: list[Decimal]) -> None:
    found = amounts(
        *(str(value) for value in values), contracts=contract(round="line", allow_zero_amount=True)
    )
    cents = [int((value * 100).quantize(Decimal(1), ROUND_HALF_UP)) for value in values]
    assert [row["gross_cents"] for row in found.rows] == cents


def test_a_decimal_comma_is_read_where_the_file_proves_it() -> None:
    found = amounts("1.234,50", "7,5", "12")
    assert [row["gross_cents"] for row in found.rows] == [123450, 750, 1200]


def test_a_comma_that_may_be_either_mark_holds_the_file() -> None:
    with pytest.raises(Undecided) as caught:
        amounts("1,234", "2,500")
    assert caught.value.reason_code == "DECIMAL_MARK_UNDECIDED"
    assert caught.value.contract is not None
    for choice, cents in (("decimal-comma", [250]), ("decimal-point", [123400, 250000])):
        found = amounts("1,234", "2,500", read_as=caught.value.choices[choice])
        assert [row["gross_cents"] for row in found.rows] == cents


def test_a_currency_without_minor_units_has_no_decimals() -> None:
    yen = contract(currency="JPY")
    assert [row["gross_cents"] for row in amounts("1200", contracts=yen).rows] == [1200]
    assert amounts("1200.50", contracts=yen).codes == [("TOO_MANY_DECIMALS",)]


# -- quantity, price, amount, signs -------------------------------------------------------------------------
HEADER = "date,product,quantity,unit_price,amount\n"


def line(quantity: str, price: str, amount: str, **given: Any) -> Read:
    return read(f"{HEADER}2026-01-05,tea,{quantity},{price},{amount}\n2026-01-06,tea,1,1.00,1.00\n", **given)


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        (("2", "3.00", "7.00"), "AMOUNT_MISMATCH"), (("-2", "3.00", "6.00"), "AMOUNT_MISMATCH"), (("0",
        "3.00", "0.00"), "QUANTITY_ZERO"),
        (("", "3.00", "6.00"), "VALUE_MISSING"), (("2", "", "6.00"), "VALUE_MISSING"), (("2", "3.00",
        ""), "VALUE_MISSING"),
        (("2.0001", "3.00", "6.00"), "TOO_MANY_DECIMALS"), (("2", "-3.00", "-6.00"), "SIGNS_DISAGREE"),
    ],
)  # fmt: skip
def test_numbers_that_contradict_each_other_are_rejected(cells: tuple[str, str, str], code: str) -> None:
    found = line(*cells)
    assert code in found.codes[0]
    assert len(found.rows) == 1


def test_a_rounded_unit_price_is_no_contradiction() -> None:
    assert line("3", "3.33", "10.00").rows[0]["gross_cents"] == 1000


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (("", "3.00", "6.00"), ("2.000", "3.000000", 600)), (("4", "", "6.00"), ("4.000", "1.500000", 600)),
        (("4", "1.50", ""), ("4.000", "1.500000", 600)), (("-4", "1.50", ""), ("-4.000", "1.500000", -600)),
    ],
)  # fmt: skip
def test_any_two_give_the_third_where_the_contract_derives(
    cells: tuple[str, str, str], expected: tuple[str, str, int]
) -> None:
    row = line(*cells, contracts=contract(derive=True)).rows[0]
    quantity, price = Decimal(expected[0]) * 1000, Decimal(expected[1]) * 1_000_000
    assert (row["quantity_thousandths"], row["unit_price_millionths"]) == (quantity, price)
    assert row["gross_cents"] == expected[2]


def test_one_of_three_is_not_enough() -> None:
    assert line("", "", "6.00", contracts=contract(derive=True)).codes == [("VALUE_MISSING", "VALUE_MISSING")]


def test_an_amount_alone_is_one_piece() -> None:
    rows = amounts("6.00", "-6.00").rows
    assert [(row["line_type"], row["quantity_thousandths"], row["net_cents"]) for row in rows] == [
        ("sale", 1000, 600), ("return", -1000, -600),
    ]  # fmt: skip


def test_quantity_times_price_is_enough() -> None:
    found = read(
        "date,product,qty,price\n2026-01-05,tea,3,1.25\n2026-01-05,tea,-1,1.25\n2026-01-05,tea,3,1.255\n"
    )
    assert [(row["line_type"], row["net_cents"]) for row in found.rows] == [("sale", 375), ("return", -125)]
    assert found.codes == [("TOO_MANY_DECIMALS",)]


def test_discount_tax_and_cost_are_signed_as_they_add_up() -> None:
    found = read(
        "date,product,quantity,amount,discount amount,tax,unit cost\n"
        "2026-01-05,tea,2,10.00,1.50,0.80,3.005\n2026-01-05,tea,2,10.00,-1.50,,\n"
        "2026-01-05,tea,-2,-10.00,1.50,0.80,3.00\n2026-01-05,tea,1,10.00,11.00,,\n"
    )
    assert [
        (row["gross_cents"], row["discount_cents"], row["net_cents"], row["tax_cents"], row["cost_cents"])
        for row in found.rows
    ] == [(1000, -150, 850, 80, 601), (1000, -150, 850, None, None), (-1000, 150, -850, -80, -600)]
    assert found.codes == [("DISCOUNT_TOO_LARGE",)]


def test_an_amount_after_discount_is_brought_back_to_gross() -> None:
    row = read("date,product,quantity,price,amount,discount amount\n2026-01-05,tea,2,5.00,8.50,1.50\n").rows[
        0
    ]
    assert (row["gross_cents"], row["discount_cents"], row["net_cents"]) == (1000, -150, 850)


# -- dates --------------------------------------------------------------------------------------------------
def days(*cells: str, **given: Any) -> Read:
    return read("date,product,amount\n" + "".join(f'"{cell}",tea,1.00\n' for cell in cells), **given)


@pytest.mark.parametrize(
    ("cell", "sold_at"),
    [
        ("2026-01-05", None), ("2026/1/5", None), ("2026-01-05 08:30", "2026-01-05 08:30:00"),
        ("2026-01-05 08:30:15", "2026-01-05 08:30:15"), ("2026-01-05T08:30:15", "2026-01-05 08:30:15"),
        ("2026-01-05T08:30:15.250", "2026-01-05 08:30:15.250000"), ("2026-01-05T08:30:15Z",
        "2026-01-05 08:30:15"),
        ("2026-01-05T08:30:15+02:00", "2026-01-05 06:30:15"), ("2026-01-05 08:30:15-0530",
        "2026-01-05 14:00:15"),
        ("2026-01-05 00:00:00", "2026-01-05 00:00:00"), ("2026-01-05 8:30 PM", "2026-01-05 20:30:00"),
        ("2026-01-05 12:05 am", "2026-01-05 00:05:00"),
    ],
)  # fmt: skip
def test_iso_dates_and_times(cell: str, sold_at: str | None) -> None:
    row = days("2026-01-01", cell).rows[1]
    assert row["sale_date"] == date(2026, 1, 5)
    assert (row["sold_at"] and str(row["sold_at"].replace(tzinfo=None))) == sold_at


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("2026-02-30", "DATE_IMPOSSIBLE"), ("2026-13-01", "DATE_IMPOSSIBLE"), ("2026-01-05 25:00",
        "DATE_IMPOSSIBLE"),
        ("2026-01-05 24:00:00", "DATE_IMPOSSIBLE"), ("2026-01-05 10:61", "DATE_IMPOSSIBLE"),
        ("2026-01-05 13:00 PM", "DATE_IMPOSSIBLE"),
        ("today", "DATE_FORMAT"), ("infinity", "DATE_FORMAT"), ("epoch", "DATE_FORMAT"), ("44562",
        "DATE_FORMAT"), ("05012026", "DATE_FORMAT"), ("2026-W01", "DATE_FORMAT"), ("2026-005", "DATE_FORMAT"),
        ("5 Foo 2026", "DATE_FORMAT"), ("31 Feb 2026", "DATE_IMPOSSIBLE"), ("20260230", "DATE_IMPOSSIBLE"),
        ("1767600000", "DATE_FORMAT"), ("-infinity", "DATE_FORMAT"), ("now", "DATE_FORMAT"),
        ("2026-01-05 08:30 Europe/London", "DATE_FORMAT"), ("٢٠٢٦-٠١-٠٥",
        "DATE_FORMAT"),
        ("", "VALUE_MISSING"), ("1969-12-31", "DATE_TOO_OLD"), ("2026-07-02", "DATE_IN_FUTURE"),
        ("2026-01-05T08:00+19:00", "DATE_IMPOSSIBLE"),
    ],
)  # fmt: skip
def test_what_is_no_day_is_rejected(cell: str, code: str) -> None:
    assert days("2026-01-01", cell, "2026-07-01").codes == [(code,)]


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.dates(date(1970, 1, 1), TODAY), min_size=1, max_size=30),
    st.sampled_from(["%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m/%d/%Y", "%Y-%m-%d"]),
)
def test_any_day_comes_back_in_any_order_the_file_proves(values: list[date], form: str) -> None:
    proof = date(2026, 1, 31)
    found = days(*(value.strftime(form) for value in [*values, proof]))
    assert [row["sale_date"] for row in found.rows] == [*values, proof]


def test_short_years_and_times_after_the_day() -> None:
    rows = days("03/28/19 20:59", "1/2/2019 3:45 PM", "12/31/99").rows
    assert [row["sale_date"] for row in rows] == [date(2019, 3, 28), date(2019, 1, 2), date(1999, 12, 31)]
    assert [row["sold_at"] and row["sold_at"].hour for row in rows] == [20, 15, None]


def test_an_order_that_nothing_proves_holds_the_file_with_both_choices() -> None:
    with pytest.raises(Undecided) as caught:
        days("01/02/2026", "03/04/2026")
    assert caught.value.reason_code == "DATE_ORDER_UNDECIDED"
    assert "01/02/2026" in caught.value.message
    first = days("01/02/2026", "03/04/2026", read_as=caught.value.choices["day-first"])
    other = days("01/02/2026", "03/04/2026", read_as=caught.value.choices["month-first"])
    assert [row["sale_date"].month for row in first.rows] == [2, 4]
    assert [row["sale_date"].month for row in other.rows] == [1, 3]


def test_orders_that_contradict_each_other_hold_the_file() -> None:
    with pytest.raises(Undecided) as caught:
        days("31/01/2026", "01/31/2026")
    assert caught.value.reason_code == "DATE_ORDER_CONTRADICTS"
    found = days("31/01/2026", "01/31/2026", read_as={"date_order": "day-first"})
    assert found.codes == [("DATE_IMPOSSIBLE",)]
    assert "01/31/2026" in found.rejected[0].messages[0]


def test_the_message_names_the_order_in_the_files_own_form() -> None:
    found = read("Datum,Artikel,Betrag\n30.01.2026,Tee,1.00\n31.02.2026,Tee,1.00\n")
    assert found.rejected[0].messages == (
        'row 3 (line 3), column "Datum": saw "31.02.2026", expected a real day as DD.MM.YYYY. '
        "Correct the cell and drop the file again [DATE_IMPOSSIBLE]",
    )


def test_local_time_skipped_hour_and_repeated_hour() -> None:
    london = contract(timezone="Europe/London")
    found = days(
        "2026-03-29 01:30:00",
        "2025-10-26 01:30:00",
        "2026-06-01 00:30",
        "2026-05-31T23:30:00Z",
        contracts=london,
    )
    assert found.codes == [("TIME_DOES_NOT_EXIST",)]
    assert [row["sold_at"] for row in found.rows] == [
        datetime(2025, 10, 26, 0, 30, tzinfo=UTC), datetime(2026, 5, 31, 23, 30, tzinfo=UTC),
        datetime(2026, 5, 31, 23, 30, tzinfo=UTC),
    ]  # fmt: skip
    assert [row["sale_date"] for row in found.rows] == [
        date(2025, 10, 26),
        date(2026, 6, 1),
        date(2026, 6, 1),
    ]


def test_the_business_day_starts_when_the_contract_says() -> None:
    late = contract(day_starts_at="04:00")
    rows = days("2026-06-02 03:59", "2026-06-02 04:00", "2026-06-02", contracts=late).rows
    assert [row["sale_date"].day for row in rows] == [1, 2, 2]


# -- ids and text -------------------------------------------------------------------------------------------
def test_ids_keep_their_zeros_and_text_is_trimmed_and_composed() -> None:
    row = read("date,product,amount,sku,order id\n2026-01-05, Cafe\u0301\u00a0 ,1.00,00042,0007\n").rows[0]
    assert (row["product_name"], row["product_id"], row["order_id"]) == ("Caf\u00e9", "00042", "0007")


def test_null_words_and_spreadsheet_integers() -> None:
    columns = load_contracts()["sales_csv"].model_dump()["columns"]
    columns["customer_id"]["spreadsheet_integer"] = True
    known = contract(columns=columns, null_words=("UNKNOWN", "N/A"))
    rows = read(
        "date,product,amount,customer id\n2026-01-05,tea,1.00,17850.0\n2026-01-05,tea,1.00,UNKNOWN\n",
        contracts=known,
    ).rows
    assert [row["customer_id"] for row in rows] == ["17850", None]


def test_the_order_key_is_a_hash_of_source_scope_and_id_that_never_changes() -> None:
    rows = read("date,product,amount,order id\n2026-01-05,tea,1.00,A1\n2026-01-05,tea,1.00,\n").rows
    assert [row["order_key"] for row in rows] == [615327350939856243, None]


def test_a_row_in_another_currency_is_rejected() -> None:
    found = read(
        "date,product,amount,currency\n2026-01-05,tea,1.00,EUR\n2026-01-05,tea,1.00,usd\n2026-01-05,tea,1.00,\n"
    )
    assert found.codes == [("FOREIGN_CURRENCY",)]


def test_all_reasons_of_a_row_are_given() -> None:
    found = read(HEADER + "soon,,x,1.00,1.00\n2026-01-05,tea,1,1.00,1.00\n")
    row = found.rejected[0]
    assert row.reasons == ("DATE_FORMAT", "VALUE_MISSING", "NUMBER_FORMAT")
    assert row.columns == ("date", "product", "quantity")
    assert len(row.messages) == 3


def test_a_day_later_than_tomorrow_is_told_from_the_day_of_loading() -> None:
    tomorrow = TODAY + timedelta(days=1)
    assert len(days(tomorrow.isoformat()).rows) == 1


# -- dates in words, figures and numbers -----------------------------------------------------------------
NAMED = (
    "12 Mar 2026", "12. März 2026", "12-Mar-26", "12 mars 2026", "12 marzo 2026", "12 de marzo de 2026",
    "12 março 2026", "12 maart 2026", "March 12, 2026", "Mar 12 2026", "12th March 2026", "12 marts 2026",
    "Thu, 12 Mar 2026", "Donnerstag, 12. März 2026", "2026-Mar-12", "12.Mrz.2026", "12MAR2026", "20260312",
    "12/mar/2026", "jeudi 12 mars 2026",
)  # fmt: skip


def test_names_of_months_need_no_proof() -> None:
    found = days(*NAMED, "12 Mar 2026 14:05", "March 12, 2026 2:05 PM", "20260312T140500", "20260312140500")
    assert [row["sale_date"] for row in found.rows] == [date(2026, 3, 12)] * (len(NAMED) + 4)
    assert {str(row["sold_at"].time()) for row in found.rows[len(NAMED) :]} == {"14:05:00"}


def test_every_month_of_ten_languages_is_the_month_it_names() -> None:
    cells = [f"3 {name} 2025" for name in MONTHS]
    assert [row["sale_date"].month for row in days(*cells).rows] == list(MONTHS.values())


def test_two_orders_in_one_file_are_named_with_counts_and_examples() -> None:
    with pytest.raises(Undecided) as caught:
        days("31/01/2026", "30/01/2026", "01/29/2026", "01/02/2026")
    assert caught.value.reason_code == "DATE_ORDER_CONTRADICTS"
    assert '2 dates can only be day-first (e.g. "30/01/2026")' in caught.value.message
    assert '1 only month-first (e.g. "01/29/2026")' in caught.value.message
    assert set(caught.value.choices) == {"day-first", "month-first"}


def test_years_of_two_digits_may_stand_first() -> None:
    with pytest.raises(Undecided) as caught:
        days("26-01-05", "25-12-24")
    assert set(caught.value.choices) == {"day-first", "year-first"}
    rows = days("26-01-05", "25-12-24", read_as={"date_order": "year-first"}).rows
    assert [row["sale_date"] for row in rows] == [date(2026, 1, 5), date(2025, 12, 24)]
    proven = days("99-01-05", "98-12-24").rows
    assert [row["sale_date"] for row in proven] == [date(1999, 1, 5), date(1998, 12, 24)]


def test_numbers_of_days_hold_the_file_until_a_person_or_the_contract_says_from_when() -> None:
    with pytest.raises(Undecided) as caught:
        days("46027", "46028.5")
    assert caught.value.reason_code == "DATE_SERIAL_UNDECIDED"
    assert "2026-01-05" in caught.value.message
    rows = days("46027", "46028.5208333333", contracts=contract(date_formats=("excel-serial",))).rows
    assert [row["sale_date"] for row in rows] == [date(2026, 1, 5), date(2026, 1, 6)]
    assert rows[0]["sold_at"] is None
    assert rows[1]["sold_at"] == datetime(2026, 1, 6, 12, 30, tzinfo=UTC)
    other = days("44565", "44566.5", read_as=caught.value.choices["excel-serial-1904"]).rows
    assert [row["sale_date"] for row in other] == [date(2026, 1, 5), date(2026, 1, 6)]


def test_seconds_since_1970_are_read_only_by_contract() -> None:
    berlin = {"timezone": "Europe/Berlin"}
    for form, cell in (("epoch-seconds", "1767654000"), ("epoch-milliseconds", "1767654000000")):
        row = days(cell, contracts=contract(date_formats=(form,), **berlin)).rows[0]
        assert row["sold_at"] == datetime(2026, 1, 5, 23, 0, tzinfo=UTC)
        assert row["sale_date"] == date(2026, 1, 6)


def test_a_contract_may_write_its_own_date_forms() -> None:
    own = contract(date_formats=("DD.MM.YYYY HH:mm", "YYMMDD", "D MMM YYYY, H:mm A"))
    found = days(
        "05.01.2026 14:05", "260105", "5 Januar 2026, 2:05 pm", "05.01.2026", "2026-01-05", contracts=own
    )
    assert [row["sale_date"] for row in found.rows] == [date(2026, 1, 5)] * 3
    assert [row["sold_at"] and row["sold_at"].hour for row in found.rows] == [14, None, 14]
    assert found.codes == [("DATE_FORMAT",)] * 2
    assert "expected a date as DD.MM.YYYY HH:mm" in found.rejected[0].messages[0]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.datetimes(datetime(1971, 1, 1), datetime(2026, 6, 29)), min_size=1, max_size=20))
def test_any_moment_comes_back_in_a_form_of_the_contract(values: list[datetime]) -> None:
    whole = [value.replace(second=0, microsecond=0) for value in values]
    own = contract(date_formats=("MM-DD-YYYY HH:mm",))
    found = days(*(value.strftime("%m-%d-%Y %H:%M") for value in whole), contracts=own)
    assert [row["sold_at"].replace(tzinfo=None) for row in found.rows] == whole


def test_an_hour_that_came_twice_is_the_first_and_is_counted() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sales.csv"
        path.write_text("date,product,amount\n2025-10-26 01:30,tea,1.00\n2025-10-26 03:30,tea,1.00\n")
        reading = open_reading(path, today=TODAY, contracts=contract(timezone="Europe/London"))
        rows = drain(reading).rows
    assert rows[0]["sold_at"] == datetime(2025, 10, 26, 0, 30, tzinfo=UTC)
    assert reading.facts["rows_in_repeated_hour"] == 1


# -- numbers that prove their mark, and currencies -------------------------------------------------------
@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.decimals("0.01", "9999999", places=2), min_size=1, max_size=20),
    st.sampled_from(["{:,.2f}", "{:.2f}", "£{:,.2f}", "{:,.2f} GBP"]),
    st.booleans(),
)
def test_any_amount_comes_back_in_any_dress(values: list[Decimal], form: str, comma: bool) -> None:
    swap = str.maketrans(",.", ".,") if comma else {}
    found = amounts(*(form.format(value).translate(swap) for value in values))
    assert [row["gross_cents"] for row in found.rows] == [int(value * 100) for value in values]


@pytest.mark.parametrize("cells", [("1.234", "2.500"), ("1,234", "12")])
def test_thousands_or_fraction_is_never_guessed(cells: tuple[str, ...]) -> None:
    with pytest.raises(Undecided) as caught:
        amounts(*cells)
    assert caught.value.reason_code == "DECIMAL_MARK_UNDECIDED"


def test_marks_that_contradict_each_other_hold_the_file() -> None:
    with pytest.raises(Undecided, match="only have a decimal comma and 1 only a decimal point"):
        amounts("1,50", "1.50")


def test_one_broken_number_does_not_decide_for_the_file() -> None:
    assert amounts("1,2,3", "1.50").codes == [("NUMBER_FORMAT",)]


def test_a_sum_in_another_currency_than_the_files_is_rejected() -> None:
    found = amounts("€ 5.00", "5.00", "$5.00", "5.00 USD", "6.00 EUR", contracts=contract(currency="EUR"))
    assert [row["gross_cents"] for row in found.rows] == [500, 500, 600]
    assert found.codes == [("FOREIGN_CURRENCY",)] * 2


def test_a_sign_beside_the_numbers_names_the_currency_of_the_file() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sales.csv"
        path.write_text('date,product,amount\n2026-01-05,tea,"5,00 €"\n')
        assert open_reading(path, today=TODAY).facts["currency"] == "EUR"


# -- discounts, and which number counts --------------------------------------------------------------------
def discounted(rows: str, header: str = "date,product,quantity,price,amount,rebate", **keys: Any) -> Read:
    columns = load_contracts()["sales_csv"].model_dump()["columns"]
    columns["discount"]["names"] = ("rebate",)
    return read(f"{header}\n{rows}", contracts=contract(columns=columns, **keys))


@pytest.mark.parametrize(
    ("keys", "row", "expected"),
    [
        ({"discount_is": "share"}, "2,5.00,8.00,0.2", (1000, -200, 800)),
        ({"discount_is": "share"}, "2,5.00,8.00,20%", (1000, -200, 800)),
        ({"discount_is": "share"}, "2,5.00,10.00,20 %", (1000, -200, 800)),
        ({"discount_is": "percent"}, "2,5.00,8.00,20", (1000, -200, 800)),
        ({"discount_is": "percent"}, "2,5.00,10.00,", (1000, 0, 1000)),
        ({"discount_is": "share"}, "3,3.33,6.66,0.333", (999, -333, 666)),
        ({"amount_is": "after_discount"}, "2,5.00,8.00,2.00", (1000, -200, 800)),
        ({"amount_is": "before_discount"}, "2,5.00,10.00,2.00", (1000, -200, 800)),
        ({"discount_is": "share"}, "-2,5.00,-8.00,0.2", (-1000, 200, -800)),
    ],
)
def test_a_discount_is_a_sum_a_share_or_a_percentage(
    keys: dict[str, Any], row: str, expected: tuple[int, int, int]
) -> None:
    found = discounted(f"2026-01-05,tea,{row}\n2026-01-05,tea,1,1.50,1.50,\n", **keys)
    first = found.rows[0]
    assert (first["gross_cents"], first["discount_cents"], first["net_cents"]) == expected


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(st.decimals("0.01", "9999", places=2), st.integers(0, 99)), min_size=1, max_size=20)
)
def test_what_was_paid_stays_exact_whatever_the_share(lines: list[tuple[Decimal, int]]) -> None:
    text = "".join(f"2026-01-05,tea,{amount},{share}\n" for amount, share in lines)
    keys = {"discount_is": "percent", "amount_is": "after_discount", "decimal_mark": "."}
    found = discounted(text, "date,product,amount,rebate", **keys)
    assert [row["net_cents"] for row in found.rows] == [int(amount * 100) for amount, _ in lines]
    for row, (amount, share) in zip(found.rows, lines, strict=True):
        gross = (amount * 100 / (1 - Decimal(share) / 100)).quantize(Decimal(1), ROUND_HALF_UP)
        assert row["gross_cents"] == gross


@pytest.mark.parametrize(
    ("kind", "cell"), [("share", "20"), ("share", "-0.1"), ("percent", "101"), ("share", "120 %")]
)
def test_a_share_beyond_the_whole_is_rejected(kind: str, cell: str) -> None:
    found = discounted(f"2026-01-05,tea,2,5.00,10.00,{cell}\n2026-01-05,tea,1,1.50,1.50,\n", discount_is=kind)
    assert found.codes == [("VALUE_OUT_OF_RANGE",)]


def test_the_contract_may_say_which_of_two_amounts_counts() -> None:
    assert line("2", "3.00", "7.00").codes == [("AMOUNT_MISMATCH",)]
    by_amount = line("2", "3.00", "7.00", contracts=contract(amount_counts="amount"))
    by_price = line("2", "3.00", "7.00", contracts=contract(amount_counts="quantity_x_price"))
    assert (by_amount.rows[0]["net_cents"], by_price.rows[0]["net_cents"]) == (700, 600)


# -- lines that are no sales, identities, columns ----------------------------------------------------------
def test_lines_that_are_no_sales_are_kept_and_marked() -> None:
    apart = (
        {"column": "product_name", "words": ["Gift card"], "as": "gift_card"},
        {"column": "product_id", "pattern": "SHIP.*", "as": "shipping"},
    )
    found = read(
        "date,product,sku,amount\n2026-01-05,GIFT CARD,G1,50.00\n2026-01-05,Parcel,SHIP-2,0.00\n"
        "2026-01-05,tea,T1,1.00\n2026-01-05,tea,T1,0.00\n",
        contracts=contract(not_sales=apart),
    )
    assert [(row["line_kind"], row["net_cents"]) for row in found.rows] == [
        ("gift_card", 5000), ("shipping", 0), (None, 100),
    ]  # fmt: skip
    assert found.codes == [("AMOUNT_NOT_POSITIVE",)]


def test_an_identity_makes_equal_rows_repeats_and_unequal_ones_refused() -> None:
    named = contract(identity=("order_id", "line_number"))
    found = read(
        "date,product,amount,order id,line\n2026-01-05,tea,1.00,A,1\n2026-01-05,tea,1.00,A,2\n"
        "2026-01-05, tea,1.00,A,1\n2026-01-05,tea,1.05,A,1\n2026-01-05,tea,1.05,,1\n2026-01-05,tea,x,B,1\n"
        "2026-01-05,tea,1.00,B,1\n",
        contracts=named,
    )
    assert [row["row_number"] for row in found.rows] == [1, 2, 7]
    assert found.repeats == 1
    assert found.codes == [("IDENTITY_CONTRADICTS",), ("VALUE_MISSING",), ("NUMBER_FORMAT",)]
    assert 'saw "A · 1", expected the row that came before' in found.rejected[0].messages[0]


def test_repeats_without_an_identity_are_kept() -> None:
    assert len(amounts("1.00", "1.00").rows) == 2


def test_columns_have_letters_choices_and_bounds() -> None:
    columns = load_contracts()["sales_csv"].model_dump()["columns"]
    columns["store"] |= {"case": "upper", "one_of": ("BERLIN", "ROM")}
    columns["amount"] |= {"above": "0.50", "below": "2.5"}
    found = read(
        "date,product,amount,store\n2026-01-05,tea,1.00,Berlin\n2026-01-05,tea,0.50,rom\n"
        "2026-01-05,tea,2.50,rom\n2026-01-05,tea,2.49,Paris\n",
        contracts=contract(columns=columns),
    )
    assert [row["store"] for row in found.rows] == ["BERLIN"]
    assert found.codes == [("VALUE_OUT_OF_RANGE",), ("VALUE_OUT_OF_RANGE",), ("VALUE_NOT_ALLOWED",)]


def test_an_id_that_lost_its_digits_is_refused() -> None:
    found = read("date,product,amount,sku\n2026-01-05,tea,1.00,4.00638E+12\n2026-01-05,tea,1.00,1E5\n")
    assert found.codes == [("ID_LOST_DIGITS",)]
    assert found.rows[0]["product_id"] == "1E5"


def test_one_value_for_the_whole_file_comes_from_the_contract() -> None:
    columns = load_contracts()["sales_csv"].model_dump()["columns"]
    del columns["store"]
    known = contract(columns=columns, values={"store": "Berlin"})
    found = read("date,product,amount\n2026-01-05,tea,1.00\n", contracts=known)
    assert found.rows[0]["store"] == "Berlin"


def test_the_widest_contract_has_room_for_all_its_checks() -> None:
    sales = load_contracts()["sales_csv"].model_dump()
    columns = {
        name: column | {"names": (name,), "required": True, **_bounds(name)}
        for name, column in sales["columns"].items()
    }
    names = list(columns)
    cells = dict.fromkeys(names, "x") | dict.fromkeys(NUMBERS, "2")
    cells |= {"date": "2026-01-05", "currency": "EUR", "amount": "4", "discount": "1.5", "tax": "1.5"}
    sound = ",".join(cells[name] for name in names)
    bad = ",".join(
        (cells | {"channel": "", "unit_cost": "99999", "store": "y" * 300})[name] for name in names
    )
    found = read(f"{','.join(names)}\n{sound}\n{bad}\n", contracts=contract(columns=columns))
    assert len(found.rows) == 1
    assert {"VALUE_MISSING", "VALUE_OUT_OF_RANGE", "TEXT_TOO_LONG"} <= set(found.codes[0])


def _bounds(name: str) -> dict[str, Any]:
    if name in NUMBERS:
        return {"above": "0.001", "below": "5000"}
    return {} if name == "date" else {"pattern": ".*"}


ODD_NUMBERS = (
    "", "0", "-0", "5", "-5", "+5", "5.", ".5", "1.5", "1.23", "1.234", "1.2345", "1.2345678", "1.00000",
    "1e3", "1_000", "0x1", "999999999", "1000000000", "99999999999", "100000000000", "9" * 30, "-" * 3,
    "1.2.3", "1,234", "€5", "$5", "(5)", "٣", "NaN", "inf", "null", "5 ", "5E+2",
)  # fmt: skip
ODD_DAYS = (
    "", "2026-01-05", "2026-01-05 10:00:00", "2026-1-5", "20260105", "2026-02-30", "2026-01-05T10:00:00Z",
    "05.01.2026", "infinity", "epoch", "now", "2026-01-05 25:00:00", "0000-00-00", "99999-01-01",
    "1969-12-31", "2026-01-05 10:00:00+20:00", "x",
)  # fmt: skip


def test_what_is_not_looked_at_in_usual_cells_would_find_nothing_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    usual = ["2026-01-05", "2", "1.50", "3.00"]
    columns = [ODD_DAYS, ODD_NUMBERS, ODD_NUMBERS, ODD_NUMBERS]
    lines = [
        ",".join(f'"{cell}"' for cell in ("tea", *usual[:at], odd, *usual[at + 1 :]))
        for at, cells in enumerate(columns)
        for odd in cells
    ]
    text = "product,date,quantity,unit_price,amount\n" + "".join(f"{line}\n" for line in lines)
    given = {"read_as": {"date_order": "day-first", "decimal_mark": "point"}, "currency": "EUR"}
    quick = read(text, **given)
    check = Rules.check

    def thorough(self: Rules, *args: str, unless: str = "", **more: Any) -> None:
        check(self, *args, **more)

    monkeypatch.setattr(Rules, "check", thorough)
    assert read(text, **given) == quick
    assert len(quick.rows) > 5
    assert len(quick.rejected) > 40
