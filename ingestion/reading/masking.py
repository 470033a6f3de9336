"""A delivery without one person: the same bytes with the person's cells masked, each as long as it was.

Put finding a person's rows in a file and masking them here. Never the ledger or the archive (forgetting.py).
Because nothing changes its length, every line and offset that the ledger holds stays right, and reading the
masked bytes again gives the rows that the database holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ingestion.reading.corrected import Key, delivery_of, records_of
from ingestion.reading.rows import Reading, RejectedRow

MASK = "*"
#: Stands for the further bytes of a character in UTF-8; becomes a blank, or nothing in another encoding.
_FILLER = "\x01"
#: What names a person in sales and in lists of customers.
PERSONAL = ("customer_id", "customer_email", "customer_name")


@dataclass(frozen=True)
class Person:
    """Column -> how the person is named in it, in small letters. Any one of them is enough."""

    names: Mapping[str, frozenset[str]]

    @property
    def texts(self) -> list[str]:
        """Every name, the longest first."""
        return sorted({text for texts in self.names.values() for text in texts}, key=len, reverse=True)

    def also(self, texts: frozenset[str]) -> Person:
        """The same person with further texts to be masked wherever they stand."""
        return Person({**self.names, "": frozenset(text.casefold() for text in texts if len(text) > 1)})

    def masked(self, text: str) -> str:
        """Any text, such as a message, without the person's names."""
        for name in self.texts:
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", masked, text, flags=re.IGNORECASE)
        return text


@dataclass(frozen=True)
class MaskedRow:
    """A row of the delivered file and the bytes, as many, that take the place of its bytes."""

    key: Key
    byte_offset: int
    before: bytes
    after: bytes
    #: what was masked
    texts: frozenset[str]


def masked(found: re.Match[str] | str) -> str:
    """As many marks as there were characters."""
    return MASK * len(found if isinstance(found, str) else found[0])


def original_file(reading: Reading) -> Path | None:
    """The file whose offsets the ledger holds, if masking bytes in it is possible: delimited text, perhaps in
    another encoding. None for a workbook, JSON, Parquet and fixed columns."""
    delivery = delivery_of(reading)
    origins = delivery.unpacked.origins if delivery.unpacked else ()
    path = delivery.path
    for origin in reversed(origins):
        found = getattr(origin, "original", None) or getattr(origin, "_original", None)
        if found is None or type(origin).__name__ not in ("_SameBytes", "_Transcoded"):
            return None
        path = found
    return path


def masked_rows(reading: Reading, person: Person) -> Iterator[MaskedRow]:
    """The person's rows in a delivery."""
    delivery = delivery_of(reading)
    columns = reading.facts.get("columns")
    header = delivery.head.header
    theirs = columns if isinstance(columns, dict) else {}
    places = {name: header.index(theirs[name]) for name in PERSONAL if name in theirs}
    needles = [text.encode() for text in person.texts]
    transcoded = delivery.unpacked is not None and any(
        type(origin).__name__ == "_Transcoded" for origin in delivery.unpacked.origins
    )
    encoding = str(reading.facts["encoding"]) if transcoded else "utf-8"
    for row in records_of(delivery):
        low = row.raw_bytes.decode("utf-8", "replace").casefold().encode()
        if not any(needle in low for needle in needles):
            continue
        after, texts = _masked_record(row.raw_bytes, person, places, delimiter=delivery.head.delimiter)
        if after == row.raw_bytes:
            continue
        (there,) = delivery.traced([row])
        yield _as_delivered(there, after, texts, encoding=encoding)


def _as_delivered(row: RejectedRow, after: bytes, texts: frozenset[str], *, encoding: str) -> MaskedRow:
    if encoding != "utf-8":
        after = after.decode("utf-8", "replace").replace(_FILLER, "").encode(encoding, "replace")
    after = after.replace(_FILLER.encode(), b" ")
    return MaskedRow((row.line_number, row.sheet_row), row.byte_offset, row.raw_bytes, after, texts)


def _masked_record(
    raw: bytes, person: Person, places: Mapping[str, int], *, delimiter: str
) -> tuple[bytes, frozenset[str]]:
    """The record with its personal cells masked if it names the person, and what stood in them."""
    spans = list(_spans(raw, delimiter.encode()))
    cells = {name: spans[place] for name, place in places.items() if place < len(spans)}
    texts = {name: _text(raw, *span) for name, span in cells.items()}
    if not any(text.casefold() in person.names.get(name, ()) for name, text in texts.items()):
        # a row that is cut wrongly may hold the person anywhere
        whole = len(spans) > max(places.values(), default=-1)
        return (raw if whole else _masked_anywhere(raw, person)), frozenset()
    out = bytearray(raw)
    for name, (start, end) in cells.items():
        inner = raw[start:end]
        core = inner.strip()
        at = start + len(inner) - len(inner.lstrip())
        out[at : at + len(core)] = _marks(core, len(texts[name]))
    return bytes(out), frozenset(texts.values())


def _text(raw: bytes, start: int, end: int) -> str:
    text = raw[start:end].decode("utf-8", "replace")
    is_quoted = raw[start - 1 : start] == b'"' and start > 0
    return (text.replace('""', '"') if is_quoted else text).strip()


def _marks(core: bytes, length: int) -> bytes:
    """`length` marks, filled up to as many characters and bytes as there were."""
    characters = len(core.decode("utf-8", "replace"))
    return (MASK * length + " " * (characters - length) + _FILLER * (len(core) - characters)).encode()


def _masked_anywhere(raw: bytes, person: Person) -> bytes:
    text = raw.decode("utf-8", "surrogateescape")
    for name in person.texts:
        text = re.sub(
            re.escape(name),
            lambda found: _marks(found[0].encode("utf-8", "surrogateescape"), len(found[0])).decode(),
            text,
            flags=re.IGNORECASE,
        )
    return text.encode("utf-8", "surrogateescape")


def _spans(raw: bytes, delimiter: bytes) -> Iterator[tuple[int, int]]:
    """Where the content of each cell of a record starts and ends, its quotes left out."""
    at = 0
    while True:
        quoted = re.compile(rb' *"((?:[^"]|"")*)" *').match(raw, at)
        if quoted and (quoted.end() == len(raw) or raw.startswith(delimiter, quoted.end())):
            yield quoted.span(1)
            at = quoted.end()
        else:
            end = raw.find(delimiter, at)
            end = len(raw) if end < 0 else end
            yield at, end
            at = end
        if at >= len(raw):
            return
        at += len(delimiter)
