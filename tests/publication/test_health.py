"""Each red line of the health says what is wrong and what to do; a fresh warehouse has only one."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psycopg
import pytest

from publication import health
from publication.health import Line, look
from tests.conftest import fresh_warehouse
from warehouse import embedded
from warehouse.database import Warehouse


@pytest.fixture(scope="module")
def fresh(server: embedded.Server) -> Iterator[Warehouse]:
    with fresh_warehouse(server) as warehouse:
        yield warehouse


def red(warehouse: Warehouse) -> dict[str, Line]:
    return {line.check: line for line in look(warehouse) if not line.good}


def change(warehouse: Warehouse, statement: str) -> None:
    with warehouse.connect("owner") as connection:
        connection.execute(statement)


def test_a_fresh_warehouse_lacks_a_publication_and_nothing_else(fresh: Warehouse) -> None:
    found = red(fresh)
    assert list(found) == ["publication"]
    assert "./shopx run FILE" in found["publication"].do


LEDGER = (
    "insert into raw.loads (delivery_no, feed, source, delivered_name, content_sha256, byte_count,"
    " contract_sha256, status, holds, last_date, held_reason)"
)


def test_what_waits_for_a_person_is_red(fresh: Warehouse) -> None:
    values = "(1, 'till', 'till', 'a.csv', repeat('a', 64), 1, 'x', 'held', 'sales', null, 'BY_HAND')"
    change(fresh, f"{LEDGER} values {values}")
    change(fresh, "insert into ops.alerts (kind, subject, message) values ('refused', 'x.csv', 'mend x.csv')")
    found = red(fresh)
    assert "./shopx release" in found["held"].do
    assert found["alert"] == Line("alert", False, "x.csv", "mend x.csv")
    change(fresh, "delete from raw.loads; delete from ops.alerts")


def test_a_feed_that_falls_behind_the_others_is_red(fresh: Warehouse) -> None:
    days = [("slow", day) for day in range(1, 5)] + [("quick", day) for day in range(1, 9)]
    for number, (feed, day) in enumerate(days, start=1):
        values = f"({number}, '{feed}', '{feed}', 'a.csv', repeat('{number % 10}', 64), 1, 'x'"
        change(fresh, f"{LEDGER} values {values}, 'approved', 'sales', '2026-03-0{day}', null)")
    found = red(fresh)
    assert "sales to 2026-03-04" in found["feed slow"].seen
    assert "feed quick" not in found
    change(fresh, "delete from raw.loads")


def test_a_session_that_waits_long_for_another_is_red(
    fresh: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "LONGEST_WAIT_S", 0)
    with (
        fresh.connect("owner") as holder,
        fresh.connect("owner", autocommit=True) as waiter,
        fresh.connect("owner", autocommit=True) as looker,
    ):
        holder.execute("lock table ops.pauses in access exclusive mode")
        waits = threading.Thread(target=waiter.execute, args=("select from ops.pauses",))
        waits.start()
        try:
            waiting = "select from pg_locks where not granted and waitstart is not null"
            while looker.execute(waiting).fetchone() is None:
                assert waits.is_alive()
            [line] = list(health.locks(looker))
        finally:
            holder.rollback()
            waits.join()
    assert not line.good
    assert "pg_blocking_pids" in line.do


def test_an_index_that_protects_nothing_is_red(fresh: Warehouse) -> None:
    change(fresh, "create table marts.twice as select 1 as x union all select 1")
    with (
        fresh.connect("owner", autocommit=True) as connection,
        pytest.raises(psycopg.errors.UniqueViolation),
    ):
        connection.execute("create unique index concurrently twice_x on marts.twice (x)")
    assert "./shopx verify" in red(fresh)["indexes"].do
    change(fresh, "drop table marts.twice")


def test_a_full_disk_is_red(fresh: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "LEAST_FREE_GB", 10**9)
    assert "SHOPX_HOME" in red(fresh)["disk"].do
