"""Incremental = full refresh: whatever was delivered, corrected, withdrawn, released, read again, erased or
said by master data, and whatever builds came between, every table is what a full refresh makes of it.

Six short histories each time; two hundred and forty longer ones:
`pytest tests/dbt_project/test_incremental.py --hypothesis-profile=thorough`
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import settings
from psycopg import sql

from warehouse.database import Warehouse

TODAY = date(2026, 3, 3)
ROWS_OF_A_DELIVERY = 10**10
THOROUGH = settings().max_examples > 100
# the shops of one warehouse share nothing but its builds, so each lives through a history of its own; after
# some builds a full refresh is compared
WAREHOUSES, SHOPS, COMPARISONS, MOST_BUILDS = (40, 6, 4, 4) if THOROUGH else (1, 6, 1, 2)
HISTORIES_IN_SQL = 500 if THOROUGH else 15
# the whole state of a table is compared; these hold how it came about
BOOKKEEPING = ("line_changes",)


def chance(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311  a seed is a history


class Shop:
    """A shop to which random things happen. `rng` decides everything, so a seed is a history; what the shop
    has is named after it."""

    def __init__(
        self, conn: psycopg.Connection[Any], rng: random.Random, *, name: str, told: list[str]
    ) -> None:
        self.conn, self.rng, self.name, self.told = conn, rng, name, told

    def pick(self, *names: str | None) -> str | None:
        """One of these things of the shop."""
        chosen = self.rng.choice(names)
        return None if chosen is None else f"{self.name} {chosen}"

    # what a delivery may say

    def day(self) -> date:
        """Mostly lately, at times long ago."""
        back = self.rng.randint(0, 4) if self.rng.random() < 0.75 else self.rng.randint(5, 400)
        return TODAY - timedelta(days=back)

    def line(self, source: str) -> dict[str, Any]:
        pick, own = self.rng.choice, self.pick
        order = pick([None, *"ABCDEFGH"])
        number = pick([None, "1", "2", "3"])
        is_return = self.rng.random() < 0.15
        quantity, price = self.rng.randint(1, 3), pick([100, 250, 999])
        gross = -quantity * price if is_return else quantity * price
        day = self.day()
        hour = pick([None, 9, 14, 23])
        customer = own(None, "c1", "c2", "c3", "c4")
        return {
            "order_id": order,
            "line_number": number if order else None,
            "sale_date": day,
            "sold_at": None if hour is None else f"{day} {hour:02}:30+00",
            "line_type": "return" if is_return else "sale",
            "order_status": pick([None, "completed", "pending", "cancelled"]),
            "line_kind": pick([None, None, None, "shipping"]),
            "product_id": own("p1", "p2", "p3", None),
            "product_name": own("Mug", "mug ", "Lamp"),
            "category": pick([None, "Kitchen", "Light"]),
            "customer_id": customer,
            "customer_name": customer and f"Customer {customer}",
            "customer_email": pick([None, f"{customer}@x.test"]) if customer else own(None, "c9@x.test"),
            "store": own(None, "north", "south"),
            "region": pick([None, None, "East"]),
            "country": pick([None, "UK"]),
            "sales_rep": own(None, "Ben", "Ann"),
            "channel": pick([None, "web", "shop"]),
            "quantity_thousandths": (-1000 if is_return else 1000) * quantity,
            "gross_cents": gross,
            "discount_cents": 0 if is_return else -pick([0, 0, 10]),
            "tax_cents": pick([None, gross // 6]),
            "cost_cents": pick([None, None, gross // 2]),
            "order_key": None if order is None else zlib.crc32(f"{source} {order}".encode()),
        }

    # what may happen

    def deliver(self, *, delivery_no: int | None = None, status: str | None = None, largest: int = 6) -> None:
        """A delivery of any meaning; at times nobody has decided about it yet."""
        rng = self.rng
        number = delivery_no or self.next_delivery()
        mode = rng.choice(["days", "orders", "orders", "lines", "events", "match"])
        source = self.pick("till", "till", "till", "web")
        status = status or rng.choice(["approved"] * 5 + ["held"])
        lines = [self.line(str(source)) for _ in range(rng.randint(1, largest))]
        if rng.random() < 0.4:  # some of it is redelivered, as it was or with another amount
            known = self.ask(
                "select to_jsonb(r) from raw.sales_lines as r inner join raw.loads as l using (load_id)"
                " where l.source = %s order by order_line_key, load_id",
                source,
            )
            for (row,) in rng.sample(known, min(len(known), 3)):
                again = {key: row.get(key) for key in lines[0]}
                again["gross_cents"] += rng.choice([0, 0, 50])
                lines.append(again)
        days = [date.fromisoformat(str(line["sale_date"])) for line in lines]
        (load_id,) = self.ask(
            """
            insert into raw.loads (
                delivery_no, feed, source, delivered_name, content_sha256, byte_count, contract_sha256, mode,
                reading, rows_delivered, rows_accepted, first_date, last_date, status, held_reason
            ) values (
                %s, %s, %s, 'f', repeat('0', 64), 1, 'x', %s, '{"timezone": "Europe/London"}',
                %s, %s, %s, %s, %s, 'X'
            ) returning load_id
            """,
            number, source, source, mode, len(lines), len(lines), min(days), max(days), status,
        )[0]  # fmt: skip
        for store in {line["store"] or "" for line in lines} if mode == "days" else ():
            of_store = [day for line, day in zip(lines, days, strict=True) if (line["store"] or "") == store]
            self.change(
                "insert into raw.load_scopes values (%s, %s, %s, %s)",
                load_id, None if rng.random() < 0.2 else store, min(of_store),
                min(min(of_store) + timedelta(days=3), max(of_store)),
            )  # fmt: skip
        for row, line in enumerate(lines, start=1):
            key = number * ROWS_OF_A_DELIVERY + row
            line |= {
                "load_id": load_id,
                "order_line_key": key,
                "net_cents": line["gross_cents"] + line["discount_cents"],
            }
            if line["order_id"] is None:
                line["order_key"] = -key
            self.change("select raw.create_months(%s::date, %s::date)", line["sale_date"], line["sale_date"])
            self.change(
                sql.SQL("insert into raw.sales_lines ({}) values ({})").format(
                    sql.SQL(", ").join(map(sql.Identifier, line)),
                    sql.SQL(", ").join([sql.Placeholder()] * len(line)),
                ),
                *line.values(),
            )
        self.told.append(
            f"load {load_id}: delivery {number} of {len(lines)} lines, {mode}, {source}, {status}"
        )

    def decide(self, before: str, after: str) -> None:
        """Release or withdraw some load."""
        loads = self.loads(before)
        if before == "withdrawn":  # what was read again since then does not come back
            loads = [
                load
                for load in loads
                if self.ask(
                    "select from raw.loads as l where l.load_id = %s and not exists (select from raw.loads"
                    " as n where n.delivery_no = l.delivery_no and n.load_id <> l.load_id)",
                    load,
                )
            ]
        if loads:
            load_id = self.rng.choice(loads)
            self.change("update raw.loads set status = %s where load_id = %s", after, load_id)
            self.told.append(f"load {load_id}: {before} -> {after}")

    def replay(self) -> None:
        """Read one again: other rows under the old delivery_no, the old load withdrawn."""
        loads = self.loads("approved")
        if loads:
            load_id = self.rng.choice(loads)
            (number,) = self.ask("select delivery_no from raw.loads where load_id = %s", load_id)[0]
            self.change("update raw.loads set status = 'withdrawn' where load_id = %s", load_id)
            self.told.append(f"load {load_id}: read again")
            self.deliver(delivery_no=number, status="approved")

    def mean(self) -> None:
        """A load gets another meaning."""
        loads = self.loads("approved")
        if loads:
            load_id, mode = self.rng.choice(loads), self.rng.choice(["orders", "events", "lines", "match"])
            self.change("update raw.loads set mode = %s where load_id = %s", mode, load_id)
            self.told.append(f"load {load_id}: now means {mode}")

    def forget(self) -> None:
        """A person is erased from the stored rows, as `shopx forget` does it."""
        customer = self.pick("c1", "c2", "c3", "c4")
        loads = self.ask(
            """
            with masked as (
                update raw.sales_lines set
                    customer_id = repeat('*', length(customer_id)),
                    customer_name = repeat('*', length(customer_name)),
                    customer_email = repeat('*', length(customer_email))
                where customer_id = %s
                returning load_id
            )
            insert into ops.changes (load_id, kind, changed_by)
            select distinct load_id, 'replay', 'ann' from masked returning load_id
            """,
            customer,
        )
        self.told.append(f"{customer} forgotten in {len(loads)} loads")

    def master(self) -> None:
        """A list of products, categories, customers, stores or representatives."""
        pick, own = self.rng.choice, self.pick
        since = pick([None, None, self.day(), TODAY + timedelta(days=1)])
        lists: list[tuple[str, list[dict[str, Any]]]] = [
            ("products", [
                {
                    "product_id": f"{self.name} {product}", "product_name": own(None, "Mug", "Cup"),
                    "category": pick([None, "Kitchen", "Garden"]), "category_id": own(None, "k"),
                    "unit_cost": pick([None, "0.5", "1.25"]), "unit_price": pick([None, 3]),
                    "is_active": pick([None, True, False]), "effective_from": since,
                }
                for product in self.rng.sample(["p1", "p2", "p3", "p4"], 2)
            ]),
            ("categories", [{"category_id": own("k"), "category": pick(["Kitchen", "Cooking"])}]),
            ("customers", [
                {"customer_id": own("c1", "c2"), "customer_name": "C.", "country": pick([None, "FR"]),
                 "segment": pick([None, "gold"]), "effective_from": since}
            ]),
            ("stores", [
                {"store_id": own("1"), "store": own("north", "south"),
                 "region": pick([None, "West", "North"]), "country": pick([None, "FR"]),
                 "effective_from": since}
            ]),
            ("sales_reps", [
                {"sales_rep": own("Ben", "Ann"), "commission_rate": pick([None, "0.05", "0.1"]),
                 "effective_from": since}
            ]),
        ]  # fmt: skip
        holds, rows = pick(lists)
        (load_id,) = self.ask(
            """
            insert into raw.loads (
                delivery_no, feed, source, delivered_name, content_sha256, byte_count, contract_sha256, mode,
                holds, reading, rows_delivered, rows_accepted, status, first_seen_at
            ) values (%s, 'erp', %s, 'm', repeat('0', 64), 1, 'x', 'lines', %s, %s, %s, %s, 'approved', %s)
            returning load_id
            """,
            self.next_delivery(), f"{self.name} till", holds, pick(["{}", "{}", '{"complete": true}']),
            len(rows), len(rows), self.day(),
        )[0]  # fmt: skip
        for number, row in enumerate(rows, start=1):
            row |= {"load_id": load_id, "row_number": number}
            self.change(
                sql.SQL("insert into {} ({}) values ({})").format(
                    sql.Identifier("raw", holds), sql.SQL(", ").join(map(sql.Identifier, row)),
                    sql.SQL(", ").join([sql.Placeholder()] * len(row)),
                ),
                *row.values(),
            )  # fmt: skip
        self.told.append(f"load {load_id}: {holds} {rows}")

    def withdraw_master(self) -> None:
        """A list is taken back."""
        loads = self.loads("approved", of_sales=False)
        if loads:
            load_id = self.rng.choice(loads)
            self.change("update raw.loads set status = 'withdrawn' where load_id = %s", load_id)
            self.told.append(f"load {load_id}: list withdrawn")

    def something(self) -> None:
        happening: list[Callable[[], None]] = [
            self.deliver, self.deliver, self.deliver, self.deliver,
            lambda: self.decide("held", "approved"), lambda: self.decide("approved", "withdrawn"),
            lambda: self.decide("withdrawn", "approved"), self.replay, self.mean, self.forget, self.master,
            self.master, self.withdraw_master,
        ]  # fmt: skip
        self.rng.choice(happening)()

    # the database

    def next_delivery(self) -> int:
        return int(self.ask("select coalesce(max(delivery_no), 0) + 1 from raw.loads")[0][0])

    def loads(self, status: str, *, of_sales: bool = True) -> list[int]:
        """The shop's loads in this state."""
        return [
            load_id
            for (load_id,) in self.ask(
                "select load_id from raw.loads"
                " where status = %s and (holds = 'sales') = %s and source = any(%s) order by load_id",
                status,
                of_sales,
                [f"{self.name} till", f"{self.name} web"],
            )
        ]

    def ask(self, query: Any, *parameters: object) -> list[tuple[Any, ...]]:
        return self.conn.execute(query, parameters or None).fetchall()

    def change(self, query: Any, *parameters: object) -> None:
        self.conn.execute(query, parameters or None)

    def publish(self, build: int) -> None:
        """What publication writes about a build, without the marts."""
        self.change(
            """
            with done as (
                insert into ops.publications
                    (build_id, as_of, complete_through, loads, held_loads, rejected_rows)
                values (%s, %s, %s, 1, 0, 0) returning publication_id, build_id
            ),
            published as (
                update ops.builds as b set status = 'published', publication_id = done.publication_id
                from done where b.build_id = done.build_id
            )
            update ops.changes as c set publication_id = done.publication_id
            from done where c.build_id = done.build_id and c.publication_id is null
            """,
            build, TODAY, TODAY,
        )  # fmt: skip

    def tables(self) -> dict[str, tuple[Any, ...]]:
        """Hash and number of the rows of every table that dbt makes."""
        names = self.ask(
            "select c.relname, n.nspname from pg_class as c"
            " inner join pg_namespace as n on n.oid = c.relnamespace"
            " where n.nspname in ('core', 'marts_next') and c.relkind in ('r', 'p')"
            " and not c.relname = any(%s) order by 2, 1",
            list(BOOKKEEPING),
        )
        return {
            f"{schema}.{name}": self.ask(
                sql.SQL(
                    "select md5(coalesce(string_agg(t::text, chr(10) order by t::text), '')), count(*)"
                    " from {} as t"
                ).format(sql.Identifier(schema, name))
            )[0]
            for name, schema in names
        }

    def rows_of(self, table: str) -> set[str]:
        return {
            row
            for (row,) in self.ask(
                sql.SQL("select t::text from {} as t").format(sql.Identifier(*table.split(".")))
            )
        }


class Pipeline:
    """Builds of a shop's warehouse; dbt runs in this process with the manifest kept between runs."""

    def __init__(self, shop: Shop, dbt: Callable[..., Any]) -> None:
        self.shop, self.dbt = shop, dbt

    def open(self, *, full_refresh: bool = False) -> int:
        (build,) = self.shop.ask("select ops.open_build('test', %s, %s)", TODAY, full_refresh)[0]
        self.shop.told.append(f"build {build}{' (full refresh)' if full_refresh else ''}")
        return int(build)

    def run(self, build: int, *selection: str) -> None:
        outcome = self.dbt("run", *(("--select", *selection) if selection else ()), build_id=build)
        if not outcome.success:
            _, error, what = outcome.messages.partition(" Error in ")
            pytest.fail("\n  ".join([error + what[:1000], "after:", *self.shop.told]))

    def part(self) -> None:
        """A build of which somebody ran a part only; what it wrote, the next build must reckon with."""
        parts = ["dim_products", "fct_order_lines", "+fct_orders", "fct_order_lines+", "stg_sales_lines+"]
        chosen = self.shop.rng.choice(parts)
        self.run(self.open(), chosen)
        self.shop.told.append(f"only {chosen} was run")

    def whole_run(self, *, full_refresh: bool = False, publish: bool = True) -> int:
        build = self.open(full_refresh=full_refresh)
        self.run(build)
        if publish:
            self.shop.publish(build)
        self.shop.told.append("published" if publish else "not published")
        return build


def compare(shop: Shop, pipeline: Pipeline) -> None:
    """Every table before and after a full refresh."""
    found = shop.tables()
    rows = {table: shop.rows_of(table) for table in found if found[table][1] < 2000}
    pipeline.whole_run(full_refresh=True)
    wanted = shop.tables()
    differing = [table for table in wanted if found.get(table) != wanted[table]]
    if differing:
        first = differing[0]
        now, then = shop.rows_of(first), rows.get(first, set())
        pytest.fail(
            f"{differing} differ after:\n  "
            + "\n  ".join(shop.told)
            + f"\n{first} as built: {sorted(then - now)}\nin full: {sorted(now - then)}"
        )
    shop.told.clear()


def remade_by_slices(shop: Shop, build: int) -> None:
    """Bring `kept` to the current lines as a sliced model is: touched orders out if known, then in again."""
    (is_whole,) = shop.ask("select is_whole from ops.builds where build_id = %s", build)[0]
    if is_whole:
        shop.change("truncate kept")
        shop.change("insert into kept select * from staging.stg_sales_lines")
        return
    shop.change(
        """
        delete from kept as k using ops.build_slices as s
        where s.build_id = %s and s.kind = 'order' and s.is_known
            and s.key = k.order_key and s.sale_date = k.sale_date
            and exists (
                select from ops.build_slices as d
                where d.build_id = s.build_id and d.kind = 'day' and d.is_known and d.sale_date = k.sale_date
            )
        """,
        build,
    )
    shop.change(
        """
        insert into kept select c.* from staging.stg_sales_lines as c
        inner join ops.build_slices as s on s.key = c.order_key and s.sale_date = c.sale_date
        inner join ops.build_slices as d
            on d.sale_date = c.sale_date and d.build_id = s.build_id and d.kind = 'day'
        where s.build_id = %s and s.kind = 'order'
        """,
        build,
    )


def test_slices_hold_every_line_that_differs_from_what_was_built_before(
    warehouse: Warehouse, dbt: Callable[..., Any]
) -> None:
    """The same histories without dbt, so that there can be many of them."""
    sliced = 0
    with warehouse.connect("owner", autocommit=True) as conn:
        first = Shop(conn, chance(0), name="shop", told=[])
        first.deliver(status="approved")
        assert dbt("run", "--select", "+stg_sales_lines").success
        conn.execute("create temporary table kept as select * from staging.stg_sales_lines")
        conn.execute("create unique index on kept (order_key, order_line_key, sale_date)")
        for seed in range(HISTORIES_IN_SQL):
            conn.execute(
                "truncate raw.loads, raw.sales_lines, raw.order_loads, ops.builds restart identity cascade"
            )
            shop = Shop(conn, chance(seed), name="shop", told=[])
            shop.deliver(status="approved", largest=20)
            for _ in range(12):
                (build,) = shop.ask("select ops.open_build('test', %s)", TODAY)[0]
                shop.told.append(f"build {build}")
                if shop.rng.random() < 0.8:
                    conn.execute(
                        "insert into ops.model_builds (build_id, model) values (%s, 'kept')", [build]
                    )
                    remade_by_slices(shop, build)
                    left = shop.ask(
                        "(table kept except table staging.stg_sales_lines)"
                        " union all (table staging.stg_sales_lines except table kept)"
                    )
                    assert not left, (seed, left, shop.told)
                    if shop.rng.random() < 0.6:
                        shop.publish(build)
                sliced += shop.ask("select not is_whole from ops.builds where build_id = %s", build) == [
                    (True,)
                ]
                for _ in range(shop.rng.randint(0, 4)):
                    shop.something()
    assert sliced > HISTORIES_IN_SQL * 4


@pytest.mark.parametrize("seed", range(WAREHOUSES))
def test_incremental_builds_make_what_a_full_refresh_makes(
    seed: int, warehouse: Warehouse, dbt: Callable[..., Any]
) -> None:
    rng = chance(seed)
    with warehouse.connect("owner", autocommit=True) as conn:
        told: list[str] = []
        shops = [Shop(conn, rng, name=f"shop {number}", told=told) for number in range(SHOPS)]
        for shop in shops:
            for _ in range(4):
                shop.something()
            shop.deliver(status="approved", largest=12)
        pipeline = Pipeline(shops[0], dbt)
        pipeline.whole_run()
        builds = []
        for comparison in range(COMPARISONS):
            for step in range(MOST_BUILDS - comparison % MOST_BUILDS):
                if step:
                    for shop in shops:
                        shop.something()
                    pipeline.part()
                for shop in shops:
                    for _ in range(rng.randint(0, 3)):
                        shop.something()
                builds.append(pipeline.whole_run(publish=rng.random() < 0.8))
            compare(shops[0], pipeline)
        whole = shops[0].ask(
            "select build_id, whole_because from ops.builds where is_whole and build_id = any(%s)", builds
        )
        assert whole == []
