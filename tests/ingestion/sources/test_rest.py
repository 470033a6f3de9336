"""A REST API that does everything APIs do: each fault ends in the right rows or in one sentence."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ingestion.sources.fetched import Fetched, FetchFailed
from ingestion.sources.web import is_public, retry_after_s

Fetch = Callable[..., Fetched]
NOW = datetime(2026, 2, 4, 12, tzinfo=UTC)


def lines(fetched: Fetched) -> list[str]:
    return fetched.path.read_text().splitlines()


def test_the_plain_answer_is_kept_record_by_record_as_it_came(api: Any, fetch: Fetch) -> None:
    records = [
        api.sale(1, amount="19.90"),
        api.sale(2, amount="1e2"),
        api.sale(3, product="Tasse für \\u00fcber 5"),
    ]
    api.replies = [api.reply("[\n  " + ",\r\n  ".join(records) + "\n]")]
    fetched = fetch()
    assert lines(fetched) == records
    assert fetched.name == "sales_api_2026-02-01_2026-02-03.jsonl"
    assert fetched.facts == {"records": 3, "pages": 1}
    (asked,) = api.asked
    assert asked.path == "/sales"
    assert asked.query == {"start_date": "2026-02-01", "end_date": "2026-02-03"}
    assert asked.headers["Authorization"] == f"Bearer {api.key}"
    assert asked.headers["Host"] == api.url.split("/")[2]


def test_a_pretty_printed_record_becomes_one_line(api: Any, fetch: Fetch) -> None:
    api.replies = [api.reply(json.dumps([json.loads(api.sale(1))], indent=2))]
    (line,) = lines(fetch())
    assert json.loads(line) == json.loads(api.sale(1))


@pytest.mark.parametrize(
    ("auth", "found"),
    [
        ({"kind": "header", "name": "X-Api-Key", "key_env": "SALES_API_KEY"}, "X-Api-Key"),
        ({"kind": "query", "name": "api_key", "key_env": "SALES_API_KEY"}, "api_key"),
    ],
)
def test_the_key_travels_as_the_contract_says(api: Any, fetch: Fetch, auth: Any, found: str) -> None:
    fetch(auth=auth)
    (asked,) = api.asked
    assert (asked.headers | asked.query)[found] == api.key
    assert "Authorization" not in asked.headers


@pytest.mark.parametrize(
    ("window", "contract", "query"),
    [
        ({"from": "a", "to": "b", "to_is": "exclusive"}, {}, {"a": "2026-02-01", "b": "2026-02-04"}),
        (
            {"from": "a", "to": "b", "as": "datetime"},
            {"timezone": "Europe/Berlin"},
            {"a": "2026-01-31T23:00:00Z", "b": "2026-02-03T23:00:00Z"},
        ),
        (
            {"from": "a", "to": "b", "as": "datetime", "to_is": "inclusive"},
            {"timezone": "Europe/Berlin", "day_starts_at": "04:00"},
            {"a": "2026-02-01T03:00:00Z", "b": "2026-02-04T02:59:59Z"},
        ),
        ({"from": "a", "to": "b", "as": "epoch"}, {}, {"a": "1769904000", "b": "1770163200"}),
    ],
)
def test_the_window_is_asked_for_in_days_of_the_feed(
    api: Any, fetch: Fetch, window: Any, contract: Any, query: dict[str, str]
) -> None:
    fetch(contract=contract, window_block=window)
    assert api.asked[0].query == query


# pages


def paged(api: Any, records: list[str], *, size: int, by: str) -> None:
    """Pages as most APIs have them."""

    def reply(asked: Any) -> Any:
        if by == "page":
            start = (int(asked.query["p"]) - 1) * size
        elif by == "offset":
            start = int(asked.query["p"])
        else:
            start = int(asked.query.get("p", "0"))
        page = records[start : start + size]
        more = start + size < len(records)
        body = f'{{"total": {len(records)}, "data": {{"orders": {api.list_of(*page)}}}'
        body += f', "next": "{start + size}"}}' if more else ', "next": null}'
        link = f'<{asked.path}?p={start + size}>; rel="next"' if more else '</first>; rel="first"'
        return api.reply(body, headers={"Link": link} if by == "link" else {})

    api.answer = reply


@pytest.mark.parametrize("by", ["page", "offset", "cursor", "link"])
@pytest.mark.parametrize("count", [0, 2, 5, 6])
def test_all_pages_are_fetched_in_order(api: Any, fetch: Fetch, by: str, count: int) -> None:
    records = [api.sale(1, product=f"Tea {number}") for number in range(count)]
    paged(api, records, size=2, by=by)
    pages: dict[str, Any] = {"by": by}
    if by != "link":
        pages["parameter"] = "p"
    if by == "cursor":
        pages["next"] = "next"
    fetched = fetch(items="data.orders", pages=pages)
    assert lines(fetched) == records
    # where nothing says that there is no more, an empty page does: a short one does not
    ends = {"page": count // 2 + 1 + count % 2, "offset": count // 2 + 1 + count % 2}
    assert len(api.asked) == ends.get(by, max((count + 1) // 2, 1))


def test_a_known_total_saves_the_empty_page_and_sizes_are_asked_for(api: Any, fetch: Fetch) -> None:
    paged(api, [api.sale(1, product=f"Tea {n}") for n in range(4)], size=2, by="page")
    pages = {"by": "page", "parameter": "p", "total": "total", "size_parameter": "n", "size": 2}
    assert len(lines(fetch(items="data.orders", pages=pages))) == 4
    assert [asked.query["n"] for asked in api.asked] == ["2", "2"]


def test_the_query_stays_on_every_page_but_those_a_link_names(api: Any, fetch: Fetch) -> None:
    paged(api, [api.sale(1)] * 4, size=2, by="page")
    fetch(items="data.orders", pages={"by": "page", "parameter": "p"}, parameters={"shop": "x"})
    assert all(a.query["shop"] == "x" and a.query["start_date"] for a in api.asked)


def test_a_cursor_that_comes_again_is_a_circle(api: Any, fetch: Fetch) -> None:
    ring = [api.reply(f'{{"items": {api.list_of(api.sale(n))}, "next": "{n % 2}"}}') for n in range(1, 9)]
    api.replies = ring
    with pytest.raises(FetchFailed, match=r"Feed sales_api: it goes in circles: page 3"):
        fetch(items="items", pages={"by": "cursor", "parameter": "p", "next": "next"})


def test_an_api_that_knows_no_pages_is_noticed(api: Any, fetch: Fetch) -> None:
    api.replies = [api.reply(api.list_of(api.sale(1), api.sale(2)))]
    with pytest.raises(FetchFailed, match="the same records as page 1, 2 and 3"):
        fetch(pages={"by": "page", "parameter": "p"})


def test_there_is_a_last_page(api: Any, fetch: Fetch) -> None:
    api.answer = lambda asked: api.reply(api.list_of(api.sale(1, product=asked.query["p"])))
    with pytest.raises(FetchFailed, match="more than 3 pages"):
        fetch(pages={"by": "page", "parameter": "p"}, max_pages=3)


def test_a_total_that_changes_while_paging_makes_it_ask_for_all_of_it_again(api: Any, fetch: Fetch) -> None:
    def page(total: int, *records: str) -> Any:
        return api.reply(f'{{"n": {total}, "list": {api.list_of(*records)}}}')

    a, b, c = (api.sale(1, product=name) for name in "abc")
    api.replies = [page(2, a), page(3, a), page(3, c), page(3, a), page(3, b)]
    fetched = fetch(items="list", pages={"by": "page", "parameter": "p", "total": "n"})
    assert lines(fetched) == [c, a, b]
    api.replies = [page(2, a), page(3, b)] * 3
    with pytest.raises(FetchFailed, match="its total changed from 2 to 3 while paging, 3 times"):
        fetch(items="list", pages={"by": "page", "parameter": "p", "total": "n"})


def test_a_total_that_is_not_reached_is_no_delivery(api: Any, fetch: Fetch) -> None:
    api.answer = lambda asked: api.reply(
        f'{{"n": 5, "list": {api.list_of(api.sale(1)) if asked.query["p"] == "1" else []}}}'
    )
    with pytest.raises(FetchFailed, match="announces 5 records and gives 1"):
        fetch(items="list", pages={"by": "page", "parameter": "p", "total": "n"})


def test_a_record_on_two_pages_makes_it_ask_for_all_of_it_again(api: Any, fetch: Fetch) -> None:
    one, two, three = (api.sale(1, id=n) for n in (1, 2, 3))
    api.replies = [
        api.reply(api.list_of(one, two)),
        api.reply(api.list_of(two, three)),
        api.reply(api.list_of(one, two, three)),
        api.reply("[]"),
    ]
    fetched = fetch(pages={"by": "page", "parameter": "p"}, record_id="id")
    assert lines(fetched) == [one, two, three]


# patience


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 408])
def test_a_server_in_trouble_is_asked_again(api: Any, fetch: Fetch, status: int) -> None:
    api.replies = [
        api.reply("sorry", status=status),
        api.reply("sorry", status=status),
        api.reply(api.list_of(api.sale(1))),
    ]
    waited: list[float] = []
    assert len(lines(fetch(waited=waited))) == 1
    assert len(waited) == 2 and 1 <= waited[0] <= 2 and 2 <= waited[1] <= 3


def test_it_is_given_up_at_last_in_one_sentence(api: Any, fetch: Fetch) -> None:
    api.replies = [api.reply("sorry", status=503)]
    with pytest.raises(FetchFailed) as failure:
        fetch(attempts=3)
    assert failure.value.message == (
        "Feed sales_api: 127.0.0.1 answered with status 503, 3 times. The next run asks again."
    )
    assert len(api.asked) == 3


def test_retry_after_is_obeyed_in_both_forms(api: Any, fetch: Fetch) -> None:
    later = (NOW + timedelta(seconds=90)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    api.replies = [
        api.reply("", status=429, headers={"Retry-After": "7"}),
        api.reply("", status=503, headers={"Retry-After": later}),
        api.reply(api.list_of(api.sale(1))),
    ]
    waited: list[float] = []
    fetch(waited=waited, now=lambda: NOW)
    assert waited == [7.0, 90.0]


def test_a_longer_wait_than_the_contract_has_patience_for_is_said(api: Any, fetch: Fetch) -> None:
    api.replies = [api.reply("", status=429, headers={"Retry-After": "7200"})]
    with pytest.raises(FetchFailed, match="asks to be left alone for 7,200 s"):
        fetch()
    assert len(api.asked) == 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None), ("0", 0.0), (" 12 ", 12.0), ("-5", None), ("1.5", None), ("soon", None),
        ("Wed, 04 Feb 2026 12:00:30 GMT", 30.0), ("Wed, 04 Feb 2026 11:00:00 GMT", 0.0),
        ("Wednesday, 04-Feb-26 12:00:10 GMT", 10.0), ("٣", None), ("9" * 400, 999_999_999.0),
    ],
)  # fmt: skip
def test_retry_after(value: str | None, seconds: float | None) -> None:
    assert retry_after_s(value, now=NOW) == seconds


def test_a_server_that_says_nothing_is_asked_again(api: Any, fetch: Fetch) -> None:
    api.replies = [api.reply(stalls=True), api.reply(api.list_of(api.sale(1)))]
    assert len(lines(fetch(timeout_s=0.2))) == 1
    assert len(api.asked) == 2


@pytest.mark.parametrize("hides_length", [False, True])
def test_a_body_that_is_cut_off_never_counts(api: Any, fetch: Fetch, hides_length: bool) -> None:
    whole = api.list_of(*(api.sale(n) for n in (1, 2, 3)))
    for cut in (1, 30, len(whole)):
        api.replies = [api.reply(whole, cut=cut, hides_length=hides_length), api.reply(whole)]
        assert len(lines(fetch())) == 3
    api.replies = [api.reply(whole, cut=1, hides_length=hides_length)]
    with pytest.raises(FetchFailed, match=r"broke off its answer|ends too early"):
        fetch(attempts=2)


def test_what_stands_behind_the_list_must_be_whole_too(api: Any, fetch: Fetch) -> None:
    whole = f'{{"data": {api.list_of(api.sale(1))}, "meta": {{"at": "now"}}}}'
    api.replies = [api.reply(whole, cut=3, hides_length=True), api.reply(whole)]
    assert len(lines(fetch(items="data"))) == 1
    assert len(api.asked) == 2


def test_a_packed_answer_is_unpacked_within_the_limit(api: Any, fetch: Fetch) -> None:
    packed = gzip.compress(api.list_of(api.sale(1)).encode())
    api.replies = [api.reply(packed, headers={"Content-Encoding": "gzip"})]
    assert len(lines(fetch())) == 1
    bomb = gzip.compress(b" " * 30_000_000)
    api.replies = [api.reply(bomb, headers={"Content-Encoding": "gzip"})]
    with pytest.raises(FetchFailed, match="larger than 1,000,000 bytes"):
        fetch(max_answer_bytes=1_000_000)


# answers that are none


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": "quota used up"}, 'answered with an error: "quota used up"'),
        ({"error": {"code": 7, "message": "no such\nshop"}}, 'answered with an error: "no such shop"'),
        ({"message": "welcome"}, r'holds no list but an object \(keys: "message"\)'),
        ({"data": []}, r'holds no list but an object \(keys: "data"\)'),
        ("<!DOCTYPE html><html>Log in</html>", "a web page instead of JSON, 2 times"),
        ("", "sent an empty answer"),
        ("null", "holds no list but null"),
        ('"ok"', "holds no list but a text"),
        ("not json", "ends too early or is no JSON"),
        ("[1, 2] and more", "ends too early or is no JSON"),
        ("[" * 100_000, "ends too early or is no JSON"),
    ],
)
def test_a_status_200_with_something_else_is_no_delivery(
    api: Any, fetch: Fetch, body: Any, said: str
) -> None:
    api.replies = [api.reply(body)]
    with pytest.raises(FetchFailed, match=said):
        fetch(attempts=2)


def test_an_error_beside_a_list_is_believed(api: Any, fetch: Fetch) -> None:
    api.replies = [api.reply({"error": "only half of the shops answered", "data": []})]
    with pytest.raises(FetchFailed, match="only half of the shops answered"):
        fetch(items="data")
    api.replies = [api.reply({"error": None, "data": []})]
    assert lines(fetch(items="data")) == []


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_names_the_variable_and_not_the_key(api: Any, fetch: Fetch, status: int) -> None:
    api.replies = [api.reply(f"bad key {api.key}", status=status)]
    with pytest.raises(FetchFailed, match=r"does not accept the key .* Look at SALES_API_KEY") as failure:
        fetch()
    assert api.key not in str(failure.value) and len(api.asked) == 1


def test_an_unknown_address_is_not_asked_twice(api: Any, fetch: Fetch) -> None:
    api.replies = [api.reply("gone", status=404)]
    with pytest.raises(FetchFailed, match=r"status 404\. Look at SALES_API_URL"):
        fetch()
    assert len(api.asked) == 1


@pytest.mark.parametrize("variable", ["SALES_API_URL", "SALES_API_KEY"])
def test_what_is_not_set_is_named(
    api: Any, fetch: Fetch, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "")
    with pytest.raises(FetchFailed, match=f"{variable} is not set"):
        fetch()
    assert api.asked == []


@pytest.mark.parametrize(
    "url", ["sales", "ftp://example.com/", "file:///etc/passwd", "http://", "http://[::"]
)
def test_what_is_no_address_is_refused(
    api: Any, fetch: Fetch, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("SALES_API_URL", url)
    with pytest.raises(FetchFailed, match=r"SALES_API_URL (is no address|must be an address)"):
        fetch()


# addresses


def test_an_address_that_is_not_public_is_refused_unless_allowed(api: Any, fetch: Fetch) -> None:
    with pytest.raises(FetchFailed, match=r"leads to 127\.0\.0\.1, which is not a public address"):
        fetch(allow_private_addresses=False)
    assert api.asked == []


def test_the_address_that_was_looked_at_is_the_one_connected_to(
    api: Any, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SALES_API_URL", api.url.replace("127.0.0.1", "shop.example"))
    fetch(resolve=lambda host, port: ["127.0.0.1"])
    assert api.asked[0].headers["Host"].startswith("shop.example:")
    with pytest.raises(FetchFailed, match=r"shop\.example leads to 10\.0\.0\.7"):
        fetch(resolve=lambda host, port: ["93.184.215.14", "10.0.0.7"], allow_private_addresses=False)
    assert len(api.asked) == 1


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True), ("2606:2800:21f:cb07::1", True),
        ("127.0.0.1", False), ("10.1.2.3", False), ("172.16.0.1", False), ("192.168.1.1", False),
        ("169.254.169.254", False), ("100.64.0.1", False), ("0.0.0.1", False), ("224.0.0.1", False),
        ("255.255.255.255", False), ("::1", False), ("::", False), ("fe80::1%eth0", False),
        ("fd00::1", False), ("::ffff:127.0.0.1", False), ("::ffff:93.184.215.14", True),
        ("64:ff9b::7f00:1", False), ("2002:7f00:1::", False), ("ff02::1", False),
    ],
)  # fmt: skip
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


def test_a_redirect_on_the_same_host_is_followed(api: Any, fetch: Fetch) -> None:
    api.replies = [
        api.reply("", status=302, headers={"Location": "/v2/sales?x=1"}),
        api.reply(api.list_of(api.sale(1))),
    ]
    assert len(lines(fetch())) == 1
    assert (api.asked[1].path, api.asked[1].query) == ("/v2/sales", {"x": "1"})
    api.replies = [api.reply("", status=302, headers={"Location": "/sales"})]
    with pytest.raises(FetchFailed, match="redirects more than 5 times"):
        fetch()


@pytest.mark.parametrize(
    "to", ["http://169.254.169.254/latest", "https://evil.example/x", "//evil.example/", "file:///x"]
)
def test_neither_redirect_nor_link_leads_the_key_to_another_host(api: Any, fetch: Fetch, to: str) -> None:
    api.replies = [api.reply("", status=307, headers={"Location": to})]
    with pytest.raises(FetchFailed, match="the key is sent nowhere else"):
        fetch()
    api.replies = [api.reply(f'{{"items": {api.list_of(api.sale(1))}, "next": "{to}"}}')]
    with pytest.raises(FetchFailed, match="the key is sent nowhere else"):
        fetch(items="items", pages={"by": "link", "next": "next"})
    assert len(api.asked) == 2


# changes since


SINCE = {"field": "changed.at", "parameter": "since"}
BY_CURSOR = {"delivers": "events"}


def change(api: Any, at: str) -> str:
    return str(api.sale(1, changed={"at": at}))


def test_changes_are_asked_for_from_the_largest_that_was_delivered(api: Any, fetch: Fetch) -> None:
    api.replies = [
        api.reply(
            api.list_of(
                change(api, "2026-02-01T10:00"),
                change(api, "2026-02-01T12:00"),
                change(api, "2026-02-01T11:00"),
            )
        )
    ]
    first = fetch(window=None, contract=BY_CURSOR, window_block=None, cursor=SINCE)
    assert first.cursor == {"reached": "2026-02-01T12:00"} and first.cursor_from is None
    assert first.name == "sales_api_to_2026-02-01T12:00.jsonl"
    assert api.asked[0].query == {}
    again = fetch(window=None, contract=BY_CURSOR, window_block=None, cursor=SINCE, cursor_from=first.cursor)
    assert again is None  # the border comes again, and nothing beyond it
    assert api.asked[1].query == {"since": "2026-02-01T12:00"}


def test_numbers_as_cursors_are_compared_as_numbers(api: Any, fetch: Fetch) -> None:
    api.replies = [api.reply('[{"id": 9}, {"id": 10}, {"id": 2}]')]
    cursor = {"field": "id", "parameter": "after"}
    assert fetch(window=None, contract=BY_CURSOR, window_block=None, cursor=cursor).cursor == {
        "reached": "10"
    }
    api.replies = [api.reply('[{"id": 9}, {"no": 10}]')]
    with pytest.raises(FetchFailed, match="a record holds no text or number at id"):
        fetch(window=None, contract=BY_CURSOR, window_block=None, cursor=cursor)


def test_no_log_line_holds_the_key_or_the_query(
    api: Any, fetch: Fetch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    fetch(auth={"kind": "query", "name": "api_key", "key_env": "SALES_API_KEY"})
    assert api.key not in caplog.text and "start_date" not in caplog.text
