"""The viewer's pages as they are sent: what they hold, what a browser may keep."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from starlette.requests import Request

from dashboards.answers.trust import Trust
from dashboards.server import create_app
from dashboards.spec.loading import load_boards
from dashboards.viewer import assets, markup, pages
from tests.conftest import fresh_warehouse
from tests.dashboards.serving import Served, serving, serving_warehouse
from warehouse import embedded
from warehouse.progress import Journal
from warehouse.settings import Settings

PAGE = {"accept": "text/html"}


@pytest.fixture(scope="module")
def empty(server: embedded.Server) -> Iterator[Served]:
    """The dashboards of a warehouse in which nothing is published."""
    with fresh_warehouse(server) as warehouse, serving_warehouse(warehouse.settings) as served:
        yield served


def test_before_the_first_figures_a_page_says_how_to_get_some(empty: Served) -> None:
    page = empty.client.get("/", headers=PAGE)
    assert page.status_code == 200
    assert "./shopx run your_sales.csv" in page.text and "/upload" in page.text


def test_while_a_command_works_the_page_shows_its_steps_and_looks_again(empty: Served) -> None:
    journal = Journal(empty.app.state.settings.home)  # type: ignore[attr-defined]
    journal.add("done", "PostgreSQL 18 ready")
    journal.add("doing", "reading sales.csv")
    journal.add("doing", "building")
    page = empty.client.get("/boards/overview", headers=PAGE).text
    assert "PostgreSQL 18 ready" in page and "building" in page
    assert "reading sales.csv" not in page, "a step that is over without a word is no news"
    assert 'data-again="2"' in page


def test_before_the_database_is_there_a_browser_gets_a_page(tmp_path: object) -> None:
    nowhere = Settings(home=f"{tmp_path}/home", warehouse_url="postgresql://nobody@127.0.0.1:1/none")
    with serving(create_app(nowhere)) as served:
        answer = served.client.get("/", headers=PAGE)
        assert answer.status_code == 503 and "retry-after" in answer.headers
        assert "<h1>" in answer.text and "Traceback" not in answer.text


def test_an_address_that_is_none_says_so_on_a_page(empty: Served) -> None:
    assert empty.client.get("/boards/nothing", headers=PAGE).status_code == 404
    assert "To the overview" in empty.client.get("/nothing", headers=PAGE).text
    assert empty.client.get("/cards/nothing.csv").status_code == 404


def test_a_filter_that_cannot_be_meant_is_a_sentence(viewer: Served) -> None:
    answer = viewer.client.get("/boards/overview?period=custom&from=2026-02-31&to=2026-03-01", headers=PAGE)
    assert answer.status_code == 422
    assert "2026-02-31" in answer.text


@pytest.mark.parametrize("board", [board.key for board in load_boards()])
def test_a_page_holds_nothing_that_a_strict_policy_refuses_and_nothing_from_elsewhere(
    viewer: Served, board: str
) -> None:
    page = viewer.client.get(f"/boards/{board}")
    policy = page.headers["content-security-policy"]
    assert "unsafe" not in policy and "default-src 'none'" in policy
    assert re.findall(r"<[^>]+\sstyle=", page.text) == []
    assert re.findall(r"\son[a-z]+=", re.sub(r"<script.*?</script>", "", page.text)) == []
    assert re.findall(r"<script(?![^>]*(?:src=|application/json))", page.text) == []
    assert re.findall(r'(?:src|href)="(?:https?:)?//', page.text) == []


def test_a_board_whose_other_filters_offer_no_choice_keeps_its_period(viewer: Served) -> None:
    page = viewer.client.get("/boards/pipeline").text
    assert 'id="f-feed"' not in page
    assert 'id="f-period"' in page and 'id="f-compare"' in page


def test_what_is_chosen_goes_along_to_the_other_boards(viewer: Served) -> None:
    page = viewer.client.get("/boards/overview?period=last_7_days&category=Tea&store=York").text
    links = dict(re.findall(r'<a href="/boards/([a-z]+)\?([^"]*)"', page))
    assert "period=last_7_days" in links["customers"] and "store=York" in links["customers"]
    assert "category" not in links["customers"] and "category=Tea" in links["sales"]


def test_a_page_is_not_sent_again_while_it_would_be_the_same(viewer: Served) -> None:
    first = viewer.client.get("/boards/overview")
    again = viewer.client.get("/boards/overview", headers={"if-none-match": first.headers["etag"]})
    other = viewer.client.get(
        "/boards/overview?period=yesterday", headers={"if-none-match": first.headers["etag"]}
    )
    assert (first.status_code, again.status_code, other.status_code) == (200, 304, 200)
    assert first.headers["cache-control"] == "no-cache"


def test_files_are_kept_for_ever_under_an_address_that_changes_with_them(viewer: Served) -> None:
    page = viewer.client.get("/boards/overview").text
    for address in re.findall(r'(?:src|href)="(/static/[^"]+)"', page):
        answer = viewer.client.get(address)
        assert answer.status_code == 200 and "immutable" in answer.headers["cache-control"]
    assert viewer.client.get("/static/0123/viewer.css").status_code == 404
    assert viewer.client.get(f"/static/{assets.version()}/..%2Fpages.py").status_code == 404


def test_what_a_first_page_needs_is_below_a_megabyte_packed() -> None:
    assert (
        sum(len(asset.packed) for name, asset in assets.all_assets().items() if "echarts" not in name)
        < 40_000
    )
    library = max(len(asset.packed) for asset in assets.all_assets().values())
    assert library < 500_000
    for asset in assets.all_assets().values():
        assert gzip.decompress(asset.packed) == asset.body


def test_a_card_comes_as_a_file_with_its_filters(viewer: Served) -> None:
    csv = viewer.client.get("/cards/net_sales_by_day.csv?period=last_7_days")
    assert csv.status_code == 200 and csv.headers["content-disposition"].endswith('.csv"')
    assert "publication" in csv.text
    xlsx = viewer.client.get("/cards/net_sales_by_day.xlsx?period=last_7_days")
    assert xlsx.content[:2] == b"PK"


def test_the_upload_page_takes_a_file_and_says_what_became_of_it(empty: Served) -> None:
    assert "multipart/form-data" in empty.client.get("/upload", headers=PAGE).text
    sales = b"order_id,line,order_date,product,quantity,unit_price,currency\nA1,1,2026-03-01,Tea,2,4.50,GBP\n"
    page = empty.client.post("/upload", files={"file": ("till.csv", sales)}, headers=PAGE)
    assert page.status_code == 200
    assert re.search(r'data-verdict="IN"', page.text), page.text[-1500:]
    assert "£9.00" in page.text
    assert (empty.app.state.settings.inbox / "till.csv").is_file()  # type: ignore[attr-defined]
    refused = empty.client.post("/upload", files={"file": ("note.txt", b"\x00\x01nothing")}, headers=PAGE)
    assert 'data-verdict="REFUSED"' in refused.text


UNKNOWN = (
    "Datum;Beleg;Artikel;Menge;Einzelpreis\n"
    "01.02.2026;R1;Tee;2;4,50\n02.02.2026;R2;Tasse;1;12,00\n03.02.2026;R3;Tee;3;4,50\n"
)


def test_a_file_nobody_has_described_is_talked_over_and_then_loaded(
    empty: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = empty.app.state.settings.home  # type: ignore[attr-defined]
    monkeypatch.setenv("SHOPX_HOME", str(home))
    begun = empty.client.post(
        "/upload/describe", files={"file": ("umsatz.csv", UNKNOWN.encode())}, follow_redirects=False
    )
    assert begun.status_code == 303
    talk = begun.headers["location"]
    asked = empty.client.get(talk, headers=PAGE).text
    assert "Einzelpreis" in asked and "unit_price" in asked
    assert 'name="answer.currency"' in asked and 'name="answer.date_order"' in asked
    assert 'value="load"' not in asked, "nothing can be loaded while a question is open"
    answers = {"answer.currency": "EUR", "answer.date_order": "day-first"}
    checked = empty.client.get(talk, params=answers, headers=PAGE).text
    assert 'data-verdict="IN"' in checked and "€34.50" in checked and "1 Feb 2026" in checked

    def finish(**given: str) -> str:
        form = {**answers, "do": "load", **given}
        return empty.client.post(talk, files={key: (None, value) for key, value in form.items()}).text

    assert "gives another sum" in finish(expect="99.00")
    assert not (home / "feeds").exists()
    assert "umsatz.csv: IN" in finish(expect="34.50")
    assert "currency: EUR" in (home / "feeds" / "umsatz.yaml").read_text()
    assert (home / "inbox" / "umsatz.csv").read_text() == UNKNOWN
    assert empty.client.get(talk, headers=PAGE).status_code == 404
    assert list((home / "describing").iterdir()) == []


def test_a_talk_that_nobody_began_is_no_file(empty: Served) -> None:
    for token in ("0" * 32, "..%2f..%2fpasswords", "x"):
        assert empty.client.get(f"/upload/describe/{token}", headers=PAGE).status_code == 404


def test_a_paused_publication_is_a_banner_and_not_a_part_of_a_line() -> None:
    trust = Trust(
        publication_id=8,
        as_of=date(2026, 5, 31),
        published_at=datetime(2026, 6, 1, 8, 2, tzinfo=UTC),
        time_zone="Europe/London",
        feeds=("till",),
        late_feeds=(),
        loads=3,
        rows_delivered=100,
        rows_rejected=0,
        held_loads=0,
        is_reconciled=True,
        paused="prices were wrong <b>(figures of publication 6)</b>",
    )
    strip = pages.strip(trust)
    assert not any("PAUSED" in part for part in strip.parts)
    asked = Request({"type": "http", "headers": []})
    shown = bytes(markup.page(asked, "wrong.html", title="", detail="", trust=strip).body).decode()
    assert "Publication is paused." in shown
    assert "prices were wrong &lt;b&gt;" in shown, "what a person wrote is text"
