"""An opened delivery as both readers need it: path, bytes, header, contract and what was settled about them.

Put here what is shared between the readers and has no behaviour of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Self

from ingestion.contract import Contract
from ingestion.forms import Unpacked
from ingestion.reading.dialect import Head, Scan
from ingestion.reading.engine import literal
from ingestion.reading.plan import Plan
from ingestion.reading.rows import RejectedRow


@dataclass(frozen=True)
class Text:
    """A file as delimited text: enough to cut it into records."""

    path: Path
    found: Scan
    head: Head
    encoding: str


@dataclass(frozen=True)
class Delivery(Text):
    """Everything that is known before the first row is read."""

    contract: Contract
    plan: Plan
    today: date
    facts: dict[str, object]
    #: how the text came about; None for a file that is read as it lies
    unpacked: Unpacked | None = None

    def traced(self, rows: list[RejectedRow]) -> list[RejectedRow]:
        """Rejected rows of the text with their places and bytes in the file that was delivered."""
        origins = self.unpacked.origins if self.unpacked else ()
        for origin in reversed(origins):
            rows = [origin.retrace(row) for row in rows]
        return rows

    def refusing(self, orders: frozenset[int]) -> Self:
        """The same delivery with every row of these orders rejected."""
        return replace(self, plan=replace(self.plan, refused_orders=orders))

    @property
    def can_be_fast(self) -> bool:
        """Whether the fast reader may be tried at all."""
        return can_be_fast(self.path, self.found)


def can_be_fast(path: Path, found: Scan) -> bool:
    """Sound UTF-8 without NULs, with usual line ends, under a name that is no pattern."""
    usual = found.is_utf8 and not found.has_nul and found.newline == b"\n"
    return usual and not set(str(path)) & set("*?[{\0")


def csv_source(path: Path, head: Head) -> str:
    """The strict reader of the file as SQL, all columns text, named c0, c1, …"""
    columns = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(head.header)))
    return (
        f"read_csv({literal(str(path))}, columns = {{{columns}}}, auto_detect = false, header = true, "
        f"delim = {literal(head.delimiter)}, quote = '\"', escape = '\"', strict_mode = true, "
        f"null_padding = false, compression = 'none', hive_partitioning = false, skip = {head.lines_before}, "
        "buffer_size = 2097152, max_line_size = 1048576)"
    )
