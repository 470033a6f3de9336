"""Takes a workbook of corrections: each load it names is replayed with its rows, those that were changed.

Put the order of that here. Never the replay itself (landing.py), never the workbook's form (reading.py).
"""

from __future__ import annotations

import getpass
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingestion import ledger
from ingestion.corrections.fixes import Source, fixes_of, warehouse_id
from ingestion.corrections.reading import read_workbook
from ingestion.landed import Landed, Refused, landed_from
from ingestion.refusals import FileRefused
from warehouse.errors import ShopxError

if TYPE_CHECKING:
    import psycopg

    from ingestion.archive import Room, Staged
    from ingestion.ledger import Load
    from ingestion.reading.corrected import Fix

#: (load, corrections, who and where) -> replayed in one transaction. Raises ShopxError, with nothing changed.
Replay = Callable[["Load", Sequence["Fix"], Source], object]


def take_corrections(
    conn: psycopg.Connection[Any], room: Room, path: Path, *, follow_links: bool, replay: Replay
) -> tuple[list[Landed], list[Refused]]:
    """The loads as they stand now, and the workbook with a sentence where it, or one of its loads, is
    refused. Dropping it a second time changes nothing."""
    taken: list[Landed] = []
    try:
        staged = room.stage(path, follow_links=follow_links)
    except FileRefused as refusal:
        return [], [Refused(path, refusal.message)]
    try:
        book = read_workbook(staged.path, warehouse_id=warehouse_id(conn))
        if not book.fixes:
            raise FileRefused(
                f"{path.name}: none of its {book.rows:,} rows was corrected; change cells in the columns to "
                "correct, save it and drop it again [CORRECTIONS_REFUSED]"
            )
        source = Source(getpass.getuser(), path.name, staged.content_sha256)
        for delivery_no, fixes in sorted(book.fixes.items()):
            taken.append(_take(conn, path, staged, delivery_no, fixes, source=source, replay=replay))
    except ShopxError as refusal:
        return taken, [Refused(path, refusal.message)]
    finally:
        room.drop(staged)
    return taken, []


def _take(
    conn: psycopg.Connection[Any],
    path: Path,
    staged: Staged,
    delivery_no: int,
    fixes: Sequence[Fix],
    *,
    source: Source,
    replay: Replay,
) -> Landed:
    load = ledger.newest_of(conn, delivery_no)
    if load is None:
        raise FileRefused(
            f"{path.name} corrects delivery {delivery_no}, which is not in this warehouse "
            "[CORRECTIONS_REFUSED]"
        )
    known = {fix.key: fix for fix in fixes_of(conn, delivery_no)}
    if any(known.get(fix.key) != fix for fix in fixes):
        if load.status == "withdrawn":
            raise FileRefused(
                f"{path.name} corrects load {load.load_id}, which is withdrawn: `./shopx release "
                f"{load.load_id}` first [CORRECTIONS_REFUSED]"
            )
        replay(load, fixes, source)
    return landed_from(ledger.newest_of(conn, delivery_no) or load, path, staged)
