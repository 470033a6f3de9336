"""How ingestion says no: a file refused, a file that only a person can decide, a file that is damaged.

Put exceptions here that cross from reading to landing. Never put row-level reasons here (reasons.py), never
I/O.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from warehouse.errors import ShopxError

if TYPE_CHECKING:
    from ingestion.contract import Contract


class FileRefused(ShopxError):
    """The file cannot be a delivery: empty, binary, no required column, unreadable. Nothing was written.

    `message` is one sentence that names what was seen and what to do.
    """


class Undecided(ShopxError):
    """The file can be read in more than one way and nothing in it proves which: it must be held.

    `reason_code` is from ingestion.reasons; `choices` maps what a person may answer (`release N --as
    <choice>`) to the `read_as` that open_reading then wants, e.g. `{"day-first": {"date_order":
    "day-first"}}`; `contract` is the one the header fits.
    """

    def __init__(
        self,
        reason_code: str,
        message: str,
        *,
        choices: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
    ) -> None:
        super().__init__(message)
        self.reason_code = reason_code
        self.choices = dict(choices)
        self.contract: Contract | None = None


class DamagedFile(Exception):
    """The fast reader met bytes it cannot read strictly; batches already handed out must be thrown away.

    The caller rolls back what it wrote of this delivery and starts again with `reading.careful()`.
    """
