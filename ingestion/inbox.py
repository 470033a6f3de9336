"""The inbox: a folder people and programs drop files into. Which files are ready, and clearing away what
was taken.

Put here what concerns the folder itself. Never what a file means (landing.py): whether a delivery
is known is decided by the ledger, not by what lies here.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingestion.given import REFUSED, files_below, is_candidate, lies_in
from ingestion.landed import Landed, LandingResult
from warehouse.alerts import raise_alert, resolve_alerts

if TYPE_CHECKING:
    import psycopg

__all__ = ["clear_landed", "is_candidate", "note_refused", "still_files"]

KEPT_STATUSES = frozenset({"landed", "approved", "held", "duplicate"})


def still_files(
    inbox: Path, seen: Mapping[str, tuple[int, int]]
) -> tuple[list[Path], dict[str, tuple[int, int]]]:
    """The entries that have not changed since the last look, oldest first, and what was seen this time.

    `seen` is the second value of the last look: path below the inbox -> (size in bytes, mtime in ns). Keep it
    between looks.
    """
    now: dict[str, tuple[int, int]] = {}
    ready: list[tuple[int, str, Path]] = []
    for path in files_below(inbox) if inbox.is_dir() else []:
        name = path.relative_to(inbox).as_posix()
        try:
            facts = path.lstat()
        except FileNotFoundError:
            continue
        now[name] = (facts.st_size, facts.st_mtime_ns)
        if seen.get(name) == now[name]:
            ready.append((facts.st_mtime_ns, name, path))
    return [path for _, _, path in sorted(ready)], now


def clear_landed(inbox: Path, result: LandingResult) -> list[Path]:
    """Take what was dealt with out of the inbox; returns the paths that are gone from it.

    Archived files are deleted, unless they changed since they were copied (then they are a new delivery).
    Refused ones move to inbox/refused/ with their sentence in a text file beside them. Files elsewhere
    are left alone.
    """
    cleared: list[Path] = []
    for landed in result.landed:
        path = landed.path
        if (
            path is not None
            and lies_in(inbox, path)
            and landed.status in KEPT_STATUSES
            and _take(path, landed)
        ):
            cleared.append(path)
    for refused in result.refused:
        if lies_in(inbox, refused.path) and _set_aside(inbox / REFUSED, refused.path, refused.sentence):
            cleared.append(refused.path)
    return cleared


def note_refused(conn: psycopg.Connection[Any], inbox: Path, result: LandingResult) -> None:
    """Raise an alert for each refused file of the inbox; close those of files no longer set aside.

    A file that was given by hand raises none: whoever gave it reads the sentence.
    """
    for refused in result.refused:
        if lies_in(inbox, refused.path):
            raise_alert(
                conn,
                kind="refused",
                subject=refused.path.name,
                message=f"{refused.sentence.rstrip('.')}. It lies in {inbox / REFUSED}: mend it and drop it "
                f"into {inbox} again, or delete it there; then `./shopx run`.",
            )
    for (name,) in conn.execute(
        "select subject from ops.alerts where kind = 'refused' and resolved_at is null"
    ).fetchall():
        if not (inbox / REFUSED / name).exists():
            resolve_alerts(conn, kind="refused", subject=name)


def _take(path: Path, landed: Landed) -> bool:
    """Delete the delivered file if it still is what was archived."""
    try:
        facts = path.lstat()
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(facts.st_mode) or (facts.st_size, facts.st_mtime_ns) != landed.fingerprint:
        return False
    path.unlink()
    return True


def _set_aside(folder: Path, path: Path, sentence: str) -> bool:
    folder.mkdir(mode=0o700, exist_ok=True)
    target = folder / path.name
    for number in range(2, 10_000):
        if not target.exists() and not target.is_symlink():
            break
        target = folder / f"{path.stem}-{number}{path.suffix}"
    try:
        path.rename(target)
    except FileNotFoundError:
        return False
    target.with_name(target.name + ".txt").write_text(sentence + "\n", encoding="utf-8")
    return True
