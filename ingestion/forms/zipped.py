"""A zip archive that holds one file. Places in it are those of the file inside.

Several files in one archive are refused: each delivery has its own hash, verdict and undo, and an archive of
many would share them.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from ingestion.forms.limits import Budget
from ingestion.forms.unpacked import Asked, Unpacked
from ingestion.refusals import FileRefused

NAME = "zip"
WRAPS = True
_CHUNK = 1024 * 1024
_MOST_MEMBERS = 1000
_LARGEST_DIRECTORY = 4 * 1024 * 1024
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_LITTER = {".ds_store", "thumbs.db", "desktop.ini"}


def recognise(path: Path, head: bytes, asked: Asked) -> bool:
    """By the mark of its first member, or of an empty archive."""
    del path, asked
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def unpack(path: Path, asked: Asked) -> Unpacked:
    """The one file inside. Raises FileRefused for several, for none, when encrypted, damaged or too large."""
    with opened(path) as archive:
        member = _only_file(path, archive)
        target = asked.work.place(path.name)
        budget = Budget(path, asked.limits)
        with target.open("wb") as out:
            for chunk in member_bytes(path, archive, member, budget):
                out.write(chunk)
    return Unpacked(target, {"packed": NAME, "member": member.filename}, work=asked.work)


def opened(path: Path) -> zipfile.ZipFile:
    """The archive, once its table of contents is known to be small. Raises FileRefused."""
    entries, size = _directory(path)
    if entries > _MOST_MEMBERS or size > _LARGEST_DIRECTORY:
        raise FileRefused(
            f"{path.name} holds more than {_MOST_MEMBERS:,} files; unpack it and drop those with sales "
            "[ARCHIVE_REFUSED]"
        )
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error) as error:
        raise FileRefused(_damaged(path, error)) from None


def member_bytes(
    path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo, budget: Budget
) -> Iterator[bytes]:
    """The bytes of one member in chunks, each paid for. Raises FileRefused."""
    if member.flag_bits & 1:
        raise FileRefused(
            f"{path.name} is locked with a password; save it without one and drop it again [FILE_ENCRYPTED]"
        )
    if member.compress_type not in _METHODS:
        raise FileRefused(
            f"{path.name} is packed by a method that is not read here; pack it as an ordinary zip file "
            "[ARCHIVE_REFUSED]"
        )
    try:
        with archive.open(member) as packed:
            while chunk := packed.read(_CHUNK):
                budget.spend(len(chunk))
                yield chunk
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise FileRefused(_damaged(path, error)) from None


def _only_file(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    files = [member for member in archive.infolist() if not _is_litter(member)]
    if not files:
        raise FileRefused(f"{path.name} is an archive without a file; pack it again [ARCHIVE_REFUSED]")
    if len(files) > 1:
        names = ", ".join(f'"{PurePosixPath(member.filename).name[:40]}"' for member in files[:3])
        more = ", …" if len(files) > 3 else ""
        raise FileRefused(
            f"{path.name} holds {len(files):,} files ({names}{more}); unpack it and drop the files "
            "themselves [ARCHIVE_REFUSED]"
        )
    return files[0]


def _is_litter(member: zipfile.ZipInfo) -> bool:
    """Folders, and what file managers add."""
    parts = PurePosixPath(member.filename).parts
    return (
        member.is_dir()
        or not parts
        or "__MACOSX" in parts
        or parts[-1].startswith("._")
        or parts[-1].lower() in _LITTER
    )


def _directory(path: Path) -> tuple[int, int]:
    """How many members the archive's end announces, and in how many bytes; 0, 0 without an end."""
    with path.open("rb") as file:
        end = file.seek(0, 2)
        file.seek(max(end - 65_557, 0))
        tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        return 0, 0
    _, entries, size = struct.unpack_from("<HHI", tail, at + 8)
    return entries, size


def _damaged(path: Path, error: Exception) -> str:
    return f"{path.name} is a damaged archive ({error}); export or copy it again [FILE_DAMAGED]"
