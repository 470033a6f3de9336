"""The arrival gate: green deliveries count, others are held with number, limit and the next command."""

from __future__ import annotations

import hashlib
from datetime import date

import pytest

from expectations.arrival import run_arrival_gate

SOUND = {
    "rows_delivered": 100,
    "rows_accepted": 97,
    "rows_rejected": 3,
    "reject_share": 0.0,
    "max_reject_share": 0.05,
    "missing_order_ids": 0,
    "missing_products": 0,
    "missing_customers": 12,
    "first_date": date(2026, 3, 1),
    "last_date": date(2026, 3, 31),
    "earliest_allowed_date": date(1970, 1, 1),
    "latest_allowed_date": date(2026, 4, 2),
    "amount_cents": 120_000,
    "smallest_sale_cents": 50,
    "largest_line_cents": 9_000,
    "return_lines": 4,
    "amount_cents_recounted": 120_000,
}


@pytest.fixture
def land(warehouse):
    """Put a measured delivery into the ledger; keyword arguments replace metrics."""
    count = 0

    def deliver(*, measured=True, status="landed", ledger=None, **metrics):
        nonlocal count
        count += 1
        told = {**SOUND, **metrics}
        booked = ("rows_delivered", "rows_accepted", "rows_rejected", "amount_cents")
        book = {name: told[name] for name in booked}
        book.update(ledger or {})
        with warehouse.connect("owner") as connection:
            book = {"reading": "{}", "holds": "sales"} | book
            book.update(number=count, name=f"{count}.csv", status=status)
            book["sha"] = hashlib.sha256(bytes([count])).hexdigest()
            row = connection.execute(
                """
                insert into raw.loads (
                    delivery_no, feed, source, delivered_name, content_sha256, byte_count,
                    contract_sha256, mode,
                    status, rows_delivered, rows_accepted, rows_rejected, amount_cents, reading, holds
                )
                values (
                    %(number)s, 'till', 'till', %(name)s, %(sha)s, 1, 'x', 'events', %(status)s,
                    %(rows_delivered)s, %(rows_accepted)s, %(rows_rejected)s, %(amount_cents)s,
                    %(reading)s, %(holds)s
                )
                returning load_id
                """,
                book,
            ).fetchone()
            assert row is not None
            if measured:
                columns = ", ".join(told)
                values = ", ".join(f"%({name})s" for name in told)
                connection.execute(
                    f"insert into ops.load_metrics (load_id, feed, {columns}) "
                    f"values ({row[0]}, 'till', {values})",
                    told,
                )
        return row[0]

    return deliver


def ledger(warehouse, load_id):
    with warehouse.connect("owner") as connection:
        return connection.execute(
            "select status, held_reason, held_message from raw.loads where load_id = %s", [load_id]
        ).fetchone()


def test_a_sound_delivery_is_approved_and_every_check_is_kept(warehouse, land):
    load_id = land()
    report = run_arrival_gate(warehouse, [load_id])
    assert (report.approved, report.held) == ([load_id], [])
    assert all(result.passed for result in report.results)
    assert ledger(warehouse, load_id) == ("approved", None, None)
    with warehouse.connect("owner") as connection:
        kept = connection.execute("select count(*), bool_and(passed) from ops.gate_results").fetchone()
        changes = connection.execute("select load_id, kind, changed_by from ops.changes").fetchall()
    assert kept == (len(report.results), True)
    assert changes == [(load_id, "approve", "gate")]
    shares = [result for result in report.results if result.reason == "TOO_MANY_REJECTED"]
    assert [(result.observed, result.limit) for result in shares] == [("0.00%", "at most 5.00%")]


def test_names_of_checks_are_unique_per_load(warehouse, land):
    report = run_arrival_gate(warehouse, [land()])
    names = [(result.expectation, result.column) for result in report.results]
    assert len(names) == len(set(names))


WRONG = {
    "TOO_MANY_REJECTED": (
        {"rows_accepted": 60, "rows_rejected": 40, "reject_share": 0.4},
        "40 of 100 rows were refused (40.0%, at most 5.0% is allowed)",
    ),
    "EMPTY_DELIVERY, NOTHING_ACCEPTED": (
        {"rows_delivered": 0, "rows_accepted": 0, "rows_rejected": 0, "amount_cents": 0,
         "amount_cents_recounted": 0, "smallest_sale_cents": None, "return_lines": 0, "first_date": None,
         "last_date": None},
        "it delivered no rows; none of its 0 rows was accepted",
    ),
    "ROWS_UNACCOUNTED": ({"rows_rejected": 1, "ledger": {"rows_rejected": 3}}, "2 of its rows are neither"),
    "DATE_IN_FUTURE": ({"last_date": date(9999, 12, 31)}, "its last day is 9999-12-31, after 2026-04-02"),
    "DATE_TOO_EARLY": ({"first_date": date(1900, 1, 1)}, "its first day is 1900-01-01, before 1970-01-01"),
    "AMOUNT_NOT_RECOUNTED": (
        {"amount_cents_recounted": 119_999},
        "its stored rows add up to 119,999 cents, but 120,000 were read",
    ),
    "AMOUNT_NOT_IN_LEDGER": (
        {"ledger": {"amount_cents": 1}},
        "the ledger says 1 cents, but 120,000 were read",
    ),
    "TOTAL_IS_ZERO": (
        {"amount_cents": 0, "amount_cents_recounted": 0},
        "its 97 accepted rows add up to nothing",
    ),
    "SALE_BELOW_ZERO": ({"smallest_sale_cents": -5}, "a sale line of -5 cents is below zero"),
    "PRODUCT_MISSING": ({"missing_products": 2}, "2 accepted rows name no product"),
    "NOT_MEASURED": ({"reject_share": float("nan")}, "reject_share was not measured"),
}  # fmt: skip


@pytest.mark.parametrize("reason", WRONG)
def test_each_fault_holds_its_delivery_and_no_other(warehouse, land, reason):
    metrics, words = WRONG[reason]
    wrong, sound = land(**metrics), land()
    report = run_arrival_gate(warehouse, [wrong, sound])
    assert (report.approved, report.held) == ([sound], [wrong])
    status, held_reason, message = ledger(warehouse, wrong)
    assert (status, held_reason) == ("held", reason)
    assert words in message
    assert f"./shopx release {wrong}" in message
    assert ledger(warehouse, sound)[0] == "approved"


def test_a_delivery_nobody_measured_is_held(warehouse, land):
    load_id, sound = land(measured=False), land()
    report = run_arrival_gate(warehouse, [load_id, sound])
    assert report.held == [load_id]
    assert ledger(warehouse, load_id)[1] == "NOT_MEASURED"
    alone = land(measured=False)
    assert run_arrival_gate(warehouse, [alone]).held == [alone]


def test_many_returns_warn_and_do_not_hold(warehouse, land):
    load_id = land(return_lines=90)
    report = run_arrival_gate(warehouse, [load_id])
    assert report.approved == [load_id]
    warned = [result for result in report.results if not result.passed]
    assert [(result.reason, result.severity, result.observed) for result in warned] == [
        ("MANY_RETURNS", "warn", "92.8%")
    ]
    with warehouse.connect("owner") as connection:
        kept = connection.execute("select severity from ops.gate_results where not passed").fetchall()
    assert kept == [("warn",)]


def test_a_list_that_contradicts_itself_counts_with_a_warning(warehouse, land):
    said = '{"contradictions": {"members": 2, "says": "it says two different things"}}'
    load_id = land(ledger={"reading": said, "holds": "products"})
    report = run_arrival_gate(warehouse, [load_id])
    assert report.approved == [load_id]
    warned = [result for result in report.results if not result.passed]
    assert [(result.reason, result.severity, result.observed, result.message) for result in warned] == [
        ("LIST_CONTRADICTS", "warn", "2", "it says two different things")
    ]


def test_running_the_gate_again_changes_nothing(warehouse, land):
    good, bad = land(), land(missing_products=1)
    run_arrival_gate(warehouse, [good, bad])
    again = run_arrival_gate(warehouse, [good, bad])
    assert (again.results, again.approved, again.held) == ([], [], [])
    with warehouse.connect("owner") as connection:
        assert connection.execute("select count(*) from ops.changes").fetchone() == (1,)


def test_more_failing_deliveries_than_a_result_list_shows_are_all_held(warehouse, land):
    wrong = [land(missing_products=1) for _ in range(30)]
    assert run_arrival_gate(warehouse, wrong).held == wrong


def test_a_failure_in_mid_gate_decides_nothing(warehouse, land, monkeypatch):
    load_id, held = land(), land(missing_products=1)

    def broken(*_, **__):
        raise RuntimeError

    monkeypatch.setattr("expectations.arrival.decide", broken)
    with pytest.raises(RuntimeError):
        run_arrival_gate(warehouse, [load_id, held])
    assert ledger(warehouse, load_id)[0] == "landed"
    with warehouse.connect("owner") as connection:
        assert connection.execute("select count(*) from ops.gate_results").fetchone() == (0,)


def test_deliveries_approved_together_are_what_they_would_be_one_by_one(warehouse, land):
    """The first money fixes the currency; another one, and a delivery without a meaning, are held."""
    no_money, pounds, euros, undecided, more_pounds = (land() for _ in range(5))
    with warehouse.connect("owner") as connection:
        for load_id, currency in ((pounds, "GBP"), (euros, "EUR"), (more_pounds, "GBP")):
            connection.execute("update raw.loads set currency = %s where load_id = %s", [currency, load_id])
        connection.execute("update raw.loads set mode = null where load_id = %s", [undecided])
        connection.execute(
            "insert into ops.alerts (kind, subject, message) values "
            "('failed', '1.csv', 'x'), ('refused', '2.csv', 'x'), ('held', 'load 1 (1.csv)', 'x'), "
            "('failed', 'other.csv', 'x')"
        )
    report = run_arrival_gate(warehouse, [no_money, pounds, euros, undecided, more_pounds])
    assert (report.approved, report.held) == ([no_money, pounds, more_pounds], [euros, undecided])
    assert [ledger(warehouse, load)[1] for load in (euros, undecided)] == ["FOREIGN_CURRENCY", "UNDECIDED"]
    with warehouse.connect("owner") as connection:
        changes = connection.execute("select load_id from ops.changes order by change_id").fetchall()
        currency = connection.execute("select value from ops.settings where name = 'currency'").fetchone()
        still_open = connection.execute(
            "select kind, subject from ops.alerts where resolved_at is null order by 1, 2"
        ).fetchall()
    assert changes == [(no_money,), (pounds,), (more_pounds,)]
    assert currency == ("GBP",)
    assert still_open == [
        ("failed", "other.csv"), ("held", f"load {euros} (3.csv)"), ("held", f"load {undecided} (4.csv)"),
    ]  # fmt: skip
