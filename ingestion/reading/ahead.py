"""The query of a large file, begun on the strength of its first bytes while all of them are looked at.

DuckDB needs a tenth of a second from a query to its first rows. What the first bytes show is mostly true of
all, so the query is begun with that; its rows count only where the look at every byte leads to the very same
query. Put here when and how that is begun. Never what the bytes show (dialect.py, opening.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ingestion.reading import dialect
from ingestion.reading.delivery import Delivery, csv_source
from ingestion.reading.engine import cursor
from ingestion.reading.rows import BATCH_ROWS
from ingestion.refusals import FileRefused

if TYPE_CHECKING:
    import pyarrow as pa

#: A smaller file is read before its query could have been begun twice.
WORTH_BEGINNING = 8_000_000  # bytes


def query_of(delivery: Delivery) -> str:
    """The query over the whole file."""
    source = csv_source(delivery.path, delivery.head)
    return f"with src as (select * from {source}) {delivery.plan.query}"  # noqa: S608


def answers(query: str) -> Iterator[pa.RecordBatch]:
    """Its rows in the order of the file. Raises what DuckDB raises."""
    connection = cursor()
    try:
        yield from connection.sql(query).to_arrow_reader(BATCH_ROWS)
    finally:
        connection.close()


@dataclass(frozen=True)
class _Begun:
    query: str
    rows: Iterator[pa.RecordBatch]


class Ahead:
    """A query that may have been begun. Dropped without use, it ends by itself."""

    def __init__(self, begun: Future[_Begun | None]) -> None:
        self._begun = begun

    def is_of(self, query: str) -> bool:
        """Whether this very query was begun, and gave its first rows."""
        begun = self._begun.result()
        return begun is not None and begun.query == query

    def answers(self, query: str) -> Iterator[pa.RecordBatch]:
        """The rows of `query`: those that are under way where it is the one that was begun."""
        begun = self._begun.result()
        return begun.rows if begun is not None and self.is_of(query) else answers(query)


def begin(path: Path, guess: Callable[[Path, dialect.Scan], Delivery | None]) -> Ahead | None:
    """Begin what `guess` makes of the first bytes, in a thread of its own; None where it is not worth it."""
    try:
        if path.stat().st_size < WORTH_BEGINNING:
            return None
    except OSError:
        return None
    aside = ThreadPoolExecutor(1, thread_name_prefix="ahead")
    begun = aside.submit(_begin, path, guess)
    aside.shutdown(wait=False)
    return Ahead(begun)


def _begin(path: Path, guess: Callable[[Path, dialect.Scan], Delivery | None]) -> _Begun | None:
    """Up to the first rows, or to what keeps them from coming; another query then meets it again."""
    import duckdb  # noqa: PLC0415
    import pyarrow as pa  # noqa: PLC0415

    try:
        delivery = guess(path, dialect.first_look(path))
        if delivery is None:
            return None
        query = query_of(delivery)
        rows = answers(query)
        first = next(rows, None)
    except (FileRefused, OSError, duckdb.Error, pa.ArrowException):
        return None
    return _Begun(query, _after(first, rows))


def _after(first: pa.RecordBatch | None, rows: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    if first is not None:
        yield first
    yield from rows
