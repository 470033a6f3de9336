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


def begin_after_publication(warehouse: Warehouse) -> int:
    """Publish the newest build, as publication does, and open the next."""
    one(
        warehouse,
        "with published as (update ops.builds set status = 'published' where status = 'open' returning 1)"
        " select count(*) from published",
    )
    return int(one(warehouse, "select ops.open_build('test')"))


@pytest.mark.usefixtures("a_delivery")
def test_a_model_is_whole_when_it_or_what_it_reads_is_defined_anew(
    warehouse: Warehouse, dbt: Callable[..., Any]
) -> None:
    def new() -> set[str]:
        with warehouse.connect("owner") as conn:
            rows = conn.execute(
                "select model from ops.model_builds"
                " where is_whole and build_id = (select max(build_id) from ops.builds)"
            ).fetchall()
        return {name for (name,) in rows}

    views = ("run", "--select", "stg_build", "stg_build_loads", "stg_sales_lines")
    assert dbt(*views, build_id=one(warehouse, "select ops.open_build('test')")).success
    assert new() == {"stg_build", "stg_build_loads", "stg_sales_lines"}
    assert one(warehouse, "select whole_because from ops.builds") == "nothing was published yet"

    build = begin_after_publication(warehouse)
    assert dbt(*views, build_id=build).success
    assert new() == set()

    one(
        warehouse,
        "update ops.model_builds set checksum = 'other' where model = 'stg_build_loads' returning 1",
    )
    parent_alone = begin_after_publication(warehouse)
    assert dbt("run", "--select", "stg_build_loads", build_id=parent_alone).success
    assert new() == {"stg_build_loads"}
    # what reads it follows, though only a later build makes it
    assert dbt(*views, build_id=one(warehouse, "select ops.open_build('test')")).success
    assert new() == {"stg_sales_lines"}


def test_a_build_is_whole_where_slices_would_not_pay_and_says_why(
    warehouse: Warehouse, deliver: Callable[..., int]
) -> None:
    def opened() -> tuple[Any, ...]:
        build = begin_after_publication(warehouse)
        with warehouse.connect("owner") as conn:
            row = conn.execute(
                "select is_whole, whole_because, touched_orders, touched_days from ops.builds"
                " where build_id = %s",
                [build],
            ).fetchone()
            conn.execute("insert into ops.model_builds (build_id, model) values (%s, 'some')", [build])
        assert row is not None
        return tuple(row)

    deliver(1, {"sale_date": DAY, "gross_cents": 100, "order_id": "A"})
    assert opened() == (True, "nothing was published yet", None, None)
    assert opened() == (False, None, 0, 0)
    deliver(
        2,
        {"sale_date": "2026-06-02", "gross_cents": 100, "order_id": "A"},
        {"sale_date": DAY, "gross_cents": 5},
    )
    assert opened() == (False, None, 2, 2)
    days = [
        {"sale_date": f"2025-{month:02}-{day:02}", "gross_cents": 1}
        for month in range(1, 13)
        for day in range(1, 29)
    ]
    more = [{"sale_date": f"2024-01-{day:02}", "gross_cents": 1} for day in range(1, 32)]
    older = [{"sale_date": f"2024-03-{day:02}", "gross_cents": 1} for day in range(1, 32)]
    last = [{"sale_date": f"2024-05-{day:02}", "gross_cents": 1} for day in range(1, 4)]
    deliver(3, *days, *more, *older, *last)
    assert opened() == (True, "more than 400 days are touched", None, None)
    assert one(warehouse, "select ops.open_build('test', null, true)") is not None
    assert one(warehouse, "select whole_because from ops.builds order by build_id desc") == (
        "a full refresh was asked for"
    )
    with warehouse.connect("owner") as conn:
        conn.execute("update ops.builds set status = 'failed' where status = 'open'")
        conn.execute(
            "insert into ops.model_builds (build_id, model) select max(build_id), 'x' from ops.builds"
        )
    assert one(warehouse, "select ops.open_build('test')") is not None
    assert one(warehouse, "select whole_because from ops.builds order by build_id desc") == (
        "a whole build was begun and never published"
    )


def verdicts(warehouse: Warehouse) -> dict[str, bool]:
    with warehouse.connect("owner") as conn:
        return dict(
            conn.execute(
                "select split_part(name, '.', 3), passed from ops.audit_results where kind = 'dbt'"
            ).fetchall()
        )


def names_reached_by(start: str, manifest: Any) -> set[str]:
    """The tests that read the node `start`, or anything made of it."""
    reached = {start}
    while more := {
        key
        for key, node in manifest.nodes.items()
        if key not in reached and reached & set(node.depends_on.nodes)
    }:
        reached |= more
    return {manifest.nodes[key].name for key in reached if manifest.nodes[key].resource_type == "test"}


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
    # what sales do not reach (counts of stock, say) is judged all the same
    reached = names_reached_by("model.shopx.stg_sales_lines", manifest)
    assert [name for name, passed in recorded.items() if passed and name in reached] == []
    assert len(reached) > 30


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
