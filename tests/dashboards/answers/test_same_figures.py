"""A card shows what the order lines say, under any filters, and its files hold the same figures."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from dashboards import exports
from dashboards.answers.answer import Answer
from dashboards.answers.page import Page, reading_as_reader
from dashboards.answers.state import PRESETS, FilterState
from dashboards.spec.loading import card_of, load_boards
from tests.conftest import fresh_warehouse
from tests.dashboards.small_shop import (
    AS_OF,
    CATEGORIES,
    FIRST,
    PLACES,
    Line,
    make_lines,
    measures,
    orders_of,
    publish,
)
from warehouse import embedded

LINES = make_lines()
BOARDS = load_boards()


@pytest.fixture(scope="module")
def page(server: embedded.Server) -> Iterator[Page]:
    with fresh_warehouse(server) as warehouse:
        publish(warehouse, LINES)
        with reading_as_reader(warehouse) as opened:
            yield opened


def states() -> st.SearchStrategy[FilterState]:
    days = st.dates(FIRST - timedelta(days=5), AS_OF + timedelta(days=5))
    custom = st.tuples(days, days).map(
        lambda pair: {"period": "custom", "first": min(pair), "last": max(pair)}
    )
    period = st.sampled_from([name for name in PRESETS if name != "custom"]).map(
        lambda name: {"period": name}
    )

    def some(place: int) -> st.SearchStrategy[tuple[str | None, ...]]:
        values = sorted({where[place] for where in PLACES.values()}, key=str)
        return st.one_of(st.just(()), st.lists(st.sampled_from(values), max_size=2).map(tuple))

    chosen = st.fixed_dictionaries(
        {
            "store": some(0),
            "region": some(1),
            "channel": some(2),
            "category": st.one_of(
                st.just(()), st.sampled_from(sorted(CATEGORIES.values())).map(lambda one: (one,))
            ),
        }
    )
    compare = st.sampled_from(["previous", "year_before", "none"])
    return st.builds(
        lambda when, values, how: FilterState(**when, compare=how, chosen=values),
        st.one_of(period, custom), chosen, compare,
    )  # fmt: skip


def lines_of(state: FilterState, first: date, last: date, *, by_category: bool = True) -> list[Line]:
    def fits(line: Line) -> bool:
        where = dict(zip(("store", "region", "channel"), PLACES[line.place], strict=True))
        if by_category:
            where["category"] = CATEGORIES[line.category]
        return first <= line.day <= last and all(
            name not in where or where[name] in values for name, values in state.chosen.items()
        )

    return [line for line in LINES if fits(line)]


def half_up(number: Decimal, decimals: int) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(state=states())
def test_cards_show_what_the_order_lines_say(page: Page, state: FilterState) -> None:
    span = page.span(state)
    lines = lines_of(state, span.first, span.last)
    sums, orders = measures(lines), orders_of(lines)

    def value(key: str) -> Any:
        return page.answer(card_of(BOARDS, key), state).value

    assert value("net_sales") == sums["net_sales_cents"]
    assert value("orders") == orders
    sold = sums["gross_sales_cents"] + sums["discounts_cents"]
    assert value("average_order_value") == (half_up(Decimal(sold) / orders, 0) if orders else None)
    assert value("return_rate") == (
        half_up(Decimal(-100) * sums["returns_cents"] / sold, 1) if sold else None
    )
    known = sums["cost_cents"] or sums["net_sales_with_cost_cents"]
    profit = sums["net_sales_with_cost_cents"] - sums["cost_cents"]
    assert value("gross_profit") == (profit if known else None)
    by_day = page.answer(card_of(BOARDS, "net_sales_by_day"), state).records()
    assert {row["sale_date"]: row["net_sales_cents"] for row in by_day} == {
        day: measures(line for line in lines if line.day == day)["net_sales_cents"]
        for day in {x.day for x in lines}
    }


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(state=states())
def test_returning_customers_have_two_orders_in_life_up_to_the_end_of_the_period(
    page: Page, state: FilterState
) -> None:
    span = page.span(state)
    buyers = {
        line.customer
        for line in lines_of(state, span.first, span.last, by_category=False)
        if line.is_sale and line.customer is not None
    }
    orders = {
        buyer: orders_of(line for line in LINES if line.customer == buyer and line.day <= span.last)
        for buyer in buyers
    }
    returning = sum(count >= 2 for count in orders.values())
    answer = page.answer(card_of(BOARDS, "returning_customers"), state)
    assert answer.value == (half_up(Decimal(100) * returning / len(buyers), 1) if buyers else None)
    assert answer.records()[0]["customers"] == len(buyers)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(state=states())
def test_the_reasons_of_a_change_sum_to_it(page: Page, state: FilterState) -> None:
    span = page.span(state)
    rows = page.answer(card_of(BOARDS, "why_it_changed"), state).records()
    base = span.base(state.compare)
    before = lines_of(state, base.first, base.last) if base else []
    if not orders_of(before):
        assert all(row["change_cents"] is None for row in rows if row["reason"] == "Orders")
        return
    now = measures(lines_of(state, span.first, span.last))["net_sales_cents"]
    assert sum(row["change_cents"] for row in rows) == now - measures(before)["net_sales_cents"]


def test_every_file_of_every_card_holds_the_figures_of_the_card(page: Page) -> None:
    chance = random.Random(1)  # noqa: S311
    names = [name for name in PRESETS if name != "custom"]
    trust = page.trust()
    for board in BOARDS:
        for card in board.cards.values():
            chosen = {"store": ("Leeds", None)} if chance.random() < 0.5 else {}
            answer = page.answer(card, FilterState(period=chance.choice(names), chosen=chosen), board=board)
            wanted = [
                [expected(value, place, answer) for place, value in enumerate(row)] for row in answer.rows
            ]
            assert csv_rows(exports.csv_bytes(answer, trust)) == [
                [as_text(cell) for cell in row] for row in wanted
            ]
            assert xlsx_rows(exports.xlsx_bytes(answer, trust), len(answer.columns)) == [
                [as_cell(cell) for cell in row] for row in wanted
            ], card.key


def expected(value: Any, place: int, answer: Answer) -> Any:
    """Money in pounds, written by hand: 1999 → 19.99."""
    return Decimal(value) / 100 if answer.columns[place].is_money and value is not None else value


def as_text(cell: Any) -> str:
    if isinstance(cell, Decimal | float):
        return str(Decimal(str(cell)).normalize())
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def as_cell(cell: Any) -> Any:
    if isinstance(cell, int | Decimal) and not isinstance(cell, bool):
        return str(cell) if abs(cell) >= 10**15 else float(cell)
    return "" if cell is None else cell


def csv_rows(content: bytes) -> list[list[str]]:
    text = content.decode("utf-8-sig")
    lines = [line for line in text.split("\r\n") if not line.startswith("# ")]
    rows = list(csv.reader(io.StringIO("\n".join(lines))))[1:]
    return [[_number(cell) for cell in row] for row in rows]


def _number(cell: str) -> str:
    try:
        return str(Decimal(cell).normalize()) if "." in cell else cell
    except ArithmeticError:
        return cell


def xlsx_rows(content: bytes, width: int) -> list[list[Any]]:
    rows = (
        CalamineWorkbook.from_filelike(io.BytesIO(content))
        .get_sheet_by_index(0)
        .to_python(skip_empty_area=False)
    )
    top = next(number for number, row in enumerate(rows) if not any(row)) + 1
    return [
        [cell.date() if isinstance(cell, datetime) else cell for cell in row[:width]]
        for row in rows[top + 1 :]
    ]


def test_a_file_that_ended_in_2011_fills_the_overview(page: Page) -> None:
    """Periods end with the data, not with today's date."""
    board = next(board for board in BOARDS if board.key == "overview")
    state = FilterState()
    assert page.span(state).words == "Last 28 days, 4–31 May 2011"
    answers = [page.answer(card, state, board=board) for card in board.cards.values()]
    assert [answer.card.key for answer in answers if answer.empty or not answer.rows] == []
    assert [answer.card.key for answer in answers if answer.missing] == []


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(state=states())
def test_no_growth_of_unequal_days_without_a_note(page: Page, state: FilterState) -> None:
    span = page.span(state)
    for change in page.answer(card_of(BOARDS, "net_sales"), state).changes:
        alike = change.base.days == span.days and (
            span.days % 7 == 0 or (span.first - change.base.first).days % 7 == 0
        )
        assert alike or (change.caution and change.caution in change.words)
        assert change.base.first >= FIRST
        assert (change.pct is None) == (change.why_no_pct is not None)


def test_a_filter_that_a_card_cannot_obey_is_named_with_the_reason(page: Page) -> None:
    board = next(board for board in BOARDS if board.key == "overview")
    answer = page.answer(
        board.card("returning_customers"), FilterState(chosen={"category": ("Tea",)}), board=board
    )
    assert [(one.name, one.reason) for one in answer.ignored] == [
        ("Category", "Who returns is counted over whole orders, whatever they hold.")
    ]
    assert "Not by category: Who returns is counted over whole orders, whatever they hold." in answer.said


def test_a_missing_input_has_a_reason(page: Page) -> None:
    state = FilterState(period="custom", first=FIRST, last=FIRST, chosen={"store": ("Nowhere",)})
    assert page.answer(card_of(BOARDS, "average_order_value"), state).missing == {
        "average_order_value_cents": "No orders in these days."
    }


def test_all_answers_of_a_page_are_of_one_publication(server: embedded.Server) -> None:
    with fresh_warehouse(server) as warehouse:
        publish(warehouse, LINES)
        card = card_of(BOARDS, "net_sales")
        with reading_as_reader(warehouse) as page:
            before = page.answer(card, FilterState(period="all_time"))
            with warehouse.connect("owner") as owner:
                owner.execute("update marts.sales_by_filters set net_sales_cents = 0")
                owner.execute("update marts.publication set publication_id = 2")
            after = page.answer(card, FilterState(period="all_time"))
            assert (after.value, after.publication_id) == (before.value, 1)
            assert page.trust().publication_id == 1
        with reading_as_reader(warehouse) as page:
            assert (page.answer(card, FilterState()).value, page.trust().publication_id) == (0, 2)


def test_stock_counted_by_store_is_shown_and_to_be_reordered_where_no_store_is_chosen(
    server: embedded.Server,
) -> None:
    with fresh_warehouse(server) as warehouse:
        publish(warehouse, LINES)
        with warehouse.connect("owner") as owner:
            owner.cursor().executemany(
                "insert into marts.inventory_status (product_key, store_key, product_name, category,"
                " store_name, on_hand, stock_status, recent_units, needs_reorder, is_dead_stock,"
                " suggested_quantity) values (%s, %s, %s, 'Tea', %s, %s, 'covered', 28, %s, false, %s)",
                [
                    (1, 11, "Assam", "Leeds", 5, True, 23),
                    (1, 12, "Assam", "York", 3, True, 25),
                    (2, 11, "Sencha", "Leeds", 90, False, None),
                    (3, -1, "Oolong", None, 2, True, 26),  # of this one only the whole shop's stock is told
                ],
            )
        with reading_as_reader(warehouse) as page:
            to_do = page.answer(card_of(BOARDS, "to_do"), FilterState()).records()
            listed = page.answer(card_of(BOARDS, "stock_to_reorder"), FilterState()).records()
            in_york = page.answer(
                card_of(BOARDS, "stock_to_reorder"), FilterState(chosen={"store": ("York",)})
            ).records()
            covered = page.answer(card_of(BOARDS, "stock_cover"), FilterState()).records()
    assert {row["task"]: row["things"] for row in to_do}["Products to reorder"] == 2
    assert sorted((row["product_name"], row["store"]) for row in listed) == [
        ("Assam", "Leeds"),
        ("Assam", "York"),
        ("Oolong", "Whole shop"),
    ]
    assert [row["store"] for row in in_york] == ["York"]
    assert len(covered) == 4


def test_the_trust_line_says_how_far_how_fresh_and_how_complete(page: Page) -> None:
    said = page.trust().text
    assert said.startswith("Sales to Tue 31 May 2011 · published 1 Jun 2011 08:02 · 0 of 0 feeds in")
    assert said.endswith("UTC · publication 1")
