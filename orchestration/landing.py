"""Lands what was given and runs the arrival gate: the first half of every batch, whatever started it.

Put here: the order of landing, gating and clearing the inbox. Never here: Dagster, or a rule about rows.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ingestion.given import files_below
from ingestion.inbox import clear_landed, note_refused
from orchestration.batch import counted
from warehouse.database import Warehouse

if TYPE_CHECKING:
    from expectations.arrival import CheckResult, GateReport
    from ingestion.landing import Landed, LandingResult, Refused

STILL_SECONDS = 5.0


@dataclass(frozen=True)
class Arrival:
    """What came of the deliveries of one batch."""

    landing: "LandingResult"
    gate: "GateReport | None"
    loads: "list[Landed]"

    @property
    def refused(self) -> "list[Refused]":
        """Files that were no delivery at all."""
        return self.landing.refused

    @property
    def results(self) -> "list[CheckResult]":
        """Every check of the gate."""
        return list(self.gate.results) if self.gate else []


def in_inbox(inbox: Path, *, now: float | None = None) -> tuple[list[Path], list[Path]]:
    """Return the inbox's files that nobody has written to for a few seconds, and the others."""
    now = time.time() if now is None else now
    files = sorted(files_below(inbox)) if inbox.is_dir() else []
    growing = [path for path in files if now - path.lstat().st_mtime < STILL_SECONDS]
    return [path for path in files if path not in growing], growing


def waiting_loads(warehouse: Warehouse) -> list[int]:
    """Return loads that landed but were never decided (a batch was killed between landing and gate)."""
    with warehouse.connect("loader", autocommit=True) as conn:
        rows = conn.execute(
            "select load_id from raw.loads where status = 'landed' order by delivery_no"
        ).fetchall()
    return [int(load_id) for (load_id,) in rows]


def land_given(
    warehouse: Warehouse, paths: Sequence[Path], *, feed: str | None, say: Callable[[str], None]
) -> "LandingResult":
    """Land the files (or what lies still in the inbox) and clear the inbox of what was taken."""
    from ingestion.landing import land

    inbox = Path(warehouse.settings.inbox)
    still, growing = ([], []) if paths else in_inbox(inbox)
    landing = replace(land(warehouse, list(paths) or still, feed=feed, progress=say), growing=growing)
    clear_landed(inbox, landing)
    with warehouse.connect("loader") as conn:
        note_refused(conn, inbox, landing)
    return landing


def gate_waiting(warehouse: Warehouse, landing: "LandingResult", *, say: Callable[[str], None]) -> Arrival:
    """Run the arrival gate over every load that is landed but undecided."""
    gate = None
    waiting = waiting_loads(warehouse)
    if waiting:
        from expectations.arrival import run_arrival_gate

        say(f"Gate: checking {counted(len(waiting), 'delivery')}")
        gate = run_arrival_gate(warehouse, waiting)
    return Arrival(landing=landing, gate=gate, loads=list(landing.landed))
