"""One published shop, one server and one browser for all tests of the viewer."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ingestion.sample import write_sample
from tests.conftest import fresh_warehouse
from tests.dashboards.serving import Served, serving_warehouse
from warehouse import embedded
from warehouse.database import Warehouse

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def shop(server: embedded.Server) -> Iterator[Warehouse]:
    """The sample shop, loaded and published by the command line."""
    with fresh_warehouse(server, time_zone="Europe/London") as warehouse:
        url = warehouse.settings.warehouse_url
        assert url is not None
        files = write_sample(warehouse.settings.home / "sample", seed=7)
        environment = {
            **os.environ,
            "SHOPX_HOME": str(warehouse.settings.home),
            "WAREHOUSE_URL": url.get_secret_value(),
        }
        done = subprocess.run(
            [Path(sys.executable).with_name("shopx"), "run", *files],
            env=environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 3, done.stdout + done.stderr  # published, one file is held on purpose
        yield warehouse


@pytest.fixture(scope="session")
def viewer(shop: Warehouse) -> Iterator[Served]:
    """Its dashboards."""
    with serving_warehouse(shop.settings) as served:
        yield served


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium: the system's, or the one that was installed for playwright."""
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
