"""The ledger: what an undeclared delivery means, and what a person decides about it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ingestion import deciding, ledger
from ingestion.landing import Landed, land
from warehouse.database import Warehouse
from warehouse.errors import ShopxError

TODAY = date(2026, 3, 1)


def deliver(
    files: Any, warehouse: Warehouse, folder: Path, name: str, *lines: str, approve: bool = True
) -> Landed:
    """Land one file and, as the gate would, approve it if it landed."""
    path = files.write(folder, name, lines)
    landed = next(item for item in land(warehouse, [path], today=TODAY).landed if item.path == path)
    if approve and landed.status == "landed":
        with warehouse.connect() as conn, conn.transaction():
            conn.execute(
                "insert into ops.gate_results (load_id, expectation, severity, passed)"
                " values (%s, 'x', 'hold', true)",
                [landed.load_id],
            )
            deciding.decide(conn, landed.load_id, status="approved", by="gate")
    return landed


def mode_of(files: Any, warehouse: Warehouse, load_id: int) -> str | None:
    return files.rows(warehouse, f"select mode from raw.loads where load_id = {load_id}")[0][0]


def changes(files: Any, warehouse: Warehouse) -> list[tuple[object, ...]]:
    return files.rows(warehouse, "select load_id, kind, changed_by, why from ops.changes order by change_id")


def test_new_orders_on_new_days_are_events(files: Any, warehouse: Warehouse, tmp_path: Path) -> None:
    deliver(files, warehouse, tmp_path, "a.csv", files.line("1", "2026-02-01"))
    second = deliver(files, warehouse, tmp_path, "b.csv", files.line("2", "2026-02-02"))
    assert (second.status, mode_of(files, warehouse, second.load_id)) == ("landed", "events")


def test_the_same_day_in_another_store_is_no_overlap(
    files: Any, warehouse: Warehouse, tmp_path: Path
) -> None:
    deliver(files, warehouse, tmp_path, "a.csv", files.line("", "2026-02-01", store="North"))
    second = deliver(files, warehouse, tmp_path, "b.csv", files.line("", "2026-02-01", store="South"))
    assert (second.status, mode_of(files, warehouse, second.load_id)) == ("landed", "events")


def test_orders_that_come_back_whole_replace_their_older_version(
    files: Any, warehouse: Warehouse, tmp_path: Path
) -> None:
    deliver(
        files,
        warehouse,
        tmp_path,
        "a.csv",
        files.line("1", "2026-02-01", "Mug"),
        files.line("1", "2026-02-01", "Cup"),
    )
    day = "2026-02-01"
    corrected = [files.line("1", day, "Cup", 300), files.line("1", day, "Mug"), files.line("1", day, "Pot")]
    second = deliver(files, warehouse, tmp_path, "b.csv", *corrected)
    assert (second.status, mode_of(files, warehouse, second.load_id)) == ("landed", "orders")
    # the next version is compared with the newest one, not with both
    again = [files.line("1", day, "Cup"), files.line("1", day, "Mug"), files.line("1", day, "Pot")]
    third = deliver(files, warehouse, tmp_path, "c.csv", *again)
    assert (third.status, mode_of(files, warehouse, third.load_id)) == ("landed", "orders")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(
            [("1", "2026-02-01", "Mug"), ("1", "2026-02-01", "Cup")],
            [("1", "2026-02-01", "Mug")],
            id="a line is gone",
        ),
        pytest.param(
            [("", "2026-02-01", "Mug"), ("", "2026-02-01", "Cup"), ("", "2026-02-01", "Pot")],
            [("", "2026-02-01", "Mug"), ("", "2026-02-02", "Cup")],
            id="a day without ids of which less than half comes back",
        ),
        pytest.param(
            [("1", "2026-02-01", "Mug")], [("2", "2026-02-01", "Mug")], id="new orders on a known day"
        ),
    ],
)
def test_any_other_overlap_is_held_with_its_choices(
    files: Any,
    warehouse: Warehouse,
    tmp_path: Path,
    old: list[tuple[str, str, str]],
    new: list[tuple[str, str, str]],
) -> None:
    deliver(files, warehouse, tmp_path, "old.csv", *(files.line(*row) for row in old))
    held = deliver(files, warehouse, tmp_path, "new.csv", *(files.line(*row) for row in new))
    assert (held.status, held.held_reason) == ("held", "OVERLAPS_EARLIER_LOAD")
    message = str(held.message)
    assert "old.csv" in message
    for mode in ("days", "events", "match"):
        assert f"`./shopx release {held.load_id} --as {mode}`" in message


def test_the_choices_tell_their_effect_in_rows_and_money(
    files: Any, warehouse: Warehouse, tmp_path: Path
) -> None:
    deliver(
        files,
        warehouse,
        tmp_path,
        "old.csv",
        files.line("1", "2026-02-01", "Mug"),
        files.line("1", "2026-02-01", "Cup", 1000),
    )
    held = deliver(files, warehouse, tmp_path, "new.csv", files.line("1", "2026-02-01", "Mug", 300))
    message = str(held.message)
    assert "adds 1 rows and takes 2 older rows away: -9.50" in message
    assert "adds 1 rows: +3.00" in message


def test_a_withdrawn_load_overlaps_with_nothing(files: Any, warehouse: Warehouse, tmp_path: Path) -> None:
    first = deliver(files, warehouse, tmp_path, "a.csv", files.line("1", "2026-02-01"))
    deciding.withdraw(warehouse, first.load_id, by="ann", why="wrong file")
    assert deliver(files, warehouse, tmp_path, "b.csv", files.line("2", "2026-02-01")).status == "landed"


def test_a_release_of_an_overlap_takes_a_mode_and_goes_through_the_gate(
    files: Any, warehouse: Warehouse, tmp_path: Path
) -> None:
    deliver(files, warehouse, tmp_path, "a.csv", files.line("1", "2026-02-01"))
    held = deliver(files, warehouse, tmp_path, "b.csv", files.line("2", "2026-02-01"))
    with pytest.raises(ShopxError, match="--as orders"):
        deciding.release(warehouse, held.load_id, as_=None, by="ann", why="")
    assert deciding.release(warehouse, held.load_id, as_="events", by="ann", why="second till") == "landed"
    (again,) = land(warehouse, [], today=TODAY).landed
    assert (again.load_id, again.status, mode_of(files, warehouse, again.load_id)) == (
        held.load_id,
        "landed",
        "events",
    )


def test_a_release_of_what_the_gate_held_counts_and_is_noted(
    files: Any, warehouse: Warehouse, tmp_path: Path
) -> None:
    landed = deliver(files, warehouse, tmp_path, "a.csv", files.line("1", "2026-02-01"), approve=False)
    with warehouse.connect() as conn, conn.transaction():
        conn.execute(
            "insert into ops.gate_results (load_id, expectation, severity, passed)"
            " values (%s, 'x', 'hold', false)",
            [landed.load_id],
        )
        deciding.decide(
            conn, landed.load_id, status="held", by="gate", reason="REJECT_SHARE", message="too many"
        )
    with warehouse.connect() as conn, pytest.raises(ShopxError, match="only a person"):
        deciding.decide(conn, landed.load_id, status="approved", by="gate")
    assert changes(files, warehouse) == []
    assert deciding.release(warehouse, landed.load_id, as_=None, by="ann", why="known") == "approved"
    assert changes(files, warehouse) == [(landed.load_id, "release", "ann", "known")]


def test_deciding_twice_changes_nothing(files: Any, warehouse: Warehouse, tmp_path: Path) -> None:
    landed = deliver(files, warehouse, tmp_path, "a.csv", files.line("1", "2026-02-01"))
    with warehouse.connect() as conn, conn.transaction():
        assert deciding.decide(conn, landed.load_id, status="approved", by="gate") == "approved"
    assert changes(files, warehouse) == [(landed.load_id, "approve", "gate", None)]


def test_bytes_come_again_after_a_withdrawal_as_a_new_delivery(
    files: Any, warehouse: Warehouse, tmp_path: Path
) -> None:
    lines = [files.line("1", "2026-02-01")]
    first = deliver(files, warehouse, tmp_path, "a.csv", *lines)
    deciding.withdraw(warehouse, first.load_id, by="ann", why="oops")
    second = deliver(files, warehouse, tmp_path, "a.csv", *lines)
    assert (second.status, second.delivery_no) == ("landed", 2)
    with pytest.raises(ShopxError, match="withdraw load 2 first"):
        deciding.release(warehouse, first.load_id, as_=None, by="ann", why="")
    deciding.withdraw(warehouse, second.load_id, by="ann", why="oops")
    assert deciding.release(warehouse, first.load_id, as_=None, by="ann", why="fine") == "approved"
    kinds = [change[:2] for change in changes(files, warehouse)]
    assert kinds == [(1, "approve"), (1, "withdraw"), (2, "approve"), (2, "withdraw"), (1, "release")]


def test_a_duplicate_released_as_events_is_read_from_the_archive(
    files: Any, warehouse: Warehouse, tmp_path: Path
) -> None:
    lines = [files.line("1", "2026-02-01")]
    deliver(files, warehouse, tmp_path, "a.csv", *lines)
    duplicate = deliver(files, warehouse, tmp_path, "a.csv", *lines)
    assert duplicate.status == "duplicate"
    with pytest.raises(ShopxError, match="--as events"):
        deciding.release(warehouse, duplicate.load_id, as_=None, by="ann", why="")
    assert (
        deciding.release(warehouse, duplicate.load_id, as_="events", by="ann", why="two tills") == "landing"
    )
    (landed,) = land(warehouse, [], today=TODAY).landed
    assert (landed.load_id, landed.status, landed.rows_accepted, landed.delivery_no) == (2, "landed", 1, 2)
    assert files.rows(warehouse, "select order_line_key from raw.sales_lines order by 1") == [
        (10**10 + 1,), (2 * 10**10 + 1,),
    ]  # fmt: skip


def test_an_undecided_date_order_is_held_without_rows_and_read_once_answered(
    files: Any, warehouse: Warehouse, tmp_path: Path
) -> None:
    held = deliver(
        files, warehouse, tmp_path, "a.csv", files.line("1", "01/02/2026"), files.line("2", "02/02/2026")
    )
    assert (held.status, held.held_reason, held.rows_accepted) == ("held", "DATE_ORDER_UNDECIDED", 0)
    assert f"`./shopx release {held.load_id} --as day-first`" in str(held.message)
    with pytest.raises(ShopxError, match="month-first"):
        deciding.release(warehouse, held.load_id, as_="events", by="ann", why="")
    later = deliver(files, warehouse, tmp_path, "b.csv", files.line("9", "2026-02-09"))
    assert (
        deciding.release(warehouse, held.load_id, as_="day-first", by="ann", why="we are in Kent")
        == "landing"
    )
    landed = next(item for item in land(warehouse, [], today=TODAY).landed if item.load_id == held.load_id)
    assert (landed.status, landed.rows_accepted, landed.delivery_no) == ("landed", 2, 1)
    assert later.delivery_no == 2
    assert files.rows(
        warehouse, "select min(sale_date), max(sale_date) from raw.sales_lines where load_id = 1"
    ) == [(date(2026, 2, 1), date(2026, 2, 2))]


def test_the_first_approved_load_with_a_currency_fixes_it(
    files: Any, warehouse: Warehouse, tmp_path: Path
) -> None:
    landed = deliver(files, warehouse, tmp_path, "a.csv", files.line("1", "2026-02-01"), approve=False)
    with warehouse.connect("owner") as conn:
        conn.execute("update raw.loads set currency = 'GBP'")
    with warehouse.connect() as conn, conn.transaction():
        deciding.decide(conn, landed.load_id, status="approved", by="gate")
        assert ledger.reporting_currency(conn) == "GBP"


def test_a_load_in_another_currency_is_held_instead_of_approved(
    files: Any, warehouse: Warehouse, tmp_path: Path
) -> None:
    landed = deliver(files, warehouse, tmp_path, "a.csv", files.line("1", "2026-02-01"), approve=False)
    with warehouse.connect("owner") as conn:
        conn.execute("update raw.loads set currency = 'GBP'")
        conn.execute("insert into ops.settings values ('currency', 'EUR')")
    with warehouse.connect() as conn, conn.transaction():
        assert deciding.decide(conn, landed.load_id, status="approved", by="gate") == "held"
    with pytest.raises(ShopxError, match="two currencies"):
        deciding.release(warehouse, landed.load_id, as_=None, by="ann", why="")


@pytest.mark.parametrize("verb", ["release", "withdraw"])
def test_deciding_about_an_unknown_load_is_explained(warehouse: Warehouse, verb: str) -> None:
    with pytest.raises(ShopxError, match="no load 99"):
        if verb == "release":
            deciding.release(warehouse, 99, as_=None, by="ann", why="")
        else:
            deciding.withdraw(warehouse, 99, by="ann", why="")


def test_what_counts_already_cannot_be_released_and_what_is_out_not_withdrawn(
    files: Any, warehouse: Warehouse, tmp_path: Path
) -> None:
    landed = deliver(files, warehouse, tmp_path, "a.csv", files.line("1", "2026-02-01"))
    with pytest.raises(ShopxError, match="nothing to release"):
        deciding.release(warehouse, landed.load_id, as_=None, by="ann", why="")
    deciding.withdraw(warehouse, landed.load_id, by="ann", why="")
    with pytest.raises(ShopxError, match="withdrawn already"):
        deciding.withdraw(warehouse, landed.load_id, by="ann", why="")
