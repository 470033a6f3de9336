"""One published shop, one server and one browser for all tests of the viewer."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import yaml
from psycopg import sql

from tests.conftest import fresh_warehouse
from tests.dashboards.figures import MARTS
from tests.dashboards.serving import Served, serving_warehouse
from tests.dashboards.small_shop import AS_OF, make_lines, publish
from warehouse import embedded
from warehouse.database import Warehouse

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def shop(server: embedded.Server) -> Iterator[Warehouse]:
    """The small shop as published, and a few rows in every mart that it leaves empty."""
    with fresh_warehouse(server, time_zone="Europe/London") as warehouse:
        publish(warehouse, make_lines())
        with warehouse.connect("owner") as conn:
            for file in sorted(MARTS.glob("*.yml")):
                for model in yaml.safe_load(file.read_text(encoding="utf-8")).get("models", ()):
                    _fill(conn, model)
        yield warehouse


def _fill(conn: psycopg.Connection[Any], model: dict[str, Any]) -> None:
    """Eight rows whose values only look right: so that every kind of chart has something to draw."""
    table = sql.Identifier("marts", model["name"])
    found = conn.execute(sql.SQL("select exists (select from {})").format(table)).fetchone()
    if found == (True,):
        return
    columns = [one for one in model["columns"] if "data_type" in one]
    statement = sql.SQL("insert into {} ({}) values ({})").format(
        table,
        sql.SQL(", ").join(sql.Identifier(one["name"]) for one in columns),
        sql.SQL(", ").join(sql.Placeholder() * len(columns)),
    )
    for number in range(8):
        conn.execute(statement, [_value(one["name"], one["data_type"], number) for one in columns])


def _value(name: str, data_type: str, number: int) -> Any:
    if name == "store_key" and number % 2 == 0:
        return -1  # the whole shop
    if data_type == "date":
        return AS_OF - timedelta(days=number)
    if data_type.startswith("timestamp"):
        return datetime(2011, 6, 1, tzinfo=UTC) - timedelta(days=number)
    if data_type == "boolean":
        return number % 2 == 0
    if data_type.startswith(("int", "big", "small", "num", "double", "real")):
        return number % 5 + 1
    return f"{name.replace('_', ' ')} {number}"


@pytest.fixture(scope="session")
def viewer(shop: Warehouse) -> Iterator[Served]:
    """Its dashboards."""
    with serving_warehouse(shop.settings) as served:
        yield served


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium: the system's, or the one that was installed for playwright.

    For one module: as long as playwright is there a loop runs in this thread, and nobody else can start one.
    """
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    with sync_playwright() as tool:
        if found is None and Path(tool.chromium.executable_path).is_file():
            found = tool.chromium.executable_path
        if found is None:
            pytest.skip("no Chromium on this machine; on Debian: apt-get install chromium")
        opened = tool.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield opened
        opened.close()
