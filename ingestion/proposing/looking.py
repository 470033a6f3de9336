"""One look at an unknown file: its form, encoding, delimiter, header and first rows.

Put here what can be seen without knowing what columns mean. Never matching of names to ours (columns.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from ingestion import forms
from ingestion.contract import Contract, load_contracts
from ingestion.matching import normalise
from ingestion.proposing import cells as look_of
from ingestion.reading import dialect
from ingestion.reading.texts import as_text
from ingestion.reading.totals import is_total
from ingestion.refusals import FileRefused

_HEADER_WITHIN, _SAMPLE_ROWS = 60, 2000
_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


@dataclass(frozen=True)
class Look:
    """`columns` hold the filled cells of the first rows, by position; `facts` are those of the form and the
    encoding; `preamble` the lines before the header."""

    path: Path
    header: list[str]
    delimiter: str
    preamble: list[str]
    columns: list[list[str]]
    lines: int
    facts: dict[str, object]

    @property
    def sentence(self) -> str:
        """What was seen, in words."""
        encoding = str(self.facts.get("encoding", "utf-8")).upper()
        if self.facts.get("encoding_how") == "detected":
            encoding += f' (detected, e.g. "{self.facts.get("encoding_example")}")'
        parts = [
            f"{self.lines - len(self.preamble) - 1:,} lines below the header",
            f"{len(self.header)} columns",
        ]
        parts.append(f"cells parted by {_NAMES[self.delimiter]}, {encoding}")
        if sheet := self.facts.get("worksheet"):
            parts.append(f'worksheet "{sheet}"')
        if self.preamble:
            before = len(self.preamble)
            parts.append(f"{before} line{'' if before == 1 else 's'} before the header")
        return ", ".join(parts)


def look(path: Path, *, read_as: Mapping[str, str] = MappingProxyType({})) -> Look:
    """Look at a file. `read_as` is what a person has said, e.g. `{"encoding": "cp1252"}`.

    Raises FileRefused for what is no table, and Undecided where the bytes mean two things.
    """
    known = load_contracts()

    def any_contract(_path: Path, _found: dialect.Scan, _encoding: str) -> Contract:
        return known["sales_csv"]

    limits = forms.Limits.widest(one.limits for one in known.values())
    asked = forms.Asked(work=forms.Work(None), limits=limits, read_as=read_as)
    unpacked, found = as_text(path, asked, any_contract)
    text = found.sample.decode("utf-8", errors="replace")
    lines = text.replace("\r\n", "\n").split("\n")
    at, delimiter, header = _header(lines, _known_names(known))
    if at is None:
        raise FileRefused(
            f"{path.name}: no line with at least two names over rows of as many cells was found. If its "
            "columns have fixed widths, describe them: docs/feeds.md, fixed_width [COLUMN_MISSING]"
        )
    below = "\n".join(lines[at:])
    rows = dialect.rows(below, delimiter=delimiter, limit=_SAMPLE_ROWS)[1:]
    rows = [row for row in rows if row != header and not _is_total(row)]
    if found.size > len(found.sample) and rows:
        rows = rows[:-1]  # cut off in the middle
    columns = [look_of.filled(row[n] for row in rows if len(row) == len(header)) for n in range(len(header))]
    return Look(path, header, delimiter, lines[:at], columns, found.lines, dict(unpacked.facts))


def _is_total(row: Sequence[str]) -> bool:
    """Whether the only words of a row say total: it shows nothing about the columns it stands in."""
    words = [cell for cell in row if any(character.isalpha() for character in cell)]
    return len(words) == 1 and is_total(words[0])


def _known_names(contracts: Mapping[str, Contract]) -> frozenset[str]:
    return frozenset(
        normalise(name)
        for contract in contracts.values()
        if contract.builtin
        for column in contract.columns.values()
        for name in column.names
    )


def _header(lines: Sequence[str], known: frozenset[str]) -> tuple[int | None, str, list[str]]:
    """Where the header stands, how it is cut, and its cells: the line with most known names, over rows of as
    many cells."""
    best: tuple[float, int | None, str, list[str]] = (0.0, None, ",", [])
    for at, line in enumerate(lines[:_HEADER_WITHIN]):
        if not line.strip():
            continue
        for delimiter in dialect.DELIMITERS:
            if delimiter not in line:
                continue
            rows = dialect.rows("\n".join(lines[at : at + 25]), delimiter=delimiter, limit=12)
            score = _score(rows, known)
            if score > best[0] + 0.01:
                best = (score, at, delimiter, [cell.strip() for cell in rows[0]])
    return best[1], best[2], best[3]


def _score(rows: Sequence[Sequence[str]], known: frozenset[str]) -> float:
    """How much the first of these rows looks like the header of the others; 0: not at all."""
    header, below = [cell.strip() for cell in rows[0]], [row for row in rows[1:] if any(row)]
    names = [cell for cell in header if cell]
    if len(names) < 2 or not below:
        return 0.0
    alike = sum(len(row) == len(header) for row in below) / len(below)
    words = sum(not look_of.is_date(cell) and not look_of.is_number(cell) for cell in names) / len(header)
    if alike < 0.5 or words < 0.7:
        return 0.0
    hits = sum(normalise(cell) in known for cell in names)
    return (hits * 3 + min(len(header), 12) / 4) * alike * words
