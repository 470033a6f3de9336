"""kill -9 at each step of a landing, then landing again: as if undisturbed, and nothing left over."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ingestion.landing import land
from warehouse.database import Warehouse

TODAY = date(2026, 3, 1)

#: step -> the function after whose first call the process dies, before the transaction around it commits
STEPS = {
    "the bytes are copied": "ingestion.archive:Room.stage",
    "the bytes are archived": "ingestion.archive:Room.keep",
    "the delivery is entered, not committed": "ingestion.ledger:enter",
    "the delivery is entered": "ingestion.ledger:foreign_currency",
    "its rows are sent": "ingestion.loading:_Copy.send",
    "its rejected rows are sent": "ingestion.loading:_send_rejected",
    "it is measured": "ingestion.landing:measure",
    "it is landed, not cleaned up": "ingestion.archive:Room.drop",
}

SCRIPT = """
import importlib, os, signal, sys
from datetime import date
from pathlib import Path
from ingestion.landing import land
from warehouse.database import open_warehouse
module, _, name = sys.argv[1].partition(":")
owner = importlib.import_module(module)
*outer, name = name.split(".")
for part in outer:
    owner = getattr(owner, part)
real = getattr(owner, name)
def deadly(*args, **kwargs):
    real(*args, **kwargs)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(owner, name, deadly)
with open_warehouse() as warehouse:
    land(warehouse, [Path(sys.argv[2])], today=date(2026, 3, 1))
"""


def state(files: Any, warehouse: Warehouse) -> list[Any]:
    """Everything a delivery leaves, without the times and without the ids a killed attempt may use up."""
    archive = warehouse.settings.archive
    return [
        files.totals(warehouse),
        files.rows(
            warehouse,
            "select order_line_key % 1000, sale_date, order_id, net_cents from raw.sales_lines order by 1",
        ),
        files.rows(warehouse, "select line_number, reasons, raw_bytes from raw.rejected_rows order by 1"),
        files.rows(warehouse, "select amount_cents, amount_cents_recounted from ops.load_metrics"),
        sorted(str(path.relative_to(archive)) for path in archive.rglob("*") if path.name != "incoming"),
    ]


@pytest.mark.parametrize("step", STEPS)
def test_a_killed_landing_is_made_good_by_the_next(
    files: Any, warehouse: Warehouse, tmp_path: Path, step: str
) -> None:
    lines = [files.line("1", "2026-02-01"), files.line("2", "2026-02-31"), files.line("3", "2026-02-03")]
    path = files.write(tmp_path, "a.csv", lines)
    killed = subprocess.run(
        [sys.executable, "-c", SCRIPT, STEPS[step], str(path)],
        env={**os.environ, **warehouse.environment()},
        check=False,
        capture_output=True,
    )
    assert killed.returncode == -9, killed.stderr.decode()
    (again,) = land(warehouse, [path], today=TODAY).landed[:1]
    assert (again.status, again.rows_accepted, again.rows_rejected) == ("landed", 2, 1)
    (landed, *others), sales, rejected, metrics, archived = state(files, warehouse)
    assert landed == ("a.csv", "landed", "events", 2, 500)
    assert [(name, status, rows) for name, status, _, rows, _ in others] in ([], [("a.csv", "duplicate", 0)])
    assert sales == [(1, date(2026, 2, 1), "1", 250), (3, date(2026, 2, 3), "3", 250)]
    assert len(rejected) == 1
    assert metrics == [(500, 500)]
    assert len(archived) == 2  # a folder and the bytes in it


def test_bytes_archived_for_a_delivery_that_was_never_entered_are_removed(
    files: Any, warehouse: Warehouse, tmp_path: Path
) -> None:
    path = files.write(tmp_path, "a.csv", [files.line("1", "2026-02-01")])
    for step in ("the bytes are archived", "the delivery is entered, not committed"):
        killed = subprocess.run(
            [sys.executable, "-c", SCRIPT, STEPS[step], str(path)],
            env={**os.environ, **warehouse.environment()},
            check=False,
            capture_output=True,
        )
        assert killed.returncode == -9, killed.stderr.decode()
        land(warehouse, [], today=TODAY)
        assert [found.name for found in warehouse.settings.archive.rglob("*")] == ["incoming"]
        assert files.totals(warehouse) == []
