"""Readers that poll while publications pass: never an error, never half of one."""

from __future__ import annotations

import threading
from datetime import date

import psycopg

from publication.audit import AuditResult, audit
from publication.driver import drive
from publication.publish import publish

LOOK = """
    select
        (select publication_id from marts.publication),
        (select sum(net_sales_cents)::bigint from marts.daily_sales),
        (select sum(net_sales_cents)::bigint from marts.hourly_sales),
        (select sum(net_sales_cents)::bigint from marts.product_performance)
"""


def test_polling_readers_see_whole_publications_only(open_shop, monkeypatch):
    passed = AuditResult("expectation", "left out", None, None, True, None)
    monkeypatch.setattr("publication.audit._expectations", lambda *_, **__: [passed])
    seen: list[tuple[object, ...]] = []
    problems: list[BaseException] = []
    done = threading.Event()

    def publish_once() -> int:
        with drive(open_shop.warehouse, wait_s=5) as driver:
            build = open_shop.build(driver)
            report = audit(open_shop.warehouse, build, manifest=open_shop.manifest)
            return publish(open_shop.warehouse, build, report).publication_id

    def poll() -> None:
        try:
            with open_shop.warehouse.connect("reader") as reader:
                reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                while not done.is_set():
                    first, second = (reader.execute(LOOK).fetchone() for _ in range(2))
                    assert first is not None
                    assert first == second, "one transaction saw two publications"
                    seen.append(first)
                    reader.rollback()
        except BaseException as problem:
            problems.append(problem)

    expected = {publish_once(): 1500}
    readers = [threading.Thread(target=poll) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for number in range(1, 6):
            open_shop.deliver([open_shop.line(f"N{number}", date(2026, 3, 2), 100)])
            expected[publish_once()] = 1500 + 100 * number
    finally:
        done.set()
        for reader in readers:
            reader.join(timeout=30)
    assert problems == []
    assert len(seen) > 10
    assert {len(set(look[1:])) for look in seen} == {1}
    assert all(expected[look[0]] == look[1] for look in seen)
