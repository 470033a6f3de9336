"""Corrections in the ledger, raw.row_fixes, and the refused rows that wait for some.

Put the queries about both here. Never workbooks (writing.py, reading.py), never the reading of deliveries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ingestion.reading.corrected import Fix, Key

if TYPE_CHECKING:
    import psycopg


@dataclass(frozen=True)
class Source:
    """Who corrected, and in which workbook."""

    by: str
    file_name: str
    file_sha256: str


@dataclass(frozen=True)
class Refused:
    """One refused row as the ledger keeps it; `columns`, `reasons` and `messages` run in parallel."""

    line_number: int
    sheet_row: int
    columns: tuple[str, ...]
    reasons: tuple[str, ...]
    messages: tuple[str, ...]
    raw_bytes: bytes

    @property
    def key(self) -> Key:
        """Where the row stands in the delivered file."""
        return self.line_number, self.sheet_row


def refused_rows(conn: psycopg.Connection[Any], load_id: int) -> list[Refused]:
    """The refused rows of a load, in file order."""
    rows = conn.execute(
        """
        select line_number, sheet_row, columns, reasons, messages, raw_bytes
        from raw.rejected_rows where load_id = %s order by line_number, sheet_row
        """,
        [load_id],
    ).fetchall()
    return [
        Refused(line, row, tuple(columns), tuple(codes), tuple(said), bytes(raw))
        for line, row, columns, codes, said, raw in rows
    ]


def fixes_of(conn: psycopg.Connection[Any], delivery_no: int) -> list[Fix]:
    """The corrections of a delivery that hold: the newest of each row, in file order."""
    rows = conn.execute(
        """
        select distinct on (line_number, sheet_row) line_number, sheet_row, raw_sha256, cells
        from raw.row_fixes where delivery_no = %s
        order by line_number, sheet_row, fix_id desc
        """,
        [delivery_no],
    ).fetchall()
    return [Fix(line, row, digest, tuple(cells)) for line, row, digest, cells in rows]


def keep_fixes(conn: psycopg.Connection[Any], delivery_no: int, fixes: Sequence[Fix], source: Source) -> None:
    """Add corrections of a delivery; they stand above those that were there."""
    with conn.cursor() as cursor:
        cursor.executemany(
            """
            insert into raw.row_fixes (
                delivery_no, line_number, sheet_row, raw_sha256, cells, file_name, file_sha256, fixed_by
            ) values (%s, %s, %s, %s, %s, %s, %s, %s)
            """,
            [
                (
                    delivery_no, fix.line_number, fix.sheet_row, fix.raw_sha256, list(fix.cells),
                    source.file_name, source.file_sha256, source.by,
                )
                for fix in fixes
            ],
        )  # fmt: skip


def warehouse_id(conn: psycopg.Connection[Any]) -> str:
    """What tells this warehouse from every other."""
    row = conn.execute("select value from ops.settings where name = 'warehouse_id'").fetchone()
    return "" if row is None else str(row[0])
