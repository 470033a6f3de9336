"""Publication: one transaction, one publication for every reader, nothing lost without being asked."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date

import psycopg
import pytest

from publication.audit import audit
from publication.driver import drive
from publication.publish import Publication, publish
from warehouse.errors import ShopxError


def run_once(shop, **options) -> Publication:
    with drive(shop.warehouse, wait_s=5) as driver:
        build = shop.build(driver)
        report = audit(shop.warehouse, build, manifest=shop.manifest)
        assert report.failures == []
        return publish(shop.warehouse, build, report, **options)


def marts(shop, *, role="reader"):
    return shop.ask("select sale_date::text, net_sales_cents from marts.daily_sales order by 1", role=role)


FIRST = [("2026-03-01", 1200), ("2026-03-02", 500), ("2026-03-03", -200)]


def test_first_publication_is_readable_and_written_down(open_shop):
    done = run_once(open_shop)
    assert marts(open_shop) == FIRST
    assert marts(open_shop, role="analyst") == FIRST
    assert (done.loads, done.held_loads, done.rows_deleted) == (1, 0, 0)
    assert done.rows_inserted == 3 + 3 + 2 + 1
    assert done.headline.net_sales_cents == 1500
    assert done.headline.orders == 2
    assert open_shop.ask("select publication_id, as_of, loads from marts.publication", role="reader") == [
        (done.publication_id, date(2026, 3, 3), 1)
    ]
    assert open_shop.ask("select load_id from ops.publication_loads") == [(1,)]
    assert open_shop.ask("select status, publication_id from ops.builds") == [
        ("published", done.publication_id)
    ]
    with drive(open_shop.warehouse, wait_s=5) as driver:
        assert driver.pending_changes() == 0


def test_publishing_again_changes_no_row(open_shop):
    run_once(open_shop)
    before = open_shop.ask("select ctid, xmin, * from marts.daily_sales")
    again = run_once(open_shop)
    assert (again.rows_deleted, again.rows_inserted) == (0, 0)
    assert open_shop.ask("select ctid, xmin, * from marts.daily_sales") == before


def test_only_rows_that_differ_are_touched_and_previous_keeps_what_was(open_shop):
    run_once(open_shop)
    open_shop.deliver([open_shop.line("E", date(2026, 3, 2), 50)])
    done = run_once(open_shop)
    # one day, one hour, one product and one customer change: each row is deleted and inserted
    assert (done.rows_deleted, done.rows_inserted) == (4, 4)
    assert marts(open_shop)[1] == ("2026-03-02", 550)
    assert (
        open_shop.ask("select sale_date::text, net_sales_cents from marts_previous.daily_sales order by 1")
        == FIRST
    )
    assert open_shop.ask("select publication_id from marts_previous.publication") == [
        (done.publication_id - 1,)
    ]


def test_a_failed_audit_leaves_the_marts_and_fails_the_build(open_shop):
    run_once(open_shop)
    open_shop.deliver([open_shop.line("E", date(2026, 3, 4), 50)])
    with drive(open_shop.warehouse, wait_s=5) as driver:
        build = open_shop.build(driver)
        open_shop.change("update marts_next.daily_sales set net_sales_cents = net_sales_cents + 1")
        report = audit(open_shop.warehouse, build, manifest=open_shop.manifest)
        assert not report.passed
        with pytest.raises(ShopxError, match="audit failed"):
            publish(open_shop.warehouse, build, report)
        # even a report that claims success does not help: the database knows
        with pytest.raises(ShopxError, match="is failed"):
            publish(open_shop.warehouse, build, replace(report, passed=True))
        assert driver.pending_changes() == 1
    assert marts(open_shop) == FIRST
    assert open_shop.ask("select status from ops.builds order by build_id") == [("published",), ("failed",)]
    assert open_shop.ask("select kind, resolved_at from ops.alerts") == [("audit", None)]
    run_once(open_shop)
    assert open_shop.ask("select count(*) from ops.alerts where resolved_at is null") == [(0,)]


def test_a_build_without_every_model_or_test_is_refused_whatever_the_report_says(open_shop):
    with drive(open_shop.warehouse, wait_s=5) as driver:
        build = open_shop.build(driver)
        report = audit(open_shop.warehouse, build, manifest=open_shop.manifest)
        open_shop.change("delete from ops.model_builds where model = 'daily_sales'")
        with pytest.raises(ShopxError, match="Model daily_sales was not made by build 1"):
            publish(open_shop.warehouse, build, report)
        open_shop.change("insert into ops.model_builds (build_id, model) values (1, 'daily_sales')")
        open_shop.change("delete from ops.audit_results where name like '%unique_daily%'")
        with pytest.raises(ShopxError, match="unique_daily_sales did not run"):
            publish(open_shop.warehouse, build, report)
    assert open_shop.ask("select count(*) from ops.publications") == [(0,)]


def test_without_the_drivers_lock_nothing_is_published(open_shop):
    with drive(open_shop.warehouse, wait_s=5) as driver:
        build = open_shop.build(driver)
        report = audit(open_shop.warehouse, build, manifest=open_shop.manifest)
        with pytest.raises(ShopxError, match="does not hold the driver's lock"):
            publish(open_shop.warehouse, replace(build, driver_pid=-1), report)


def test_a_repeatable_read_reader_sees_the_old_marts_whole(open_shop):
    first = run_once(open_shop)
    with open_shop.warehouse.connect("reader") as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        look = (
            "select (select publication_id from marts.publication), "
            "(select sum(net_sales_cents)::bigint from marts.daily_sales), "
            "(select sum(net_sales_cents)::bigint from marts.product_performance)"
        )
        assert reader.execute(look).fetchone() == (first.publication_id, 1500, 1500)
        open_shop.deliver([open_shop.line("E", date(2026, 3, 2), 50)])
        second = run_once(open_shop)
        assert reader.execute(look).fetchone() == (first.publication_id, 1500, 1500)
        reader.rollback()
        assert reader.execute(look).fetchone() == (second.publication_id, 1550, 1550)


def test_a_connection_killed_in_mid_publication_leaves_the_old_one(open_shop):
    first = run_once(open_shop)
    open_shop.deliver([open_shop.line("E", date(2026, 3, 2), 50)])
    with (
        drive(open_shop.warehouse, wait_s=5) as driver,
        open_shop.warehouse.connect("owner") as blocker,
        open_shop.warehouse.connect("owner", autocommit=True) as killer,
    ):
        build = open_shop.build(driver)
        report = audit(open_shop.warehouse, build, manifest=open_shop.manifest)
        # the last mart in order is locked, so the others are already changed when the connection dies
        blocker.execute("lock table marts.product_performance in share mode")
        problems: list[BaseException] = []

        def publishing() -> None:
            try:
                publish(open_shop.warehouse, build, report)
            except BaseException as problem:
                problems.append(problem)

        thread = threading.Thread(target=publishing)
        thread.start()
        killed = False
        for _ in range(10_000):
            row = killer.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where application_name = 'shopx publish' and wait_event_type = 'Lock' "
                "and query like 'delete from%product_performance%'"
            ).fetchone()
            if row:
                killed = bool(row[0])
                break
        thread.join(timeout=30)
        assert killed
        assert not thread.is_alive()
        blocker.rollback()
        assert isinstance(problems[0], ShopxError)
        assert "Readers still see the publication before" in problems[0].message
        assert marts(open_shop) == FIRST
        assert open_shop.ask("select publication_id from marts.publication") == [(first.publication_id,)]
        # nothing to repair: the same build can be published now
        assert publish(open_shop.warehouse, build, report).publication_id > first.publication_id
    assert marts(open_shop)[1] == ("2026-03-02", 550)


def test_a_locked_mart_is_retried_and_then_refused_with_a_sentence(open_shop, monkeypatch):
    run_once(open_shop)
    monkeypatch.setattr("publication.schema_changes.LOCK_TIMEOUT", "50ms")
    monkeypatch.setattr("publication.schema_changes.ATTEMPTS", 2)
    with open_shop.warehouse.connect("owner") as blocker:
        blocker.execute("lock table marts.daily_sales in share mode")
        open_shop.deliver([open_shop.line("E", date(2026, 3, 2), 50)])
        with pytest.raises(ShopxError, match="kept a mart locked"):
            run_once(open_shop)
    assert marts(open_shop) == FIRST


def test_a_new_mart_and_a_new_column_come_with_their_grants(open_shop):
    run_once(open_shop)
    open_shop.extra_marts["brand_performance"] = """
        create table marts_next.brand_performance as
        select 'all'::text as category, sum(net_cents)::bigint as net_sales_cents from core.fct_order_lines;
        alter table marts_next.brand_performance add primary key (category)"""
    open_shop.extra_marts["product_performance"] = """
        create table marts_next.product_performance as
        select product_key, sum(net_cents)::bigint as net_sales_cents, count(*) as line_count
        from core.fct_order_lines where counts_as_revenue group by 1;
        alter table marts_next.product_performance add primary key (product_key)"""
    open_shop.change("create view public.mine as select * from marts.product_performance")
    run_once(open_shop)
    assert open_shop.ask("select category from marts.brand_performance", role="reader") == [("all",)]
    assert open_shop.ask(
        "select product_key, line_count from marts.product_performance order by 1", role="reader"
    ) == [("cup", 1), ("tea", 3)]
    assert open_shop.ask("select count(*) from public.mine") == [(2,)]
    run_once(open_shop)
    assert open_shop.ask("select count(*) from marts_previous.brand_performance") == [(1,)]


def test_taking_a_column_away_needs_to_be_meant(open_shop):
    run_once(open_shop)
    open_shop.extra_marts["customer_segments"] = """
        create table marts_next.customer_segments as
        select customer_key, 'New'::text as segment
        from core.fct_order_lines where customer_key is not null group by 1;
        alter table marts_next.customer_segments add primary key (customer_key)"""
    with pytest.raises(ShopxError, match=r"column marts.customer_segments.net_sales_cents would vanish"):
        run_once(open_shop)
    assert open_shop.ask("select net_sales_cents from marts.customer_segments", role="reader") == [(1000,)]
    run_once(open_shop, allow_breaking=True)
    assert open_shop.ask("select * from marts.customer_segments", role="reader") == [("ann", "New")]
    assert open_shop.ask("select net_sales_cents from marts_previous.customer_segments") == [(1000,)]


def test_a_lost_grant_heals(open_shop):
    run_once(open_shop)
    open_shop.change("revoke select on marts.daily_sales from shopx_reader")
    run_once(open_shop)
    assert marts(open_shop) == FIRST


def test_an_emptier_world_is_refused_unless_somebody_asked_for_it(open_shop):
    open_shop.deliver([open_shop.line(f"X{n}", date(2026, 4, n), 100) for n in range(1, 21)])
    run_once(open_shop)
    open_shop.change("update raw.loads set status = 'withdrawn' where load_id = 2")
    with pytest.raises(ShopxError, match=r"shrink from 23 to 3 rows.*shopx run --allow-shrink"):
        run_once(open_shop)
    open_shop.change("insert into ops.changes (load_id, kind, changed_by) values (2, 'withdraw', 'ann')")
    run_once(open_shop)
    assert marts(open_shop) == FIRST


def test_an_emptier_world_is_published_where_it_is_allowed_for_once(open_shop):
    open_shop.deliver([open_shop.line(f"X{n}", date(2026, 4, n), 100) for n in range(1, 21)])
    run_once(open_shop)
    open_shop.change("update raw.loads set status = 'withdrawn' where load_id = 2")
    run_once(open_shop, allow_shrink=True)
    assert marts(open_shop) == FIRST


def test_marts_of_a_stretch_of_days_may_lose_most_of_their_rows(open_shop):
    open_shop.deliver([open_shop.line(f"X{n}", date(2026, 4, n), 100) for n in range(1, 21)])
    run_once(open_shop)
    open_shop.change("update raw.loads set status = 'withdrawn' where load_id = 2")
    open_shop.windowed = frozenset({"daily_sales", "hourly_sales"})
    run_once(open_shop)
    assert marts(open_shop) == FIRST


def test_after_the_last_delivery_was_withdrawn_empty_marts_are_published_as_of_the_day_before(open_shop):
    first = run_once(open_shop)
    open_shop.change("update raw.loads set status = 'withdrawn'")
    open_shop.change("insert into ops.changes (load_id, kind, changed_by) values (1, 'withdraw', 'ann')")
    done = run_once(open_shop)
    assert (done.as_of, done.complete_through, done.loads) == (first.as_of, first.as_of, 0)
    assert done.headline.net_sales_cents == 0
    assert marts(open_shop) == []
    # without a withdrawal an empty build stays forbidden
    open_shop.deliver([open_shop.line("E", date(2026, 3, 4), 50)])
    with drive(open_shop.warehouse, wait_s=5) as driver:
        build = open_shop.build(driver)
        open_shop.change("delete from core.fct_order_lines")
        report = audit(open_shop.warehouse, build, manifest=open_shop.manifest)
    assert any("ExpectTableRowCount" in said or "row_count" in said for said in report.failures)
