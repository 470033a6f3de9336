"""What a feed's own past makes unlikely: told with numbers, and never before there is a past."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from expectations.arrival import CheckResult, run_arrival_gate
from expectations.past import column_changes, shift_of, usual_range
from ingestion.landing import land
from tests.conftest import fresh_warehouse
from warehouse.database import Warehouse
from warehouse.embedded import Server

MONDAY = date(2026, 1, 5)
Deliver = Callable[..., int]
FEEDS, NUMBERS = itertools.count(1), itertools.count(1)


@pytest.fixture(scope="module")
def warehouse(server: Server) -> Iterator[Warehouse]:
    """One for all tests here: each has a feed of its own, and so a past of its own."""
    with fresh_warehouse(server) as opened:
        yield opened


@pytest.fixture
def deliver(warehouse: Warehouse) -> Iterator[Deliver]:
    """Put a measured delivery of whole days into the ledger: {day: (lines, cents)}."""
    feed = f"till_{next(FEEDS)}"

    def put(days: dict[date, tuple[int, int]], *, limits: dict[str, Any] | None = None, **more: Any) -> int:
        number = next(NUMBERS)
        lines, cents = (sum(day[place] for day in days.values()) for place in (0, 1))
        book = {
            "delivery_no": number, "feed": feed, "source": feed, "delivered_name": f"{number}.csv",
            "content_sha256": hashlib.sha256(str(number).encode()).hexdigest(), "byte_count": 1,
            "contract_sha256": "x", "mode": "events", "status": "approved", "rows_delivered": lines,
            "rows_accepted": lines, "amount_cents": cents, "first_date": min(days), "last_date": max(days),
        } | more  # fmt: skip
        names, places = ", ".join(book), ", ".join(["%s"] * len(book))
        row = conn.execute(
            f"insert into raw.loads ({names}) values ({places}) returning load_id", list(book.values())
        ).fetchone()
        assert row is not None
        measured = {
            "load_id": row[0], "feed": feed, "rows_delivered": lines, "rows_accepted": lines,
            "rows_rejected": 0, "reject_share": 0, "max_reject_share": 0.05, "missing_order_ids": lines // 4,
            "missing_products": 0, "missing_customers": lines // 4, "first_date": min(days),
            "last_date": max(days), "earliest_allowed_date": date(1970, 1, 1),
            "latest_allowed_date": date(2027, 1, 1), "amount_cents": cents, "smallest_sale_cents": 1,
            "largest_line_cents": 500, "return_lines": 0, "amount_cents_recounted": cents,
            "limits": json.dumps(limits or {}), "busiest_day_lines": max(day[0] for day in days.values()),
            "best_day_cents": max(day[1] for day in days.values()),
        }  # fmt: skip
        names, places = ", ".join(measured), ", ".join(["%s"] * len(measured))
        conn.execute(f"insert into ops.load_metrics ({names}) values ({places})", list(measured.values()))
        for day, brought in days.items():
            conn.execute("insert into ops.load_days values (%s, %s, %s, %s)", [row[0], day, *brought])
        return int(row[0])

    with warehouse.connect("owner", autocommit=True) as conn:
        conn.execute("set synchronous_commit = off")
        yield put


@pytest.fixture
def steady(deliver: Deliver) -> date:
    """Nine weeks of a shop that sells five times as much on Saturdays; returns the Monday after."""
    for day in range(63):
        lines = (500 if day % 7 == 5 else 100) + day % 3
        # one week in which everything went wrong must not move what is usual
        lines = 3_000 if day // 7 == 4 else lines
        deliver({MONDAY + timedelta(days=day): (lines, 300 * lines)})
    return MONDAY + timedelta(days=63)


def failed(warehouse: Warehouse, load_id: int) -> list[CheckResult]:
    return [result for result in run_arrival_gate(warehouse, [load_id]).results if not result.passed]


def test_far_fewer_lines_than_on_such_a_weekday_warn_and_count(
    warehouse: Warehouse, deliver: Deliver, steady: date
) -> None:
    load = deliver({steady: (40, 30_000)}, status="landed")
    [found] = failed(warehouse, load)
    assert (found.reason, found.severity, found.observed) == ("VOLUME_UNUSUAL", "warn", "40")
    assert found.message is not None
    assert "40 lines, far below the 101 lines" in found.message
    with warehouse.connect("reader") as conn:
        shown = conn.execute(
            "select verdict, checks_failed, warnings from ops.pipeline_loads where load_id = %s", [load]
        )
        assert shown.fetchone() == ("IN", 1, found.message)


def test_weekdays_are_compared_with_their_own_kind(
    warehouse: Warehouse, deliver: Deliver, steady: date
) -> None:
    saturday = steady + timedelta(days=5)
    quiet = deliver({saturday: (100, 150_000)}, status="landed")
    usual = deliver({steady: (100, 30_000)}, status="landed")
    week = deliver(
        {
            steady + timedelta(days=n): (500 if n == 5 else 100, 150_000 if n == 5 else 30_000)
            for n in range(7)
        },
        status="landed",
    )
    report = run_arrival_gate(warehouse, [quiet, usual, week])
    assert [(r.load_id, r.reason) for r in report.results if not r.passed] == [(quiet, "VOLUME_UNUSUAL")]


def test_the_past_is_silent_until_there_are_eight_of_each_weekday(
    warehouse: Warehouse, deliver: Deliver
) -> None:
    for week in range(7):
        deliver({MONDAY + timedelta(days=7 * week): (100, 30_000)})
    early = deliver({MONDAY + timedelta(days=49): (3, 900)}, status="landed")
    report = run_arrival_gate(warehouse, [early])
    assert report.approved == [early]
    told = {(r.observed, r.limit) for r in report.results if r.reason == "VOLUME_UNUSUAL"}
    assert told == {("not compared", "too little past (8 of each weekday)")}
    late = deliver({MONDAY + timedelta(days=56): (3, 900)}, status="landed")
    assert {r.reason for r in failed(warehouse, late)} == {"VOLUME_UNUSUAL", "REVENUE_UNUSUAL"}


@pytest.mark.parametrize(
    ("limits", "held", "reasons"),
    [({"revenue": "hold"}, True, ["REVENUE_UNUSUAL"]), ({"revenue": "ignore"}, False, [])],
)
def test_the_contract_says_what_an_unusual_delivery_leads_to(
    warehouse: Warehouse,
    deliver: Deliver,
    steady: date,
    *,
    limits: dict[str, Any],
    held: bool,
    reasons: list[str],
) -> None:
    load = deliver({steady: (100, 100_000)}, status="landed", limits=limits)
    report = run_arrival_gate(warehouse, [load])
    assert bool(report.held) is held
    assert [r.reason for r in report.results if not r.passed] == reasons


def test_ten_times_the_largest_day_is_held_and_exactly_ten_times_is_not(
    warehouse: Warehouse, deliver: Deliver, steady: date
) -> None:
    hundredfold = deliver({steady: (100, 9_000_001)}, status="landed")
    at_the_limit = deliver({steady: (100, 9_000_000)}, status="landed")
    report = run_arrival_gate(warehouse, [hundredfold, at_the_limit])
    assert report.held == [hundredfold]
    with warehouse.connect("owner") as conn:
        [(reason, message)] = conn.execute(
            "select held_reason, held_message from raw.loads where load_id = %s", [hundredfold]
        ).fetchall()
    assert reason == "FAR_ABOVE_LARGEST_DAY"
    assert "9,000,001 cents, more than 10 times the largest" in message


def test_corrections_have_no_usual_size_and_are_no_past(
    warehouse: Warehouse, deliver: Deliver, steady: date
) -> None:
    for day in range(63):
        deliver({MONDAY + timedelta(days=day): (1, 300)}, mode="orders")
    correction = deliver({steady: (1, 300)}, mode="orders", status="landed")
    usual = deliver({steady: (100, 30_000)}, status="landed")
    report = run_arrival_gate(warehouse, [correction, usual])
    assert [r.reason for r in report.results if not r.passed] == []


def test_a_store_is_compared_with_itself(warehouse: Warehouse, deliver: Deliver) -> None:
    north, south = json.dumps({"store": "north"}), json.dumps({"store": "south"})
    for day in range(63):
        deliver({MONDAY + timedelta(days=day): (1_000, 300_000)}, path_values=north)
        deliver({MONDAY + timedelta(days=day): (50, 15_000)}, path_values=south)
    after = MONDAY + timedelta(days=63)
    small = deliver({after: (50, 15_000)}, path_values=south, status="landed")
    shrunk = deliver({after: (50, 15_000)}, path_values=north, status="landed")
    report = run_arrival_gate(warehouse, [small, shrunk])
    assert {r.load_id for r in report.results if not r.passed} == {shrunk}


@pytest.mark.parametrize(
    ("limits", "reason", "words"),
    [
        ({"least_rows": 101}, "TOO_FEW_ROWS", "it delivered 100 rows, fewer than 101"),
        ({"most_rows": 99}, "TOO_MANY_ROWS", "it delivered 100 rows, more than 99"),
        ({"most_without_order": 0.2}, "ORDER_MISSING", "25.0% of its rows name no order, more than 20.0%"),
        ({"most_without_customer": 0}, "CUSTOMER_MISSING", "25.0% of its rows name no customer"),
        ({"largest_line_cents": 499}, "LINE_TOO_LARGE", "a line is worth 500 cents, more than 499"),
    ],
)
def test_a_limit_of_the_contract_holds_what_breaks_it(
    warehouse: Warehouse, deliver: Deliver, limits: dict[str, Any], reason: str, words: str
) -> None:
    load = deliver({MONDAY: (100, 30_000)}, status="landed", limits=limits)
    [found] = failed(warehouse, load)
    assert (found.reason, found.severity) == (reason, "hold")
    assert words in (found.message or "")


def test_what_counts_later_does_not_change_what_was_usual(
    warehouse: Warehouse, deliver: Deliver, steady: date
) -> None:
    load = deliver({steady: (40, 30_000)}, status="landed")
    for _ in range(20):
        deliver({steady - timedelta(days=7): (40, 12_000)})
    assert [r.reason for r in failed(warehouse, load)] == ["VOLUME_UNUSUAL"]


def test_days_and_kinds_of_a_delivery_are_counted_from_its_rows(warehouse: Warehouse, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "order_date,product,category,quantity,unit_price,currency\n"
        "2026-03-02,Tea,Drinks,1,4.50,GBP\n2026-03-02,Tea,Drinks,1,4.50,GBP\n2026-03-03,Cup,,2,1.00,GBP\n"
    )
    [landed] = land(warehouse, [path]).landed
    run_arrival_gate(warehouse, [landed.load_id])
    with warehouse.connect("owner") as conn:
        of_load = [landed.load_id]
        days = conn.execute(
            "select sale_date, line_count, net_cents from ops.load_days where load_id = %s order by 1",
            of_load,
        ).fetchall()
        kinds = conn.execute(
            "select dimension, value, line_count from ops.load_mix where load_id = %s", of_load
        ).fetchall()
        best = conn.execute(
            "select busiest_day_lines, best_day_cents from ops.load_metrics where load_id = %s", of_load
        ).fetchone()
    assert days == [(date(2026, 3, 2), 2, 900), (date(2026, 3, 3), 1, 200)]
    assert kinds == [("category", "Drinks", 2)]
    assert best == (2, 900)


def test_a_range_is_never_narrower_than_half_to_double() -> None:
    found = usual_range(
        {"days": 1, "lines": 60, "usual_lines": 100, "lines_spread": 1,
         "cents": 5, "usual_cents": -20, "cents_spread": 1},
        tolerance=4,
    )  # fmt: skip
    assert (found["volume_low"], found["volume_high"]) == (50, 200)
    assert "revenue" not in found  # a past of returns says nothing about sales


def test_less_than_a_tenth_is_unusual_even_where_the_past_is_wild() -> None:
    row = {"days": 1, "lines": 9, "usual_lines": 100, "lines_spread": 80, "usual_cents": 0, "cents_spread": 0}
    assert usual_range(row, tolerance=4)["volume_low"] == 10


def test_a_shift_names_what_moved_most_and_is_measured_against_earlier_shifts() -> None:
    past = {n: {"Tea": 0.5 + 0.01 * (n % 3), "Cups": 0.5 - 0.01 * (n % 3)} for n in range(8)}
    found = shift_of("category", "categories", past | {99: {"Tea": 0.1, "Pots": 0.9}}, 99, tolerance=4)
    assert found["mix_category"] > found["mix_category_limit"] == 0.2
    assert '"Pots" has 90% instead of 0%' in found["mix_category_says"]
    assert (
        shift_of("category", "categories", {n: past[n] for n in range(7)} | {99: {}}, 99, tolerance=4) == {}
    )


HEADER = {"date": "day", "amount": "total", "discount": "rebate"}


def read(columns: dict[str, str] = HEADER, **more: Any) -> dict[str, Any]:
    return {"columns": columns, "ignored": ["till"], "date_order": "iso", "decimal_mark": "."} | more


@pytest.mark.parametrize(
    ("now", "changes", "words"),
    [
        (read(), 0, None),
        (read({"date": "day", "amount": "total"}), 1, '"rebate" is gone'),
        (read(ignored=["till", "note", "vat"]), 2, '"note", "vat" are new'),
        (read(date_order="day-first"), 1, 'dates are written "day-first" instead of "iso"'),
        (read(decimal_mark=","), 1, 'the decimal mark is "," instead of "."'),
    ],
)
def test_columns_that_came_went_or_are_written_otherwise_are_named(
    now: dict[str, Any], changes: int, words: str | None
) -> None:
    found = column_changes(now, [read()] * 3)
    assert found["column_changes"] == changes
    assert (words or "None") in str(found["column_changes_say"])


def test_columns_are_not_compared_where_files_differ_anyway_or_few_have_come() -> None:
    assert column_changes(read(ignored=[]), [read()] * 2) == {}
    assert column_changes(read(ignored=[]), [read(), read(ignored=["x"]), read()]) == {}
    known_before = [*[read()] * 3, read(ignored=["till", "note"])]
    assert column_changes(read(ignored=["till", "note"]), known_before)["column_changes"] == 0
