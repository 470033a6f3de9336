"""Who may talk to the dashboards' server, and how often: real requests to a real one, without a warehouse."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI, Request

from dashboards import problems
from dashboards.guard import HEADERS, Access, Guard, is_loopback, names_from
from dashboards.server import create_app
from tests.dashboards.serving import Served, serving
from warehouse.errors import ShopxError
from warehouse.settings import Settings

TOKEN = "t0ken-of-the-test"
#: A proxy on this machine speaks for somebody elsewhere.
ELSEWHERE = {"x-forwarded-for": "203.0.113.7"}
BEARER = {"authorization": f"Bearer {TOKEN}"}


def guarded(access: Access, *, per_minute: int = 100) -> FastAPI:
    app = FastAPI(openapi_url=None)

    @app.api_route("/page", methods=["GET", "POST"])
    def page(request: Request) -> dict[str, bool]:
        return {"trusted": request.state.trusted}

    @app.get("/health")
    def health(request: Request) -> dict[str, bool]:
        return {"trusted": request.state.trusted}

    problems.install(app)
    app.add_middleware(Guard, access=access, per_minute=per_minute)
    return app


@pytest.fixture(scope="module")
def loopback() -> Iterator[Served]:
    with serving(
        guarded(Access(on_loopback=True, token=TOKEN, names=names_from("Shop.example, b")))
    ) as served:
        yield served


def test_from_this_machine_no_token_is_needed(loopback: Served) -> None:
    assert loopback.client.get("/page").json() == {"trusted": True}


def test_whoever_comes_through_a_proxy_needs_the_token(loopback: Served) -> None:
    refused = loopback.client.get("/page", headers=ELSEWHERE)
    assert (refused.status_code, refused.headers["content-type"]) == (401, "application/problem+json")
    assert refused.json()["instance"] == "/page"
    assert TOKEN not in refused.text
    assert loopback.client.get("/page", headers=ELSEWHERE | {"authorization": "Bearer x"}).status_code == 401
    assert loopback.client.get("/page", headers=ELSEWHERE | BEARER).json() == {"trusted": True}
    assert loopback.client.get("/page", headers={"forwarded": "for=203.0.113.7"}).status_code == 401


def test_health_answers_without_a_token_and_knows_it(loopback: Served) -> None:
    assert loopback.client.get("/health", headers=ELSEWHERE).json() == {"trusted": False}


def test_the_token_in_an_address_becomes_a_cookie_and_leaves_the_address(loopback: Served) -> None:
    answer = loopback.client.get(f"/page?store=Leeds&token={TOKEN}", headers=ELSEWHERE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/page?store=Leeds")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    kept = {"cookie": answer.headers["set-cookie"].split(";")[0]}
    loopback.client.cookies.clear()
    assert loopback.client.get("/page", headers=ELSEWHERE | kept).json() == {"trusted": True}
    assert loopback.client.get("/page?token=other", headers=ELSEWHERE).status_code == 401


def test_signing_in_leads_to_no_other_site(loopback: Served) -> None:
    answer = loopback.client.get(f"{loopback.url}//evil.example/?token={TOKEN}", headers=ELSEWHERE)
    assert answer.headers["location"] == "/evil.example/"
    loopback.client.cookies.clear()


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "localhost.evil.example", "a b", "x@y"])
def test_a_name_that_is_not_ours_is_not_answered(loopback: Served, host: str) -> None:
    assert loopback.client.get("/page", headers={"host": host}).status_code == 421
    assert loopback.client.get("/health", headers={"host": host}).status_code == 421


@pytest.mark.parametrize(
    "host", ["localhost:1", "127.0.0.1", "[::1]:80", "shop.example", "SHOP.example:8080"]
)
def test_addresses_and_known_names_are_answered(loopback: Served, host: str) -> None:
    assert loopback.client.get("/page", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}],
)
def test_what_another_site_sends_is_refused(loopback: Served, headers: dict[str, str]) -> None:
    assert loopback.client.post("/page", headers=headers).status_code == 403
    assert (
        loopback.client.get("/page", headers=headers).status_code == 200
    )  # cannot be read there, changes nothing
    assert loopback.client.post("/page", headers={"origin": loopback.url}).status_code == 200


def test_every_answer_carries_the_headers_that_keep_a_browser_inside(loopback: Served) -> None:
    answers = [loopback.client.get(path) for path in ("/page", "/nowhere")]
    answers.append(loopback.client.get("/page", headers={"host": "evil.example"}))
    for answer in answers:
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert "unsafe" not in HEADERS["content-security-policy"]


def test_elsewhere_may_ask_so_often_and_loopback_as_often_as_it_likes() -> None:
    with serving(guarded(Access(on_loopback=True, token=TOKEN), per_minute=5)) as served:
        asked = [served.client.get("/page", headers=ELSEWHERE | BEARER) for _ in range(6)]
        assert [answer.status_code for answer in asked] == [200] * 5 + [429]
        assert 1 <= int(asked[-1].headers["retry-after"]) <= 60
        assert asked[-1].json()["status"] == 429
        another = {"x-forwarded-for": "203.0.113.8"}
        assert served.client.get("/page", headers=another | BEARER).status_code == 200
        assert {served.client.get("/page").status_code for _ in range(20)} == {200}


def test_a_guessed_token_is_counted_too() -> None:
    with serving(guarded(Access(on_loopback=True, token=TOKEN), per_minute=3)) as served:
        guesses = [served.client.get(f"/page?token={n}", headers=ELSEWHERE).status_code for n in range(4)]
        assert guesses == [401, 401, 401, 429]


def test_one_subscriber_of_ipv6_is_counted_as_one() -> None:
    with serving(guarded(Access(on_loopback=True, token=TOKEN), per_minute=2)) as served:
        asked = [
            served.client.get("/page", headers=BEARER | {"x-forwarded-for": f"2001:db8::{n}"}).status_code
            for n in range(3)
        ]
        assert asked == [200, 200, 429]


def test_listening_beyond_this_machine_needs_a_token_for_everybody() -> None:
    with serving(guarded(Access(on_loopback=False, token=TOKEN))) as served:
        assert served.client.get("/page").status_code == 401
        assert served.client.get("/page", headers=BEARER).json() == {"trusted": True}


def test_without_a_token_the_server_does_not_listen_beyond_this_machine() -> None:
    with pytest.raises(ShopxError, match="SHOPX_API_TOKEN"):
        create_app(Settings(), host="0.0.0.0")  # noqa: S104


@pytest.mark.parametrize(("host", "is_it"), [("127.0.0.1", True), ("::1", True), ("::", False), ("x", False)])
def test_loopback_is_told_from_the_rest(host: str, is_it: bool) -> None:
    assert is_loopback(host) is is_it
