"""What a form is asked and what it answers: readable text, facts for the ledger, and the way back.

Put the shapes of the seam between forms and reading here. Never a form.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from ingestion.forms.limits import Limits

if TYPE_CHECKING:
    from ingestion.contract import Contract
    from ingestion.reading.rows import RejectedRow


class Work:
    """Where unpacked text goes, made when it is needed; without a parent it goes with the object."""

    def __init__(self, parent: Path | None = None) -> None:
        self._parent = parent
        self._own: tempfile.TemporaryDirectory[str] | None = None

    def place(self, name: str) -> Path:
        """A free path that ends in `name`."""
        if self._parent is None and self._own is None:
            self._own = tempfile.TemporaryDirectory(prefix="shopx-")
        parent = self._parent if self._own is None else Path(self._own.name)
        return Path(tempfile.mkdtemp(dir=parent)) / name


@dataclass(frozen=True)
class Asked:
    """`contract` is None while only the header can tell the feed; `contracts` are those it may be of;
    `read_as` is what a person decided, e.g. `{"worksheet": "Sales"}`.
    """

    work: Work
    limits: Limits = field(default_factory=Limits)
    contract: Contract | None = None
    contracts: Mapping[str, Contract] = field(default_factory=lambda: MappingProxyType({}))
    read_as: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


class Origin(Protocol):
    """The way back from the text that was read to the file it was made from."""

    def retrace(self, row: RejectedRow) -> RejectedRow:
        """`row` with line, spreadsheet row, byte offset and raw bytes of the file before this step."""
        ...


@dataclass(frozen=True)
class Unpacked:
    """Delimited text at `path`; `facts` go to raw.loads.reading; `origins` lead back, the first step first.

    `work` is kept so that the text lives as long as this does.
    """

    path: Path
    facts: dict[str, object] = field(default_factory=dict)
    origins: tuple[Origin, ...] = ()
    work: Work | None = None

    def then(self, step: Unpacked) -> Unpacked:
        """This file after one more step."""
        return replace(
            self,
            path=step.path,
            facts=self.facts | step.facts,
            origins=(*self.origins, *step.origins),
            work=step.work or self.work,
        )
