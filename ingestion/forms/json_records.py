"""JSON: one object per line, as APIs are archived, or one list of objects. Becomes delimited text.

Nested objects become columns with dotted names (`user.id`); where the contract says `rows: items`, each
object of that list becomes a row that repeats the fields around it. Numbers keep their text: none passes
through float. A record that cannot be a row is written as cells that no column takes, so that it is refused
there, and the way back gives the true reason.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from json.decoder import JSONDecodeError, JSONDecoder
from pathlib import Path
from struct import Struct
from typing import TYPE_CHECKING, Any, BinaryIO

from ingestion import reasons
from ingestion.forms.limits import Budget
from ingestion.forms.unpacked import Asked, Unpacked
from ingestion.json_text import NotThere, records

if TYPE_CHECKING:
    from ingestion.reading.rows import RejectedRow

NAME = "json"
WRAPS = False
LOOKED_AT = 1000  # records whose keys make the header before the first row is written
#: Longer than any text and no number and no date: whatever column it stands in, its row is refused.
NO_VALUE = "?" * 1001
_PLAIN = {str, type(None)}
_AT = Struct("<qqq")  # line, byte offset, length of a record
_PLACE = re.compile(r"^row [\d,]+ \(line [\d,]+\)")


#: An object comes out as a tuple of its members as they stand, a repeated key included; a list as a list.
_decoder = JSONDecoder(parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=tuple)
_Pairs = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class _Raw:
    line: int
    offset: int
    data: bytes


@dataclass
class _Fault:
    """Why a row must be refused: the whole record (column ''), or what stands in some of its columns."""

    code: str
    saw: str
    columns: tuple[str, ...] = ("",)


@dataclass
class _Origin:
    """The way back to the JSON, through a table of places on disk, so that memory stays flat."""

    path: Path
    places: Path
    faults: dict[int, _Fault] = field(default_factory=dict)

    def retrace(self, row: RejectedRow) -> RejectedRow:
        """The record a row came from, and the true reason where its cells only stood for one."""
        number = row.sheet_row - 1  # the text has a header, which the JSON has not
        with self.places.open("rb") as places:
            places.seek((number - 1) * _AT.size)
            line, offset, length = _AT.unpack(places.read(_AT.size))
        with self.path.open("rb") as file:
            file.seek(offset)
            raw = file.read(length)
        where = f"row {number:,} (line {line:,})"
        found = replace(
            row,
            line_number=line,
            sheet_row=number,
            byte_offset=offset,
            raw_bytes=raw,
            messages=tuple(_PLACE.sub(where, message) for message in row.messages),
        )
        fault = self.faults.get(number)
        return found if fault is None else _explained(found, fault, number, line)


def recognise(path: Path, head: bytes, asked: Asked) -> bool:
    """By its first character that is no blank; an empty answer of an API holds none."""
    del path
    head = head.removeprefix(b"\xef\xbb\xbf")
    first = head.lstrip()[:1]
    if not first:
        return asked.contract is not None and asked.contract.kind == "api"
    return first == b"{" or (first == b"[" and re.match(rb"\s*\[\s*[{\]]", head) is not None)


def unpack(path: Path, asked: Asked) -> Unpacked:
    """Delimited text with one line per record (or per line of an order)."""
    inside = asked.contract.rows if asked.contract else None
    work = asked.work.place(f"{path.stem}.csv")
    origin = _Origin(path, work.with_name("places"))
    budget = Budget(path, asked.limits)
    with path.open("rb") as file:
        start = file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()
        file.seek(0)
        found = _whole_list(file) if start.startswith(b"[") else _lines(file)
        rows = _Rows(origin, inside)
        names = rows.write(found, work, budget, asked)
    facts: dict[str, object] = {"format": NAME, "fields": len(names)}
    if inside:
        facts["rows"] = inside
    return Unpacked(work, facts, origins=(origin,), work=asked.work)


class _Rows:
    """Turns records into rows of cells, and notes where each came from."""

    def __init__(self, origin: _Origin, inside: str | None) -> None:
        self.origin = origin
        self.inside = inside.split(".") if inside else None
        self.names: tuple[str, ...] = ()
        self.known: dict[str, int] = {}
        self.number = 0

    def write(self, found: Iterator[_Raw], target: Path, budget: Budget, asked: Asked) -> tuple[str, ...]:
        """Write the text; returns its header. A field that first appears late widens the rows before it."""
        first = list(islice(found, LOOKED_AT))
        body = target.with_name("body")
        for raw in first:
            for record in self._cut(raw)[0]:
                self._learn(name for name, _ in record)
        if not self.names and asked.contract is not None:
            self._learn(column.names[0] for column in asked.contract.columns.values())
        looked_at = len(self.names)
        with body.open("w", encoding="utf-8", errors="surrogateescape", newline="") as out:
            self._body(first, found, out, budget)
        with (
            target.open("w", encoding="utf-8", errors="surrogateescape", newline="") as out,
            body.open(encoding="utf-8", errors="surrogateescape", newline="") as rows,
        ):
            csv.writer(out, lineterminator="\n").writerow(self.names or ("",))
            if looked_at == len(self.names):
                while chunk := rows.read(1 << 20):
                    out.write(chunk)
            else:
                writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
                width = len(self.names)
                writer.writerows(row + [""] * (width - len(row)) for row in csv.reader(rows))
        body.unlink()
        return self.names

    def _body(self, first: Iterable[_Raw], rest: Iterator[_Raw], out: Any, budget: Budget) -> None:
        plain = csv.writer(out, lineterminator="\n")
        quoted = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
        with self.origin.places.open("wb") as places:
            for source in (first, rest):
                for raw in source:
                    budget.spend(len(raw.data))
                    # a line end inside a text is written as an escape there
                    writer = quoted if b"\\" in raw.data else plain
                    place = _AT.pack(raw.line, raw.offset, len(raw.data))
                    usual = self._usual(raw.data)
                    if usual is not None:
                        self.number += 1
                        places.write(place)
                        writer.writerow(usual)
                        continue
                    found, fault = self._cut(raw)
                    for record in found or [()]:
                        self.number += 1
                        places.write(place)
                        if fault:
                            self.origin.faults[self.number] = fault
                            writer.writerow([NO_VALUE] * max(len(self.names), 1))
                        else:
                            writer.writerow(self._cells(record))

    def _usual(self, data: bytes) -> Sequence[str | None] | None:
        """The cells of a flat record with the keys of the header in their order; None for any other."""
        if self.inside is not None:
            return None
        try:
            names, values = zip(*_decoder.decode(data.decode("utf-8")), strict=True)
        except (ValueError, TypeError, RecursionError):
            return None
        return values if names == self.names and _PLAIN.issuperset(map(type, values)) else None

    def _cells(self, record: Sequence[tuple[str, Any]]) -> Sequence[Any]:
        self._learn(name for name, _ in record)
        cells: list[Any] = [""] * len(self.names)
        odd: list[tuple[str, Any]] = []
        for name, value in record:
            if type(value) in _PLAIN:
                cells[self.known[name]] = value
            else:
                cells[self.known[name]] = NO_VALUE
                odd.append((name, value))
        if odd:
            self.origin.faults[self.number] = _Fault(
                "JSON_NOT_A_VALUE", _shown(odd[0][1]), tuple(name for name, _ in odd)
            )
        return cells

    def _learn(self, names: Iterable[str]) -> None:
        for name in names:
            if name not in self.known:
                self.known[name] = len(self.known)
                self.names = (*self.names, name)

    def _cut(self, raw: _Raw) -> tuple[list[Sequence[tuple[str, Any]]], _Fault | None]:
        """The flat rows of one record, or why it has none."""
        try:
            value = _decoder.decode(raw.data.decode("utf-8"))
        except UnicodeDecodeError:
            return [], _Fault("NOT_TEXT", raw.data[:80].decode("utf-8", "replace"))
        except (JSONDecodeError, RecursionError):
            return [], _Fault("JSON_BROKEN", raw.data[:80].decode("utf-8", "replace"))
        if not isinstance(value, tuple):
            return [], _Fault("JSON_BROKEN", raw.data[:80].decode("utf-8", "replace"))
        try:
            return self._exploded(value), None
        except _RepeatedKey as repeated:
            return [], _Fault("JSON_KEY_TWICE", repeated.key)
        except _NoRows as none:
            return [], _Fault("JSON_NOT_A_VALUE", none.saw)

    def _exploded(self, value: _Pairs) -> list[Sequence[tuple[str, Any]]]:
        if self.inside is None:
            return [_flat(value, "")]
        inner: Any = value
        for step in self.inside:
            inner = dict(inner).get(step) if isinstance(inner, tuple) else None
        if inner is None or inner == []:
            return [_flat(value, "", without=self.inside)]
        if not isinstance(inner, list) or not all(isinstance(item, tuple) for item in inner):
            raise _NoRows(_shown(inner))
        around = _flat(value, "", without=self.inside)
        prefix = ".".join(self.inside) + "."
        return [[*around, *_flat(item, prefix)] for item in inner]


class _RepeatedKey(Exception):
    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class _NoRows(Exception):
    def __init__(self, saw: str) -> None:
        super().__init__(saw)
        self.saw = saw


def _flat(value: _Pairs, prefix: str, *, without: Sequence[str] = ()) -> Sequence[tuple[str, Any]]:
    """The members with dotted names. Raises _RepeatedKey."""
    if len(dict(value)) != len(value):
        raise _RepeatedKey(_twice(value))
    flat: list[tuple[str, Any]] = []
    for name, inner in value:
        if without and name == without[0]:
            if len(without) > 1 and isinstance(inner, tuple):
                flat += _flat(inner, f"{prefix}{name}.", without=without[1:])
        elif isinstance(inner, tuple):
            flat += _flat(inner, f"{prefix}{name}.")
        else:
            flat.append((prefix + name, inner))
    names = [name for name, _ in flat]
    if len(set(names)) != len(names):
        raise _RepeatedKey(_twice(flat))
    return flat


def _twice(pairs: Iterable[tuple[str, Any]]) -> str:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            return name
        seen.add(name)
    return ""


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        value = dict(value)
    return json.dumps(value, ensure_ascii=False, default=str)[:80]


def _explained(row: RejectedRow, fault: _Fault, number: int, line: int) -> RejectedRow:
    """The row with its true reason in place of those that its stand-ins gave."""
    expected = {
        "JSON_BROKEN": "one whole JSON object",
        "JSON_KEY_TWICE": "each key once",
        "NOT_TEXT": "UTF-8 text",
    }
    if fault.columns == ("",):
        said = reasons.message(
            fault.code, row=number, line=line, column="", saw=fault.saw,
            expected=expected.get(fault.code, "a list of objects"),
        )  # fmt: skip
        return replace(row, columns=("",), reasons=(fault.code,), messages=(said,))
    kept = [
        each
        for each in zip(row.columns, row.reasons, row.messages, strict=True)
        if each[0] not in fault.columns and "???" not in each[2]
    ]
    for column in fault.columns:
        if column in row.columns:
            said = reasons.message(
                fault.code, row=number, line=line, column=column, saw=fault.saw, expected="a text or a number"
            )
            kept.append((column, fault.code, said))
    columns, codes, messages = zip(*kept, strict=True)
    return replace(row, columns=columns, reasons=codes, messages=messages)


def _lines(file: BinaryIO) -> Iterator[_Raw]:
    """One record per line; blank lines are none."""
    offset = 0
    for line, data in enumerate(file, start=1):
        text = data.rstrip(b"\r\n")
        skip = 3 if line == 1 and text.startswith(b"\xef\xbb\xbf") else 0
        if text.strip():
            yield _Raw(line, offset + skip, text[skip:])
        offset += len(data)


def _whole_list(file: BinaryIO) -> Iterator[_Raw]:
    """The records of one list, which is read whole: the limits bound it. A damaged end costs what follows
    it: that is one record which is no JSON."""
    data = file.read()
    text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    at, line, offset = 0, 1, len(data) - len(data.removeprefix(b"\xef\xbb\xbf"))
    try:
        for found in records(text, ()):
            gap = text[at : found.start]
            line, offset = line + gap.count("\n"), offset + len(gap.encode("utf-8", "surrogateescape"))
            raw = text[found.start : found.end].encode("utf-8", "surrogateescape")
            yield _Raw(line, offset, raw)
            line, offset, at = line + raw.count(b"\n"), offset + len(raw), found.end
    except (JSONDecodeError, NotThere):
        rest = text[at:].lstrip(", \t\r\n")
        gap = text[at : len(text) - len(rest)]
        yield _Raw(
            line + gap.count("\n"),
            offset + len(gap.encode("utf-8", "surrogateescape")),
            rest.encode("utf-8", "surrogateescape").rstrip(),
        )
