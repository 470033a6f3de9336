"""What single cells hold: dates and times, money, numbers, ids, words for nothing."""

from __future__ import annotations

from typing import Any

from tests.ingestion.corpus.cases import HEADER, ROWS, SUM, Case, bad_row, good_row, held, lines, sound


def dated(date: str, *, more: str = "") -> str:
    """One sale of 1.00 on this date."""
    return f"A4,{date},Mug,1,1.00,1.00{more}"


def table(*dates: str) -> bytes:
    """Sales of 1.00 on these dates."""
    return lines(*(f"A{n},{date},Mug,1,1.00,1.00" for n, date in enumerate(dates)))


def sums(*amounts: str, pieces: str = "1") -> bytes:
    """Sales of these amounts, without a unit price."""
    rows = (f'A{n},2026-01-05,Mug,{pieces},"{amount}"' for n, amount in enumerate(amounts))
    return lines(*rows, header="Order ID,Date,Product,Quantity,Amount")


def good_sum(name: str, amount: str, cents: int, **more: Any) -> Case:
    """A sale of 2.50 and one of this amount, which must be taken."""
    return Case(name, sums("2.50", amount), accepted=2, cents=250 + cents, **more)


def bad_sum(name: str, amount: str, code: str) -> Case:
    """A sale of 2.50 and one of this amount, which must be refused for this reason."""
    return Case(name, sums("2.50", amount), accepted=1, cents=250, rejected={code: 1})


def returned(name: str, amount: str) -> Case:
    """A sale of 2.50, and 5.00 given back."""
    rows = ("A0,2026-01-05,Mug,1,2.50", f'A1,2026-01-05,Mug,-1,"{amount}"')
    return Case(name, lines(*rows, header="Order ID,Date,Product,Quantity,Amount"), accepted=2, cents=-250)


LONDON = {"timezone": "Europe/London"}

CASES = [
    # -- dates
    bad_row("a day that does not exist", dated("2026-02-30"), "DATE_IMPOSSIBLE"),
    bad_row("29 February of no leap year", dated("2025-02-29"), "DATE_IMPOSSIBLE"),
    good_row("29 February of a leap year", dated("2024-02-29"), 100),
    bad_row("month 13", dated("2026-13-01"), "DATE_IMPOSSIBLE"),
    bad_row("a time that does not exist", dated("2026-01-05 25:61"), "DATE_IMPOSSIBLE"),
    bad_row("24:00", dated("2026-01-05 24:00"), "DATE_IMPOSSIBLE"),
    bad_row("a word for a date", dated("yesterday"), "DATE_FORMAT"),
    bad_row("infinity", dated("infinity"), "DATE_FORMAT"),
    bad_row("epoch", dated("epoch"), "DATE_FORMAT"),
    bad_row("today", dated("today"), "DATE_FORMAT"),
    bad_row("no date", dated(""), "VALUE_MISSING"),
    bad_row("before 1970", dated("1899-12-31"), "DATE_TOO_OLD"),
    bad_row("year 0", dated("0000-01-01"), "DATE_TOO_OLD"),
    bad_row("a year of five digits", dated("12026-01-01"), "DATE_FORMAT"),
    bad_row("years from now", dated("2062-01-05"), "DATE_IN_FUTURE"),
    bad_row("a date in other digits", dated("٢٠٢٦-٠١-٠٥"), "DATE_FORMAT"),
    bad_row("a decoy in an ISO column", dated("05/01/2026 or so"), "DATE_FORMAT"),
    good_row("ISO with offset", dated("2026-01-05T10:00:00+02:00"), 100),
    good_row("ISO with Z and a fraction", dated("2026-01-05T10:00:00.123Z"), 100),
    good_row("a month's name", dated("5 Jan 2026"), 100),
    good_row("a German month's name", dated("5. Februar 2026"), 100),
    good_row("eight digits", dated("20260105"), 100),
    Case(
        "the hour that was skipped",
        lines(*ROWS, dated("2025-03-30 01:30")),
        accepted=3,
        cents=SUM,
        rejected={"TIME_DOES_NOT_EXIST": 1},
        contract=LONDON,
    ),
    Case(
        "the hour that came twice",
        lines(*ROWS, dated("2025-10-26 01:30")),
        accepted=4,
        cents=SUM + 100,
        contract=LONDON,
    ),
    held("day and month both ways round", table("01/02/2026", "03/04/2025"), "DATE_ORDER_UNDECIDED"),
    held("two orders in one column", table("13/01/2026", "01/14/2026"), "DATE_ORDER_CONTRADICTS"),
    held("years of two digits", table("05/01/02", "06/01/03"), "DATE_ORDER_UNDECIDED"),
    Case("one date proves the order", table("01/02/2026", "13/02/2026"), accepted=2, cents=200),
    Case(
        "the contract proves the order",
        table("01/02/2026", "02/02/2026"),
        accepted=2,
        cents=200,
        contract={"date_formats": ["month-first"]},
    ),
    Case(
        "a date that contradicts the contract",
        table("01/02/2026", "13/02/2026"),
        accepted=1,
        cents=100,
        rejected={"DATE_IMPOSSIBLE": 1},
        contract={"date_formats": ["month-first"]},
    ),
    held("days counted by a spreadsheet", table("46027", "46028"), "DATE_SERIAL_UNDECIDED"),
    Case(
        "days counted since 1900 by contract",
        table("46027", "46028.5"),
        accepted=2,
        cents=200,
        contract={"date_formats": ["excel-serial"]},
    ),
    Case(
        "seconds since 1970 by contract",
        table("1767600000", "1767600001"),
        accepted=2,
        cents=200,
        contract={"date_formats": ["epoch-seconds"]},
    ),
    bad_row("seconds since 1970 without contract", dated("1767600000"), "DATE_FORMAT"),
    Case(
        "a form of the contract's own",
        table("05.01.26 14:30", "31.01.26 09:00"),
        accepted=2,
        cents=200,
        contract={"date_formats": ["DD.MM.YY HH:mm"]},
    ),
    # -- money
    good_sum("a sign for the currency", "€ 5.00", 500),
    good_sum("a currency after it", "5.00 EUR", 500),
    good_sum("thousands", "1,234.56", 123_456),
    returned("brackets for a return", "(5.00)"),
    returned("a minus at the end", "5.00-"),
    returned("a typesetter's minus", "\u22125.00"),
    good_row("three decimals of a price", "A4,2026-01-06,Fuel,10,1.499,14.99", 1499),
    good_sum("Swiss thousands", "1'234.50", 123_450),
    bad_sum("three decimals of an amount", "1.005", "TOO_MANY_DECIMALS"),
    Case(
        "sales and returns that add up to nothing",
        lines("A1,2026-01-05,Mug,1,2.50,2.50", "A2,2026-01-05,Mug,-1,2.50,-2.50"),
        "hold",
        accepted=2,
        reason="TOTAL_IS_ZERO",
    ),
    Case(
        "rounded half away from zero by contract",
        sums("1.005", "2.015"),
        accepted=2,
        cents=303,
        contract={"round": "line", "decimal_mark": "."},
    ),
    held("1.234 alone", sums("1.234", "2.500"), "DECIMAL_MARK_UNDECIDED"),
    held("commas and points contradict", sums("1,50", "1.50", "2,75"), "DECIMAL_MARK_UNDECIDED"),
    Case("decimal commas are proven", sums("1,50", "1.234,50"), accepted=2, cents=123_600),
    Case("Indian thousands", sums("1,23,456.00", "2.50"), accepted=2, cents=12_345_850),
    bad_sum("NaN", "NaN", "NUMBER_FORMAT"),
    bad_sum("infinity as money", "Infinity", "NUMBER_FORMAT"),
    bad_sum("an exponent", "1e3", "NUMBER_FORMAT"),
    bad_sum("hex", "0x10", "NUMBER_FORMAT"),
    bad_sum("an underscore", "1_000", "NUMBER_FORMAT"),
    bad_sum("two points", "1.2.3", "NUMBER_FORMAT"),
    bad_sum("two signs", "--5", "NUMBER_FORMAT"),
    bad_sum("a word for an amount", "free", "NUMBER_FORMAT"),
    bad_sum("a formula's error", "#DIV/0!", "NUMBER_FORMAT"),
    bad_sum("Arabic digits", "٥.٠٠", "NUMBER_SCRIPT"),
    bad_sum("full width digits", "５.００", "NUMBER_SCRIPT"),
    bad_sum("more than can be stored", "9" * 30, "NUMBER_TOO_LARGE"),
    bad_sum("a sale for nothing", "0.00", "AMOUNT_NOT_POSITIVE"),
    good_sum("a sale for nothing by contract", "0.00", 0, contract={"allow_zero_amount": True}),
    bad_row("quantity times price is another amount", "A4,2026-01-06,Mug,2,2.50,6.00", "AMOUNT_MISMATCH"),
    Case(
        "the contract says that the amount counts",
        lines(*ROWS, "A4,2026-01-06,Mug,2,2.50,6.00"),
        accepted=4,
        cents=SUM + 600,
        contract={"amount_counts": "amount"},
    ),
    Case(
        "signs disagree",
        lines(*ROWS, "A4,2026-01-06,Mug,-1,2.50,2.50"),
        accepted=3,
        cents=SUM,
        rejected={"SIGNS_DISAGREE": 1, "AMOUNT_MISMATCH": 1},
    ),
    good_row("a return", "A4,2026-01-06,Mug,-1,2.50,-2.50", -250),
    Case(
        "no pieces",
        lines(*ROWS, "A4,2026-01-06,Mug,0,2.50,2.50"),
        accepted=3,
        cents=SUM,
        rejected={"QUANTITY_ZERO": 1, "AMOUNT_MISMATCH": 1},
    ),
    good_row("part of a piece", "A4,2026-01-06,Cheese,0.250,20.00,5.00", 500),
    bad_row("no amount", "A4,2026-01-06,Mug,1,2.50,", "VALUE_MISSING"),
    bad_row("a row without product", "A4,2026-01-06,,1,2.50,2.50", "VALUE_MISSING"),
    Case(
        "a discount larger than the amount",
        lines(
            *(row + ",0" for row in ROWS),
            "A4,2026-01-06,Mug,1,2.50,2.50,9.00",
            header=HEADER + ",Discount Amount",
        ),
        accepted=3,
        cents=SUM,
        rejected={"DISCOUNT_TOO_LARGE": 1},
    ),
    Case(
        "another currency in one row",
        lines(
            *(row + ",EUR" for row in ROWS), "A4,2026-01-06,Mug,1,2.50,2.50,USD", header=HEADER + ",Currency"
        ),
        accepted=3,
        cents=SUM,
        rejected={"FOREIGN_CURRENCY": 1},
    ),
    held(
        "another currency in all rows",
        lines(*(row + ",USD" for row in ROWS), header=HEADER + ",Currency"),
        "FOREIGN_CURRENCY",
    ),
    # -- ids and texts
    Case("leading zeros stay", lines("0042,2026-01-05,Mug,1,2.50,2.50"), accepted=1, cents=250),
    Case(
        "a product number a spreadsheet cut",
        lines(
            "A1,2026-01-05,4.00638E+12,1,2.50,2.50",
            "A2,2026-01-05,77,1,2.50,2.50",
            header=HEADER.replace("Product", "SKU"),
        ),
        accepted=1,
        cents=250,
        rejected={"ID_LOST_DIGITS": 1},
    ),
    bad_row("a name longer than names are", f"A4,2026-01-06,{'x' * 5000},1,2.50,2.50", "TEXT_TOO_LONG"),
    Case(
        "N/A where a product stands is a name",
        lines(*ROWS, "A4,2026-01-06,N/A,1,2.50,2.50"),
        accepted=4,
        cents=SUM + 250,
    ),
    Case(
        "N/A is nothing by contract",
        lines(*ROWS, "A4,2026-01-06,N/A,1,2.50,2.50"),
        accepted=3,
        cents=SUM,
        rejected={"VALUE_MISSING": 1},
        contract={"null_words": ["N/A"]},
    ),
    sound("composed and decomposed letters", lines(*ROWS[:2], "A3,2026-01-06,Cafe\u0301,1,5.00,5.00")),
    Case(
        "several reasons for one row",
        lines(*ROWS, "A4,2026-02-30,,0,x,NaN"),
        accepted=3,
        cents=SUM,
        rejected={"DATE_IMPOSSIBLE": 1, "VALUE_MISSING": 1, "NUMBER_FORMAT": 2},
    ),
    held(
        "every row is wrong",
        lines("A1,never,Mug,1,1,1", "A2,never,Mug,1,1,1"),
        "NOTHING_ACCEPTED",
        rejected={"DATE_FORMAT": 2},
    ),
    Case(
        "more wrong than the contract allows",
        lines(
            *(f"A{n},2026-01-05,Mug,1,1.00,1.00" for n in range(60)),
            *(f"B{n},never,Mug,1,1.00,1.00" for n in range(21)),
        ),
        "hold",
        accepted=60,
        cents=6000,
        rejected={"DATE_FORMAT": 21},
        reason="TOO_MANY_REJECTED",
    ),
]
