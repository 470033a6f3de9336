"""What the marts of products and stock make of one small shop, worked out by hand.

The shop sells tea (P1) and pots (P2); cups (P3) it sold once, long ago; gift wrap has a name and no id,
saucers (P4) are on the list alone. The data ends on 30 June 2026, a Tuesday.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

Rows = Callable[[str], list[tuple[Any, ...]]]

JUNE = [*range(1, 10), 30]  # days of the orders T1 to T10


def sales() -> list[dict[str, Any]]:
    tea = {"product_id": "P1", "product_name": "Tea", "gross_cents": 500}
    pot = {"product_id": "P2", "product_name": "Pot", "gross_cents": 6000}
    cups = {"product_id": "P3", "product_name": "Cup", "gross_cents": 600, "quantity_thousandths": 3000}
    orders = [
        (f"T{number}", f"2026-06-{day:02}", "North" if number <= 5 else "South")
        for number, day in enumerate(JUNE, start=1)
    ]
    return [
        {"order_id": "H1", "sale_date": "2025-04-01", "store": "North", **cups},
        {"order_id": "H1", "sale_date": "2025-04-01", "store": "North", **tea},
        {
            "order_id": "L1", "sale_date": "2025-06-05", "store": "North", **tea,
            "gross_cents": 4000, "quantity_thousandths": 8000,
        },
        *({"order_id": order, "sale_date": day, "store": store, **tea} for order, day, store in orders),
        *({"order_id": order, "sale_date": day, "store": store, **pot} for order, day, store in orders[:6]),
        {
            "order_id": "G1", "sale_date": "2026-06-11", "store": "South", "gross_cents": 100,
            "product_id": None, "product_name": "Gift wrap",
        },
    ]  # fmt: skip


RETURNED = {
    "order_id": "T1", "sale_date": "2026-06-15", "store": "North", "line_type": "return", "product_id": "P2",
    "product_name": "Pot", "quantity_thousandths": -1000, "gross_cents": -6000,
}  # fmt: skip
PRODUCTS = [
    {
        "product_id": "P1",
        "product_name": "Tea",
        "unit_cost": 2,
        "unit_price": 5,
        "effective_from": "2020-01-01",
    },
    {
        "product_id": "P2",
        "product_name": "Pot",
        "unit_cost": 45,
        "unit_price": 60,
        "effective_from": "2020-01-01",
    },
    {"product_id": "P2", "unit_price": 65, "effective_from": "2026-06-20"},
    {"product_id": "P4", "product_name": "Saucer", "unit_cost": Decimal("1.5"), "on_hand": 7},
]
COUNTED = [
    {"count_date": "2026-06-28", "store": "North", "product_id": "P1", "on_hand": 5},
    {"count_date": "2026-06-28", "store": "South", "product_id": "P1", "on_hand": 0},
    {"count_date": "2026-06-29", "product_name": "Pot", "on_hand": 12},
]
COUNTED_AGAIN = [{"count_date": "2026-06-28", "store": "North", "product_id": "P1", "on_hand": 4}]


DELIVERIES = [("orders", sales()), ("events", [RETURNED])]
LISTS = [
    ("products", "2026-06-20", PRODUCTS),
    ("inventory", "2026-06-30", COUNTED),
    ("inventory", "2026-06-30", COUNTED_AGAIN),
]
MARTS = """
    product_performance product_sales_daily product_sales_monthly product_lifecycle product_pairs
    product_price_history inventory_status daily_sales
"""


def test_products_bring_what_their_lines_bring(rows: Rows) -> None:
    """Pot: 6 x 60.00 less one given back, cost 5 x 45.00. Of 351.00 in 91 days pots are the first 85.5 %."""
    assert rows(
        """
        select product_name, orders, units::int, units_returned::int, gross_sales_cents, returns_cents,
            net_sales_cents, cost_cents, gross_profit_cents, gross_margin_pct::float, return_rate_pct::float,
            recent_net_sales_cents, abc_class, first_sale_date::text, last_sale_date::text
        from marts_next.product_performance order by product_name
        """
    ) == [
        ("Cup", 1, 3, 0, 600, 0, 600, None, None, None, 0, None, None, "2025-04-01", "2025-04-01"),
        ("Gift wrap", 1, 1, 0, 100, 0, 100, None, None, None, 0, 100, "C", "2026-06-11", "2026-06-11"),
        ("Pot", 6, 6, 1, 36000, -6000, 30000, 22500, 7500, 25, 16.7, 30000, "A", "2026-06-01", "2026-06-06"),
        ("Tea", 12, 19, 0, 9500, 0, 9500, 3800, 5700, 60, 0, 5000, "B", "2025-04-01", "2026-06-30"),
    ]


def test_days_reach_back_400_days_and_months_to_the_beginning(rows: Rows) -> None:
    """19 days of products since 27 May 2025: tea 1 + 10, pots 6 + 1 on which one came back, gift wrap 1."""
    assert rows(
        """
        select count(*), min(sale_date)::text, sum(net_sales_cents)::int from marts_next.product_sales_daily
        """
    ) == [(19, "2025-06-05", 4000 + 5000 + 30000 + 100)]
    assert rows(
        """
        select sale_month::text, product_name, m.orders, m.units::int, m.units_returned::int,
            m.net_sales_cents
        from marts_next.product_sales_monthly as m
        inner join marts_next.product_performance using (product_key) order by 1, 2
        """
    ) == [
        ("2025-04-01", "Cup", 1, 3, 0, 600),
        ("2025-04-01", "Tea", 1, 1, 0, 500),
        ("2025-06-01", "Tea", 1, 8, 0, 4000),
        ("2026-06-01", "Gift wrap", 1, 1, 0, 100),
        ("2026-06-01", "Pot", 6, 6, 1, 30000),
        ("2026-06-01", "Tea", 10, 10, 0, 5000),
    ]


def test_each_product_stands_somewhere_in_its_life(rows: Rows) -> None:
    """Tea was there when the history begins: 10 pieces against 8 a year ago, too few for a percentage."""
    assert rows(
        """
        select product_name, lifecycle_stage, stage_reason, compared_with, recent_orders, recent_units::int,
            compared_orders, compared_units::int, units_change_pct
        from marts_next.product_lifecycle order by product_name
        """
    ) == [
        ("Cup", "discontinued", "no sale for 180 days", "last year", 0, 0, 0, 0, None),
        ("Gift wrap", "introduction", "on sale for less than 182 days", None, 1, 1, None, None, None),
        ("Pot", "introduction", "on sale for less than 182 days", None, 6, 5, None, None, None),
        ("Saucer", None, "never sold", "last year", 0, 0, 0, 0, None),
        ("Tea", "growth", "sells more", "last year", 10, 10, 1, 8, None),
    ]


def test_tea_and_pots_are_bought_together(rows: Rows) -> None:
    """In 6 of 11 orders of 90 days; every pot with tea, 6 of 10 teas with a pot: 6 x 11 / (10 x 6) = 1.1."""
    ((one, other, *orders, support, confidence, other_confidence, lift),) = rows(
        """
        select product_name, other_product_name, orders_together, product_orders, other_product_orders,
            all_orders, support_pct::float, confidence_pct::float, other_confidence_pct::float, lift::float
        from marts_next.product_pairs
        """
    )
    assert {one: (orders[1], confidence), other: (orders[2], other_confidence)} == {
        "Pot": (6, 100), "Tea": (10, 60),
    }  # fmt: skip
    assert (orders[0], orders[3], support, lift) == (6, 11, 54.545, 1.1)


def test_stock_lasts_as_long_as_its_newest_count_says(rows: Rows) -> None:
    """28 days begin on 3 June. Pots are counted by name for the whole shop: 12, and 4 sold less 1 returned.

    Of tea the North had 4 by the corrected count and sold 3; the South is sold out after 5 pieces in 28 days,
    so 5 x 2 for 56 days are missing.
    """
    assert rows(
        """
        select product_name, store_name, counted_date::text, on_hand::float, stock_status, recent_units::int,
            days_of_cover::float, sell_through_pct::float, is_dead_stock, needs_reorder,
            suggested_quantity::int, value_at_cost_cents, value_at_price_cents
        from marts_next.inventory_status order by product_name, store_name
        """
    ) == [
        ("Gift wrap", None, None, None, "stock unknown", 1, None, None, None, False, None, None, None),
        ("Pot", None, "2026-06-29", 12, "covered", 3, 112, 20, False, False, None, 54000, 78000),
        ("Saucer", None, "2026-06-20", 7, "no sales in 28 days", 0, None, 0, True, False, None, 1050, None),
        ("Tea", "North", "2026-06-28", 4, "covered", 3, 37.3, 42.9, False, False, None, 800, 2000),
        ("Tea", "South", "2026-06-28", 0, "out of stock", 5, None, 100, False, True, 10, 0, 0),
    ]
    assert rows("select on_hand::int from core.fct_inventory where on_hand in (4, 5) order by 1") == [
        (4,),
        (5,),
    ]


def test_prices_are_told_from_the_day_they_changed(rows: Rows) -> None:
    assert rows(
        """
        select product_name, valid_from_date::text, valid_to_date::text, unit_cost::float, unit_price::float,
            previous_unit_cost::float, previous_unit_price::float
        from marts_next.product_price_history order by product_name, valid_from_date
        """
    ) == [
        ("Pot", "2020-01-01", "2026-06-19", 45, 60, None, None),
        ("Pot", "2026-06-20", None, 45, 65, 45, 60),
        ("Saucer", "0001-01-01", None, 1.5, None, None, None),
        ("Tea", "2020-01-01", None, 2, 5, None, None),
    ]
