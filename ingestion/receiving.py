"""A file that somebody sends: staged, looked at as it would be loaded, moved into the inbox at one go.

Put here: what a name may be, the verdict, and the move. Never here: how the bytes arrive (dashboards/api/),
or what a file means to the ledger (landing.py), which compares its rows with stored ones.

Whatever happens before the move, nothing is left: the staged file lies in a work room of the archive, which
is removed at the end, or by the next landing when the process was killed.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import unicodedata
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ingestion import ledger
from ingestion.contract import load_contracts
from ingestion.corrections.fixes import warehouse_id
from ingestion.corrections.reading import is_corrections, read_workbook
from ingestion.given import REFUSED, files_below, is_candidate
from ingestion.overlap import is_diminished
from ingestion.proposing import Check, check_file
from ingestion.refusals import FileRefused
from warehouse.errors import ShopxError

if TYPE_CHECKING:
    from warehouse.database import Warehouse

log = logging.getLogger(__name__)
Verdict = Literal["IN", "IN WITH REJECTS", "HELD", "DUPLICATE", "REFUSED"]
LONGEST_NAME = 200  # bytes; file systems take 255, and a number may be added


@dataclass(frozen=True)
class Received:
    """What became of a file. `placed`: where it lies in the inbox, None where nothing of it is kept."""

    name: str
    verdict: Verdict
    why: str
    placed: Path | None = None
    check: Check | None = None
    duplicate_of: int | None = None


def usable_name(name: str) -> str:
    """The name under which a file may lie in the inbox. Raises FileRefused saying what to change."""
    shown = "".join(sign if sign.isprintable() else "?" for sign in name)[:80]
    name = unicodedata.normalize("NFC", name)
    if not name.strip(" ."):
        raise FileRefused("the file has no name; send it with one, such as sales.csv [FILE_NAME]")
    if "/" in name or "\\" in name or name == REFUSED:
        raise FileRefused(f'"{shown}" leads to a folder; send the file under its bare name [FILE_NAME]')
    if any(unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Zl", "Zp") for sign in name):
        raise FileRefused(f'"{shown}" holds signs that cannot be seen; rename the file [FILE_NAME]')
    if len(name.encode()) > LONGEST_NAME:
        raise FileRefused(f'"{shown}…" is longer than {LONGEST_NAME} bytes; rename the file [FILE_NAME]')
    if not is_candidate(Path(name)):
        raise FileRefused(
            f'"{shown}" is what hidden or half-copied files are called, which the inbox leaves alone; rename '
            "the file [FILE_NAME]"
        )
    return name


def look_at(
    staged: Path, *, inbox: Path, today: date, currency: str | None, warehouse: str, work: Path
) -> Check:
    """What a staged file would give, as `feed check` says it, under its path in the inbox. Writes only below
    `work`. Nothing is raised: a fault of ours costs this file, not the server.
    """
    try:
        if is_corrections(staged):
            book = read_workbook(staged, warehouse_id=warehouse)
            loads = ", ".join(str(number) for number in sorted(book.fixes))
            fixed = sum(len(fixes) for fixes in book.fixes.values())
            if not fixed:
                return Check(
                    "REFUSED", f"{staged.name} is a workbook of corrections, and no row was corrected."
                )
            why = f"a workbook of corrections: {fixed:,} rows of delivery {loads} will be read again"
            return Check("IN", why, holds="corrections", rows_delivered=book.rows, rows_accepted=fixed)
        delivered = (inbox / staged.name).absolute().as_posix()
        return check_file(staged, today=today, currency=currency, delivered=delivered, work=work)
    except FileRefused as refusal:
        return Check("REFUSED", refusal.message)
    except ShopxError as problem:
        return Check("REFUSED", problem.message)
    except Exception as error:
        log.exception("looking at %s failed", staged.name)
        said = f"{staged.name} could not be read ({type(error).__name__}); export it again [FILE_DAMAGED]"
        return Check("REFUSED", said)


def facts_for_looking(warehouse: Warehouse) -> tuple[str | None, str]:
    """The reporting currency, and which warehouse this is."""
    with warehouse.connect("loader", autocommit=True, application_name="shopx upload") as conn:
        return ledger.reporting_currency(conn) or warehouse.settings.currency, warehouse_id(conn)


def take(warehouse: Warehouse, staged: Path, check: Check) -> Received:
    """Move a staged file that was looked at into the inbox, unless it is refused or known already."""
    name = staged.name
    if check.verdict == "REFUSED":
        return Received(name, "REFUSED", check.why, check=check)
    inbox = warehouse.settings.inbox
    digest, size = _hash(staged)
    if known := _known(warehouse, digest, check, delivered=(inbox / name).absolute().as_posix()):
        why = (
            f"load {known} brought the same bytes already; nothing was done. If these are further sales, run "
            f"`./shopx run FILE`, then `./shopx release N --as events`"
        )
        return Received(name, "DUPLICATE", why, check=check, duplicate_of=known)
    waiting = next((one for one in _waiting(inbox, size) if _hash(one)[0] == digest), None)
    if waiting is not None:
        why = f"the same bytes wait in the inbox as {waiting.name}; nothing was done"
        return Received(name, "DUPLICATE", why, check=check)
    placed = _move(staged, inbox)
    verdict: Verdict = "HELD" if check.verdict == "HELD" else _in(check)
    return Received(name, verdict, check.why, placed=placed, check=check)


def _in(check: Check) -> Verdict:
    return "IN WITH REJECTS" if check.rows_rejected else "IN"


def _known(warehouse: Warehouse, digest: str, check: Check, *, delivered: str) -> int | None:
    """The load that brought these bytes and still counts in full, or is held, as landing asks it."""
    contract = load_contracts().get(check.feed)
    if contract is None:
        return None
    with warehouse.connect("loader", autocommit=True, application_name="shopx upload") as conn:
        copies = ledger.same_bytes(
            conn,
            content_sha256=digest,
            source=contract.source_name,
            path_values=contract.path_values(delivered),
        )
        known = next((copy for copy in copies if not is_diminished(conn, copy)), None)
    return None if known is None else known.load_id


def _waiting(inbox: Path, size: int) -> list[Path]:
    """The files of the inbox with this many bytes."""
    found = []
    for path in files_below(inbox) if inbox.is_dir() else []:
        try:
            if path.is_file() and path.stat().st_size == size:
                found.append(path)
        except OSError:
            continue
    return found


def _hash(path: Path) -> tuple[str, int]:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size
    except FileNotFoundError:  # taken meanwhile
        return "", -1


def _move(staged: Path, inbox: Path) -> Path:
    """Make the file appear in the inbox whole, under a name that nothing there has."""
    inbox.mkdir(mode=0o700, parents=True, exist_ok=True)
    with staged.open("rb") as file:
        os.fsync(file.fileno())
    target = inbox / staged.name
    for number in range(2, 10_000):
        try:
            _link(staged, target)
            break
        except FileExistsError:
            target = inbox / f"{staged.stem}-{number}{staged.suffix}"
    else:
        raise ShopxError(f"The inbox holds too many files called {staged.name}; load them: `./shopx run`.")
    staged.unlink()
    return target


def _link(staged: Path, target: Path) -> None:
    try:
        os.link(staged, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if target.exists():
            raise FileExistsError(target) from None
        hidden = target.with_name(f".{target.name}.part")
        shutil.copyfile(staged, hidden)
        hidden.rename(target)
