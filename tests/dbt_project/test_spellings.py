"""Dimensions learn names from new deliveries alone, and unlearn what counts no more: build by build."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from warehouse.database import Warehouse

DIMENSIONS = ("dim_products", "dim_customers", "dim_places", "dim_sales_reps")
DAY, NEXT = "2026-06-01", "2026-06-02"


def names(warehouse: Warehouse) -> dict[str, list[tuple[Any, ...]]]:
    """What is known of the one product and customer, and of the places and representatives."""
    with warehouse.connect("owner") as conn:
        return {
            what: conn.execute(query).fetchall()
            for what, query in {
                "product": "select product_name, category, name_count from core.dim_products"
                " where product_key <> -1",
                "customer": "select customer_name, region from core.dim_customers where customer_key <> -1",
                "places": "select store_name, region from core.dim_places order by 1, 2",
                "reps": "select sales_rep_name from core.dim_sales_reps where sales_rep_key <> -1 order by 1",
                "still told of Ann": "select count(*) from core.dim_customer_spellings"
                " where customer_name like '%Ann%'",
            }.items()
        }


def test_the_spelling_of_the_latest_day_holds_until_its_delivery_is_withdrawn(
    warehouse: Warehouse, deliver: Callable[..., int], dbt: Callable[..., Any]
) -> None:
    def build() -> dict[str, list[tuple[Any, ...]]]:
        outcome = dbt("run", "--select", *(f"+{name}" for name in DIMENSIONS))
        assert outcome.success, outcome.messages
        return names(warehouse)

    sale = {
        "gross_cents": 100,
        "customer_id": "c1",
        "customer_name": "Ann",
        "order_id": "A",
        "store": "North",
    }
    first = sale | {
        "sale_date": DAY,
        "product_name": "Mug",
        "category": "Cups",
        "sales_rep": "Ben",
        "region": "EU",
    }
    deliver(1, first)
    before = {
        "product": [("Mug", "Cups", 1)],
        "customer": [("Ann", "EU")],
        "places": [("North", "EU")],
        "reps": [("Ben",)],
        "still told of Ann": [(1,)],
    }
    assert build() == before

    # a later day's name wins; a blank category and region say nothing; the replaced order's words still count
    renamed = deliver(2, sale | {"sale_date": NEXT, "product_name": "Mug, red", "customer_name": "Ann B."})
    # seen earlier, whenever it comes
    deliver(3, sale | {"sale_date": "2026-05-01", "product_name": "mug?", "order_id": "B", "region": "EU"})
    assert build() == {
        "product": [("Mug, red", "Cups", 3)],
        "customer": [("Ann B.", "EU")],
        "places": [("North", "EU"), ("North", None)],
        "reps": [("Ben",)],
        "still told of Ann": [(2,)],
    }

    with warehouse.connect("owner") as conn:
        conn.execute("update raw.loads set status = 'withdrawn' where load_id = %s", [renamed])
    assert build() == before | {"product": [("Mug", "Cups", 2)]}

    # as `shopx forget` leaves it: asterisks, and that it was done
    with warehouse.connect("owner") as conn:
        conn.execute("update raw.sales_lines set customer_name = '***', customer_id = '**'")
        conn.execute(
            "insert into ops.forgotten (person_sha256, sales_lines, master_rows, refused_rows,"
            " files_rewritten, files_removed, forgotten_by) values ('x', 3, 0, 0, 0, 0, 'test')"
        )
    assert build() == before | {
        "product": [("Mug", "Cups", 2)],
        "customer": [],
        "still told of Ann": [(0,)],
    }
