"""The audit: every planted fault is caught by name, and says how to look at it."""

from __future__ import annotations

import pytest

from publication.audit import audit
from publication.driver import drive
from warehouse.errors import ShopxError


def audited(shop, *damage, role="owner"):
    with drive(shop.warehouse, wait_s=5) as driver:
        build = shop.build(driver)
        for statement in damage:
            shop.change(statement, role=role)
        return audit(shop.warehouse, build, manifest=shop.manifest)


def test_a_sound_build_passes_and_every_result_is_kept(open_shop):
    report = audited(open_shop)
    assert report.failures == []
    assert report.passed
    kinds = dict(open_shop.ask("select kind, count(*) from ops.audit_results where passed group by 1"))
    assert kinds["dbt"] == 2
    assert kinds["reconciliation"] == 9
    assert kinds["expectation"] > 20
    assert open_shop.ask("select count(*) from ops.audit_results where not passed") == [(0,)]
    assert open_shop.ask(
        "select expected_cents, actual_cents from ops.reconciliation "
        "where identity = 'raw = fact' order by scope"
    ) == [(2200, 2200), (2200, 2200)]


FAULTS = {
    "a doubled line": (
        "alter table core.fct_order_lines drop constraint fct_order_lines_pkey; "
        "insert into core.fct_order_lines select * from core.fct_order_lines where order_id = 'B'",
        ["disagree by +500 cents for day 2026-03-02", "repeated_lines"],
    ),
    "a lost line": (
        "delete from core.fct_order_lines where order_id = 'B'",
        ["disagree by -500 cents for day 2026-03-02", "disagree by -1 lines"],
    ),
    "a cent moved between days": (
        "update core.fct_order_lines set net_cents = net_cents + 1, gross_cents = gross_cents + 1 "
        "where order_id = 'B'; "
        "update core.fct_order_lines set net_cents = net_cents - 1, gross_cents = gross_cents - 1 "
        "where order_id = 'D'",
        ["disagree by +1 cents for day 2026-03-02", "and 1 more places"],
    ),
    "a mart row changed": (
        "update marts_next.daily_sales set net_sales_cents = 1 where sale_date = '2026-03-02'",
        ["marts_next.daily_sales (net) disagree by -499 cents for day 2026-03-02: 500 against 1"],
    ),
    "a positive return in a mart": (
        "update marts_next.daily_sales set returns_cents = 5 where sale_date = '2026-03-02'",
        ["marts_next.daily_sales.returns_cents breaks", "max_value 0"],
    ),
    "an emptied mart": (
        "truncate marts_next.hourly_sales",
        ["marts_next.hourly_sales breaks expect_table_row_count", "found 0"],
    ),
    "a quantity that is no number": (
        "update core.fct_order_lines set quantity = 'NaN' where order_id = 'B'",
        ["quantities_not_a_number"],
    ),
    "a number in a mart that is none": (
        "update marts_next.daily_sales set units = 'NaN' where sale_date = '2026-03-02'",
        ["marts_next.daily_sales.units holds 1 values that are no number"],
    ),
    "an unknown segment": (
        "update marts_next.customer_segments set segment = 'Gold'",
        ["segment breaks expect_column_values_to_be_in_set", "Gold"],
    ),
    "a stored row lost": (
        "delete from raw.sales_lines where order_id = 'B'",
        ["Load 1 delivered 5 rows, but 4 accepted", "the ledger and the stored rows disagree"],
    ),
    "a mart without its grain key": (
        "alter table marts_next.daily_sales drop constraint daily_sales_pkey",
        ["marts_next.daily_sales has no grain key"],
    ),
    "a mart that is missing": (
        "drop table marts_next.customer_segments",
        ["marts_next.customer_segments does not exist"],
    ),
    "a model that was not made": (
        "delete from ops.model_builds where model = 'hourly_sales'",
        ["Model hourly_sales was not made by build 1"],
    ),
    "a test that did not run": (
        "delete from ops.audit_results where name like '%not_null_daily%'",
        ["dbt test not_null_daily_sales did not run in build 1"],
    ),
    "a test that failed": (
        "insert into ops.audit_results (build_id, kind, name, observed, passed, message) values "
        "(1, 'dbt', 'test.shopx.unique_daily_sales.a1', '3', false, 'Got 3 results')",
        ["dbt test unique_daily_sales failed: Got 3 results", "./shopx dbt show --select unique_daily_sales"],
    ),
    "a column the suite needs is gone": (
        "alter table marts_next.product_performance rename column product_key to product",
        ["product_key"],
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_planted_fault_is_caught_by_name(open_shop, fault):
    damage, said = FAULTS[fault]
    report = audited(open_shop, damage)
    assert not report.passed
    told = "\n".join(report.failures)
    for words in said:
        assert words in told
    assert open_shop.ask("select status from ops.builds") == [("failed",)]
    assert open_shop.ask("select kind, subject from ops.alerts") == [
        ("audit", "the newest build was not published")
    ]


def test_the_same_failure_again_renews_its_alert_and_raises_no_second(open_shop):
    for _ in range(2):
        with drive(open_shop.warehouse, wait_s=5) as driver:
            build = open_shop.build(driver)
            open_shop.change("delete from core.fct_order_lines")
            audit(open_shop.warehouse, build, manifest=open_shop.manifest)
    [(message,)] = open_shop.ask("select message from ops.alerts")
    assert message.startswith("Build 2 failed its audit.")
    assert "./shopx" in message


def test_a_test_that_only_warns_forbids_nothing(open_shop):
    with drive(open_shop.warehouse, wait_s=5) as driver:
        build = open_shop.build(driver)
        open_shop.manifest.write_text(open_shop.manifest.read_text().replace('"ERROR"', '"warn"', 1))
        open_shop.change(
            "update ops.audit_results set passed = false where name = 'test.shopx.unique_daily_sales.a1'"
        )
        report = audit(open_shop.warehouse, build, manifest=open_shop.manifest)
    assert report.failures == []


def test_an_audit_of_nothing_is_refused(open_shop):
    with drive(open_shop.warehouse, wait_s=5) as driver:
        build = open_shop.build(driver)
        open_shop.manifest.write_text('{"nodes": {}}')
        with pytest.raises(ShopxError, match="declares no mart"):
            audit(open_shop.warehouse, build, manifest=open_shop.manifest)


def test_a_finished_build_cannot_be_audited_again(open_shop):
    with drive(open_shop.warehouse, wait_s=5) as driver:
        build = open_shop.build(driver)
        driver.fail(build)
        with pytest.raises(ShopxError, match="is failed already"):
            audit(open_shop.warehouse, build, manifest=open_shop.manifest)


def test_auditing_twice_keeps_one_set_of_results(open_shop):
    with drive(open_shop.warehouse, wait_s=5) as driver:
        build = open_shop.build(driver)
        audit(open_shop.warehouse, build, manifest=open_shop.manifest)
        before = open_shop.ask("select count(*) from ops.audit_results")
        audit(open_shop.warehouse, build, manifest=open_shop.manifest)
        assert open_shop.ask("select count(*) from ops.audit_results") == before


def test_great_expectations_leaves_no_connection_open(open_shop):
    audited(open_shop)
    with open_shop.warehouse.connect("owner") as connection:
        row = connection.execute(
            "select count(*) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()"
        ).fetchone()
    assert row == (0,)
