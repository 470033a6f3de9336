"""Opens a delivery: dialect, contract, date order and decimal mark are settled here, before a row is read.

Put decisions about the whole file here. Never row checks (validation.py), never parsing loops (fast.py, careful.py).
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from types import MappingProxyType

from ingestion.reading.rows import Reading


def open_reading(
    path: Path,
    *,
    today: date,
    feed: str | None = None,
    read_as: Mapping[str, str] = MappingProxyType({}),
    currency: str | None = None,
) -> Reading:
    """Open `path` as a delivery of `feed` (or of the contract its header fits).

    `read_as` holds what a person decided, e.g. `{"date_order": "day-first"}`; `currency` is the reporting currency.
    Raises FileRefused (it can be no delivery) or Undecided (it must be held), both before anything is yielded.
    """
    raise NotImplementedError
