"""Opening a file as landing does, and taking all its rows.

Put here: what tests of forms and of tables both need. Never here: files or expectations.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from ingestion.contract import Contract, load_contracts
from ingestion.reading import DamagedFile, Reading, RejectedRow, open_reading

TODAY = date(2026, 6, 30)


def opened(path: Path, **given: Any) -> Reading:
    return open_reading(path, today=TODAY, currency="EUR", **given)


def drain(reading: Reading) -> tuple[list[dict[str, Any]], list[RejectedRow]]:
    """As landing does: careful from the start once the fast reader gives up."""
    try:
        return _drain(reading)
    except DamagedFile:
        return _drain(reading.careful())


def _drain(reading: Reading) -> tuple[list[dict[str, Any]], list[RejectedRow]]:
    rows: list[dict[str, Any]] = []
    rejected: list[RejectedRow] = []
    for batch in reading.batches():
        rows += batch.accepted.to_pylist()
        rejected += batch.rejected
    return rows, rejected


def with_feed(**keys: Any) -> dict[str, Contract]:
    """The built-in contract under the name `till`, with these keys."""
    known = load_contracts()["sales_csv"]
    data = known.model_dump() | {"feed": "till", "builtin": False} | keys
    return {"sales_csv": known, "till": Contract.model_validate(data)}
