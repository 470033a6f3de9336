"""A delivery that can be read in several ways says what each of them would give, before anybody answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ingestion.deciding import release
from ingestion.landing import land
from warehouse.database import Warehouse

HEAD = "order_id,order_date,product,quantity,unit_price,currency\n"


def held(warehouse: Warehouse, tmp_path: Path, *rows: str, currency: str = "GBP") -> Any:
    path = tmp_path / "till.csv"
    path.write_text(HEAD + "".join(f"{row},{currency}\n" for row in rows))
    [landed] = land(warehouse, [path]).landed
    assert landed.status == "held"
    return landed


def choices(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    with warehouse.connect("reader") as conn:
        return conn.execute(
            "select choice, rows_added, rows_rejected, cents_change, first_date::text, last_date::text"
            " from ops.held_loads order by choice_number"
        ).fetchall()


def test_each_way_tells_its_rows_money_and_days(warehouse: Warehouse, tmp_path: Path) -> None:
    held(warehouse, tmp_path, "A,01/02/2026,Tea,1,4.50", "B,03/02/2026,Tea,2,4.50", "C,03/02/2026,Tea,x,1")
    assert choices(warehouse) == [
        ("day-first", 2, 1, 1350, "2026-02-01", "2026-02-03"),
        ("month-first", 2, 1, 1350, "2026-01-02", "2026-03-02"),
        ("withdraw", 0, None, 0, None, None),
    ]
    with warehouse.connect("owner") as conn:
        assert conn.execute("select count(*) from raw.sales_lines").fetchone() == (0,)


def test_the_rows_of_a_way_are_those_that_then_count(warehouse: Warehouse, tmp_path: Path) -> None:
    landed = held(warehouse, tmp_path, "A,01/02/2026,Tea,1,4.50", "B,03/02/2026,Tea,x,4.50")
    told = choices(warehouse)[0]
    release(warehouse, landed.load_id, as_="day-first", by="ann", why="the till is in London")
    [after] = land(warehouse, []).landed
    assert (after.rows_accepted, after.rows_rejected, after.amount_cents) == told[1:4]


def test_money_in_another_currency_is_not_told_as_ours(warehouse: Warehouse, tmp_path: Path) -> None:
    with warehouse.connect("owner") as conn:
        conn.execute("insert into ops.settings (name, value) values ('currency', 'EUR')")
    held(warehouse, tmp_path, "A,01/02/2026,Tea,1,4.50")
    assert [row[3] for row in choices(warehouse)] == [None, None, 0]


def test_a_way_that_leads_to_another_question_says_so(warehouse: Warehouse, tmp_path: Path) -> None:
    held(warehouse, tmp_path, 'A,01/02/2026,Tea,1,"1.234"', 'B,01/02/2026,Tea,1,"2.345"')
    with warehouse.connect("reader") as conn:
        said = conn.execute(
            "select says, rows_change from ops.held_loads where choice like '%-first'"
        ).fetchall()
    assert all("asks once more" in says and rows is None for says, rows in said) and len(said) == 2


def test_a_failure_to_count_harms_no_delivery(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("ingestion.ways_of_reading.count_rows", broken)
    held(warehouse, tmp_path, "A,01/02/2026,Tea,1,4.50")
    assert [(row[0], row[1]) for row in choices(warehouse)][:2] == [
        ("day-first", None),
        ("month-first", None),
    ]
