"""A product whose category or cost changes takes its lines along, though no new delivery touches them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from warehouse.database import Warehouse

MAY, JUNE = "2026-05-10", "2026-06-10"


def test_lines_follow_their_product_in_a_sliced_build(
    warehouse: Warehouse, deliver: Callable[..., int], dbt: Callable[..., Any]
) -> None:
    def build() -> None:
        outcome = dbt("run", "--select", "+agg_categories_daily", "dim_categories")
        assert outcome.success, outcome.messages

    def rows(query: str) -> list[tuple[Any, ...]]:
        with warehouse.connect("owner") as conn:
            return conn.execute(query).fetchall()

    deliver(
        1,
        {"order_id": "A", "sale_date": MAY, "gross_cents": 1000, "category": "Cups", "customer_id": "c1"},
        {"order_id": "A", "sale_date": MAY, "gross_cents": 500, "product_id": "P2", "category": "Lamps"},
        {"order_id": "B", "sale_date": JUNE, "gross_cents": 1000, "quantity_thousandths": 2000},
        {"order_id": "C", "sale_date": JUNE, "gross_cents": 700, "product_id": "P2"},
    )
    build()
    with warehouse.connect("owner") as conn:
        conn.execute(
            "with p as (insert into ops.publications (build_id, as_of, complete_through, loads, held_loads,"
            " rejected_rows) select build_id, as_of, as_of, 1, 0, 0 from ops.builds returning *)"
            " update ops.builds set status = 'published', publication_id = p.publication_id from p"
        )
        # a list moves P1 to another category, and says what it costs from June on
        conn.execute(
            "with l as (insert into raw.loads (delivery_no, feed, source, delivered_name, content_sha256,"
            " byte_count, contract_sha256, mode, holds, status)"
            " values (2, 'erp', 'till', 'p', repeat('0', 64), 1, 'x', 'lines', 'products', 'approved')"
            " returning load_id)"
            " insert into raw.products (load_id, row_number, product_id, category, unit_cost, effective_from)"
            " select load_id, 1, 'P1', 'Mugs', 3.5, '2026-06-01' from l"
        )
    build()
    assert rows("select is_whole, touched_orders from ops.builds order by build_id desc limit 1") == [
        (False, 2)
    ]
    # order C holds no P1: nothing of it was made anew
    assert rows(
        "select order_id, product_id, category, cost_cents from core.fct_order_lines"
        " inner join core.dim_products using (product_key) order by 1, 2"
    ) == [
        ("A", "P1", "Mugs", None),
        ("A", "P2", "Lamps", None),
        ("B", "P1", "Mugs", 700),
        ("C", "P2", "Lamps", None),
    ]
    assert rows(
        "select sale_date::text, category, orders, net_sales_cents, lines_with_cost"
        " from core.agg_categories_daily inner join core.dim_categories using (category_key) order by 1, 2"
    ) == [
        (MAY, "Lamps", 1, 500, 0),
        (MAY, "Mugs", 1, 1000, 0),
        (JUNE, "Lamps", 1, 700, 0),
        (JUNE, "Mugs", 1, 1000, 1),
    ]
