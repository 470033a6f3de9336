"""The dashboards' server over a real warehouse: starting, health, its own description, errors."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dashboards.server import create_app
from tests.conftest import fresh_warehouse
from tests.dashboards.serving import Served, serving, serving_warehouse
from warehouse import embedded
from warehouse.settings import Settings

ELSEWHERE = {"x-forwarded-for": "203.0.113.7"}


@pytest.fixture(scope="module")
def empty(server: embedded.Server) -> Iterator[Served]:
    """The server of a warehouse in which nothing is published."""
    with fresh_warehouse(server) as warehouse, serving_warehouse(warehouse.settings) as served:
        yield served


def test_before_the_database_is_there_the_port_answers_with_what_is_happening(tmp_path: object) -> None:
    nowhere = Settings(home=f"{tmp_path}/home", warehouse_url="postgresql://nobody@127.0.0.1:1/none")
    with serving(create_app(nowhere)) as served:
        answer = served.client.get("/health")
        assert (answer.status_code, answer.json()["status"]) == (503, "down")
        assert answer.json()["detail"]


def test_health_says_that_nothing_is_published_yet(empty: Served) -> None:
    answer = empty.client.get("/health")
    assert answer.status_code == 200
    found = answer.json()
    assert found["status"] == "empty"
    assert found["server"].startswith("PostgreSQL ")
    assert found["inbox"] == {"waiting": 0, "refused": 0}
    checks = {one["check"]: one for one in found["checks"]}
    assert checks["disk"]["good"]
    assert "./shopx run FILE" in checks["publication"]["do"]
    assert "password" not in answer.text


def test_health_tells_strangers_one_word(empty: Served) -> None:
    assert empty.client.get("/health", headers=ELSEWHERE).json() == {"status": "empty"}


def test_what_is_not_there_is_a_problem_that_says_where_to_look(empty: Served) -> None:
    answer = empty.client.get("/api/v1/nothing")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json()["title"] == "Not Found"
    assert "/api lists" in answer.json()["detail"]
    assert empty.client.post("/health").status_code == 405


def test_the_page_of_the_api_needs_nothing_from_elsewhere(empty: Served) -> None:
    page = empty.client.get("/api")
    document = empty.client.get("/api/openapi.json").json()
    assert page.headers["content-type"].startswith("text/html")
    assert "<script" not in page.text
    assert "http://" not in page.text
    assert "https://" not in page.text
    assert "style=" not in page.text
    assert empty.client.get("/static/api.css").headers["content-type"].startswith("text/css")
    for path in document["paths"]:
        assert path in page.text
    assert "HTTPValidationError" not in str(document)
