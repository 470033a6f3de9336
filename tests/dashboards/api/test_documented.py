"""The examples of docs/api.md answer as they say."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.conftest import fresh_warehouse
from tests.dashboards.figures import make_marts, publish_days
from tests.dashboards.serving import Served, serving_warehouse
from warehouse import embedded

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "api.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^(curl .*?)\s+# (\d+)$", PAGE, re.MULTILINE)
SALES = b"order_id,date,product,amount\nA1,2026-03-13,Tea,5.00\n"


@pytest.fixture(scope="module")
def served(server: embedded.Server) -> Iterator[Served]:
    with fresh_warehouse(server, currency="GBP") as warehouse:
        make_marts(warehouse)
        publish_days(warehouse)
        with serving_warehouse(warehouse.settings) as running:
            yield running


def test_the_page_has_examples() -> None:
    assert len(EXAMPLES) >= 10


@pytest.mark.parametrize(("command", "status"), EXAMPLES)
def test_an_example_answers_as_it_says(served: Served, command: str, status: str) -> None:
    _, address, *options = shlex.split(command)
    path = address.removeprefix("http://127.0.0.1:8080")
    given = dict(zip(options[::2], options[1::2], strict=True))
    if "-F" in given:
        name = given["-F"].removeprefix("file=@")
        answer = served.client.post(path, files={"file": (name, SALES)})
    else:
        headers = {}
        if "-H" in given:
            headers = {"if-none-match": served.client.get(path).headers["etag"]}
        answer = served.client.get(path, headers=headers)
    assert answer.status_code == int(status), answer.text
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"


def test_every_address_is_named_on_the_page(served: Served) -> None:
    paths = httpx.get(f"{served.url}/api/openapi.json").json()["paths"]
    assert [path for path in paths if path.partition("{")[0] not in PAGE] == []
