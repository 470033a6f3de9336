"""Which version of a product, customer, store or representative holds, worked out by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from warehouse.database import Warehouse

DIMENSIONS = ("dim_products", "dim_customers", "dim_stores", "dim_sales_reps")
Rows = list[dict[str, Any]]


def bring(
    warehouse: Warehouse,
    delivery_no: int,
    holds: str,
    rows: Rows,
    *,
    feed: str = "erp",
    complete: bool = False,
    seen: str = "2026-06-01",
    status: str = "approved",
) -> int:
    """A delivery of master data as ingestion leaves it; returns its load_id."""
    with warehouse.connect("owner") as conn:
        found = conn.execute(
            """
            insert into raw.loads (
                delivery_no, feed, source, delivered_name, content_sha256, byte_count, contract_sha256, mode,
                holds, reading, rows_delivered, rows_accepted, status, first_seen_at
            ) values (%s, %s, 'till', 'm.csv', repeat('0', 64), 1, 'x', 'lines', %s, %s, %s, %s, %s, %s)
            returning load_id
            """,
            [
                delivery_no, feed, holds, json.dumps({"complete": True} if complete else {}), len(rows),
                len(rows), status, f"{seen} 12:00+00",
            ],
        ).fetchone()  # fmt: skip
        assert found is not None
        for number, given in enumerate(rows, start=1):
            row = {"load_id": found[0], "row_number": number, **given}
            conn.execute(
                f"insert into raw.{holds} ({', '.join(row)})"
                f" values ({', '.join(f'%({name})s' for name in row)})",
                row,
            )
    return int(found[0])


def rows(warehouse: Warehouse, query: str) -> list[tuple[Any, ...]]:
    with warehouse.connect("owner") as conn:
        return conn.execute(query).fetchall()


def test_dimensions_take_what_lists_say_and_a_withdrawn_list_uncovers_the_one_before(
    warehouse: Warehouse, deliver: Callable[..., int], dbt: Callable[..., Any]
) -> None:
    day = "2026-06-10"
    deliver(
        1,
        {"sale_date": day, "gross_cents": 100, "product_id": "P1", "product_name": "mug?", "category": "misc",
         "store": "North", "sales_rep": "7", "customer_id": "c1", "customer_name": "A. Yang"},
        {"sale_date": day, "gross_cents": 100, "product_id": None, "product_name": "Lamp",
         "store": "2", "sales_rep": "Ben", "customer_email": "B@x.test"},
        {"sale_date": day, "gross_cents": 100, "product_id": "P9", "customer_id": "c9", "store": "Fair"},
    )  # fmt: skip
    bring(warehouse, 2, "products", [
        {"product_id": "P1", "product_name": "Mug", "subcategory_id": "s1", "unit_cost": Decimal("1.2345")},
        {"product_id": "P2", "product_name": "Lamp", "unit_price": 20},
        {"product_id": "P3", "product_name": "Never sold", "is_active": False},
    ])  # fmt: skip
    later = bring(warehouse, 3, "products", [
        {"product_id": "P1", "unit_cost": 2},
        {"product_id": "P1", "unit_cost": 3, "effective_from": "2026-07-01"},
    ], seen="2026-06-02")  # fmt: skip
    # as_of is 10 June: a version of July does not hold yet
    bring(warehouse, 4, "categories", [
        {"category_id": "1", "category": "Home"},
        {"category_id": "1", "subcategory_id": "s1", "subcategory": "Cups"},
    ])  # fmt: skip
    bring(warehouse, 5, "customers", [
        {"customer_id": "c1", "customer_name": "Ann Yang", "segment": "B2B", "city": "Leeds"},
        {"customer_id": "c2", "customer_name": "Bea Bo", "customer_email": "b@x.test"},
    ])  # fmt: skip
    bring(warehouse, 6, "stores", [
        {"store_id": "1", "store": "North", "country": "UK"},
        {"store_id": "2", "store": "South", "country": "FR"},
        {"store_id": "3", "store": "Closed"},
    ])  # fmt: skip
    bring(warehouse, 7, "stores", [{"store_id": "1", "store": "North"}, {"store_id": "2"}], complete=True)
    bring(warehouse, 8, "sales_reps", [
        {"sales_rep_id": "7", "sales_rep": "Ann", "commission_rate": Decimal("0.05")},
        {"sales_rep_id": "8", "sales_rep": "Ben", "region": "EU"},
    ])  # fmt: skip
    bring(warehouse, 9, "products", [{"product_id": "P1", "unit_cost": 99}], status="landed")

    outcome = dbt("run", "--select", *(f"+{name}" for name in (*DIMENSIONS, "stg_sales_lines")))
    assert outcome.success, outcome.messages
    assert rows(
        warehouse,
        "select product_id, product_name, category, subcategory, unit_cost, unit_price, is_active,"
        " is_inferred from core.dim_products where product_key <> -1 order by 1 nulls last",
    ) == [
        ("P1", "Mug", "Home", "Cups", Decimal(2), None, True, False),
        ("P2", "Lamp", None, None, None, Decimal(20), True, False),
        ("P3", "Never sold", None, None, None, None, False, False),
        ("P9", "P9", None, None, None, None, True, True),
        (None, "Lamp", None, None, None, Decimal(20), True, False),
    ]
    assert rows(
        warehouse,
        "select customer_id, customer_name, delivered_segment, city, is_inferred from core.dim_customers"
        " where customer_key <> -1 order by 1 nulls last",
    ) == [
        ("c1", "Ann Yang", "B2B", "Leeds", False),
        ("c2", "Bea Bo", None, None, False),
        ("c9", None, None, None, True),
        (None, "Bea Bo", None, None, False),
    ]
    assert rows(
        warehouse,
        "select store_name, country, is_active, is_inferred from core.dim_stores where store_key <> -1"
        " order by 1",
    ) == [
        ("Closed", None, False, False),
        ("Fair", None, True, True),
        ("North", "UK", True, False),
        ("South", "FR", True, False),
    ]
    assert rows(
        warehouse,
        "select sales_rep_name, commission_rate, region from core.dim_sales_reps where sales_rep_key <> -1"
        " order by 1",
    ) == [("Ann", Decimal("0.050000"), None), ("Ben", None, "EU")]
    assert rows(
        warehouse,
        "select count(*) from core.dim_products as d inner join staging.stg_sales_lines as l"
        " using (product_key)",
    ) == [(3,)]

    with warehouse.connect("owner") as conn:
        conn.execute("update raw.loads set status = 'withdrawn' where load_id = %s", [later])
    assert dbt("run", "--select", "+dim_products").success
    assert rows(warehouse, "select unit_cost from core.dim_products where product_id = 'P1'") == [
        (Decimal("1.234500"),)
    ]
