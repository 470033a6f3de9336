"""Collects the refused rows of loads for a workbook: their cells from the archive, what is wrong from the
ledger.

Put here which loads are meant and where each part of a row comes from. Never the workbook (writing.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingestion import ledger
from ingestion.archive import Archive
from ingestion.corrections.fixes import fixes_of, refused_rows, warehouse_id
from ingestion.corrections.writing import Row, write_workbook
from ingestion.reading import Undecided, open_reading
from ingestion.reading.corrected import header_of, written_rows
from ingestion.refusals import FileRefused
from ingestion.scopes import span_of
from warehouse.errors import ShopxError

if TYPE_CHECKING:
    import psycopg

    from ingestion.archive import Room
    from ingestion.ledger import Load
    from warehouse.database import Warehouse


def write_corrections(
    warehouse: Warehouse, path: Path, *, load_id: int | None = None, feed: str | None = None
) -> int:
    """Write the refused rows of a load, of the loads of a feed, or of all, as a workbook to be corrected.

    Returns how many rows it holds. Raises ShopxError where there are none, or the file is there already.
    """
    if path.exists():
        raise ShopxError(f"{path} is there already; name another file.")
    with (
        warehouse.connect("loader", autocommit=True, application_name="shopx rejects") as conn,
        Archive(warehouse.settings.archive).room() as room,
    ):
        loads = _loads(conn, load_id=load_id, feed=feed)
        if not loads:
            raise ShopxError("No refused rows: there is nothing to correct.")
        rows = [row for load in loads for row in _rows_of(conn, room, load)]
        return write_workbook(path, rows, warehouse_id=warehouse_id(conn))


def _loads(conn: psycopg.Connection[Any], *, load_id: int | None, feed: str | None) -> list[Load]:
    if load_id is not None:
        load = ledger.find_load(conn, load_id)
        newest = ledger.newest_of(conn, load.delivery_no) or load
        return [newest] if newest.rows_rejected else []
    ids = conn.execute(
        """
        select load_id from raw.loads
        where
            rows_rejected > 0 and status in ('landed', 'approved', 'held')
            and (%(feed)s::text is null or feed = %(feed)s)
        order by delivery_no
        """,
        {"feed": feed},
    ).fetchall()
    return [ledger.find_load(conn, found) for (found,) in ids]


def _rows_of(conn: psycopg.Connection[Any], room: Room, load: Load) -> Iterator[tuple[tuple[str, ...], Row]]:
    """Each refused row of a load with the header of its delivery."""
    refused = refused_rows(conn, load.load_id)
    try:
        staged = room.open_archived(load.archive_sha256, load.delivered_name)
    except FileNotFoundError:
        raise ShopxError(
            f"The bytes of load {load.load_id} ({load.delivered_name}) are no longer in the archive; correct "
            "the file itself and deliver it again."
        ) from None
    try:
        reading = open_reading(
            staged.path,
            feed=load.feed,
            read_as=load.read_as,
            currency=load.currency,
            today=date.today(),
            work=staged.path.parent,
            may_be_empty=span_of(conn, load.load_id) is not None,
            path_values=load.path_values,
        )
        header = tuple(header_of(reading))
        written = written_rows(reading, {row.key for row in refused})
    except (Undecided, FileRefused) as refusal:
        raise ShopxError(
            f"Load {load.load_id} ({load.delivered_name}) cannot be read by today's contract of feed "
            f"{load.feed}: {refusal.message}"
        ) from None
    finally:
        room.drop(staged)
    fixed = {fix.key: fix.cells for fix in fixes_of(conn, load.delivery_no)}
    for row in refused:
        found = written.get(row.key)
        digest = sha256(row.raw_bytes).hexdigest()
        if found is None or found.raw_sha256 != digest:
            raise ShopxError(
                f"Row {row.sheet_row:,} of load {load.load_id} ({load.delivered_name}) was refused under "
                f"another contract; `./shopx replay {load.load_id}` first."
            )
        proposed = fixed.get(row.key) or _fitted(found.cells, len(header))
        yield (
            header,
            Row(
                load.load_id, load.delivery_no, load.delivered_name, row, digest, found.cells,
                _fitted(proposed, len(header)),
            ),
        )  # fmt: skip


def _fitted(cells: Sequence[str], width: int) -> tuple[str, ...]:
    return (*cells[:width], *[""] * (width - len(cells)))
