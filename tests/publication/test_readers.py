"""Readers that poll while publications pass: never an error, never half of one, never an empty one.

At its full size, with what it measured: pytest -n0 tests/publication/test_readers.py --publications 100
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from datetime import date
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from publication.audit import AuditResult, audit
from publication.driver import drive
from publication.publish import publish
from warehouse import cluster, places, roles
from warehouse.setup import WAREHOUSE_RIGHTS

READERS = 4
EVERY_S = 0.05
# a mart with some weight: 20,000 rows, of which 2 % differ from one publication to the next
HEAVY = """
    create table marts_next.product_sales as
    select
        n as product_key,
        (case when n %% 50 = t.cents / 100 %% 50 then t.cents else 0 end + n)::bigint as net_sales_cents
    from generate_series(1, 20000) as n
    cross join (select sum(net_cents) as cents from core.fct_order_lines where counts_as_revenue) as t;
    alter table marts_next.product_sales add primary key (product_key)
""".replace("%%", "%")
HASH = "select sum(hashtextextended(t::text, 0))::text from {} as t"
MARTS = ("daily_sales", "hourly_sales", "product_performance", "customer_segments", "product_sales")


@pytest.fixture
def busy_shop(open_shop, monkeypatch):
    passed = AuditResult("expectation", "left out", None, None, True, None)
    monkeypatch.setattr("publication.audit._expectations", lambda *_, **__: [passed])
    open_shop.extra_marts["product_sales"] = HEAVY
    return open_shop


def publish_once(shop) -> tuple[int, tuple[str, ...]]:
    """The new publication's id, and what each mart of it must hash to."""
    with drive(shop.warehouse, wait_s=5) as driver:
        build = shop.build(driver)
        report = audit(shop.warehouse, build, manifest=shop.manifest)
        with shop.warehouse.connect("owner") as connection:
            wanted = hashes(connection, "marts_next")
        return publish(shop.warehouse, build, report).publication_id, wanted


def hashes(connection: psycopg.Connection, schema: str) -> tuple[str, ...]:
    """A hash of the rows of each mart, whatever their order; None for an empty one."""
    found = []
    for mart in MARTS:
        columns = connection.execute(sql.SQL(HASH).format(sql.Identifier(schema, mart))).fetchone()
        assert columns is not None
        found.append(columns[0])
    return tuple(found)


def test_polling_readers_see_whole_publications_only(busy_shop, request, capsys):
    seen: list[tuple[int, tuple[str, ...]]] = []
    took: list[float] = []
    problems: list[BaseException] = []
    done = threading.Event()

    def poll() -> None:
        try:
            with busy_shop.warehouse.connect("reader") as reader:
                reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                while not done.is_set():
                    started = time.perf_counter()
                    row = reader.execute("select publication_id from marts.publication").fetchone()
                    assert row is not None
                    seen.append((row[0], hashes(reader, "marts")))
                    took.append(time.perf_counter() - started)
                    reader.rollback()
                    done.wait(EVERY_S)
        except BaseException as problem:
            problems.append(problem)

    expected = dict([publish_once(busy_shop)])
    readers = [threading.Thread(target=poll) for _ in range(READERS)]
    for reader in readers:
        reader.start()
    try:
        for number in range(1, request.config.getoption("--publications")):
            busy_shop.deliver([busy_shop.line(f"N{number}", date(2026, 3, 2), 100)])
            publication_id, wanted = publish_once(busy_shop)
            expected[publication_id] = wanted
    finally:
        done.set()
        for reader in readers:
            reader.join(timeout=30)
    assert problems == []
    assert len(seen) > 10
    assert [(of, found) for of, found in seen if expected[of] != found] == []
    took.sort()
    sentence = (
        f"{len(expected)} publications, {READERS} readers, {len(seen):,} reads of {len(MARTS)} marts, "
        f"none torn or empty; p50 {took[len(took) // 2] * 1000:.1f} ms, "
        f"p99 {took[len(took) * 99 // 100] * 1000:.1f} ms, worst {took[-1] * 1000:.1f} ms"
    )
    with capsys.disabled():
        sys.stdout.write(f"\n{sentence}\n")


WAITS = """
    select exists (
        select from pg_stat_activity
        where application_name = 'pg_dump' and wait_event_type = 'Lock' and datname = current_database()
    )
"""


def test_a_dump_started_before_a_publication_restores_to_exactly_the_one_it_saw(busy_shop, server, tmp_path):
    pg_dump = Path(places.binaries(server.place)) / "pg_dump"
    if not pg_dump.is_file():
        pytest.skip(f"no pg_dump beside {pg_dump.parent}")
    first, wanted = publish_once(busy_shop)
    of = busy_shop.warehouse
    target = f"{of.address.database}_dump"
    environment = {
        **cluster.environment(), "PGHOST": of.address.host, "PGPORT": str(of.address.port),
        "PGUSER": "shopx_owner", "PGPASSWORD": of.passwords["owner"], "PGDATABASE": of.address.database,
    }  # fmt: skip
    with of.connect("owner") as blocker:
        # the dump has its snapshot, and waits for this table, while a publication is committed
        blocker.execute("create table public.gate (); lock table public.gate")
        blocker.commit()
        blocker.execute("lock table public.gate")
        dump = subprocess.Popen(
            [pg_dump, "--format=plain", "--schema=marts", "--schema=public"],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        with of.connect("owner", autocommit=True) as looking:
            deadline = time.monotonic() + 60
            while looking.execute(WAITS).fetchone() != (True,):
                assert dump.poll() is None and time.monotonic() < deadline, dump.stderr and dump.stderr.read()
                time.sleep(0.02)
        busy_shop.deliver([busy_shop.line("N", date(2026, 3, 2), 100)])
        second, _ = publish_once(busy_shop)
        blocker.rollback()
    text, said = dump.communicate(timeout=60)
    assert dump.returncode == 0, said
    (tmp_path / "marts.sql").write_text(text)
    with server.connect_as_superuser() as admin:
        admin.execute(sql.SQL("create database {} owner shopx_owner").format(sql.Identifier(target)))
        roles.fence_database(admin, target, WAREHOUSE_RIGHTS)
    try:
        restored = subprocess.run(
            [pg_dump.with_name("psql"), "--quiet", "--no-psqlrc", "--file", tmp_path / "marts.sql"],
            env={**environment, "PGDATABASE": target}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert restored.returncode == 0, restored.stderr
        copy = psycopg.connect(host=of.address.host, port=of.address.port, user="shopx_owner",
                               password=of.passwords["owner"], dbname=target)  # fmt: skip
        with copy:
            assert copy.execute("select publication_id from marts.publication").fetchall() == [(first,)]
            assert hashes(copy, "marts") == wanted
    finally:
        with server.connect_as_superuser() as admin:
            admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(target)))
    assert second == first + 1
