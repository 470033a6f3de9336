"""How large a delivery may be, counted while it is unpacked: an archive of some kilobytes can hold terabytes.

Put bounds on sizes here. Never a bound on what a cell may hold (contract.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from ingestion.refusals import FileRefused

#: Sales text shrinks 5 to 40 times; made-up bytes of one kind a thousand times.
LARGEST_RATIO = 250
RATIO_COUNTS_FROM = 32 * 1024 * 1024
_Count = Annotated[int, Field(gt=0)]


class Limits(BaseModel):
    """The block `limits` of a contract: bytes of the file, bytes it unpacks to, rows of its text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_bytes: _Count = 20_000_000_000
    max_unpacked_bytes: _Count = 8_000_000_000
    max_rows: _Count = 200_000_000

    @classmethod
    def widest(cls, limits: Iterable[Limits]) -> Limits:
        """What at least one of `limits` allows: for a file whose feed is not known yet."""
        some = [cls(), *limits]
        return cls(
            max_bytes=max(one.max_bytes for one in some),
            max_unpacked_bytes=max(one.max_unpacked_bytes for one in some),
            max_rows=max(one.max_rows for one in some),
        )

    def check_file(self, path: Path, size: int) -> None:
        """Raises FileRefused when a delivered file of `size` bytes is too large."""
        if size > self.max_bytes:
            raise FileRefused(
                f"{path.name} has {size:,} bytes, more than the {self.max_bytes:,} that its feed allows; "
                "split it, or raise limits: max_bytes in the contract [FILE_TOO_LARGE]"
            )

    def check_rows(self, path: Path, lines: int) -> None:
        """Raises FileRefused when a text of `lines` lines is too long."""
        if lines > self.max_rows:
            raise FileRefused(
                f"{path.name} has {lines:,} lines, more than the {self.max_rows:,} that its feed allows; "
                "split it, or raise limits: max_rows in the contract [FILE_TOO_LARGE]"
            )


class Budget:
    """Bytes that one file may still unpack to. Ask before writing them."""

    def __init__(self, path: Path, limits: Limits, *, packed: int | None = None) -> None:
        self.path = path
        self.packed = path.stat().st_size if packed is None else packed
        self.limits = limits
        self.spent = 0

    def spend(self, size: int) -> None:
        """Raises FileRefused when `size` more bytes are too many, or out of proportion to the file."""
        self.spent += size
        most = self.limits.max_unpacked_bytes
        if self.spent > most:
            raise FileRefused(
                f"{self.path.name} unpacks to more than the {most:,} bytes that its feed allows; split it or "
                "raise limits: max_unpacked_bytes in the contract [FILE_TOO_LARGE]"
            )
        if self.spent > RATIO_COUNTS_FROM and self.spent > self.packed * LARGEST_RATIO:
            raise FileRefused(
                f"{self.path.name} unpacks to more than {LARGEST_RATIO} times its size, as no sales file "
                "does; deliver it unpacked if it is one [FILE_TOO_LARGE]"
            )
