"""Stepping back: the figures of before under a new id, nothing published meanwhile, then on."""

from __future__ import annotations

from datetime import date

import pytest

from publication.audit import AuditResult, audit
from publication.driver import drive
from publication.publish import publish
from publication.stepping_back import open_pause, resume, step_back
from publication.verify import verify
from warehouse.errors import ShopxError


@pytest.fixture(autouse=True)
def without_expectations(monkeypatch):
    """The suites are proven in test_audit.py; here they would only cost a second in each test."""
    passed = AuditResult("expectation", "left out", None, None, True, None)
    monkeypatch.setattr("publication.audit._expectations", lambda *_, **__: [passed])


def run_once(shop, **options):
    with drive(shop.warehouse, wait_s=5) as driver:
        build = shop.build(driver)
        report = audit(shop.warehouse, build, manifest=shop.manifest)
        return publish(shop.warehouse, build, report, **options)


def all_rows(shop, schema="marts"):
    return {
        mart: shop.ask(f"select * from {schema}.{mart} order by 1, 2")
        for mart in ("daily_sales", "hourly_sales", "product_performance", "customer_segments")
    }


@pytest.fixture
def twice(open_shop):
    """Two publications, the second one with a delivery that should not be there."""
    run_once(open_shop)
    open_shop.before = all_rows(open_shop)
    open_shop.deliver([open_shop.line("BAD", date(2026, 3, 2), 99_900)])
    run_once(open_shop)
    return open_shop


def test_readers_see_what_was_there_before_under_a_new_id_and_everybody_is_told(twice):
    pause = step_back(twice.warehouse, by="ann", why="till 3 counted twice")
    assert (pause.stepped_back_from, pause.figures_of, pause.publication_id) == (2, 1, 3)
    assert all_rows(twice) == twice.before
    assert twice.ask("select publication_id, loads from marts.publication", role="reader") == [(3, 1)]
    assert twice.ask("select why, figures_of from ops.publication_pause", role="reader") == [
        ("till 3 counted twice", 1)
    ]
    assert twice.ask("select kind, build_id from ops.publications where publication_id = 3") == [
        ("rollback", 1)
    ]
    assert twice.ask("select load_id from ops.publication_loads where publication_id = 3") == [(1,)]
    assert twice.ask("select kind, message from ops.alerts where resolved_at is null") == [
        ("paused", pause.sentence())
    ]
    assert "./shopx publish --resume" in pause.sentence()
    assert [finding for finding in verify(twice.warehouse) if not finding.passed] == []


def test_nothing_is_published_until_it_is_resumed_and_then_what_waits_is(twice):
    step_back(twice.warehouse, by="ann", why="wrong")
    with pytest.raises(ShopxError, match=r"Publication is paused since .* by ann: wrong.*--resume"):
        run_once(twice)
    assert all_rows(twice) == twice.before
    twice.change("update raw.loads set status = 'withdrawn' where load_id = 2")
    twice.change("insert into ops.changes (load_id, kind, changed_by) values (2, 'withdraw', 'ann')")
    resume(twice.warehouse, by="ann")
    with drive(twice.warehouse, wait_s=5) as driver:
        assert driver.pending_changes() == 2  # the withdrawal, and the publication that was taken back
    done = run_once(twice)
    assert (done.publication_id, done.loads, done.rows_deleted, done.rows_inserted) == (4, 1, 0, 0)
    assert all_rows(twice) == twice.before
    with twice.warehouse.connect("owner") as connection:
        assert open_pause(connection) is None
    assert twice.ask("select count(*) from ops.alerts where resolved_at is null") == [(0,)]
    assert twice.ask("select resumed_by from ops.pauses") == [("ann",)]


def test_without_anything_put_right_going_on_publishes_the_same_again(twice):
    newest = all_rows(twice)
    step_back(twice.warehouse, by="ann", why="to look")
    resume(twice.warehouse, by="ann")
    with drive(twice.warehouse, wait_s=5) as driver:
        assert driver.pending_changes() == 1
    run_once(twice)
    assert all_rows(twice) == newest


def test_one_step_back_is_all_there_is(open_shop):
    with pytest.raises(ShopxError, match="nothing to go back to"):
        step_back(open_shop.warehouse, by="ann", why="?")
    run_once(open_shop)
    with pytest.raises(ShopxError, match="nothing to go back to"):
        step_back(open_shop.warehouse, by="ann", why="?")
    with pytest.raises(ShopxError, match="not paused"):
        resume(open_shop.warehouse, by="ann")
    run_once(open_shop)
    step_back(open_shop.warehouse, by="ann", why="?")
    with pytest.raises(ShopxError, match="was done already"):
        step_back(open_shop.warehouse, by="ann", why="?")
    resume(open_shop.warehouse, by="ann")
    with pytest.raises(ShopxError, match="is a step back itself"):
        step_back(open_shop.warehouse, by="ann", why="?")


def test_what_came_with_the_publication_taken_back_stays_and_is_empty(open_shop):
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
    run_once(open_shop)
    open_shop.change("create view public.mine as select line_count from marts.product_performance")
    step_back(open_shop.warehouse, by="ann", why="?")
    assert open_shop.ask("select count(*) from marts.brand_performance", role="reader") == [(0,)]
    assert open_shop.ask("select distinct line_count from public.mine") == [(None,)]
    resume(open_shop.warehouse, by="ann")
    run_once(open_shop)
    assert open_shop.ask("select line_count from public.mine order by 1") == [(1,), (3,)]
    assert open_shop.ask("select count(*) from marts.brand_performance", role="reader") == [(1,)]


def test_what_a_breaking_publication_took_away_comes_back_and_foreign_grants_stay(open_shop, server):
    run_once(open_shop)
    segments = open_shop.ask("select * from marts.customer_segments order by 1")
    with server.connect_as_superuser() as admin:
        admin.execute("do $$ begin create role t_metabase; exception when duplicate_object then null; end $$")
    open_shop.change("grant select on marts.customer_segments to t_metabase")
    open_shop.extra_marts["customer_segments"] = """
        create table marts_next.customer_segments as
        select customer_key, 'New'::text as segment
        from core.fct_order_lines where customer_key is not null group by 1;
        alter table marts_next.customer_segments add primary key (customer_key)"""
    may_read = "select has_table_privilege('t_metabase', 'marts.customer_segments', 'select')"
    run_once(open_shop, allow_breaking=True)
    assert open_shop.ask(may_read) == [(True,)]
    step_back(open_shop.warehouse, by="ann", why="?")
    assert open_shop.ask("select * from marts.customer_segments order by 1", role="reader") == segments
    assert open_shop.ask(may_read) == [(True,)]
    open_shop.change("revoke all on marts.customer_segments from t_metabase")
