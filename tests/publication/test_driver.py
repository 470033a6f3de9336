"""The driver's lock: one run at a time, waiting visibly, closing what it opened."""

from __future__ import annotations

import time
from datetime import date

import pytest

from benchmarks.killing import die_in, in_a_child
from publication.driver import drive
from warehouse.errors import ShopxError


def test_nothing_to_build_is_said_in_a_sentence(shop):
    with drive(shop.warehouse, wait_s=5) as driver:
        assert driver.pending_changes() == 0
        with pytest.raises(ShopxError, match="There is nothing to build"):
            driver.open_build(opened_by="test")


def test_a_build_freezes_what_counts(open_shop):
    held = open_shop.deliver([open_shop.line("E", date(2026, 3, 9), 100)], status="held")
    with drive(open_shop.warehouse, wait_s=5) as driver:
        assert driver.pending_changes() == 1
        build = driver.open_build(opened_by="test")
        assert (build.as_of, build.full_refresh) == (date(2026, 3, 3), False)
        asked = driver.open_build(as_of=date(2026, 2, 28), full_refresh=True, opened_by="test")
        assert (asked.as_of, asked.full_refresh) == (date(2026, 2, 28), True)
    assert open_shop.ask("select load_id from ops.build_loads where build_id = 2") == [(1,)]
    assert held == 2
    assert open_shop.ask("select status from ops.builds order by build_id") == [
        ("abandoned",),
        ("abandoned",),
    ]


def test_a_second_run_waits_and_says_for_whom(open_shop):
    said: list[str] = []
    with drive(open_shop.warehouse, wait_s=5):
        with (
            pytest.raises(ShopxError, match="Another run is still building"),
            drive(open_shop.warehouse, wait_s=0.6, progress=said.append),
        ):
            pass
        assert "waiting for another run to finish (shopx driver, server process" in said[0]
    with drive(open_shop.warehouse, wait_s=0):
        pass


def test_an_exception_fails_the_open_build(open_shop):
    with pytest.raises(RuntimeError), drive(open_shop.warehouse, wait_s=5) as driver:
        driver.open_build(opened_by="test")
        raise RuntimeError
    assert open_shop.ask("select status from ops.builds") == [("failed",)]


def test_a_killed_driver_frees_its_lock(open_shop):
    with pytest.raises(RuntimeError), drive(open_shop.warehouse, wait_s=5) as driver:
        driver.open_build(opened_by="test")
        open_shop.change(f"select pg_terminate_backend({driver.pid})")
        raise RuntimeError
    with drive(open_shop.warehouse, wait_s=5) as driver:
        driver.open_build(opened_by="test")
    assert open_shop.ask("select status from ops.builds order by build_id") == [
        ("abandoned",),
        ("abandoned",),
    ]


def test_what_a_killed_process_had_asked_for_ends_by_itself(open_shop, server, tmp_path):
    """By the role's own setting, so that it holds on a server that shopx does not configure."""

    def ask_and_die() -> bool:
        with open_shop.warehouse.connect("transformer", application_name="to be killed") as connection:
            die_in(0.5)
            connection.execute("select pg_sleep(600)")
        return True

    with server.connect_as_superuser() as admin:
        admin.execute("alter system set client_connection_check_interval = 0")
        admin.execute("select pg_reload_conf()")
    try:
        assert in_a_child(ask_and_die, tmp_path / "child.log") == -9
        deadline = time.monotonic() + 30
        asked = "select count(*) from pg_stat_activity where application_name = 'to be killed'"
        while open_shop.ask(asked) != [(0,)]:
            assert time.monotonic() < deadline, "its query runs on"
            time.sleep(0.1)
    finally:
        with server.connect_as_superuser() as admin:
            admin.execute("alter system reset client_connection_check_interval")
            admin.execute("select pg_reload_conf()")
