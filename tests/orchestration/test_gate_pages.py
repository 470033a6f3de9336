"""The pages beside Dagster's: behind its guard, safe whatever a file is named, and with a next step."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import PlainTextResponse

from expectations.arrival import run_arrival_gate
from ingestion.landing import land
from orchestration.gate_pages.serving import GatePages, prose
from orchestration.web import Guard
from tests.conftest import fresh_warehouse
from tests.orchestration.test_guard import HERE, SIGNED_IN, TOKEN
from warehouse.database import Warehouse
from warehouse.embedded import Server

EVIL = "<script>alert(1)</script>.csv"
HEAD = "order_id,order_date,product,quantity,unit_price,currency\n"


@pytest.fixture(scope="module")
def shop(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """Load 1 counts, with a refused row; load 2 asks how its dates are read; load 3 was held by the gate."""
    folder = tmp_path_factory.mktemp("files")

    def given(name: str, *rows: str) -> Path:
        path = folder / name.replace("/", "∕")
        path.write_text(HEAD + "".join(f"{row},GBP\n" for row in rows))
        return path

    with fresh_warehouse(server) as warehouse:
        files = [
            given("good.csv", "A,2026-03-21,Tea,1,4.50", "B,2026-03-21,<b>Tea</b>,x,4.50"),
            given(EVIL, "C,01/02/2026,Tea,1,4.50"),
            given("free.csv", "D,2026-03-22,Tea,1,free"),
        ]
        landed = [land(warehouse, [path]).landed[-1].load_id for path in files]
        assert landed == [1, 2, 3]
        run_arrival_gate(warehouse, landed)
        yield warehouse


def asked(shop: Warehouse, path: str, headers: dict[str, str] = SIGNED_IN) -> tuple[int, dict[str, str], str]:
    """Status, headers and text of a page, asked for through the guard."""
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    @contextmanager
    def opened() -> Iterator[Warehouse]:
        yield shop

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "scheme": "http",
        "server": ("127.0.0.1", 3000),
    }
    app = Guard(GatePages(PlainTextResponse("the UI"), opened=opened), token=TOKEN, port=3000)
    asyncio.run(app(scope, receive, send))
    told = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return (
        sent[0]["status"],
        told,
        b"".join(part.get("body", b"") for part in sent[1:]).decode("utf-8", "replace"),
    )


def test_the_guard_stands_before_the_pages(shop: Warehouse) -> None:
    assert asked(shop, "/gate", HERE)[0] == 401
    assert asked(shop, "/gate/loads/1/to_correct.xlsx", HERE)[0] == 401
    assert asked(shop, "/gate", {**SIGNED_IN, "host": "evil.example"})[0] == 421


def test_a_held_load_says_why_and_what_each_answer_would_change(shop: Warehouse) -> None:
    status, _, page = asked(shop, "/gate/loads/2")
    assert status == 200
    for words in (
        "HELD", "all 1 dates in column", "day-first", "2026-02-01", "month-first", "2026-01-02",
        "+£4.50", "<code>./shopx release 2 --as day-first</code>", "<code>./shopx withdraw 2</code>",
    ):  # fmt: skip
        assert words in page, words
    assert "/locations/shopx/jobs/release_load/playground/setup?config=" in page


def test_a_load_held_by_the_gate_shows_the_check_its_value_and_its_limit(shop: Warehouse) -> None:
    _, _, page = asked(shop, "/gate/loads/3")
    for words in ("NOTHING_ACCEPTED", "at least 1", "holds it", "none of its 1 rows was accepted"):
        assert words in page, words


def test_from_a_red_check_to_the_refused_row_is_one_page(shop: Warehouse) -> None:
    _, _, page = asked(shop, "/gate/loads/1")
    assert "NUMBER_FORMAT" in page and "saw &#34;x&#34;" in page
    status, told, body = asked(shop, "/gate/loads/1/to_correct.xlsx")
    assert (status, body[:2]) == (200, "PK")
    assert "to_correct_1.xlsx" in told["content-disposition"]


def test_every_page_escapes_what_files_say_and_runs_nothing(shop: Warehouse) -> None:
    for path in ("/gate", "/gate/loads/1", "/gate/loads/2", "/gate/runs/1"):
        status, told, page = asked(shop, path)
        assert status == 200, path
        assert "<script" not in page and "<b>Tea" not in page
        assert "default-src 'none'" in told["content-security-policy"]
        assert told["cache-control"] == "no-store"
    assert "&lt;script&gt;alert(1)" in asked(shop, "/gate")[2]


def test_a_failed_build_names_what_broke_before_what_was_skipped(shop: Warehouse) -> None:
    with shop.connect("owner") as conn:
        conn.execute("insert into ops.builds (build_id, opened_by, as_of, status) overriding system value"
                     " values (7, 'ann', '2026-03-31', 'failed')")  # fmt: skip
        for name, message in (("a", "skipped"), ("sums_agree", "Got 1 result"), ("z", "skipped")):
            conn.execute(
                "insert into ops.audit_results (build_id, kind, name, limit_value, passed, message)"
                " values (7, 'dbt', %s, '0', false, %s)",
                [f"test.shopx.{name}.0a1b2c", message],
            )
    _, _, page = asked(shop, "/gate/builds/7")
    assert "readers see the publication before" in page
    assert "<code>./shopx dbt show --select sums_agree</code>" in page
    assert "2 more did not run" in page and "a, z" in page


def test_the_run_of_a_gate_is_shown_as_great_expectations_shows_it(shop: Warehouse) -> None:
    assert "Evaluated Expectations" in asked(shop, "/gate/runs/1")[2]


@pytest.mark.parametrize(
    "path",
    ["/gate/loads/999", "/gate/runs/999", "/gate/builds/999", "/gate/loads/x", "/gate/runs/../../ui.token"],
)
def test_what_is_not_there_is_said_to_be_missing(shop: Warehouse, path: str) -> None:
    status, _, page = asked(shop, path)
    assert (status, page) == (404, "There is no such page.\n")


def test_other_addresses_are_dagsters(shop: Warehouse) -> None:
    assert asked(shop, "/gates")[2] == "the UI"


def test_commands_in_a_sentence_are_set_off_and_nothing_else_is_markup() -> None:
    assert prose("say `./shopx <x>` or <b> `open") == "say <code>./shopx &lt;x&gt;</code> or &lt;b&gt; open"
