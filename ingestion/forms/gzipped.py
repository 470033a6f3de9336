"""A gzip file: one file, packed. Places in it are those of the unpacked file."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from ingestion.forms.limits import Budget
from ingestion.forms.unpacked import Asked, Unpacked
from ingestion.refusals import FileRefused

NAME = "gzip"
WRAPS = True
_CHUNK = 1024 * 1024


def recognise(path: Path, head: bytes, asked: Asked) -> bool:
    """By its two first bytes and the only method there is."""
    del path, asked
    return head.startswith(b"\x1f\x8b\x08")


def unpack(path: Path, asked: Asked) -> Unpacked:
    """The file inside. Raises FileRefused when it is cut off, damaged, or unpacks to too much."""
    target = asked.work.place(path.name)
    budget = Budget(path, asked.limits)
    try:
        with gzip.open(path) as packed, target.open("wb") as out:
            while chunk := packed.read(_CHUNK):
                budget.spend(len(chunk))
                out.write(chunk)
    except EOFError:
        raise FileRefused(
            f"{path.name} ends in the middle, as half-copied files do; copy it again [FILE_DAMAGED]"
        ) from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise FileRefused(
            f"{path.name} is a damaged gzip file ({error}); export or copy it again [FILE_DAMAGED]"
        ) from None
    return Unpacked(target, {"packed": NAME}, work=asked.work)
