"""Recognises the form of a file by its content and unpacks it, until it is text.

Put the order of forms here. Never how one is unpacked.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from ingestion.forms import (
    encoded,
    fixed_width,
    gzipped,
    json_records,
    parquet,
    sheet_cells,
    workbook,
    zipped,
)
from ingestion.forms.unpacked import Asked, Unpacked
from ingestion.refusals import FileRefused

HEAD_BYTES = 4096


class Form(Protocol):
    """A module of this package that is a form."""

    NAME: str
    #: whether it only wraps another file; a wrapped wrapper is refused
    WRAPS: bool

    def recognise(self, path: Path, head: bytes, asked: Asked) -> bool:
        """Whether the file is of this form; `head` is its first bytes. Never by its name alone."""
        ...

    def unpack(self, path: Path, asked: Asked) -> Unpacked:
        """Its text. Raises FileRefused (no delivery, too large, damaged) or Undecided."""
        ...


#: Asked in this order; the first that recognises the file unpacks it.
FORMS: tuple[Form, ...] = (
    sheet_cells,
    gzipped,
    workbook,
    zipped,
    parquet,
    json_records,
    fixed_width,
    encoded,
)


def unpack(path: Path, asked: Asked) -> Unpacked:
    """The file as text, or as it lies where no form recognises it. Raises what the forms raise."""
    done = Unpacked(path)
    wrapped = False
    try:
        if not path.is_file():
            return done
        asked.limits.check_file(path, path.stat().st_size)
        while form := _recognised(done.path, asked):
            if form.WRAPS and wrapped:
                raise FileRefused(
                    f"{path.name} is an archive inside an archive; unpack it once and drop what is in it "
                    "[ARCHIVE_REFUSED]"
                )
            done = done.then(form.unpack(done.path, asked))
            if not form.WRAPS:
                break
            wrapped = True
    except OSError as error:
        if error.filename is not None and Path(error.filename) == path:
            return Unpacked(path)  # the reader says why a file cannot be read
        raise
    return done


def _recognised(path: Path, asked: Asked) -> Form | None:
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError:
        return None
    return next((form for form in FORMS if form.recognise(path, head, asked)), None)
