"""Lands what was given and runs the arrival gate: the first half of every batch, whatever started it.

Put here: the order of landing, gating and clearing the inbox. Never here: Dagster, or a rule about rows.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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


def lying_still(inbox: Path, *, now: float | None = None) -> list[Path]:
    """Return the inbox's files that nobody has written to for a few seconds."""
    now = time.time() if now is None else now
    if not inbox.is_dir():
        return []
    return sorted(path for path in files_below(inbox) if now - path.lstat().st_mtime >= STILL_SECONDS)


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
    landing = land(warehouse, list(paths) or lying_still(inbox), feed=feed, progress=say)
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
