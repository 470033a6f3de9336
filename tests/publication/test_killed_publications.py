"""A publication or a step back killed at any step: readers see one publication, the next run ends as ever.

The whole batch is killed by benchmarks/kills.py and by tests/orchestration/test_killed_runs.py.
"""

from __future__ import annotations

import time
from datetime import date

import pytest
from psycopg import sql

from benchmarks.killing import Step, arm, in_a_child
from publication.audit import AuditResult, audit
from publication.driver import drive
from publication.publish import publish
from publication.stepping_back import open_pause, resume, step_back
from publication.verify import verify

MARTS = ("daily_sales", "hourly_sales", "product_performance", "customer_segments")
STEPS = (
    Step("lock taken", function="publication.driver:_take_lock", after=True),
    Step("swept", function="publication.driver:sweep", after=True),
    Step("sums agree", function="publication.audit:reconcile", after=True),
    Step("audit written down", function="publication.audit:_store", after=True),
    Step("shapes compared", function="publication.publish:plan", after=True),
    Step("before the transaction", function="publication.publish:add_columns", after=True),
    Step("marts_previous written", function="publication.publish:_keep_previous", after=True),
    Step("tables made", function="publication.publish:make_tables", after=True),
    Step("one mart copied", function="publication.publish:copy_differences", after=True),
    Step("grants given", function="publication.publish:grant_readers", after=True),
    Step("written down, not committed", function="publication.publish:_record", after=True),
)
STEPS_BACK = (
    Step("before anything", function="publication.stepping_back:_bring_back"),
    Step("rows are back", function="publication.stepping_back:_bring_back", after=True),
    Step("all but committed", function="publication.stepping_back:raise_alert", after=True),
)


@pytest.fixture(autouse=True)
def without_expectations(monkeypatch):
    passed = AuditResult("expectation", "left out", None, None, True, None)
    monkeypatch.setattr("publication.audit._expectations", lambda *_, **__: [passed])


def run_once(shop) -> bool:
    with drive(shop.warehouse, wait_s=20) as driver:
        build = shop.build(driver)
        publish(shop.warehouse, build, audit(shop.warehouse, build, manifest=shop.manifest))
    return True


def state(shop, schema="marts"):
    with shop.warehouse.connect("reader" if schema == "marts" else "owner") as connection:
        return {
            mart: connection.execute(
                sql.SQL("select * from {} order by 1, 2").format(sql.Identifier(schema, mart))
            ).fetchall()
            for mart in MARTS
        }


def broken(shop):
    """What verify finds, once the server has seen that the process is gone (within a second)."""
    deadline = time.monotonic() + 10
    while True:
        found = [f.message for f in verify(shop.warehouse) if not f.passed and f.promise != "I7"]
        # a build of the killed run stays open until the next one opens; that much is told, not repaired
        found = [message for message in found if "nobody drives it" not in message]
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


def killed(shop, step, work, tmp_path):
    def deadly() -> bool:
        arm(step, 0)
        work(shop)
        return True

    return in_a_child(deadly, tmp_path / "child.log")


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_a_killed_publication_leaves_the_one_before_and_the_next_run_ends_as_ever(damaged, step, tmp_path):
    before = state(damaged)
    damaged.deliver([damaged.line("E", date(2026, 3, 2), 50)])
    assert killed(damaged, step, run_once, tmp_path) == -9, (tmp_path / "child.log").read_text()
    assert state(damaged) == before
    assert broken(damaged) == []
    run_once(damaged)
    assert damaged.ask("select publication_id from marts.publication", role="reader") == [(3,)] or (
        damaged.ask("select count(*) from ops.publications") == [(3,)]  # numbers may have been skipped
    )
    assert [row[-1] for row in state(damaged)["daily_sales"]] == [1200, 550, -200]
    assert state(damaged, "marts_previous") == before
    assert broken(damaged) == []
    assert damaged.ask("select count(*) from ops.builds where status = 'open'") == [(0,)]


@pytest.mark.parametrize("step", STEPS_BACK, ids=lambda step: step.name)
def test_a_killed_step_back_has_not_happened(damaged, step, tmp_path):
    damaged.deliver([damaged.line("E", date(2026, 3, 2), 50)])
    before = state(damaged)
    run_once(damaged)
    after = state(damaged)

    def back(shop) -> None:
        step_back(shop.warehouse, by="ann", why="?")

    assert killed(damaged, step, back, tmp_path) == -9
    assert state(damaged) == after
    with damaged.warehouse.connect("owner") as connection:
        assert open_pause(connection) is None
    back(damaged)
    assert state(damaged) == before
    resume(damaged.warehouse, by="ann")
    run_once(damaged)
    assert state(damaged) == after
