"""What the models make of a few deliveries, worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from warehouse.database import Warehouse

FIRST, SECOND, THIRD = "2026-06-01", "2026-06-02", "2026-06-03"


@pytest.fixture
def a_small_shop(deliver: Callable[..., int]) -> None:
    """Three days: order A, corrected and partly returned; B by a guest; C pending; a line without order."""
    deliver(
        1,
        # half past eight UTC is nine o'clock in London in June
        {
            "order_id": "A",
            "sale_date": FIRST,
            "sold_at": f"{FIRST} 08:30+00",
            "quantity_thousandths": 2000,
            "gross_cents": 2000,
            "discount_cents": -200,
            "customer_id": "c1",
            "order_status": "Completed",
            "product_name": "Red mug",
        },
        {
            "order_id": "A",
            "sale_date": FIRST,
            "sold_at": f"{FIRST} 08:30+00",
            "gross_cents": 500,
            "customer_id": "c1",
            "product_id": "P2",
        },
        {"order_id": "B", "sale_date": FIRST, "gross_cents": 1000, "product_name": "Mug, red"},
        {
            "order_id": "C",
            "sale_date": SECOND,
            "gross_cents": 500,
            "customer_id": "c2",
            "order_status": " Pending",
            "product_id": "P2",
        },
        {"sale_date": SECOND, "gross_cents": 250, "product_id": None, "product_name": "Gift wrap"},
    )
    deliver(
        2,
        {
            "order_id": "A",
            "sale_date": FIRST,
            "sold_at": f"{FIRST} 08:30+00",
            "quantity_thousandths": 3000,
            "gross_cents": 3000,
            "discount_cents": -300,
            "customer_id": "c1",
            "order_status": "completed",
        },
    )
    deliver(
        3,
        {
            "order_id": "A",
            "sale_date": THIRD,
            "sold_at": f"{THIRD} 10:00+00",
            "line_type": "return",
            "quantity_thousandths": -1000,
            "gross_cents": -1000,
            "discount_cents": 100,
            "customer_id": "c1",
        },
        mode="events",
    )
    deliver(4, {"order_id": "A", "sale_date": FIRST, "gross_cents": 99_999}, status="held")


def rows(warehouse: Warehouse, statement: str) -> list[tuple[Any, ...]]:
    with warehouse.connect("owner") as conn:
        return conn.execute(statement).fetchall()


def fingerprints(warehouse: Warehouse) -> dict[str, Any]:
    """Of every table of core and of the marts."""
    tables = rows(
        warehouse, "select schemaname, tablename from pg_tables where schemaname = any('{core,marts_next}')"
    )
    assert tables
    return {
        table: rows(
            warehouse, f"select md5(string_agg(t::text, '|' order by t::text)) from {schema}.{table} as t"
        )
        for schema, table in tables
    }


@pytest.mark.usefixtures("a_small_shop")
def test_marts_hold_what_was_worked_out_by_hand_and_a_rerun_changes_nothing(
    warehouse: Warehouse, dbt: Callable[..., Any]
) -> None:
    outcome = dbt("build")  # with every unit test: what a person's run leaves out, because it judges the SQL
    assert outcome.success, outcome.messages

    assert rows(
        warehouse,
        """
        select sale_date::text, orders, units::float, customers, guest_orders, gross_sales_cents,
            returns_cents, discounts_cents, net_sales_cents, average_order_value_cents
        from marts_next.daily_sales order by sale_date
        """,
    ) == [
        (FIRST, 2, 4.0, 1, 1, 4000, 0, -300, 3700, 1850),
        (SECOND, 1, 1.0, 0, 1, 250, 0, 0, 250, 250),
        (THIRD, 0, 0.0, 0, 0, 0, -900, 0, -900, None),
    ]
    assert rows(
        warehouse,
        """
        select sale_date::text, sale_hour, orders, net_sales_cents
        from marts_next.hourly_sales order by sale_date, sale_hour
        """,
    ) == [(FIRST, 9, 1, 2700), (FIRST, None, 1, 1000), (SECOND, None, 1, 250), (THIRD, 11, 0, -900)]
    assert rows(
        warehouse,
        """
        select product_id, product_name, orders, units::float, units_returned::float, net_sales_cents,
            gross_profit_cents, first_sale_date::text, last_sale_date::text
        from marts_next.product_performance order by product_id
        """,
    ) == [
        ("P1", "Mug, red", 2, 4.0, 1.0, 2800, None, FIRST, FIRST),
        (None, "Gift wrap", 1, 1.0, 0.0, 250, None, SECOND, SECOND),
    ]
    assert rows(
        warehouse,
        """
        select customer_id, segment, order_count, spent_cents, average_order_value_cents,
            first_order_date::text
        from marts_next.customer_segments
        """,
    ) == [("c1", "New", 1, 1800, 2700, FIRST)]
    # every current line is in the fact, the pending one too; the replaced and the held ones are not
    assert rows(
        warehouse,
        "select counts_as_revenue, count(*), sum(net_cents) from core.fct_order_lines group by 1 order by 1",
    ) == [(False, 1, 500), (True, 4, 3050)]

    before = fingerprints(warehouse)
    assert dbt("build", "--exclude-resource-type", "unit_test").success
    assert fingerprints(warehouse) == before


def test_marts_have_a_grain_key_that_publication_can_find_and_tables_the_checks_of_their_contracts(
    warehouse: Warehouse, dbt: Callable[..., Any], deliver: Callable[..., int], manifest: Any
) -> None:
    deliver(1, {"sale_date": FIRST, "gross_cents": 100})
    assert dbt("run").success
    keys = rows(
        warehouse,
        """
        select c.relname, array_agg(a.attname::text order by k.position)
        from pg_class as c
        inner join pg_namespace as n on c.relnamespace = n.oid and n.nspname = 'marts_next'
        inner join pg_index as i
            on c.oid = i.indrelid and i.indisunique and (i.indisprimary or i.indnullsnotdistinct)
        cross join lateral unnest(i.indkey) with ordinality as k (attnum, position)
        inner join pg_attribute as a on c.oid = a.attrelid and k.attnum = a.attnum
        where c.relkind = 'r'
        group by c.relname, i.indexrelid
        """,
    )
    found = dict(keys)
    assert found["daily_sales"] == ["sale_date"]
    assert found["hourly_sales"] == ["sale_date", "sale_hour"]
    marts = [
        node.name
        for node in manifest.nodes.values()
        if node.resource_type == "model" and node.schema == "marts_next"
    ]
    assert sorted(set(marts) - set(found)) == []

    declared = {
        (node.schema, node.name, constraint.name)
        for node in manifest.nodes.values()
        if node.resource_type == "model"
        for constraint in node.constraints
        if constraint.type == "check"
    }
    query = """
        select t.relnamespace::regnamespace::text, t.relname, c.conname
        from pg_constraint as c inner join pg_class as t on c.conrelid = t.oid
        where c.contype = 'c' and c.convalidated
    """
    assert len(declared) > 100 and declared - set(rows(warehouse, query)) == set()
    with (
        warehouse.connect("transformer") as conn,
        pytest.raises(psycopg.errors.CheckViolation, match="net_is_gross_plus_discounts_plus_returns"),
    ):
        conn.execute("update marts_next.daily_sales set net_sales_cents = net_sales_cents + 1")


def test_the_calendar_has_no_gap_and_covers_whole_years(
    warehouse: Warehouse, dbt: Callable[..., Any], deliver: Callable[..., int]
) -> None:
    deliver(1, {"sale_date": "2024-02-29", "gross_cents": 100}, {"sale_date": FIRST, "gross_cents": 100})
    assert dbt("run", "--select", "+dim_dates").success
    assert rows(
        warehouse, "select min(date_day)::text, max(date_day)::text, count(*) from core.dim_dates"
    ) == [("2024-01-01", "2026-12-31", 366 + 365 + 365)]
