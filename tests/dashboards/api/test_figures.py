"""Figures over HTTP: the same as SQL gives, with all that must be said beside them, and never out of date."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from tests.conftest import fresh_warehouse
from tests.dashboards.figures import AS_OF, make_marts, publish_days
from tests.dashboards.serving import Served, serving_warehouse
from warehouse import embedded
from warehouse.database import Warehouse

SUMMARY = "/api/v1/kpis/summary"


@pytest.fixture(scope="module")
def shop(server: embedded.Server) -> Iterator[Warehouse]:
    with fresh_warehouse(server, time_zone="Europe/London") as warehouse:
        make_marts(warehouse)
        publish_days(warehouse)
        yield warehouse


@pytest.fixture(scope="module")
def served(shop: Warehouse) -> Iterator[Served]:
    with serving_warehouse(shop.settings) as running:
        yield running


def ask(served: Served, path: str, expect: int = 200, **query: Any) -> dict[str, Any]:
    answer = served.client.get(path, params=query or None)
    assert answer.status_code == expect, answer.text
    found: dict[str, Any] = answer.json()
    return found


def figures(summary: dict[str, Any]) -> dict[str, Any]:
    return {figure["key"]: figure for figure in summary["figures"]}


def net_sales(shop: Warehouse, days: int, store: str | None = None) -> int:
    with shop.connect("reader") as connection:
        row = connection.execute(
            "select sum(net_sales_cents) from marts.sales_by_filters"
            " where category_key = 0 and sale_date > %s and (%s::text is null or store_name = %s)",
            [AS_OF - timedelta(days=days), store, store],
        ).fetchone()
    assert row is not None
    return int(row[0])


def test_the_summary_has_six_figures_of_the_last_30_days_each_explained(
    served: Served, shop: Warehouse
) -> None:
    summary = ask(served, SUMMARY)
    assert (summary["period"]["last"], summary["period"]["days"]) == ("2026-05-31", 30)
    found = figures(summary)
    assert list(found) == [
        "net_sales", "orders", "average_order_value", "gross_profit", "returning_customers", "return_rate",
    ]  # fmt: skip
    assert found["net_sales"]["value"] == net_sales(shop, 30)
    assert found["net_sales"]["unit"] == "minor_units"
    assert found["orders"]["value"] == 30 * 20
    for figure in found.values():
        assert figure["definition"]
        assert figure["source"].startswith("marts.")
        assert (figure["value"] is None) == (figure.get("missing") is not None)


def test_what_is_missing_has_a_reason_and_no_number(served: Served) -> None:
    profit = figures(ask(served, SUMMARY))["gross_profit"]
    assert profit["value"] is None
    assert profit["missing"]


def test_every_answer_says_which_publication_how_far_and_how_complete(served: Served) -> None:
    for path in (SUMMARY, "/api/v1/dashboards", "/api/v1/cards/net_sales_by_day"):
        source = ask(served, path)["source"]
        assert (source["publication_id"], source["as_of"]) == (1, "2026-05-31")
        assert (source["currency"], source["time_zone"]) == ("GBP", "Europe/London")
        assert source["trust"]["text"].startswith("Sales to Sun 31 May 2026")


def test_the_days_asked_for_are_the_days_answered(served: Served, shop: Warehouse) -> None:
    for days in (1, 7, 91):
        summary = ask(served, SUMMARY, days_back=days)
        assert figures(summary)["net_sales"]["value"] == net_sales(shop, days)
        assert summary["period"]["previous"]["days"] == days
    same = ask(served, SUMMARY, period="last_7_days")
    assert figures(same)["net_sales"]["value"] == net_sales(shop, 7)
    custom = ask(served, SUMMARY, **{"from": "2026-05-25", "to": "2026-05-31"})
    assert figures(custom)["net_sales"]["value"] == net_sales(shop, 7)


def test_figures_stand_beside_the_same_number_of_days_before(served: Served, shop: Warehouse) -> None:
    change = figures(ask(served, SUMMARY, days_back=28))["net_sales"]["comparisons"]
    assert {one["against"] for one in change} == {"previous", "year_before"}
    for one in change:
        assert one["days"]["days"] == 28
        assert one["words"]
    previous = next(one for one in change if one["against"] == "previous")
    assert previous["base_value"] == net_sales(shop, 56) - net_sales(shop, 28)
    assert previous["change"] == 2 * net_sales(shop, 28) - net_sales(shop, 56)


def test_a_filter_is_obeyed_and_one_that_cannot_be_says_so(served: Served, shop: Warehouse) -> None:
    summary = ask(served, SUMMARY, store="Leeds")
    assert summary["filters"] == {"store": ["Leeds"]}
    assert figures(summary)["net_sales"]["value"] == net_sales(shop, 30, "Leeds")
    both = ask(served, SUMMARY, store=["Leeds", "York"])
    assert figures(both)["net_sales"]["value"] == net_sales(shop, 30)
    told = figures(ask(served, SUMMARY, category="Tea"))["returning_customers"]["cannot_obey"]
    assert [(one["filter"], one["is_set"]) for one in told] == [("category", True)]
    assert told[0]["reason"]


WRONG = {
    "no such parameter": {"stores": "Leeds"},
    "a filter another dashboard has": {"feed": "till"},
    "days and a period": {"days_back": 3, "period": "yesterday"},
    "days with a period's end": {"days_back": 3, "to": "2026-05-01"},
    "no days": {"days_back": 0},
    "too many days": {"days_back": 10**9},
    "no number": {"days_back": "many"},
    "no period": {"period": "fortnight"},
    "no day": {"from": "2026-02-30", "to": "2026-03-01"},
    "half a period": {"from": "2026-02-01"},
    "days backwards": {"from": "2026-02-02", "to": "2026-02-01"},
    "days of another period": {"period": "yesterday", "from": "2026-02-01", "to": "2026-02-03"},
    "custom without days": {"period": "custom"},
    "a value nobody could have": {"store": "x\0y"},
    "a value too long": {"store": "x" * 501},
}


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_meant_is_a_problem_that_says_why(served: Served, what: str) -> None:
    for path in (SUMMARY, "/api/v1/cards/net_sales"):
        answer = served.client.get(path, params=WRONG[what])
        assert answer.status_code == 422, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"]


def test_the_first_and_the_last_day_there_is_can_be_asked(served: Served) -> None:
    ask(served, SUMMARY, **{"from": "1900-01-01", "to": "2200-12-31"})
    ask(served, SUMMARY, 422, **{"from": "0001-01-01", "to": "9999-12-31"})
    ask(served, SUMMARY, days_back=36_600)


def test_every_card_can_be_asked_and_its_file_holds_the_same_rows(served: Served) -> None:
    listed = ask(served, "/api/v1/dashboards")["dashboards"]
    assert listed[0]["key"] == "overview"
    for dashboard in listed:
        assert dashboard["question"]
        for card in dashboard["cards"]:
            answer = ask(served, card["address"])
            assert answer["definition"] == card["definition"]
            assert answer["rows_in_all"] == len(answer["rows"])


def test_rows_come_in_pages_that_lead_to_each_other(served: Served) -> None:
    path = "/api/v1/cards/net_sales_by_day"
    whole = ask(served, path, days_back=10)
    assert whole["rows_in_all"] == 10
    address: str | None = f"{path}?days_back=10&limit=4"
    rows: list[Any] = []
    pages = 0
    while address:
        page = ask(served, address)
        rows += page["rows"]
        address = page.get("next")
        pages += 1
    assert (rows, pages) == (whole["rows"], 3)


def test_the_files_of_a_card_hold_every_row_to_the_cent_and_the_trust_line(served: Served) -> None:
    path, days = "/api/v1/cards/net_sales_by_day", {"days_back": 40, "store": "York"}
    answer = ask(served, path, **days)
    cents = [row["net_sales_cents"] for row in answer["rows"]]
    text = served.client.get(path, params=days | {"format": "csv", "limit": 1})
    assert text.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'filename="overview-net_sales_by_day-' in text.headers["content-disposition"]
    lines = text.content.decode("utf-8-sig").splitlines()
    assert any(answer["source"]["trust"]["text"] in line for line in lines)
    heading, *rows = csv.reader(line for line in lines if not line.startswith("#"))
    place = next(number for number, name in enumerate(heading) if name.startswith("Net sales"))
    assert [round(float(row[place]) * 100) for row in rows] == cents
    book = served.client.get(path, params=days | {"format": "xlsx"})
    assert book.headers["content-type"].endswith("spreadsheetml.sheet")
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(book.content)).get_sheet_by_index(0).to_python()
    at = next(number for number, row in enumerate(sheet) if row[: len(heading)] == heading)
    assert [round(float(str(row[place])) * 100) for row in sheet[at + 1 :]] == cents
    again = served.client.get(
        path, params=days | {"format": "csv"}, headers={"if-none-match": text.headers["etag"]}
    )
    assert again.status_code == 304


def test_a_card_nobody_has_is_not_found(served: Served) -> None:
    assert "dashboards lists them" in ask(served, "/api/v1/cards/nothing", 404)["detail"]


def test_who_has_the_answer_is_told_so_until_something_else_is_published(
    served: Served, shop: Warehouse
) -> None:
    for path in (SUMMARY, "/api/v1/cards/net_sales_by_day", "/api/v1/dashboards"):
        publish_days(shop, publication=2)
        first = served.client.get(path)
        tag = {"if-none-match": first.headers["etag"]}
        assert first.headers["cache-control"] == "private, no-cache"
        again = served.client.get(path, headers=tag)
        assert (again.status_code, again.content) == (304, b"")
        assert (
            served.client.get(
                path, headers={"if-none-match": f'W/"x", W/{first.headers["etag"]}'}
            ).status_code
            == 304
        )
        publish_days(shop, publication=3, times=2)
        after = served.client.get(path, headers=tag)
        assert (after.status_code, after.json()["source"]["publication_id"]) == (200, 3)


def test_the_strip_is_as_fresh_as_the_figures(served: Served, shop: Warehouse) -> None:
    before = served.client.get(SUMMARY)
    with shop.connect("owner") as connection:
        connection.execute(
            "insert into ops.pauses (paused_by, why, stepped_back_from, figures_of, publication_id)"
            " select 'test', 'a wrong file', publication_id, publication_id, publication_id"
            " from marts.publication"
        )
    try:
        after = served.client.get(SUMMARY, headers={"if-none-match": before.headers["etag"]})
        assert after.status_code == 200
        assert "a wrong file" in after.json()["source"]["trust"]["paused"]
        assert served.client.get("/health").json()["paused"] == "a wrong file"
    finally:
        with shop.connect("owner") as connection:
            connection.execute("delete from ops.pauses")


def test_no_reader_ever_gets_what_was_published_before_it_asked(served: Served, shop: Warehouse) -> None:
    """Ten publications under four readers that send their tag: number and publication always agree, and none
    is older than the newest known to be committed when the question was sent.
    """
    publish_days(shop, publication=10)
    committed, wrong, stop = [10], [], threading.Event()

    def read() -> None:
        with httpx_client(served) as client:
            tag, last = "", {}
            while not stop.is_set():
                floor = committed[0]
                answer = client.get(SUMMARY, params={"days_back": 1}, headers={"if-none-match": tag})
                if answer.status_code == 200:
                    tag, last = answer.headers["etag"], answer.json()
                elif answer.status_code != 304:
                    wrong.append(answer.text)
                    continue
                number = last["source"]["publication_id"]
                value = figures(last)["orders"]["value"]
                if number < floor or value != 20 * number:
                    wrong.append(
                        f"{answer.status_code}: publication {number}, {value} orders, asked after {floor}"
                    )

    readers = [threading.Thread(target=read) for _ in range(4)]
    publish_days(shop, publication=10, times=10)
    for reader in readers:
        reader.start()
    for number in range(11, 21):
        publish_days(shop, publication=number, times=number)
        committed[0] = number
    stop.set()
    for reader in readers:
        reader.join()
    assert wrong == []


def test_when_the_database_has_ended_every_session_the_next_answer_is_whole(
    served: Served, shop: Warehouse, server: embedded.Server
) -> None:
    publish_days(shop, publication=30, times=30)
    ask(served, SUMMARY)
    with server.connect_as_superuser() as admin:  # after a restart they look the same
        ended = admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = %s and application_name = 'shopx dashboards'",
            [shop.address.database],
        ).fetchall()
    assert (True,) in ended
    assert ask(served, SUMMARY, days_back=3)["source"]["publication_id"] == 30


def httpx_client(served: Served) -> Any:
    import httpx  # noqa: PLC0415

    return httpx.Client(base_url=served.url, timeout=30)


def test_before_the_first_publication_it_is_said(server: embedded.Server) -> None:
    with fresh_warehouse(server) as empty, serving_warehouse(empty.settings) as served:
        for path in (SUMMARY, "/api/v1/dashboards", "/api/v1/cards/net_sales"):
            assert "Nothing is published yet" in ask(served, path, 503)["detail"]
        assert served.client.get("/health").json()["status"] == "empty"
