"""An opened delivery as both readers need it: path, bytes, header, contract and what was settled about them.

Put here what is shared between the readers and has no behaviour of its own.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Self

from ingestion.contract import Contract
from ingestion.forms import Unpacked
from ingestion.reading.dialect import Head, Scan
from ingestion.reading.engine import literal
from ingestion.reading.plan import Plan, Settled
from ingestion.reading.rows import RejectedRow
from ingestion.reading.stretches import Stretch, stretches
from ingestion.reading.tokens import Grammar


@dataclass(frozen=True)
class Text:
    """A file as delimited text: enough to cut it into records."""

    path: Path
    found: Scan
    head: Head
    grammar: Grammar

    @property
    def encoding(self) -> str:
        """The encoding the text is in."""
        return self.grammar.encoding

    def stretches(self) -> Iterator[Stretch]:
        """Every record under the header, cut carefully. Raises FileRefused for a line longer than any
        row."""
        return stretches(
            self.path,
            grammar=self.grammar,
            lines_before=self.head.lines_before,
            has_header=self.head.in_file,
            start=len(codecs.BOM_UTF8) if self.found.has_bom else 0,
        )


@dataclass(frozen=True)
class Delivery(Text):
    """Everything that is known before the first row is read."""

    contract: Contract
    settled: Settled
    plan: Plan
    today: date
    facts: dict[str, object]
    #: how the text came about; None for a file that is read as it lies
    unpacked: Unpacked | None = None
    #: a person said that only the table under the header counts
    one_table: bool = False

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
        return can_be_fast(self.path, self.found, self.head)


def can_be_fast(path: Path, found: Scan, head: Head) -> bool:
    """Sound UTF-8 without NULs, with usual line ends, under a name that is no pattern."""
    usual = found.is_utf8 and not found.has_nul and found.newline == b"\n"
    usual = usual and head.is_usual
    return usual and not set(str(path)) & set("*?[{\0")


def csv_source(path: Path, head: Head) -> str:
    """The strict reader of the file as SQL, all columns text, named c0, c1, …"""
    columns = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(head.header)))
    return (
        f"read_csv({literal(str(path))}, columns = {{{columns}}}, auto_detect = false, "
        f"header = {str(head.in_file).lower()}, delim = {literal(head.delimiter)}, "
        "quote = '\"', escape = '\"', strict_mode = true, "
        f"null_padding = false, compression = 'none', hive_partitioning = false, skip = {head.lines_before}, "
        "buffer_size = 2097152, max_line_size = 1048576)"
    )


_NEEDED = ("date", "order_id", "product_id", "product_name", "quantity", "unit_price", "amount")


def grammar_of(found: Scan, head: Head, contract: Contract, columns: Mapping[str, int]) -> Grammar:
    """How the file is written; `columns`: ours -> position in the header."""
    needed = [
        position
        for name, position in columns.items()
        if name in _NEEDED or (column := contract.columns.get(name)) is None or column.required  # type: ignore[call-overload]
    ]
    return Grammar(
        delimiter=head.delimiter,
        newline=found.newline,
        encoding="utf-8",
        width=len(head.header),
        shortest=max(needed) + 1 if contract.pad_short_rows else 0,
        date_position=columns.get("date", -1),
        quote=head.quote,
        backslash=head.backslash,
    )
