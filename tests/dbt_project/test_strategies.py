"""Sliced builds write only what changed, say what they wrote, and end as whole ones do, killed or not.

Put here: the strategies on the facts.
Never here: which orders a build touches (test_incremental.py), or partitions.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from warehouse.database import Warehouse

FACTS = ("run", "--select", "fct_order_lines", "fct_orders")


class Shop:
    """A warehouse with deliveries and builds, of which each is published at once."""

    def __init__(self, warehouse: Warehouse, dbt: Callable[..., Any]) -> None:
        self.warehouse = warehouse
        self.dbt = dbt

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        with self.warehouse.connect("owner") as conn:
            return conn.execute(statement).fetchall()

    def open(self) -> int:
        return int(self.ask("select ops.open_build('test')")[0][0])

    def publish(self, build_id: int) -> None:
        self.ask(f"update ops.builds set status = 'published' where build_id = {build_id} returning 1")

    def build(self, *command: str) -> int:
        build_id = self.open()
        outcome = self.dbt(*(command or FACTS), build_id=build_id)
        assert outcome.success, outcome.messages
        self.publish(build_id)
        return build_id

    def facts(self) -> list[Any]:
        return [
            self.ask(
                f"select count(*), md5(string_agg(t::text, '|' order by t::text)) from core.{table} as t"
            )
            for table in ("fct_order_lines", "fct_orders")
        ]

    def places(self) -> dict[int, str]:
        """Where each line lies on disk: a line that is not written anew stays there."""
        return dict(self.ask("select order_line_key, tableoid::text || ctid::text from core.fct_order_lines"))

    def changes(self) -> list[tuple[Any, ...]]:
        """The changes kept, without those already forgotten: (sign, order, day, cents)."""
        return self.ask(
            "select sign, order_id, sale_date::text, net_cents from core.line_changes order by 2, 3, 1, 4"
        )


@pytest.fixture
def shop(warehouse: Warehouse, dbt: Callable[..., Any], deliver: Callable[..., int]) -> Shop:
    """Two orders at the end of January, built and published."""
    deliver(
        1,
        {"order_id": "A", "sale_date": "2026-01-30", "gross_cents": 100},
        {"order_id": "A", "sale_date": "2026-01-30", "gross_cents": 50},
        {"order_id": "B", "sale_date": "2026-01-31", "gross_cents": 200},
    )
    shop = Shop(warehouse, dbt)
    shop.build("run", "--select", "+fct_orders")
    return shop


def killed_while(shop: Shop, holding: str, *command: str, build_id: int) -> str:
    """Run dbt and kill its server process where it waits for what another session has written: `holding`.

    Returns dbt's messages.
    """

    def kill() -> None:
        for _ in range(600):
            pids = shop.ask(
                "select pid from pg_stat_activity"
                " where usename = 'shopx_transformer' and wait_event_type = 'Lock'"
            )
            if pids:
                with shop.warehouse.connect("transformer") as conn:
                    conn.execute("select pg_terminate_backend(%s)", pids[0])
                return
            time.sleep(0.05)

    with shop.warehouse.connect("owner") as blocking:
        blocking.execute(holding)
        killer = threading.Thread(target=kill)
        killer.start()
        outcome = shop.dbt(*command, build_id=build_id)
        killer.join()
        blocking.rollback()
    assert not outcome.success
    return str(outcome.messages)


def test_sliced_builds_write_what_changed_and_end_as_a_whole_one(
    shop: Shop, deliver: Callable[..., int]
) -> None:
    whole = shop.facts()
    assert shop.changes() == []

    # A comes again with one line dearer, B moves over the end of the month, C is new
    deliver(
        2,
        {"order_id": "A", "sale_date": "2026-01-30", "gross_cents": 110},
        {"order_id": "A", "sale_date": "2026-01-30", "gross_cents": 50},
        {"order_id": "B", "sale_date": "2026-02-01", "gross_cents": 200},
        {"order_id": "C", "sale_date": "2026-09-01", "gross_cents": 300},
    )
    build = shop.open()
    # the key of a line to come: the delete is done when the insert meets it
    half_way = """
        insert into core.fct_order_lines
        select (jsonb_populate_record(f, to_jsonb(r))).*
        from core.fct_order_lines as f
        cross join (
            select order_key, order_line_key, sale_date
            from raw.sales_lines where order_id = 'B' and load_id = 2
        ) as r
        limit 1
    """
    assert "fct_order_lines" in killed_while(shop, half_way, *FACTS, build_id=build)
    assert shop.facts() == whole
    assert shop.changes() == []

    # the same build goes on; made a second time it changes nothing
    assert shop.dbt(*FACTS, build_id=build).success
    assert shop.changes() == [
        (-1, "A", "2026-01-30", 50),
        (-1, "A", "2026-01-30", 100),
        # its money is the same, but another delivery tells of it
        (1, "A", "2026-01-30", 50),
        (1, "A", "2026-01-30", 110),
        (-1, "B", "2026-01-31", 200),
        (1, "B", "2026-02-01", 200),
        (1, "C", "2026-09-01", 300),
    ]
    made, places = shop.facts(), shop.places()
    assert shop.dbt(*FACTS, build_id=build).success
    assert (shop.facts(), shop.places()) == (made, places)
    shop.publish(build)

    # a part of C comes back: the sale that was there stays where it is, and only the return is written
    deliver(
        3,
        {"order_id": "C", "sale_date": "2026-09-01", "gross_cents": -300, "line_type": "return"},
        mode="events",
    )
    shop.build()
    written = [key for key, place in shop.places().items() if places.get(key) != place]
    assert written == [3 * 10**10 + 1]
    assert shop.changes() == [(1, "C", "2026-09-01", -300)]

    sliced = shop.facts()
    whole_build = shop.open()
    assert shop.dbt(*FACTS, "--full-refresh", build_id=whole_build).success
    assert shop.facts() == sliced
    # made anew: nothing is told as a change, and every aggregate has to start anew
    assert shop.changes() == []
    assert shop.ask("select is_whole from ops.fact_changes order by change_no desc limit 1") == [(True,)]


def test_counts_of_stock_come_and_go_with_their_deliveries(
    shop: Shop, deliver_list: Callable[..., int]
) -> None:
    def stock() -> list[tuple[Any, ...]]:
        return shop.ask("select load_id, on_hand::int, xmin::text from core.fct_inventory order by 1")

    command = ("run", "--select", "+fct_inventory")
    monday, tuesday = ({"count_date": f"2026-01-{day}", "product_id": "P1"} for day in (26, 27))
    stays = deliver_list(2, "inventory", {**monday, "on_hand": 9}, {**monday, "on_hand": 8})
    goes = deliver_list(3, "inventory", {**tuesday, "on_hand": 7})
    shop.build(*command)
    before = stock()
    assert [row[:2] for row in before] == [(stays, 8), (goes, 7)]

    comes = deliver_list(4, "inventory", {**tuesday, "on_hand": 6})
    shop.ask(f"update raw.loads set status = 'withdrawn' where load_id = {goes} returning 1")
    build_id = shop.build(*command)
    assert shop.ask(
        f"select is_whole from ops.model_builds where build_id = {build_id} and model = 'fct_inventory'"
    ) == [(False,)]
    after = stock()
    assert [row[:2] for row in after] == [(stays, 8), (comes, 6)]
    assert after[0] == before[0], "what is there already is not written again"
    shop.build(*command)
    assert stock() == after


def test_an_aggregate_takes_each_change_once(shop: Shop, deliver: Callable[..., int]) -> None:
    aggregate = ("run", "--select", "agg_sales_reps_daily")

    def content() -> list[tuple[Any, ...]]:
        return shop.ask(
            "select sale_date::text, line_count, orders, net_sales_cents"
            " from core.agg_sales_reps_daily order by 1"
        )

    build = shop.build(*FACTS, "agg_sales_reps_daily")
    assert content() == [("2026-01-30", 2, 1, 150), ("2026-01-31", 1, 1, 200)]

    # A is dearer, B moves to another day, so its old day has no lines any more
    deliver(
        2,
        {"order_id": "A", "sale_date": "2026-01-30", "gross_cents": 170},
        {"order_id": "B", "sale_date": "2026-02-01", "gross_cents": 200},
    )
    build = shop.open()
    assert shop.dbt(*FACTS, build_id=build).success
    killed_while(shop, "update core.agg_sales_reps_daily set orders = 9", *aggregate, build_id=build)
    assert content() == [("2026-01-30", 2, 1, 150), ("2026-01-31", 1, 1, 200)]
    for _ in range(2):
        assert shop.dbt(*aggregate, build_id=build).success
        assert content() == [("2026-01-30", 1, 1, 170), ("2026-02-01", 1, 1, 200)]
    shop.publish(build)

    # two builds' changes at once: the aggregate was left out of the first
    deliver(3, {"order_id": "C", "sale_date": "2026-02-01", "gross_cents": 5})
    shop.build()
    deliver(4, {"order_id": "C", "sale_date": "2026-02-02", "gross_cents": 7})
    shop.build(*FACTS, "agg_sales_reps_daily")
    assert content() == [("2026-01-30", 1, 1, 170), ("2026-02-01", 1, 1, 200), ("2026-02-02", 1, 1, 7)]
