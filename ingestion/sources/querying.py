"""Another database as a source: its query, from where the last delivery ended, written as CSV.

Put here which rows are new. Never the connection (connecting.py), never what a value becomes as text
(sql_values.py).

Rows at the very value where the last delivery ended are asked for again, since others may have been written
beside them later. Which of them were delivered already is known by a hash of the whole row.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ingestion.matching import choose_contract
from ingestion.refusals import FileRefused
from ingestion.sources import sql_values
from ingestion.sources.connecting import Answer, ask, count_without, reading
from ingestion.sources.database import DatabaseSource
from ingestion.sources.delimited import line
from ingestion.sources.fetched import Cursor, Fetched, FetchFailed, Request

if TYPE_CHECKING:
    from sqlalchemy import Connection

MOST_TIES = 1_000


@dataclass(frozen=True)
class _Known:
    """Where the last delivery ended: the value, how often each row stood at that value, and its bytes."""

    value: object | None = None
    rows: Mapping[str, int] = field(default_factory=dict)
    content_sha256: str | None = None


class DatabaseReader:
    """The source of feeds of kind database. `url_of` gives what an environment variable holds, or None."""

    def __init__(self, url_of: Callable[[str], str | None]) -> None:
        self._url_of = url_of

    def __call__(self, request: Request) -> Fetched | None:
        """The rows since the cursor as CSV, or None when there are none. Raises FetchFailed."""
        contract, source = request.contract, request.contract.database
        assert source is not None  # noqa: S101 - the contract of this kind has one
        known = _known(request.cursor, source)
        path = request.folder / f"{contract.feed}.csv"
        try:
            with reading(
                self._url_of(source.url_env),
                name=source.url_env,
                timeout_s=source.timeout_s,
                connect_timeout_s=source.connect_timeout_s,
            ) as connection:
                if source.cursor is not None:
                    _refuse_rows_without_cursor(connection, source.query, source.cursor)
                answer = ask(connection, source.query, cursor=source.cursor, since=known.value)
                choose_contract(answer.columns, {contract.feed: contract}, feed=contract.feed)
                draft = _Draft(source, known, only_new=contract.delivers in ("events", "match"))
                draft.write(answer, path, request.progress)
        except (FetchFailed, FileRefused) as problem:
            raise FetchFailed(f"{contract.feed}: {problem.message}") from None
        cursor = draft.cursor()
        if not draft.is_news or cursor["sha256"] == known.content_sha256:
            path.unlink()
            return None
        return Fetched(
            path=path,
            name=path.name,
            feed=contract.feed,
            cursor_from=request.cursor if known.value is not None else None,
            cursor=cursor,
        )


class _Draft:
    """Writes the answer and remembers the rows at its last value.

    `only_new`: rows that were delivered already are left out, for feeds where each row that comes counts
    again. Elsewhere all are written, so that an order is never delivered in part.
    """

    def __init__(self, source: DatabaseSource, known: _Known, *, only_new: bool) -> None:
        self.source = source
        self.only_new = only_new
        self.is_news = False
        self._known = known
        self._left = Counter(known.rows)
        self._value: object | None = None
        self._rows: Counter[str] = Counter()
        self._digest = hashlib.sha256()

    def write(self, answer: Answer, path: Path, progress: Callable[[str], None]) -> None:
        """The whole answer, a batch at a time."""
        at = answer.position(self.source.cursor) if self.source.cursor else None
        count = 0
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            records = [line(list(answer.columns))]
            for batch in answer.batches():
                for values in batch:
                    record = line(answer.texts(values))
                    if at is None:
                        self.is_news = True
                    elif self._was_delivered(values[at], record):
                        if self.only_new:
                            continue
                    else:
                        self.is_news = True
                    records.append(record)
                count += len(batch)
                progress(f"{count:,} rows so far")
                self._put(file, records)
                records = []
            self._put(file, records)

    def _put(self, file: BinaryIO, records: list[bytes]) -> None:
        data = b"".join(records)
        self._digest.update(data)
        file.write(data)

    def _was_delivered(self, value: object, record: bytes) -> bool:
        if value != self._value:
            self._value = value
            self._rows.clear()
        row = hashlib.sha256(record).hexdigest()[:16]
        if self._rows.total() <= MOST_TIES:
            self._rows[row] += 1
        elif self.only_new:
            raise FetchFailed(
                f"more than {MOST_TIES:,} rows have the same {self.source.cursor} ({value}); name a cursor "
                "in the contract that tells them apart, such as an id or a time with seconds."
            )
        if value != self._known.value or not self._left[row]:
            return False
        self._left[row] -= 1
        return True

    def cursor(self) -> Cursor:
        """What the ledger keeps. Where too many rows share a value none is remembered, and all come again."""
        about: dict[str, object] = {"query": _asked(self.source), "sha256": self._digest.hexdigest()}
        if self.source.cursor is None or self._value is None:
            return about
        rows = dict(self._rows) if self._rows.total() <= MOST_TIES else {}
        return about | sql_values.kept(self._value) | {"rows": rows}


def _known(cursor: Cursor | None, source: DatabaseSource) -> _Known:
    """What the last delivery left, unless the contract asks for something else since."""
    if cursor is None or cursor.get("query") != _asked(source):
        return _Known()
    rows = cursor.get("rows")
    return _Known(
        value=sql_values.restored(cursor) if "kind" in cursor else None,
        rows=rows if isinstance(rows, Mapping) else {},
        content_sha256=str(cursor["sha256"]),
    )


def _asked(source: DatabaseSource) -> str:
    """Changes when the contract asks for something else, so that it begins anew."""
    return hashlib.sha256(f"{source.url_env}\n{source.query}\n{source.cursor}".encode()).hexdigest()[:16]


def _refuse_rows_without_cursor(connection: Connection, query: str, cursor: str) -> None:
    """Rows without a value in the cursor column would never be asked for again."""
    missing = count_without(connection, query, cursor=cursor)
    if missing:
        raise FetchFailed(
            f"{missing:,} rows of the query have no {cursor}, so nothing would tell when they change; use "
            f"coalesce({cursor}, …) in the query."
        )
