"""The views of the Pipeline page: what readers see of deliveries, checks, holds and publications."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from warehouse.database import Warehouse

PIPELINE = [
    "held_loads", "pipeline_health", "pipeline_loads", "pipeline_checks", "pipeline_rejects",
    "pipeline_decisions", "pipeline_reconciliation", "pipeline_builds", "pipeline_publications",
    "pipeline_alerts",
]  # fmt: skip
Land = Callable[..., int]


@pytest.fixture
def land(warehouse: Warehouse) -> Land:
    """Put a delivery into the ledger; keyword arguments are its columns."""
    count = 0

    def deliver(**more: Any) -> int:
        nonlocal count
        count += 1
        row = {
            "delivery_no": count,
            "feed": "till",
            "source": "till",
            "delivered_name": f"{count}.csv",
            "content_sha256": hashlib.sha256(bytes([count])).hexdigest(),
            "byte_count": 1,
            "contract_sha256": "x",
            "mode": "events",
            "status": "approved",
            "rows_delivered": 3,
            "rows_accepted": 3,
            "amount_cents": 900,
            "currency": "GBP",
        } | more
        names, values = ", ".join(row), ", ".join(f"%({name})s" for name in row)
        with warehouse.connect("owner") as conn:
            made = conn.execute(f"insert into raw.loads ({names}) values ({values}) returning load_id", row)
            return int(made.fetchone()[0])  # type: ignore[index]

    return deliver


def read(warehouse: Warehouse, query: str) -> list[tuple[Any, ...]]:
    with warehouse.connect("reader") as conn:
        return conn.execute(query).fetchall()


def test_the_reader_reads_every_view_of_the_pipeline_and_a_fresh_warehouse_has_nothing_in_them(
    warehouse: Warehouse,
) -> None:
    assert [len(read(warehouse, f"select * from ops.{view}")) for view in PIPELINE] == [0] * len(PIPELINE)


def test_a_load_held_by_the_gate_says_what_each_answer_would_change(warehouse: Warehouse, land: Land) -> None:
    held = land(status="held", held_reason="TOO_MANY_REJECTED", rows_rejected=1, rows_accepted=2)
    shown = read(
        warehouse, "select choice, rows_change, cents_change, rows_rejected, command from ops.held_loads"
    )
    assert shown == [
        ("as it is", 2, 900, 1, f"shopx release {held}"),
        ("withdraw", 0, 0, None, f"shopx withdraw {held}"),
    ]


def test_what_cannot_be_released_offers_only_to_leave_it_out(warehouse: Warehouse, land: Land) -> None:
    land(status="held", held_reason="FOREIGN_CURRENCY")
    assert read(warehouse, "select choice from ops.held_loads") == [("withdraw",)]


def test_an_answer_whose_effect_is_not_known_is_offered_all_the_same(
    warehouse: Warehouse, land: Land
) -> None:
    reading = json.dumps({"choices": {"day-first": {"date_order": "day-first"}, "month-first": {}}})
    known = json.dumps({"day-first": {"rows": 3, "cents": 900, "first_date": "2026-03-01"}})
    land(status="held", held_reason="DATE_ORDER_UNDECIDED", mode=None, reading=reading, choices=known)
    shown = read(
        warehouse, "select choice, rows_change, first_date from ops.held_loads order by choice_number"
    )
    assert shown == [
        ("day-first", 3, date(2026, 3, 1)),
        ("month-first", None, None),
        ("withdraw", 0, None),
    ]


def test_a_feed_is_behind_when_another_reaches_the_day_its_next_delivery_should_reach(
    warehouse: Warehouse, land: Land
) -> None:
    start = date(2026, 3, 1)
    for feed, days in (("daily", range(10)), ("late", range(8)), ("weekly", (1, 3, 5, 7))):
        for day in days:
            land(feed=feed, first_date=start, last_date=start + timedelta(days=day))
    land(feed="new", first_date=start, last_date=start)
    land(feed="stock", holds="inventory", first_date=None, last_date=None)
    shown = read(
        warehouse,
        "select feed, usual_gap_days, expected_date - last_date, is_behind from ops.pipeline_health"
        " order by feed",
    )
    assert shown == [
        ("daily", 1, 1, False),
        ("late", 1, 1, True),
        ("new", None, None, False),  # too young to have a rhythm
        ("stock", None, None, False),
        ("weekly", 2, 2, True),
    ]


def test_refused_rows_are_counted_by_reason_with_three_of_them(warehouse: Warehouse, land: Land) -> None:
    load = land(rows_delivered=8, rows_rejected=5)
    with warehouse.connect("owner") as conn:
        for line in range(1, 6):
            # the same reason twice in one row counts once
            reasons = ["NUMBER_FORMAT", "NUMBER_FORMAT"] if line == 1 else ["NUMBER_FORMAT"]
            reasons += ["VALUE_MISSING"] if line == 5 else []
            conn.execute(
                "insert into raw.rejected_rows values (%s, %s, %s, 0, %s, %s, %s, '')",
                [load, line, line, ["a"] * len(reasons), reasons, [f"{code} {line}" for code in reasons]],
            )
    shown = read(
        warehouse,
        "select reason, rows_rejected, example_1, example_2, example_3 from ops.pipeline_rejects order by 1",
    )
    assert shown == [
        ("NUMBER_FORMAT", 5, "NUMBER_FORMAT 1", "NUMBER_FORMAT 2", "NUMBER_FORMAT 3"),
        ("VALUE_MISSING", 1, "VALUE_MISSING 5", None, None),
    ]


def test_old_results_of_the_gate_go_and_newer_ones_stay(warehouse: Warehouse, land: Land) -> None:
    load = land()
    with warehouse.connect("owner") as conn:
        for days in (401, 399):
            conn.execute(
                """
                with run as (
                    insert into ops.gate_runs (checked_at, checked_by, loads, checks, checks_failed)
                    values (now() - make_interval(days => %(days)s), 'gate', 1, 1, 0) returning gate_run_id
                )
                insert into ops.gate_results (load_id, expectation, severity, passed, checked_at, gate_run_id)
                select %(load)s, 'x', 'hold', true, now() - make_interval(days => %(days)s), gate_run_id
                from run
                """,
                {"load": load, "days": days},
            )
    with warehouse.connect("loader") as conn:
        assert conn.execute("select ops.drop_old_gate_results()").fetchone() == (1,)
        left = conn.execute(
            "select (select count(*) from ops.gate_results), (select count(*) from ops.gate_runs)"
        )
        assert left.fetchone() == (1, 1)
