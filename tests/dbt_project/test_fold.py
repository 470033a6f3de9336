"""Which rows are current: the SQL of staging, of reconciliation, of verify and raw.current_lines against a
plain model of the rule, on random histories of deliveries.

More of them: `pytest tests/dbt_project/test_fold.py --hypothesis-profile=thorough` (500 histories).
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from publication import promises, reconciliation
from warehouse.database import Warehouse

FIRST = date(2026, 1, 30)  # the days of a history lie in two months
ROWS_OF_A_DELIVERY = 10**10


@dataclass(frozen=True)
class Line:
    """A line as delivered; `day` counts from FIRST."""

    day: int
    cents: int = 100
    order: str | None = None
    number: str | None = None
    store: str | None = None


@dataclass(frozen=True)
class Scope:
    """Days for which a delivery is complete; store None: every store, "": lines without one."""

    store: str | None
    first: int
    last: int

    def holds(self, line: Line) -> bool:
        return self.first <= line.day <= self.last and self.store in (None, line.store or "")


@dataclass(frozen=True)
class Delivery:
    """A delivery; `counts` is False once it is held or withdrawn."""

    number: int
    mode: str
    lines: tuple[Line, ...] = ()
    source: str = "till"
    window: tuple[Scope, ...] = ()
    counts: bool = True

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """The window it was asked for, else first to last day per store."""
        if self.window or self.mode != "days":
            return self.window
        days: dict[str, list[int]] = {}
        for line in self.lines:
            days.setdefault(line.store or "", []).append(line.day)
        return tuple(Scope(store, min(of), max(of)) for store, of in days.items())


@dataclass
class Shelf:
    """What lies on the shelf after all deliveries, put there one after the other: (source, delivery, row)."""

    lines: dict[tuple[int, int], tuple[str, Line]] = field(default_factory=dict)

    def take(self, delivery: Delivery) -> None:
        room: Counter[Line] = Counter()
        if delivery.mode == "match":
            room.update(line for source, line in self.lines.values() if source == delivery.source)
        else:
            orders = {line.order for line in delivery.lines if line.order}
            keys = {(line.order, line.number) for line in delivery.lines if line.order and line.number}
            for place, (source, line) in list(self.lines.items()):
                if source == delivery.source and (
                    (delivery.mode == "orders" and line.order in orders)
                    or (delivery.mode in ("lines", "days") and (line.order, line.number) in keys)
                    or (delivery.mode == "days" and any(scope.holds(line) for scope in delivery.scopes))
                ):
                    del self.lines[place]
        for row, line in enumerate(delivery.lines, start=1):
            if room[line]:
                room[line] -= 1
            else:
                self.lines[delivery.number, row] = (delivery.source, line)


def expected(history: list[Delivery]) -> set[int]:
    """Line keys of the current rows."""
    shelf = Shelf()
    for delivery in sorted(history, key=lambda item: item.number):
        if delivery.counts:
            shelf.take(delivery)
    return {number * ROWS_OF_A_DELIVERY + row for number, row in shelf.lines}


def write(conn: psycopg.Connection[Any], history: list[Delivery]) -> None:
    """Replace what the warehouse holds by these deliveries, load ids in the order of the list."""
    conn.execute("truncate raw.loads, raw.sales_lines, ops.builds restart identity cascade")
    conn.execute("select raw.create_months(%s, %s)", [FIRST, FIRST + timedelta(days=5)])
    for delivery in history:
        days = [FIRST + timedelta(days=line.day) for line in delivery.lines]
        row = conn.execute(
            """
            insert into raw.loads (
                delivery_no, feed, source, delivered_name, content_sha256, byte_count, contract_sha256, mode,
                rows_delivered, rows_accepted, first_date, last_date, status, held_reason
            ) values (%s, %s, %s, 'f', repeat('0', 64), 1, 'x', %s, %s, %s, %s, %s, %s, 'TEST')
            returning load_id
            """,
            [
                delivery.number, delivery.source, delivery.source, delivery.mode, len(days), len(days),
                min(days, default=None), max(days, default=None),
                "approved" if delivery.counts else "held",
            ],
        ).fetchone()  # fmt: skip
        assert row is not None
        for scope in delivery.scopes:
            conn.execute(
                "insert into raw.load_scopes values (%s, %s, %s, %s) on conflict do nothing",
                [
                    row[0],
                    scope.store,
                    FIRST + timedelta(days=scope.first),
                    FIRST + timedelta(days=scope.last),
                ],
            )
        with conn.cursor().copy(
            "copy raw.sales_lines (load_id, order_key, order_line_key, order_id, line_number, sale_date,"
            " store, line_type, product_id, quantity_thousandths, gross_cents, net_cents) from stdin"
        ) as copy:
            for number, (line, day) in enumerate(zip(delivery.lines, days, strict=True), start=1):
                key = delivery.number * ROWS_OF_A_DELIVERY + number
                order_key = (
                    -key if line.order is None else zlib.crc32(f"{delivery.source} {line.order}".encode())
                )
                copy.write_row(
                    (
                        row[0], order_key, key, line.order, line.number, day, line.store,
                        "return" if line.cents < 0 else "sale", "P", 1000, line.cents, line.cents,
                    )
                )  # fmt: skip


def found(conn: psycopg.Connection[Any]) -> dict[str, Any]:
    """What each of the four says about the newest build."""
    build = conn.execute("select ops.open_build('test', '2026-02-03')").fetchone()
    assert build is not None
    counting = conn.execute(
        "select coalesce(array_agg(load_id), '{}'), coalesce(array_agg(mode), '{}') from ops.build_loads"
    ).fetchone()
    assert counting is not None
    staged = conn.execute("select order_line_key from staging.stg_sales_lines").fetchall()
    asked = conn.execute(
        "select order_line_key from raw.current_lines(%s, %s, '2026-01-01', '2026-03-31')", counting
    ).fetchall()
    judged = conn.execute(
        f"select order_line_key from ({promises.CURRENT}) as c", {"core_build": build[0]}
    ).fetchall()
    reconciled = conn.execute(
        f"select count(*), coalesce(sum(net_cents), 0) from ({reconciliation.CURRENT_ROWS}) as c",
        {"build": build[0]},
    ).fetchall()
    return {
        "staging": sorted(staged),
        "asked": sorted(asked),
        "verify": sorted(judged),
        "reconciliation": reconciled,
    }


def all_agree(conn: psycopg.Connection[Any], history: list[Delivery]) -> set[int]:
    """Write the history and compare all four with the model; returns the current line keys."""
    write(conn, history)
    current = expected(history)
    keys = sorted((key,) for key in current)
    lines = {
        item.number * ROWS_OF_A_DELIVERY + row: line
        for item in history
        for row, line in enumerate(item.lines, start=1)
    }
    assert found(conn) == {
        "staging": keys,
        "asked": keys,
        "verify": keys,
        "reconciliation": [(len(current), sum(lines[key].cents for key in current))],
    }
    return current


@pytest.fixture
def staged(warehouse: Warehouse, dbt: Callable[..., Any], deliver: Callable[..., int]) -> Any:
    """An owner's connection to a warehouse that has the staging views."""
    deliver(1, {"sale_date": "2026-01-30", "gross_cents": 100})
    assert dbt("run", "--select", "stg_build_loads", "stg_sales_lines").success
    with warehouse.connect("owner", autocommit=True) as conn:
        conn.execute("set jit = off")
        yield conn


ORDERS = st.sampled_from([None, "A", "B"])
NUMBERS = st.sampled_from([None, "1", "2"])
STORES = st.sampled_from([None, "north", "south"])
LINES = st.builds(Line, st.integers(0, 3), st.sampled_from([100, 200, -100]), ORDERS, NUMBERS, STORES)
WINDOWS = st.builds(
    lambda store, first, length: Scope(store, first, first + length),
    st.sampled_from([None, "", "north", "south"]),
    st.integers(0, 3),
    st.integers(0, 2),
)
DELIVERIES = st.builds(
    Delivery,
    number=st.just(0),
    mode=st.sampled_from(["days", "orders", "lines", "events", "match", "match"]),
    lines=st.lists(LINES, max_size=5).map(tuple),
    source=st.sampled_from(["till", "till", "till", "web"]),
    window=st.lists(WINDOWS, max_size=1).map(tuple),
    counts=st.sampled_from([True, True, True, False]),
)


@st.composite
def histories(draw: st.DrawFn) -> list[Delivery]:
    """Deliveries whose numbers stand in another order than they were landed in: some came late."""
    given_ = draw(st.lists(DELIVERIES, min_size=1, max_size=7))
    numbers = draw(st.permutations(range(1, len(given_) + 1)))
    return [replace(item, number=number) for item, number in zip(given_, numbers, strict=True)]


def examples() -> int:
    """A few each time; as many as the profile says where one was asked for."""
    asked = settings().max_examples
    return asked if asked > 100 else 20


def test_every_statement_of_the_rule_agrees_with_the_model(staged: psycopg.Connection[Any]) -> None:
    @settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=examples())
    @given(histories())
    def agree(history: list[Delivery]) -> None:
        all_agree(staged, history)
        # one more withdrawal, or release, at any time: the same rule, nothing remembered
        turned = [replace(history[0], counts=not history[0].counts), *history[1:]]
        all_agree(staged, turned)

    agree()
