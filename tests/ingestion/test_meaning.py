"""What deliveries mean: every row of the decision table, and every way in which shops deliver again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ingestion import deciding, landing
from ingestion.contract import Contract, load_contracts, read_contract
from ingestion.landing import Landed, land
from ingestion.sources.fetched import Fetched, Window
from warehouse.database import Warehouse
from warehouse.errors import ShopxError

TODAY = date(2026, 3, 1)
HEADER = "Order ID,Date,Product,Quantity,Unit Price,Amount,Store"
CONTRACT = """
feed: {feed}
title: A till
source: {source}
{more}
currency: GBP
columns:
  order_id: {{names: [Order ID], optional: true}}
  line_number: {{names: [Line], optional: true}}
  date: {{names: [Date]}}
  product_name: {{names: [Product]}}
  quantity: {{names: [Quantity]}}
  unit_price: {{names: [Unit Price]}}
  amount: {{names: [Amount]}}
  store: {{names: [Store], optional: true}}
"""


def sale(order: str, day: int, product: str = "Mug", cents: int = 250, store: str = "") -> str:
    """One piece sold (or brought back, where cents are negative) in February 2026."""
    pieces, amount = (1, cents / 100) if cents >= 0 else (-1, -cents / 100)
    return f"{order},2026-02-{day:02d},{product},{pieces},{amount:.2f},{pieces * amount:.2f},{store}"


@dataclass
class Shop:
    """Delivers, as the gate would approves, and tells what is current."""

    warehouse: Warehouse
    folder: Path
    feeds: dict[str, Contract]

    def contract(self, feed: str, *, source: str = "till", more: str = "") -> None:
        """A contract; `more` holds further keys."""
        path = self.folder / "feeds" / f"{feed}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(CONTRACT.format(feed=feed, source=source, more=more), encoding="utf-8")
        self.feeds[feed] = read_contract(path)

    def deliver(
        self,
        *lines: str,
        feed: str | None = None,
        name: str = "f.csv",
        window: tuple[int, int] | None = None,
        header: str = HEADER,
    ) -> Landed:
        path = self.folder / name
        path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        if window is None:
            result = land(self.warehouse, [path], feed=feed, today=TODAY)
        else:
            days = Window(date(2026, 2, window[0]), date(2026, 2, window[1]))
            fetched = Fetched(path, name, feed or "sales_csv", window=days)
            result = land(self.warehouse, [], fetched=[fetched], today=TODAY)
        assert result.refused == []
        landed = max(result.landed, key=lambda item: item.load_id)
        self.approve()
        return landed

    def approve(self) -> None:
        """What the gate does with loads that are landed."""
        with self.warehouse.connect() as conn, conn.transaction():
            waiting = conn.execute("select load_id from raw.loads where status = 'landed'").fetchall()
            for (load_id,) in waiting:
                deciding.decide(conn, load_id, status="approved", by="gate")

    def release(self, load: Landed, as_: str | None = None, **more: Any) -> None:
        deciding.release(self.warehouse, load.load_id, as_=as_, by="ann", why="test", **more)
        land(self.warehouse, [], today=TODAY)
        self.approve()

    def withdraw(self, load: Landed) -> None:
        deciding.withdraw(self.warehouse, load.load_id, by="ann", why="test")

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with self.warehouse.connect("owner") as conn:
            return conn.execute(query).fetchall()

    def mode(self, load: Landed) -> tuple[str, str | None, str | None]:
        return self.ask(f"select status, mode, held_reason from raw.loads where load_id = {load.load_id}")[0]

    def current(self) -> list[tuple[int, int]]:
        """Day of February and cents of every current row."""
        return self.ask(
            """
            select extract(day from r.sale_date)::int, r.net_cents
            from raw.current_lines(
                (select array_agg(load_id order by load_id) from raw.loads where status = 'approved'),
                (select array_agg(mode order by load_id) from raw.loads where status = 'approved'),
                '2026-01-01', '2026-12-31'
            ) as r
            order by 1, 2
            """
        )


@pytest.fixture
def shop(warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    feeds = dict(load_contracts())
    monkeypatch.setattr("ingestion.reading.opening.load_contracts", lambda: feeds)
    monkeypatch.setattr(landing, "load_contracts", lambda: feeds)
    yield Shop(warehouse, tmp_path, feeds)


@pytest.fixture
def till(shop: Shop) -> Callable[..., Shop]:
    """The shop with one till whose contract says these further keys."""

    def with_contract(more: str) -> Shop:
        shop.contract("till", more=more)
        return shop

    return with_contract


# the ways in which shops deliver again


def test_a_refund_line_under_the_same_id_later_is_an_event(shop: Shop) -> None:
    shop.deliver(sale("A", 1, cents=1000))
    refund = shop.deliver(sale("A", 9, cents=-1000))
    assert shop.mode(refund) == ("approved", "events", None)
    assert shop.current() == [(1, 1000), (9, -1000)]


def test_a_refund_in_a_feed_of_whole_orders_is_held_before_it_wipes_the_sale_out(
    till: Callable[..., Shop],
) -> None:
    shop = till("delivers: orders")
    shop.deliver(sale("A", 1, cents=1000), feed="till")
    refund = shop.deliver(sale("A", 9, cents=-1000), feed="till")
    assert shop.mode(refund) == ("held", "orders", "SHRINKS_SCOPE")
    shop.release(refund, "events")
    assert shop.current() == [(1, 1000), (9, -1000)]


def test_what_a_match_delivery_repeats_is_worked_out_once_and_not_for_every_row(warehouse: Warehouse) -> None:
    with warehouse.connect("owner") as conn:
        conn.execute("select raw.create_months('2026-01-01', '2026-01-01')")
        plan = conn.execute(
            "explain (verbose) select * from raw.current_lines("
            "array[1, 2]::bigint[], array['events', 'match'], '2026-01-01', '2026-12-31')"
        ).fetchall()
    asked = [line for (line,) in plan if "match_repeats" in line]
    assert asked and not [line for line in asked if "Filter" in line or "Cond" in line]


def test_a_midnight_ticket_in_two_files_of_days_stays_in_both(till: Callable[..., Shop]) -> None:
    shop = till("delivers: days")
    shop.deliver(sale("A", 1, "Mug", 300), feed="till")
    shop.deliver(sale("A", 2, "Cup", 400), sale("B", 2), feed="till")
    assert shop.current() == [(1, 300), (2, 250), (2, 400)]


def test_a_midnight_ticket_without_a_contract_is_held(shop: Shop) -> None:
    shop.deliver(sale("A", 1, "Mug", 300))
    assert shop.mode(shop.deliver(sale("A", 2, "Cup", 400)))[2] == "ORDER_ID_REUSED"


def test_ticket_numbers_that_restart_daily(till: Callable[..., Shop]) -> None:
    shop = till("delivers: orders\norder_id_scope: store_day")
    shop.deliver(sale("1", 1), sale("2", 1, cents=300), feed="till")
    second = shop.deliver(sale("1", 2, cents=700), feed="till")
    assert shop.mode(second) == ("approved", "orders", None)
    assert shop.current() == [(1, 250), (1, 300), (2, 700)]


def test_two_shops_with_one_file_name(shop: Shop) -> None:
    for store in ("North", "South"):
        shop.deliver(sale("", 1, store=store), name="sales.csv")
    assert shop.current() == [(1, 250), (1, 250)]
    again = shop.deliver(sale("", 1, store="South"), name="sales.csv")
    assert again.status == "duplicate"


def test_days_replace_only_the_days_of_their_own_store(till: Callable[..., Shop]) -> None:
    shop = till("delivers: days")
    shop.deliver(sale("", 1, cents=300, store="North"), sale("", 1, cents=500, store="South"), feed="till")
    shop.deliver(sale("", 1, cents=310, store="North"), feed="till")
    assert shop.current() == [(1, 310), (1, 500)]


def test_a_rolling_export_keeps_the_days_that_rolled_out(shop: Shop) -> None:
    first = shop.deliver(*(sale("", day, cents=100 * day) for day in (1, 2, 3)))
    second = shop.deliver(*(sale("", day, cents=100 * day) for day in (2, 3, 4)))
    assert (shop.mode(first)[1], shop.mode(second)[1]) == ("events", "days")
    assert shop.current() == [(1, 100), (2, 200), (3, 300), (4, 400)]


def test_a_rolling_export_that_ends_earlier_is_held(shop: Shop) -> None:
    shop.deliver(*(sale("", day) for day in (1, 2, 3)))
    held = shop.deliver(*(sale("", day) for day in (1, 2)))
    assert shop.mode(held) == ("held", None, "OVERLAPS_EARLIER_LOAD")


def test_a_till_that_writes_only_new_rows(till: Callable[..., Shop]) -> None:
    shop = till("delivers: events")
    for _ in range(2):
        shop.deliver(sale("", 1), sale("", 1, "Cup"), feed="till")
        shop.deliver(sale("", 1), feed="till", name="later.csv")
    # the second round brought the same bytes: said once
    assert shop.current() == [(1, 250)] * 3


def test_an_order_moved_to_another_day_moves_where_its_lines_have_numbers(till: Callable[..., Shop]) -> None:
    shop = till("delivers: days")
    header = f"{HEADER},Line"
    shop.deliver(f"{sale('A', 1, cents=700)},1", feed="till", header=header)
    moved = shop.deliver(f"{sale('A', 2, cents=700)},1", feed="till", header=header)
    assert shop.mode(moved) == ("approved", "days", None)
    assert shop.current() == [(2, 700)]


def test_an_order_that_may_have_moved_to_another_day_is_held(till: Callable[..., Shop]) -> None:
    shop = till("delivers: days")
    shop.deliver(sale("A", 1, cents=700), feed="till")
    moved = shop.deliver(sale("A", 2, cents=700), feed="till")
    assert shop.mode(moved) == ("held", "days", "ORDER_MAY_HAVE_MOVED")
    assert shop.current() == [(1, 700)]
    shop.release(moved, "orders")
    assert shop.current() == [(2, 700)]


def test_a_late_release_never_overrides_what_came_after_it(till: Callable[..., Shop]) -> None:
    shop = till("delivers: orders\ndate_formats: [iso, by-proof]")
    late = shop.deliver("A,01/02/2026,Mug,1,9.00,9.00,", feed="till", name="a.csv")
    assert shop.mode(late)[0] == "held"
    shop.deliver(sale("A", 1, cents=1000), feed="till", name="b.csv")
    shop.release(late, "day-first")
    assert shop.mode(late)[0] == "approved"
    assert shop.current() == [(1, 1000)]


def test_a_correction_of_a_correction_then_withdrawn(till: Callable[..., Shop]) -> None:
    shop = till("delivers: orders")
    loads = [shop.deliver(sale("A", 1, cents=cents), feed="till") for cents in (1000, 1200, 1300)]
    assert shop.current() == [(1, 1300)]
    shop.withdraw(loads[2])
    assert shop.current() == [(1, 1200)]
    shop.withdraw(loads[1])
    assert shop.current() == [(1, 1000)]
    shop.release(loads[2])
    assert shop.current() == [(1, 1300)]


def test_the_same_bytes_after_a_withdrawal_are_a_new_delivery(shop: Shop) -> None:
    first = shop.deliver(sale("A", 1))
    assert shop.deliver(sale("A", 1)).status == "duplicate"
    shop.withdraw(first)
    again = shop.deliver(sale("A", 1))
    assert (again.status, again.delivery_no > first.delivery_no) == ("landed", True)
    assert shop.current() == [(1, 250)]


def test_the_same_bytes_after_a_replacement_say_something_new(till: Callable[..., Shop]) -> None:
    shop = till("delivers: orders")
    for cents in (1000, 1200, 1000):
        assert shop.deliver(sale("A", 1, cents=cents), sale("B", 1), feed="till").status == "landed"
    assert shop.current() == [(1, 250), (1, 1000)]
    assert shop.deliver(sale("A", 1, cents=1000), sale("B", 1), feed="till").status == "duplicate"


def test_an_empty_window_on_empty_days_is_a_delivery_of_no_rows(till: Callable[..., Shop]) -> None:
    shop = till("delivers: days")
    shop.deliver(sale("", 1), feed="till", window=(1, 1))
    empty = shop.deliver(feed="till", name="e.csv", window=(2, 3))
    assert (shop.mode(empty), empty.rows_delivered) == (("approved", "days", None), 0)
    assert shop.current() == [(1, 250)]


def test_an_empty_window_on_days_that_hold_rows_is_held_and_empties_them_once_released(
    till: Callable[..., Shop],
) -> None:
    shop = till("delivers: days")
    shop.deliver(sale("", 1), sale("", 2, store="North"), feed="till", window=(1, 3))
    empty = shop.deliver(feed="till", name="e.csv", window=(2, 3))
    assert shop.mode(empty) == ("held", "days", "EMPTY_SCOPE")
    shop.release(empty)
    assert shop.current() == [(1, 250)]


def test_one_source_delivered_by_api_and_by_file(shop: Shop) -> None:
    shop.contract("shop_api", source="shop", more="delivers: days")
    shop.contract("shop_files", source="shop", more="delivers: orders")
    shop.deliver(sale("A", 1, cents=1000), sale("B", 2), feed="shop_api", window=(1, 3))
    shop.deliver(sale("A", 1, cents=1100), feed="shop_files")
    assert shop.current() == [(1, 1100), (2, 250)]
    shop.deliver(sale("A", 1, cents=1050), sale("B", 2), feed="shop_api", window=(1, 3), name="again.csv")
    assert shop.current() == [(1, 1050), (2, 250)]


# rows of the decision table that the ways above have not met


def test_days_that_lose_more_than_a_fifth_of_their_rows_are_held(till: Callable[..., Shop]) -> None:
    shop = till("delivers: days")
    shop.deliver(*(sale("", day) for day in range(1, 11)), feed="till", window=(1, 10))
    kept = shop.deliver(*(sale("", day) for day in range(1, 9)), feed="till", window=(1, 10))
    assert shop.mode(kept) == ("approved", "days", None)
    held = shop.deliver(*(sale("", day) for day in range(1, 7)), feed="till", window=(1, 10))
    assert shop.mode(held) == ("held", "days", "SHRINKS_SCOPE")
    assert "8 rows and 2,000 cents would become 6 rows and 1,500 cents" in str(held.message)


def test_orders_that_lose_more_than_a_fifth_of_their_money_are_held(till: Callable[..., Shop]) -> None:
    shop = till("delivers: orders")
    shop.deliver(sale("A", 1, cents=1000), feed="till")
    assert shop.mode(shop.deliver(sale("A", 1, cents=800), feed="till"))[0] == "approved"
    assert shop.mode(shop.deliver(sale("A", 1, cents=639), feed="till"))[2] == "SHRINKS_SCOPE"


def test_changed_lines_replace_themselves_only(till: Callable[..., Shop]) -> None:
    shop = till("delivers: lines")
    header = f"{HEADER},Line"
    lines = [f"{sale('A', 1, 'Mug', 500)},1", f"{sale('A', 1, 'Cup', 300)},2"]
    shop.deliver(*lines, feed="till", header=header)
    shop.deliver(f"{sale('A', 3, 'Cup', 310)},2", feed="till", header=header)
    assert shop.current() == [(1, 500), (3, 310)]
    lost = shop.deliver(f"{sale('A', 1, 'Mug', 100)},1", feed="till", header=header)
    assert shop.mode(lost)[2] == "SHRINKS_SCOPE"


def test_match_adds_only_what_is_not_there_yet(till: Callable[..., Shop]) -> None:
    shop = till("delivers: match")
    shop.deliver(sale("", 1), feed="till")
    shop.deliver(sale("", 1), sale("", 1), sale("", 2), feed="till")
    assert shop.current() == [(1, 250), (1, 250), (2, 250)]


@pytest.mark.parametrize("more", ["", "delivers: orders"])
def test_an_order_with_no_line_in_common_is_held(till: Callable[..., Shop], more: str) -> None:
    shop = till(more)
    shop.deliver(sale("A", 1, "Mug"), feed="till")
    assert shop.mode(shop.deliver(sale("A", 1, "Cup"), feed="till"))[2] == "ORDER_ID_REUSED"


def test_a_month_that_was_archived_is_not_touched(
    till: Callable[..., Shop], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = till("delivers: events")
    monkeypatch.setattr("ingestion.meaning.archived_months", lambda _: frozenset({date(2026, 2, 1)}))
    assert shop.mode(shop.deliver(sale("A", 1), feed="till"))[2] == "TOUCHES_ARCHIVED_MONTH"


def test_returns_beside_new_orders_on_new_days_are_events(shop: Shop) -> None:
    shop.deliver(sale("A", 1), sale("B", 1))
    second = shop.deliver(sale("A", 2, cents=-250), sale("C", 2))
    assert shop.mode(second) == ("approved", "events", None)


def test_every_choice_of_a_held_delivery_tells_its_true_effect(shop: Shop) -> None:
    shop.deliver(sale("", 1, cents=100), sale("", 1, cents=200), sale("", 1, cents=300), sale("", 2))
    held = shop.deliver(sale("", 1, cents=100), sale("", 1, cents=900))
    assert shop.ask("select choice, rows_change, cents_change, command from ops.held_loads order by 1") == [
        ("days", -1, 400, f"shopx release {held.load_id} --as days"),
        ("events", 2, 1000, f"shopx release {held.load_id} --as events"),
        ("match", 1, 900, f"shopx release {held.load_id} --as match"),
        ("withdraw", 0, 0, f"shopx withdraw {held.load_id}"),
    ]
    shop.release(held, "match")
    assert shop.current() == [(1, 100), (1, 200), (1, 300), (1, 900), (2, 250)]


def test_a_meaning_its_rows_cannot_have_is_refused_with_those_they_can(shop: Shop) -> None:
    shop.deliver(sale("", 1))
    held = shop.deliver(sale("", 1, cents=900))
    with pytest.raises(ShopxError, match="--as days or --as events or --as match, not --as orders"):
        shop.release(held, "orders")


def test_always_writes_the_answer_into_the_contract(till: Callable[..., Shop]) -> None:
    shop = till("# what the till sends")
    shop.deliver(sale("", 1), feed="till")
    held = shop.deliver(sale("", 1, cents=900), feed="till")
    feeds = shop.folder / "feeds"
    shop.release(held, "events", always=True, feeds=feeds)
    contract = read_contract(feeds / "till.yaml")
    assert contract.delivers == "events"
    assert "# what the till sends" in (feeds / "till.yaml").read_text(encoding="utf-8")


def test_always_for_a_built_in_contract_names_the_next_command(shop: Shop) -> None:
    shop.deliver(sale("", 1))
    held = shop.deliver(sale("", 1, cents=900))
    with pytest.raises(ShopxError, match="shopx feed init"):
        shop.release(held, "events", always=True)
    assert shop.mode(held)[0] == "held"


@pytest.mark.parametrize("more", ["", "delivers: orders"])
def test_an_order_that_comes_again_with_a_refused_line_is_refused_whole(
    till: Callable[..., Shop], more: str
) -> None:
    shop = till(more)
    first = [sale("A", 1, "Mug", 500), sale("A", 1, "Cup", 300), sale("B", 1, cents=100)]
    shop.deliver(*first, feed="till")
    worse = sale("A", 1, "Cup", 300).replace("3.00,3.00", "three,three")
    again = shop.deliver(sale("A", 1, "Mug", 550), worse, sale("B", 1, cents=120), feed="till", name="g.csv")
    assert shop.mode(again) == ("approved", "orders", None)
    assert shop.current() == [(1, 120), (1, 300), (1, 500)]
    assert (again.rows_delivered, again.rows_accepted, again.rows_rejected) == (3, 1, 2)
    assert shop.ask("select line_number, reasons from raw.rejected_rows order by 1") == [
        (2, ["ORDER_INCOMPLETE"]),
        (3, ["NUMBER_FORMAT", "NUMBER_FORMAT"]),
    ]


def test_a_new_order_with_a_refused_line_keeps_its_other_lines(till: Callable[..., Shop]) -> None:
    shop = till("delivers: orders")
    bad = sale("A", 1, "Cup", 300).replace("3.00,3.00", "three,three")
    shop.deliver(sale("A", 1, "Mug", 500), bad, feed="till")
    assert shop.current() == [(1, 500)]
