"""verify: sound warehouses pass, and each kind of damage is named with the first thing that breaks."""

from __future__ import annotations

from datetime import date

import pytest

from publication.audit import AuditResult, audit
from publication.driver import drive
from publication.publish import publish
from publication.verify import verify


@pytest.fixture
def without_expectations(monkeypatch):
    """The suites are proven in test_audit.py; here they would only cost a second in each test."""
    passed = AuditResult("expectation", "left out", None, None, True, None)
    monkeypatch.setattr("publication.audit._expectations", lambda *_, **__: [passed])


def published(shop):
    with drive(shop.warehouse, wait_s=5) as driver:
        build = shop.build(driver)
        publish(shop.warehouse, build, audit(shop.warehouse, build, manifest=shop.manifest))
    return shop


def broken(shop):
    return [
        f"{finding.promise} {finding.message}" for finding in verify(shop.warehouse) if not finding.passed
    ]


def test_an_empty_warehouse_keeps_every_promise(shop):
    assert broken(shop) == []


def test_a_published_warehouse_keeps_every_promise(published_shop):
    assert broken(published_shop) == []
    assert {finding.promise for finding in verify(published_shop.warehouse)} >= {
        "I1",
        "I2",
        "I3",
        "I6",
        "I7",
        "I9",
        "I12",
    }


@pytest.mark.usefixtures("without_expectations")
def test_the_fold_of_corrections_is_recomputed(open_shop):
    open_shop.deliver([open_shop.line("A", date(2026, 3, 1), 900)], mode="orders")
    published(open_shop)
    assert broken(open_shop) == []
    # the old version of order A comes back to life
    open_shop.change(
        "insert into core.fct_order_lines "
        "select r.order_key, r.order_line_key, r.sale_date, r.order_id, r.load_id, "
        "'till', null, 'sale', null, true, 'tea', 'ann', 1, 1000, -100, 900 "
        "from raw.sales_lines as r where r.load_id = 1 and r.order_line_key % 10000000000 = 1",
        role="transformer",
    )
    assert any(
        said.startswith("I2 order A (load 1, line key 10000000001, 2026-03-01): raw says nothing cents")
        for said in broken(open_shop)
    )


DAMAGE = {
    "a stored row lost": (
        "delete from raw.sales_lines where order_id = 'B'",
        "I1 load 1 (1.csv) delivered 5 rows; stored are 4 accepted, 0 refused and 0 repeats",
    ),
    "a stored cent moved": (
        "update raw.sales_lines set net_cents = net_cents + 1 where order_id = 'B'",
        "I1 load 1 (1.csv): the ledger says 2,200 cents, its rows add up to 2,201",
    ),
    "a fact cent moved": (
        "update core.fct_order_lines set net_cents = net_cents + 1 where order_id = 'B'",
        "I2 order B (load 1, line key 10000000003, 2026-03-02): raw says 500 cents, the fact 501",
    ),
    "a lost fact line": ("delete from core.fct_order_lines where order_id = 'B'", "the fact nothing"),
    "a doubled fact line": (
        "alter table core.fct_order_lines drop constraint fct_order_lines_pkey; "
        "insert into core.fct_order_lines select * from core.fct_order_lines where order_id = 'B'",
        "I3 order B, line key 10000000003 (load 1) stands there 2 times",
    ),
    "a published row changed": (
        "update marts.daily_sales set net_sales_cents = 1 where sale_date = '2026-03-02'",
        "I2 2026-03-02: daily_sales says gross 500, discounts 0, returns 0, net 1 cents",
    ),
    "a published row changed where no sum shows it": (
        "update marts.customer_segments set segment = 'Premium'",
        "I6 marts.customer_segments is not what was audited, first at customer_key = ann",
    ),
    "an emptied mart": ("truncate marts.hourly_sales", "hourly_sales adds up to None cents"),
    "products changed": (
        "update marts.product_performance set net_sales_cents = 0",
        "I2 product_performance adds up to 0 cents, daily_sales to 1500",
    ),
    "a reconciliation removed": ("delete from ops.reconciliation", "I2 build 2: no sum at all"),
    "a publication forged": (
        "update marts.publication set publication_id = 99",
        "I6 marts.publication holds 99",
    ),
    "an unapproved row in the facts": (
        "delete from ops.build_loads",
        "I7 load 1 (1.csv, approved) has 5 rows in the facts",
    ),
    "an approval removed": ("delete from ops.changes", "I7 load 1 (1.csv) is in publication 2"),
    "a partition without a table": (
        "create table core_parts.fct_order_lines_202601_gone (x int)",
        "I9 core_parts.fct_order_lines_202601_gone is a partition of no table",
    ),
    "a stale temporary table": (
        "create table core.fct_orders__dbt_tmp (x int)",
        "I9 core.fct_orders__dbt_tmp is left over",
    ),
    "an open build without a driver": (
        "insert into ops.builds (opened_by, as_of) values ('gone', '2026-03-03')",
        "I9 build 3 of gone is open since",
    ),
    "a dropped grant": (
        "revoke select on marts.daily_sales from shopx_reader",
        "I12 shopx_reader may not read marts.daily_sales",
    ),
    "a grant too many": (
        "grant usage on schema raw to shopx_reader; grant select on raw.loads to shopx_reader",
        "I12 shopx_reader may select raw.loads",
    ),
    "a function too many": (
        "grant execute on function ops.open_build(text, date, boolean) to shopx_reader",
        "I12 shopx_reader may call ops.open_build",
    ),
    "an invalid index": (
        "update pg_index set indisvalid = false where indrelid = 'marts.hourly_sales'::regclass",
        "I9 index marts.",
    ),
    "a number that is none": (
        "update marts.daily_sales set units = 'NaN' where sale_date = '2026-03-02'",
        "I2 marts.daily_sales.units holds 1 values that are no number",
    ),
    "a cent moved from one line to another of its day": (
        "update core.fct_order_lines set gross_cents = gross_cents + sign, net_cents = net_cents + sign "
        "from (values ('cup', 1), ('tea', -1)) as moved (product, sign) "
        "where order_id = 'A' and product_key = product",
        "I2 order A (load 1, line key 10000000001, 2026-03-01): raw says 900 cents, the fact 899",
    ),
    "an expectation removed": (
        "delete from ops.audit_results where build_id = 2 and name like '%%daily_sales.returns_cents'",
        "I7 expectation expect_column_values_to_be_between marts_next.daily_sales.returns_cents judged build",
    ),
    "a dbt test removed": (
        "delete from ops.audit_results where build_id = 2 and name like '%%unique_daily_sales%%'",
        "I7 dbt test.shopx.unique_daily_sales.a1 judged build 1 and did not judge build 2",
    ),
    "a grain key dropped": (
        "alter table marts.daily_sales drop constraint daily_sales_pkey",
        "I3 marts.daily_sales has no valid grain key",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_each_planted_damage_is_named(damaged, server, damage):
    statement, said = DAMAGE[damage]
    if "pg_index" in statement:
        with server.connect_as_superuser(database=damaged.warehouse.address.database) as admin:
            admin.execute(statement)
    else:
        damaged.change(statement)
    assert any(said in line for line in broken(damaged)), broken(damaged)


@pytest.mark.parametrize(
    ("left", "gone"),
    [
        ("create table core.fct_orders__dbt_tmp (x int)", "core.fct_orders__dbt_tmp"),
        ("create view staging.stg_build__dbt_backup as select 1", "staging.stg_build__dbt_backup"),
        (
            "create table core_parts.fct_order_lines_202601_gone (x int)",
            "core_parts.fct_order_lines_202601_gone",
        ),
    ],
)
def test_leftovers_are_named_and_the_next_build_takes_them_away(damaged, left, gone):
    damaged.change(left, role="transformer")
    assert any(f"I9 {gone} is" in line for line in broken(damaged))
    with drive(damaged.warehouse, wait_s=5) as driver:
        driver.open_build(opened_by="test")
    assert broken(damaged) == []


def test_core_ahead_of_the_marts_is_told_and_is_no_fault(damaged):
    damaged.deliver([damaged.line("E", date(2026, 3, 4), 50)])
    with drive(damaged.warehouse, wait_s=5) as driver:
        damaged.build(driver)
    assert broken(damaged) == []
    assert any("facts are ahead of the marts" in finding.message for finding in verify(damaged.warehouse))
