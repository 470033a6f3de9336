"""A feed from the request to the ledger: rows, window and cursor together, nothing twice, nothing told."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from ingestion import contract as contracts
from ingestion.deciding import withdraw
from ingestion.sources.fetched import FetchFailed, Window
from ingestion.sources.fetching import fetch_feed, fetch_feeds, fetched_feeds, is_configured
from warehouse.database import Warehouse

TODAY = date(2026, 2, 4)
DAYS = Window(date(2026, 2, 1), date(2026, 2, 3))


@pytest.fixture
def feeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The built-in API feed, allowed to talk to this machine, and no other feed."""
    built_in = contracts.FEEDS / "sales_api.yaml"
    known = yaml.safe_load(built_in.read_text())
    known["api"] |= {"allow_private_addresses": True, "attempts": 1}
    folder = tmp_path / "feeds"
    folder.mkdir()
    (folder / "sales_api.yaml").write_text(yaml.safe_dump(known))
    monkeypatch.setattr(contracts.load_contracts, "__defaults__", (folder,))
    yield folder


def change(feeds: Path, **api: Any) -> None:
    """Change the block `api` of the feed's contract, and other keys by `contract={…}`."""
    path = feeds / "sales_api.yaml"
    known = yaml.safe_load(path.read_text())
    known |= api.pop("contract", {})
    known["api"] = {name: value for name, value in (known["api"] | api).items() if value is not None}
    path.write_text(yaml.safe_dump(known))


def test_the_plain_answer_is_loaded_with_nothing_but_address_and_key(
    api: Any, feeds: Path, files: Any, warehouse: Warehouse
) -> None:
    api.replies = [api.reply(api.list_of(api.sale(1, amount="19.99"), api.sale(3), api.sale(2, product="")))]
    (landed,) = fetch_feed(warehouse, "sales_api", today=TODAY)
    assert (landed.status, landed.rows_accepted, landed.rows_rejected) == ("landed", 2, 1)
    assert landed.amount_cents == 2249
    assert files.rows(
        warehouse, "select delivered_name, mode, reading -> 'fetched' ->> 'records' from raw.loads"
    ) == [("sales_api_2026-01-28_2026-02-03.jsonl", "days", "3")]
    assert files.rows(warehouse, "select first_date, last_date, store from raw.load_scopes") == [
        (date(2026, 1, 28), date(2026, 2, 3), None)
    ]
    (rejected,) = files.rows(warehouse, "select raw_bytes from raw.rejected_rows")
    assert rejected[0].decode() == api.sale(2, product="")


def test_asking_again_is_a_duplicate_and_a_change_is_a_newer_delivery(
    api: Any, feeds: Path, files: Any, warehouse: Warehouse
) -> None:
    api.replies = [api.reply(api.list_of(api.sale(1)))]
    states = [fetch_feed(warehouse, "sales_api", window=DAYS, today=TODAY)[-1].status for _ in range(2)]
    api.replies = [api.reply(api.list_of(api.sale(1), api.sale(2)))]
    states.append(fetch_feed(warehouse, "sales_api", window=DAYS, today=TODAY)[-1].status)
    assert states[0] != "duplicate" and states[1] == "duplicate" and states[2] != "duplicate"


def test_a_failure_is_one_sentence_and_one_alert_and_leaves_nothing(
    api: Any, feeds: Path, files: Any, warehouse: Warehouse
) -> None:
    api.replies = [api.reply(f"broken, your key is {api.key}", status=500)]
    for _ in range(2):
        result = fetch_feeds(warehouse, ["sales_api"], today=TODAY)
        assert result.landed == []
        (sentence,) = result.failures.values()
        assert sentence.startswith("Feed sales_api: 127.0.0.1 answered with status 500")
    alerts = "select kind, subject, resolved_at is null from ops.alerts"
    assert files.rows(warehouse, alerts) == [("fetch", "sales_api", True)]
    assert files.rows(warehouse, "select count(*) from raw.loads") == [(0,)]
    assert [path for path in warehouse.settings.archive.rglob("*") if path.is_file()] == []
    api.replies = [api.reply("[]")]
    fetch_feed(warehouse, "sales_api", today=TODAY)
    assert files.rows(warehouse, alerts) == [("fetch", "sales_api", False)]


def test_a_field_that_was_renamed_fails_the_feed_and_not_the_archive(
    api: Any, feeds: Path, files: Any, warehouse: Warehouse
) -> None:
    api.replies = [api.reply(api.list_of(api.sale(1)).replace("total_amount", "totalAmt"))]
    with pytest.raises(FetchFailed, match=r"no column for amount .* \[COLUMN_MISSING\]"):
        fetch_feed(warehouse, "sales_api", today=TODAY)
    assert files.rows(warehouse, "select count(*) from raw.loads") == [(0,)]


CHANGES = {
    "window": None,
    "cursor": {"field": "id", "parameter": "after"},
    "contract": {"delivers": "events"},
}


def test_a_cursor_goes_on_from_rows_that_landed_and_not_from_those_that_failed(
    api: Any, feeds: Path, files: Any, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(feeds, **CHANGES)
    api.replies = [api.reply(api.list_of(api.sale(1, id=1), api.sale(1, id=2)))]
    fetch_feed(warehouse, "sales_api", today=TODAY)
    api.replies = [api.reply(api.list_of(api.sale(2, id=3)))]

    def explode(*_: object, **__: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as broken:
        broken.setattr("ingestion.landing.measure", explode)
        with pytest.raises(OSError, match="disk full"):
            fetch_feed(warehouse, "sales_api", today=TODAY)
    counts = "select count(*) filter (where status = 'landed'), count(*) from raw.loads"
    assert files.rows(warehouse, counts) == [(1, 2)]
    assert files.rows(warehouse, "select count(*) from raw.sales_lines") == [(2,)]
    # the next call finishes it from the archive before it asks, and goes on behind it
    api.replies = [api.reply("[]")]
    fetch_feed(warehouse, "sales_api", today=TODAY)
    assert files.rows(warehouse, counts) == [(2, 2)]
    assert files.rows(warehouse, "select count(*) from raw.sales_lines") == [(3,)]
    assert [asked.query for asked in api.asked] == [{}, {"after": "2"}, {"after": "3"}]


def test_the_days_of_a_withdrawn_delivery_are_asked_for_again(
    api: Any, feeds: Path, warehouse: Warehouse
) -> None:
    change(feeds, window={"from": "a", "to": "b", "days_back": 2, "since": date(2026, 2, 1)})
    (landed,) = fetch_feed(warehouse, "sales_api", today=TODAY)
    fetch_feed(warehouse, "sales_api", today=TODAY)
    withdraw(warehouse, landed.load_id, by="test", why="wrong")
    fetch_feed(warehouse, "sales_api", today=TODAY)
    assert [(asked.query["a"][-2:], asked.query["b"][-2:]) for asked in api.asked] == [
        ("01", "03"), ("02", "03"), ("01", "03"),
    ]  # fmt: skip


SCRIPT = """
import os, signal, sys
from datetime import date
import ingestion.contract, ingestion.sources.rest as rest, ingestion.landing as landing
from pathlib import Path
from ingestion.sources.fetching import fetch_feed
from warehouse.database import open_warehouse
ingestion.contract.load_contracts.__defaults__ = (Path(sys.argv[1]),)
steps = {"written": (rest, "_name"), "entered": (landing, "load_rows"), "loaded": (landing, "measure")}
owner, name = steps[sys.argv[2]]
def deadly(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(owner, name, deadly)
with open_warehouse() as warehouse:
    fetch_feed(warehouse, "sales_api", today=date(2026, 2, 4))
"""


@pytest.mark.parametrize("step", ["written", "entered", "loaded"])
def test_killed_between_request_and_commit_the_next_one_makes_it_good(
    api: Any, feeds: Path, files: Any, warehouse: Warehouse, step: str
) -> None:
    change(feeds, **CHANGES)
    api.replies = [api.reply(api.list_of(api.sale(1, id=1), api.sale(1, id=2)))]
    killed = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(feeds), step],
        env={**os.environ, **warehouse.environment()},
        check=False,
        capture_output=True,
    )
    assert killed.returncode == -9, killed.stderr.decode()
    assert files.rows(warehouse, "select count(*) from raw.sales_lines") == [(0,)]
    fetch_feed(warehouse, "sales_api", today=TODAY)
    assert files.rows(warehouse, "select count(*), sum(net_cents) from raw.sales_lines") == [(2, 500)]
    assert files.rows(warehouse, "select status, cursor ->> 'reached' from raw.loads") == [("landed", "2")]
    assert not list((warehouse.settings.archive / "incoming").iterdir())


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Waiting takes no time; returns the fixture that sets variables."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    return monkeypatch


@pytest.mark.usefixtures("feeds")
def test_neither_ledger_nor_archive_nor_logs_hold_key_or_address(
    api: Any, files: Any, warehouse: Warehouse, caplog: pytest.LogCaptureFixture, patient: Any
) -> None:
    caplog.set_level("DEBUG")
    said: list[str] = []
    address = api.url.replace("/sales", f"/hook-{api.key}/sales?token={api.key}")
    patient.setenv("SALES_API_URL", address)
    change(
        contracts.load_contracts.__defaults__[0],
        auth={"kind": "query", "name": "key", "key_env": "SALES_API_KEY"},
        attempts=2,
    )
    api.replies = [api.reply(api.list_of(api.sale(1)))]
    fetch_feed(warehouse, "sales_api", today=TODAY, progress=said.append)
    assert api.asked[0].query["key"] == api.asked[0].query["token"] == api.key
    for status, body in ((500, api.key), (401, api.key), (200, {"error": f"bad {api.key}"}), (200, "<html>")):
        api.replies = [api.reply(body, status=status)]
        result = fetch_feeds(warehouse, ["sales_api"], today=TODAY, progress=said.append)
        said += result.failures.values()
    tables = ("raw.loads", "raw.rejected_rows", "raw.sales_lines", "ops.alerts", "ops.load_metrics")
    stored = [str(files.rows(warehouse, f"select t::text from {table} as t")) for table in tables]
    archived = [path.read_bytes().decode() + str(path) for path in warehouse.settings.archive.rglob("??*")
                if path.is_file()]  # fmt: skip
    assert len(said) > 8 and archived
    told = "\n".join([*said, *stored, *archived, caplog.text])
    assert api.key not in told and "hook-" not in told


def test_a_feed_is_asked_by_one_process_at_a_time(api: Any, feeds: Path, warehouse: Warehouse) -> None:
    with warehouse.connect("loader", autocommit=True) as other:
        other.execute("select pg_advisory_lock(723601, hashtext('sales_api'))")
        result = fetch_feeds(warehouse, ["sales_api"], today=TODAY)
    assert "another process" in result.failures["sales_api"]
    assert api.asked == []


def test_a_feed_is_set_up_when_its_variables_are(
    api: Any, feeds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (contract,) = fetched_feeds()
    assert is_configured(contract)
    monkeypatch.setenv("SALES_API_KEY", "")
    assert not is_configured(contract)


CURRENT = """
    select count(*), sum(net_cents) from raw.current_lines(
        (select array_agg(load_id) from raw.loads where status = 'landed'),
        (select array_agg(mode) from raw.loads where status = 'landed'), '2020-01-01', '2030-01-01'
    )
"""


@pytest.mark.usefixtures("feeds")
def test_a_source_that_ignores_the_days_asked_for_counts_nothing_twice(
    api: Any, files: Any, warehouse: Warehouse
) -> None:
    old, new = ([api.sale(day) for day in range(1, last)] for last in (11, 13))
    for today, records in ((20, old), (21, old), (22, new)):
        api.replies = [api.reply(api.list_of(*records))]
        fetch_feed(warehouse, "sales_api", today=date(2026, 2, today))
    assert files.rows(warehouse, CURRENT) == [(12, 3000)]
    assert files.rows(warehouse, "select distinct status from raw.loads") == [("landed",)]


@pytest.mark.usefixtures("feeds")
def test_a_part_of_a_day_that_was_not_asked_for_is_held(api: Any, files: Any, warehouse: Warehouse) -> None:
    api.replies = [api.reply(api.list_of(*[api.sale(day) for day in (1, 1, 1, 2, 2, 2, 3, 3)] * 3))]
    fetch_feed(warehouse, "sales_api", window=DAYS, today=TODAY)
    api.replies = [api.reply(api.list_of(api.sale(1), *[api.sale(day) for day in (2, 2, 2, 3, 3)] * 3))]
    fetch_feed(warehouse, "sales_api", window=Window(date(2026, 2, 2), DAYS.last), today=TODAY)
    assert files.rows(warehouse, "select status, held_reason from raw.loads order by load_id") == [
        ("landed", None), ("held", "OUTSIDE_WINDOW"),
    ]  # fmt: skip
    assert files.rows(warehouse, CURRENT) == [(24, 6000)]
