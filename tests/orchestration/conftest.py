"""The command line as a person calls it: processes of their own against the test's warehouse."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orchestration.dbt_runner import ensure_manifest, project_path
from warehouse.database import Warehouse
from warehouse.settings import load_settings

SHOPX = Path(sys.executable).with_name("shopx")


@dataclass(frozen=True)
class CommandLine:
    """`shopx` with the environment of one warehouse."""

    environment: dict[str, str]

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """Start a command and leave it running; what it says comes through `stderr`."""
        return subprocess.Popen(
            [SHOPX, *map(str, arguments)],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments: str | Path, expect: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; fails when its exit code is not the expected one."""
        done = subprocess.run(
            [SHOPX, *map(str, arguments)],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == expect, f"{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stdout + done.stderr
        return done

    def json(self, *arguments: str | Path, expect: int = 0) -> Any:
        """Run a command with --json and return what it said."""
        return json.loads(self(*arguments, "--json", expect=expect).stdout)


@pytest.fixture
def shopx(warehouse: Warehouse) -> CommandLine:
    url = warehouse.settings.warehouse_url
    assert url is not None
    # each of these homes is new: what dbt has read once for them all is put into it
    shutil.copytree(ensure_manifest(load_settings()).parent, project_path(warehouse.settings))
    return CommandLine(
        {**os.environ, "SHOPX_HOME": str(warehouse.settings.home), "WAREHOUSE_URL": url.get_secret_value()}
    )


@pytest.fixture
def orders_file(tmp_path: Path) -> Any:
    """Make a file of sales, two lines an order, some rows with a word for a price."""

    def make(name: str, *, rows: int, broken: tuple[int, ...] = ()) -> Path:
        lines = ["order_id,line,order_date,product,quantity,unit_price,currency"]
        for number in range(rows):
            price = "a lot" if number in broken else f"{3 + number % 11}.{number % 100:02d}"
            day, order, line = 1 + number // 2 % 28, number // 2, 1 + number % 2
            lines.append(
                f"A{order},{line},2026-03-{day:02d} 10:00,Tea {number % 9},{1 + number % 3},{price},GBP"
            )
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n")
        return path

    return make
