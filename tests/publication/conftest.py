"""A shop small enough to check by hand: three orders, one return, and marts made without dbt.

`Shop.deliver` puts a delivery into raw as landing and the gate would, `Shop.build` makes core and marts_next
as dbt would and writes down what dbt's hooks write. Tests then break one thing at a time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import pytest
from psycopg import sql

from publication.audit import audit
from publication.driver import Build, Driver, drive
from publication.publish import publish
from tests.conftest import fresh_warehouse
from warehouse import embedded, roles
from warehouse.database import Warehouse
from warehouse.setup import WAREHOUSE_RIGHTS

TESTS = ("test.shopx.unique_daily_sales.a1", "test.shopx.not_null_daily_sales.b2")

CORE = """
    drop table if exists core.fct_order_lines;
    create table core.fct_order_lines as
    select
        r.order_key, r.order_line_key, r.sale_date, r.order_id, r.load_id, b.feed, r.sold_at, r.line_type,
        r.order_status, coalesce(r.order_status, '') not in ('pending', 'cancelled') as counts_as_revenue,
        r.product_id as product_key, r.customer_id as customer_key,
        r.quantity_thousandths * 0.001 as quantity, r.gross_cents, r.discount_cents, r.net_cents
    from ops.build_loads as b
    inner join raw.sales_lines as r on r.load_id = b.load_id
    where b.build_id = %(build)s and not exists (
        select from ops.build_loads as n
        inner join raw.sales_lines as x on x.load_id = n.load_id
        where n.build_id = b.build_id and n.mode = 'orders' and n.source = b.source
            and n.delivery_no > b.delivery_no and x.order_key = r.order_key and r.order_id is not null
    );
    alter table core.fct_order_lines add primary key (order_key, order_line_key, sale_date);
"""
MART_SQL = {
    "daily_sales": """
        create table marts_next.daily_sales as
        select
            sale_date,
            count(distinct order_key) filter (where line_type = 'sale') as orders,
            sum(quantity) as units,
            count(distinct customer_key) filter (where line_type = 'sale') as customers,
            0::bigint as guest_orders,
            coalesce(sum(gross_cents) filter (where line_type = 'sale'), 0)::bigint as gross_sales_cents,
            coalesce(sum(net_cents) filter (where line_type = 'return'), 0)::bigint as returns_cents,
            coalesce(sum(discount_cents) filter (where line_type = 'sale'), 0)::bigint as discounts_cents,
            sum(net_cents)::bigint as net_sales_cents
        from core.fct_order_lines where counts_as_revenue group by sale_date;
        alter table marts_next.daily_sales add primary key (sale_date);
    """,
    "hourly_sales": """
        create table marts_next.hourly_sales as
        select
            sale_date, extract(hour from sold_at)::int as sale_hour, sum(net_cents)::bigint as net_sales_cents
        from core.fct_order_lines where counts_as_revenue group by 1, 2;
        create unique index on marts_next.hourly_sales (sale_date, sale_hour) nulls not distinct;
    """,
    "product_performance": """
        create table marts_next.product_performance as
        select product_key, sum(net_cents)::bigint as net_sales_cents
        from core.fct_order_lines where counts_as_revenue group by 1;
        alter table marts_next.product_performance add primary key (product_key);
    """,
    "customer_segments": """
        create table marts_next.customer_segments as
        select customer_key, 'New'::text as segment, sum(net_cents)::bigint as net_sales_cents
        from core.fct_order_lines where counts_as_revenue and customer_key is not null group by 1;
        alter table marts_next.customer_segments add primary key (customer_key);
    """,
}


@dataclass(frozen=True)
class Line:
    """A raw line; a negative amount is a return."""

    order: str | None
    day: date
    cents: int
    product: str = "tea"
    customer: str | None = "ann"
    status: str | None = None
    discount: int = 0


@dataclass
class Shop:
    """The shop, its deliveries so far, and marts beyond the usual ones."""

    warehouse: Warehouse
    manifest: Path
    deliveries: int = 0
    extra_marts: dict[str, str] = field(default_factory=dict)
    windowed: frozenset[str] = frozenset()

    line = Line

    def deliver(self, lines: Sequence[Line], *, mode: str = "events", status: str = "approved") -> int:
        """Insert a delivery whose status is already decided, with its change."""
        self.deliveries += 1
        days = [line.day for line in lines]
        with self.warehouse.connect("owner") as connection:
            row = connection.execute(
                """
                insert into raw.loads (
                    delivery_no, feed, source, delivered_name, content_sha256, byte_count,
                    contract_sha256, mode,
                    rows_delivered, rows_accepted, amount_cents, first_date, last_date, status, held_reason
                )
                values (%s, 'till', 'till', %s, %s, 1, 'x', %s, %s, %s, %s, %s, %s, %s, %s)
                returning load_id
                """,
                [
                    self.deliveries,
                    f"{self.deliveries}.csv",
                    hashlib.sha256(str(self.deliveries).encode()).hexdigest(),
                    mode,
                    len(lines),
                    len(lines),
                    sum(line.cents + line.discount for line in lines),
                    min(days),
                    max(days),
                    status,
                    "BY_HAND" if status == "held" else None,
                ],
            ).fetchone()
            assert row is not None
            load_id: int = row[0]
            connection.execute("select raw.create_months(%s, %s)", [min(days), max(days)])
            for number, line in enumerate(lines, start=1):
                key = self.deliveries * 10**10 + number
                order_key = key * -1 if line.order is None else _order_key(line.order)
                connection.execute(
                    """
                    insert into raw.sales_lines (
                        load_id, order_key, order_line_key, order_id, sale_date, line_type,
                        order_status, product_id, product_name, customer_id, quantity_thousandths,
                        gross_cents, discount_cents, net_cents
                    )
                    values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
                    """,
                    [
                        load_id, order_key, key, line.order, line.day,
                        "return" if line.cents < 0 else "sale", line.status, line.product, line.product,
                        line.customer, -1000 if line.cents < 0 else 1000, line.cents, line.discount,
                        line.cents + line.discount,
                    ],
                )  # fmt: skip
            if status == "approved":
                connection.execute(
                    "insert into ops.changes (load_id, kind, changed_by) values (%s, 'approve', 'gate')",
                    [load_id],
                )
        return load_id

    def build(self, driver: Driver) -> Build:
        """Open a build and make core and marts_next in it."""
        build = driver.open_build(opened_by="test")
        with self.warehouse.connect("transformer") as connection:
            connection.execute(CORE.replace("%(build)s", str(build.build_id)))
            for mart, statement in {**MART_SQL, **self.extra_marts}.items():
                connection.execute(f"drop table if exists marts_next.{mart}")
                connection.execute(statement)
            for model in ("fct_order_lines", *{**MART_SQL, **self.extra_marts}):
                connection.execute(
                    "insert into ops.model_builds (build_id, model) values (%s, %s)", [build.build_id, model]
                )
            for test in TESTS:
                connection.execute(
                    "insert into ops.audit_results (build_id, kind, name, passed) "
                    "values (%s, 'dbt', %s, true)",
                    [build.build_id, test],
                )
        self.write_manifest()
        return build

    def write_manifest(self) -> None:
        """What dbt would have written for this project."""
        models = {"fct_order_lines": "core", **dict.fromkeys([*MART_SQL, *self.extra_marts], "marts_next")}
        nodes = {
            f"model.shopx.{name}": {
                "resource_type": "model",
                "name": name,
                "unique_id": f"model.shopx.{name}",
                "schema": schema,
                "config": {
                    "enabled": True,
                    "materialized": "table",
                    "meta": {"windowed": True} if name in self.windowed else {},
                },
            }
            for name, schema in models.items()
        }
        tests = {
            name: {
                "resource_type": "test",
                "name": name,
                "unique_id": name,
                "config": {"enabled": True, "severity": "ERROR"},
            }
            for name in TESTS
        }
        self.manifest.write_text(json.dumps({"nodes": {**nodes, **tests}, "unit_tests": {}}))

    def change(self, statement: str, *, role: str = "owner") -> None:
        """Do damage, or anything else, in one transaction."""
        with self.warehouse.connect(role) as connection:  # type: ignore[arg-type]
            connection.execute(statement)

    def ask(self, query: str, *, role: str = "owner") -> list[tuple[object, ...]]:
        """The rows of a query."""
        with self.warehouse.connect(role) as connection:  # type: ignore[arg-type]
            return connection.execute(query).fetchall()


def _order_key(order: str) -> int:
    return int.from_bytes(hashlib.sha256(order.encode()).digest()[:8], "big", signed=True)


@pytest.fixture
def shop(warehouse: Warehouse) -> Shop:
    """An empty shop."""
    return Shop(warehouse, warehouse.settings.home / "manifest.json")


@pytest.fixture
def open_shop(shop: Shop) -> Shop:
    """One delivery: A for 13.00 less 1.00, B for 5.00, C is pending, D comes back for 2.00."""
    first_delivery(shop)
    return shop


@pytest.fixture(scope="module")
def published_shop(server: embedded.Server) -> Iterator[Shop]:
    """The shop after its first delivery, published twice with every judge; for the copies below."""
    with fresh_warehouse(server) as warehouse:
        shop = Shop(warehouse, warehouse.settings.home / "manifest.json")
        first_delivery(shop)
        for _ in range(2):
            with drive(warehouse, wait_s=5) as driver:
                build = shop.build(driver)
                publish(warehouse, build, audit(warehouse, build, manifest=shop.manifest))
        yield shop


@pytest.fixture
def damaged(published_shop: Shop, server: embedded.Server) -> Iterator[Shop]:
    """A copy of the published shop to be broken."""
    of = published_shop.warehouse
    name = f"{of.address.database}_copy"
    names = [sql.Identifier(each) for each in (name, of.address.database)]
    with server.connect_as_superuser() as admin:
        admin.execute(sql.SQL("create database {} template {} owner shopx_owner").format(*names))
        roles.fence_database(admin, name, WAREHOUSE_RIGHTS)  # rights on a database are not copied
    try:
        yield replace(
            published_shop, warehouse=replace(of, address=replace(of.address, database=name)), extra_marts={}
        )
    finally:
        with server.connect_as_superuser() as admin:
            admin.execute(sql.SQL("drop database {} with (force)").format(names[0]))


def first_delivery(shop: Shop) -> None:
    """What `open_shop` says."""
    shop.deliver(
        [
            Line("A", date(2026, 3, 1), 1000, discount=-100),
            Line("A", date(2026, 3, 1), 300, product="cup"),
            Line("B", date(2026, 3, 2), 500, customer=None),
            Line("C", date(2026, 3, 2), 700, status="pending"),
            Line("D", date(2026, 3, 3), -200),
        ]
    )
