"""How a dbt run takes part in a build: joins the driver's, opens its own, or is refused with a sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from warehouse.database import Warehouse

DAY = "2026-06-01"
SMALL = ("run", "--select", "stg_build", "dim_order_statuses")


def one(warehouse: Warehouse, statement: str) -> Any:
    with warehouse.connect("owner") as conn:
        row = conn.execute(statement).fetchone()
    return None if row is None else row[0]


@pytest.fixture
def a_delivery(deliver: Callable[..., int]) -> int:
    return deliver(1, {"sale_date": DAY, "gross_cents": 100})


def test_an_empty_warehouse_is_told_so(warehouse: Warehouse, dbt: Callable[..., Any]) -> None:
    outcome = dbt("build")
    assert not outcome.success
    assert "nothing to build: no approved load yet" in outcome.messages
    assert one(warehouse, "select count(*) from ops.model_builds") == 0


@pytest.mark.usefixtures("a_delivery")
def test_plain_dbt_is_refused_while_a_driver_builds(warehouse: Warehouse, dbt: Callable[..., Any]) -> None:
    with warehouse.connect("owner") as driver:
        driver.execute("select pg_advisory_lock(ops.driver_lock_key())")
        outcome = dbt(*SMALL)
    assert not outcome.success
    assert "another run is building this warehouse right now" in outcome.messages
    assert one(warehouse, "select count(*) from ops.builds") == 0
    assert one(warehouse, "select to_regclass('core.dim_order_statuses')") is None


@pytest.mark.usefixtures("a_delivery")
def test_plain_dbt_of_a_part_opens_a_build_that_nobody_publishes(
    warehouse: Warehouse, dbt: Callable[..., Any]
) -> None:
    assert dbt(*SMALL).success
    with warehouse.connect("owner") as conn:
        assert conn.execute(
            "select status, opened_by like 'dbt %', publication_id from ops.builds"
        ).fetchall() == [("open", True, None)]
        made = conn.execute("select model from ops.model_builds order by model").fetchall()
    assert made == [("dim_order_statuses",), ("stg_build",)]


@pytest.mark.usefixtures("a_delivery")
def test_a_drivers_build_is_joined_even_while_it_holds_the_lock(
    warehouse: Warehouse, dbt: Callable[..., Any]
) -> None:
    with warehouse.connect("owner", autocommit=True) as driver:
        driver.execute("select pg_advisory_lock(ops.driver_lock_key())")
        build_id = one(warehouse, "select ops.open_build('test')")
        assert dbt(*SMALL, build_id=build_id).success
    assert one(warehouse, "select array_agg(distinct build_id) from ops.model_builds") == [build_id]
    assert one(warehouse, "select count(*) from ops.builds") == 1


@pytest.mark.usefixtures("a_delivery")
def test_a_build_that_was_replaced_takes_no_more_models(
    warehouse: Warehouse, dbt: Callable[..., Any]
) -> None:
    old = one(warehouse, "select ops.open_build('first')")
    one(warehouse, "select ops.open_build('second')")
    outcome = dbt(*SMALL, build_id=old)
    assert not outcome.success
    assert f"build {old} is not open any more" in outcome.messages
    assert one(warehouse, "select to_regclass('core.dim_order_statuses')") is None


@pytest.mark.usefixtures("a_delivery")
def test_no_build_opens_while_a_model_is_being_written(warehouse: Warehouse) -> None:
    build_id = one(warehouse, "select ops.open_build('first')")
    with warehouse.connect("transformer") as model, warehouse.connect("owner") as other:
        model.execute("select ops.assert_build(%s)", [build_id])
        other.execute("set lock_timeout = '100ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            other.execute("select ops.open_build('second')")
        other.rollback()
        model.commit()
        other.execute("select ops.open_build('second')")


def verdicts(warehouse: Warehouse) -> dict[str, bool]:
    with warehouse.connect("owner") as conn:
        return dict(
            conn.execute(
                "select split_part(name, '.', 3), passed from ops.audit_results where kind = 'dbt'"
            ).fetchall()
        )


def test_a_failed_test_and_every_skipped_one_reach_the_database(
    warehouse: Warehouse, dbt: Callable[..., Any], deliver: Callable[..., int], manifest: Any
) -> None:
    deliver(1, {"sale_date": DAY, "gross_cents": 100})
    with warehouse.connect("owner") as conn:
        conn.execute("alter table raw.loads drop constraint loads_mode_check")
        conn.execute("update raw.loads set mode = 'guesses'")
    outcome = dbt("build", "--exclude", "resource_type:unit_test")
    assert not outcome.success
    # a delivery mode that the fold cannot do fails, and nothing that stands on it is made
    assert outcome.statuses["stg_sales_lines"] == "skipped"
    recorded = verdicts(warehouse)
    assert set(recorded) == {node.name for node in manifest.nodes.values() if node.resource_type == "test"}
    assert set(recorded.values()) == {False}


def test_an_unknown_order_status_counts_and_is_warned_about(
    warehouse: Warehouse, dbt: Callable[..., Any], deliver: Callable[..., int]
) -> None:
    deliver(1, {"sale_date": DAY, "gross_cents": 100, "order_status": "Teleported"})
    outcome = dbt(
        "build",
        "--select",
        "+fct_order_lines",
        "fct_order_lines_order_status_is_understood",
        "--indirect-selection",
        "empty",
    )
    assert outcome.success
    assert outcome.statuses["fct_order_lines_order_status_is_understood"] == "warn"
    assert verdicts(warehouse) == {"fct_order_lines_order_status_is_understood": True}
    assert one(warehouse, "select counts_as_revenue from core.fct_order_lines") is True
