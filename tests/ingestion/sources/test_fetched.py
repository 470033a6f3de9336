"""Fetched deliveries: what they cover and how far they reach becomes true together with their rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ingestion.deciding import release, withdraw
from ingestion.landing import land
from ingestion.sources.asking import Past, next_cursor, next_windows, past_of
from ingestion.sources.fetched import Fetched, Window
from warehouse.database import Warehouse

TODAY = date(2026, 3, 1)


@pytest.fixture
def fetched(files: Any, tmp_path: Path) -> Callable[..., Fetched]:
    def make(name: str, lines: list[str], **more: Any) -> Fetched:
        return Fetched(files.write(tmp_path, name, lines), name, "sales_csv", **more)

    return make


def test_its_days_and_its_cursor_stand_in_the_ledger(
    files: Any, warehouse: Warehouse, fetched: Callable[..., Fetched]
) -> None:
    delivery = fetched(
        "a", [files.line("1", "2026-02-01")], window=Window(date(2026, 2, 1), date(2026, 2, 3)),
        cursor_from={"at": 3}, cursor={"at": 9}, facts={"pages": 2},
    )  # fmt: skip
    (landed,) = land(warehouse, [], fetched=[delivery], today=TODAY).landed
    assert (landed.status, landed.delivered_name, landed.path) == ("landed", "a", None)
    assert files.rows(
        warehouse, "select store, first_date, last_date from raw.load_scopes where load_id is not null"
    ) == [(None, date(2026, 2, 1), date(2026, 2, 3))]
    assert files.rows(warehouse, "select cursor_from, cursor, reading -> 'fetched' from raw.loads") == [
        ({"at": 3}, {"at": 9}, {"pages": 2})
    ]
    with warehouse.connect("loader") as conn:
        (past,) = past_of(conn, "sales_csv")
    assert past == Past("landed", date(2026, 2, 1), date(2026, 2, 3), {"at": 3}, {"at": 9})


def test_the_same_bytes_for_the_same_days_are_a_duplicate_and_for_other_days_are_not(
    files: Any, warehouse: Warehouse, fetched: Callable[..., Fetched]
) -> None:
    days = [Window(date(2026, 2, d), date(2026, 2, d)) for d in (1, 1, 2)]
    deliveries = [fetched(f"a{n}", [files.line("1", "2026-02-01")], window=day) for n, day in enumerate(days)]
    land(warehouse, [], fetched=deliveries, today=TODAY)
    found = files.rows(warehouse, "select delivered_name, status = 'duplicate' from raw.loads order by 1")
    assert found == [("a0", False), ("a1", True), ("a2", False)]


def test_a_withdrawn_delivery_comes_back_beside_the_same_bytes_for_other_days(
    files: Any, warehouse: Warehouse, fetched: Callable[..., Fetched]
) -> None:
    monday, tuesday = (Window(date(2026, 2, d), date(2026, 2, d)) for d in (2, 3))
    lines = [files.line("1", "2026-02-02")]
    (first,) = land(warehouse, [], fetched=[fetched("a", lines, window=monday)], today=TODAY).landed
    withdraw(warehouse, first.load_id, by="test", why="wrong")
    land(warehouse, [], fetched=[fetched("b", lines, window=tuesday)], today=TODAY)
    release(warehouse, first.load_id, as_=None, by="test", why="right after all")
    land(warehouse, [], fetched=[fetched("c", lines, window=monday)], today=TODAY)
    found = files.rows(warehouse, "select delivered_name, status = 'duplicate' from raw.loads order by 1")
    assert found == [("a", False), ("b", False), ("c", True)]


def test_a_withdrawn_delivery_is_asked_for_again(
    files: Any, warehouse: Warehouse, fetched: Callable[..., Fetched]
) -> None:
    window = Window(date(2026, 2, 1), date(2026, 2, 3))
    delivery = fetched("a", [files.line("1", "2026-02-01")], window=window, cursor={"at": 9})
    (landed,) = land(warehouse, [], fetched=[delivery], today=TODAY).landed
    with warehouse.connect("loader") as conn:
        assert next_cursor(past_of(conn, "sales_csv"), every_row_is_new=False) == {"at": 9}
    withdraw(warehouse, landed.load_id, by="test", why="wrong")
    with warehouse.connect("loader") as conn:
        assert next_cursor(past_of(conn, "sales_csv"), every_row_is_new=False) is None


def step(status: str, start: object, end: object) -> Past:
    return Past(status, None, None, None if start is None else {"at": start}, {"at": end})


@pytest.mark.parametrize(
    ("steps", "goes_on"),
    [
        ([], None),
        ([("approved", None, 1), ("approved", 1, 2)], 2),
        ([("approved", None, 1), ("held", 1, 2)], 1),
        ([("approved", None, 1), ("failed", 1, 2), ("landed", 1, 3)], 3),
        ([("approved", None, 1), ("withdrawn", 1, 2), ("approved", 2, 3)], 1),
        ([("withdrawn", None, 1), ("approved", 1, 2)], None),
        ([("withdrawn", None, 1), ("approved", 1, 2), ("approved", None, 4)], 4),
        ([("approved", None, 1), ("withdrawn", 1, 2), ("approved", 2, 3), ("approved", 1, 5)], 5),
        ([("approved", None, 1), ("landing", 1, 2)], 1),
    ],
)  # fmt: skip
def test_a_cursor_goes_on_where_the_unbroken_chain_of_counting_deliveries_ends(
    steps: list[tuple[str, object, object]], goes_on: object
) -> None:
    found = next_cursor([step(*each) for each in steps], every_row_is_new=False)
    assert found == (None if goes_on is None else {"at": goes_on})


def test_where_every_row_is_new_only_what_failed_is_asked_for_again() -> None:
    past = [step("approved", None, 1), step("withdrawn", 1, 2), step("held", 2, 3), step("failed", 3, 4)]
    assert next_cursor(past, every_row_is_new=True) == {"at": 3}


def covered(*days: tuple[int, int], status: str = "approved") -> list[Past]:
    return [Past(status, date(2026, 2, a), date(2026, 2, b), None, None) for a, b in days]


@pytest.mark.parametrize(
    ("past", "since", "asked"),
    [
        ([], None, [(18, 20)]),
        ([], 5, [(5, 20)]),
        (covered((1, 19)), None, [(18, 20)]),
        (covered((1, 10)), None, [(11, 20)]),
        (covered((1, 10), (12, 20)), None, [(18, 20)]),
        (covered((1, 10), (12, 20)), 1, [(11, 11), (18, 20)]),
        (covered((1, 10)) + covered((11, 14), status="held") + covered((15, 20)), None, [(11, 14), (18, 20)]),
        (covered((1, 10)) + covered((5, 20), status="withdrawn"), None, [(11, 20)]),
        (covered((25, 26)), None, [(18, 20)]),
        (covered((3, 4)) + covered((1, 17)), None, [(18, 20)]),
        (covered((2, 4), status="failed") + covered((10, 19)), None, [(2, 4), (18, 20)]),
        (covered((1, 3), status="withdrawn") + covered((2, 19)), None, [(1, 1), (18, 20)]),
        (covered((2, 4), status="duplicate") + covered((10, 19)), None, [(18, 20)]),
        (covered((2, 4)) + covered((10, 19)), None, [(18, 20)]),  # days that nobody asked for are not due
    ],
)  # fmt: skip
def test_days_that_no_counting_delivery_covers_are_asked_for_again(
    past: list[Past], since: int | None, asked: list[tuple[int, int]]
) -> None:
    found = next_windows(
        past,
        last=date(2026, 2, 20),
        days_back=3,
        since=date(2026, 2, since) if since else None,
        at_most_days=366,
    )
    assert [(window.first.day, window.last.day) for window in found] == asked


def test_a_long_window_is_asked_for_in_parts() -> None:
    found = next_windows([], last=date(2026, 2, 20), days_back=10, since=None, at_most_days=4)
    assert [(w.first.day, w.last.day) for w in found] == [(11, 14), (15, 18), (19, 20)]
