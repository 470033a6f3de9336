"""Which files are meant by the paths somebody gave, and in which order they are deliveries.

Put what can be told from names and file facts alone here. Never open a file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from ingestion.landed import Refused

#: Small files are landed together, this many at a time; their rows fit into memory with ease.
SMALL_BYTES = 64 * 1024
CHUNK_FILES = 250
FEWEST_TOGETHER = 8
UNFINISHED = (".part", ".partial", ".tmp", ".crdownload", ".download", ".filepart", ".swp")


#: Files that were refused lie here until somebody has looked; nothing in it is a delivery.
REFUSED = "refused"


def is_candidate(path: Path) -> bool:
    """Whether an entry of a delivery folder is meant: no folder, no hidden, temporary or half-copied file."""
    name = path.name
    if name.startswith((".", "~$")) or name.lower().endswith(UNFINISHED):
        return False
    return path.is_symlink() or not path.is_dir()


def files_below(folder: Path) -> list[Path]:
    """The files that are meant in a delivery folder and its folders. Hidden folders, links to folders and
    `refused` are left out. Raises OSError when the folder itself cannot be opened.
    """
    entries = sorted(folder.iterdir())
    found = [entry for entry in entries if is_candidate(entry)]
    for inner in entries:
        if not inner.is_dir() or inner.is_symlink() or inner.name.startswith(".") or inner.name == REFUSED:
            continue
        for place, folders, names in os.walk(inner):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            found += [entry for name in sorted(names) if is_candidate(entry := Path(place, name))]
    return found


def lies_in(folder: Path, path: Path) -> bool:
    """Whether a path lies in a delivery folder, at any depth, but not in its folder of refused files."""
    place, home = path.parent.resolve(), folder.resolve()
    return place.is_relative_to(home) and not place.is_relative_to(home / REFUSED)


def deliveries(paths: Sequence[Path]) -> tuple[list[Path], list[Refused]]:
    """Folders opened up, everything once and in ledger order (mtime, then name); folders without files
    are refused.
    """
    found: dict[Path, None] = {}
    refused: list[Refused] = []
    for path in paths:
        if not path.is_dir():
            found[path] = None
            continue
        try:
            inside = files_below(path)
        except OSError as error:
            refused.append(
                Refused(
                    path, f"{path} cannot be opened: {(error.strerror or 'error').lower()} [FILE_UNREADABLE]"
                )
            )
            continue
        if not inside:
            refused.append(
                Refused(
                    path,
                    f"{path} is a folder without files; name a file or a folder that holds some [NO_FILES]",
                )
            )
        found.update(dict.fromkeys(inside))
    return sorted(found, key=_age), refused


def in_chunks(files: Sequence[Path]) -> Iterator[list[Path]]:
    """The same files in the same order, small ones that follow each other together, every other one alone."""
    chunk: list[Path] = []
    for path in files:
        if _size(path) > SMALL_BYTES:
            yield from _filled(chunk)
            yield [path]
            chunk = []
            continue
        chunk.append(path)
        if len(chunk) == CHUNK_FILES:
            yield chunk
            chunk = []
    yield from _filled(chunk)


def _filled(chunk: list[Path]) -> Iterator[list[Path]]:
    """The chunk, or its files one by one where they are too few to gain anything."""
    if len(chunk) >= FEWEST_TOGETHER:
        yield chunk
    else:
        yield from ([path] for path in chunk)


def _size(path: Path) -> float:
    try:
        return path.stat().st_size
    except OSError:
        return float("inf")


def _age(path: Path) -> tuple[int, str, str]:
    try:
        return path.stat().st_mtime_ns, path.name, str(path)
    except OSError:
        return 0, path.name, str(path)
