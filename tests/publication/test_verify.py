"""verify: sound warehouses pass, and each kind of damage is named with the first thing that breaks."""

from __future__ import annotations

from datetime import date

import pytest

from publication.audit import AuditResult, audit
from publication.driver import drive
from publication.publish import publish
from publication.verify import verify


@pytest.fixture(autouse=True)
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


def test_a_published_warehouse_keeps_every_promise(open_shop):
    published(open_shop)
    assert broken(open_shop) == []
    assert {finding.promise for finding in verify(open_shop.warehouse)} >= {
        "I1",
        "I2",
        "I3",
        "I6",
        "I7",
        "I9",
        "I12",
    }


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
    "a reconciliation removed": ("delete from ops.reconciliation", "I2 build 1: no sum at all"),
    "a publication forged": (
        "update marts.publication set publication_id = 99",
        "I6 marts.publication holds 99",
    ),
    "an unapproved row in the facts": (
        "delete from ops.build_loads",
        "I7 load 1 (1.csv, approved) has 5 rows in the facts",
    ),
    "an approval removed": ("delete from ops.changes", "I7 load 1 (1.csv) is in publication 1"),
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
        "I9 build 2 of gone is open since",
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
    "a grain key dropped": (
        "alter table marts.daily_sales drop constraint daily_sales_pkey",
        "I3 marts.daily_sales has no valid grain key",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_each_planted_damage_is_named(open_shop, damage):
    published(open_shop)
    statement, said = DAMAGE[damage]
    open_shop.change(statement)
    assert any(said in line for line in broken(open_shop)), broken(open_shop)


def test_an_invalid_index_is_named(open_shop, server):
    published(open_shop)
    name = open_shop.warehouse.address.database
    with server.connect_as_superuser(database=name) as admin:
        admin.execute(
            "update pg_index set indisvalid = false where indrelid = 'marts.hourly_sales'::regclass"
        )
    assert any("I9 index marts." in line and "is invalid" in line for line in broken(open_shop))


def test_core_ahead_of_the_marts_is_told_and_is_no_fault(open_shop):
    published(open_shop)
    open_shop.deliver([open_shop.line("E", date(2026, 3, 4), 50)])
    with drive(open_shop.warehouse, wait_s=5) as driver:
        open_shop.build(driver)
    assert broken(open_shop) == []
    assert any("facts are ahead of the marts" in finding.message for finding in verify(open_shop.warehouse))
