"""Many small deliveries read by one query: preparing it costs 40 ms, a small file's rows next to nothing.

Put here what is read ahead and held in memory. Never a rule about rows: each file's rows pass through its own
reader, which only does not have to ask DuckDB itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ingestion.reading.delivery import csv_source
from ingestion.reading.engine import cursor, literal
from ingestion.reading.fast import FastReading
from ingestion.reading.rows import BATCH_ROWS, Batch, Reading
from ingestion.refusals import DamagedFile, Undecided

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


class ReadAhead(Reading):
    """A small delivery whose rows are in memory already, as its own reader gave them."""

    in_memory = True

    def __init__(self, reading: FastReading, batches: list[Batch]) -> None:
        self.contract = reading.contract
        self.facts = reading.facts
        self.rows_gap = reading.rows_gap
        self.rows = batches
        self._reading = reading

    def batches(self) -> Iterator[Batch]:
        """Yield the delivery in batches."""
        yield from self.rows

    def careful(self) -> Reading:
        """The same delivery through the careful reader."""
        return self._reading.careful()

    def refusing(self, orders: frozenset[int]) -> Reading:
        """The same delivery without these orders, read anew."""
        return self._reading.refusing(orders)


def read_together(readings: Sequence[Reading]) -> list[Reading]:
    """The same deliveries in the same order, those that could be read ahead as ReadAhead.

    Give small files only: all their rows are in memory at once. What is damaged, or needs the careful reader,
    comes back as it is.
    """
    alike: dict[tuple[str, str], list[FastReading]] = {}
    for reading in readings:
        if isinstance(reading, FastReading):
            d = reading.delivery
            alike.setdefault((d.plan.query, _dialect(reading)), []).append(reading)
    ahead: dict[int, ReadAhead] = {}
    for group in alike.values():
        for reading, rows in _answers(group):
            try:
                batches = list(reading.batches(rows))
            except (DamagedFile, Undecided):  # each is told apart from the others when it is landed
                continue
            ahead[id(reading)] = ReadAhead(reading, batches)
    return [ahead.get(id(reading), reading) for reading in readings]


def _dialect(reading: FastReading) -> str:
    """How the file is cut, apart from its path: files alike in this can stand in one read_csv."""
    d = reading.delivery
    return csv_source(d.path, d.head).replace(literal(str(d.path)), "", 1)


def _answers(group: Sequence[FastReading]) -> Iterator[tuple[FastReading, list[pa.RecordBatch]]]:
    """The query's rows of each file of the group. A group with a file DuckDB refuses is halved until only
    that one is left out.
    """
    import duckdb  # noqa: PLC0415
    import pyarrow as pa  # noqa: PLC0415

    connection = cursor()
    try:
        counts, rows = _asked(connection, group)
    except (duckdb.Error, pa.ArrowException, OSError):
        if len(group) > 1:
            half = len(group) // 2
            yield from _answers(group[:half])
            yield from _answers(group[half:])
        return
    finally:
        connection.close()
    start = 0
    for reading, count in zip(group, counts, strict=True):
        yield reading, rows.slice(start, count).combine_chunks().to_batches()
        start += count


def _asked(connection: duckdb.DuckDBPyConnection, group: Sequence[FastReading]) -> tuple[list[int], pa.Table]:
    """Rows per file, and all rows in the order of the files."""
    import pyarrow as pa  # noqa: PLC0415

    d = group[0].delivery
    paths = [str(reading.delivery.path) for reading in group]
    listed = f"[{', '.join(map(literal, paths))}]"
    source = csv_source(d.path, d.head).replace(literal(str(d.path)), listed, 1)
    named = f"{source.removesuffix(')')}, filename = true)"
    counted = f"select filename, count(*) from {named} group by filename"  # noqa: S608
    found = dict(connection.sql(counted).fetchall())
    counts = [int(found.get(path, 0)) for path in paths]
    query = f"with src as (select * from {source}) {d.plan.query}"  # noqa: S608
    rows = connection.sql(query).to_arrow_reader(BATCH_ROWS).read_all()
    if rows.num_rows != sum(counts):
        raise pa.ArrowInvalid(f"{rows.num_rows} rows read, {sum(counts)} counted")
    return counts, rows
