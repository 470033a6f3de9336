"""Brings the rows of an opened delivery into its table in raw and into raw.rejected_rows, in the caller's
transaction.

Put the way of rows into Postgres here: Arrow batches are parsed and encoded in one thread while another
sends the last one by COPY. Never decisions about a delivery (landing.py, ledger.py), never parsing
(reading/).
"""

from __future__ import annotations

import os
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from psycopg import sql
from psycopg.copy import LibpqWriter

from ingestion.conversion import ADDED_COLUMNS
from ingestion.reading import ACCEPTED_COLUMNS, Batch, Reading, RejectedRow, views

if TYPE_CHECKING:
    import psycopg
    import pyarrow as pa

    from ingestion.conversion import Converter
    from ingestion.entities import Entity

QUEUED_BATCHES = 2
SILENCE_S = 1.0
ROWS_OF_A_DELIVERY = 10**10  # order_line_key = delivery_no * 10^10 + row_number
ENCODED_AT_ONCE = 4096  # rows
WORTH_A_COPY = 5000  # rows: with fewer, finding the partition of each is cheaper
#: Bytes that may wait in the kernel, where it allows as many: with the usual 0.2 MB the server has nothing to
#: do each time this process does not get a processor at once, which cost a fifth of the whole load.
SENT_AHEAD = 4_000_000

_COPY_REJECTED = sql.SQL(
    "copy raw.rejected_rows "
    "(load_id, line_number, sheet_row, byte_offset, columns, reasons, messages, raw_bytes) from stdin"
)


@dataclass
class Loaded:
    """What was sent, counted on our side. Money in minor units; None where no row was accepted."""

    rows_accepted: int = 0
    rows_rejected: int = 0
    rows_duplicate: int = 0
    amount_cents: int = 0
    first_date: date | None = None
    last_date: date | None = None
    missing_order_ids: int = 0
    missing_products: int = 0
    missing_customers: int = 0
    smallest_sale_cents: int | None = None
    largest_line_cents: int | None = None
    return_lines: int = 0
    refused_orders: set[int] = field(default_factory=set)  # keys of orders with a rejected row


def load_rows(
    conn: psycopg.Connection[Any],
    reading: Reading,
    *,
    load_id: int,
    delivery_no: int,
    known_months: set[date],
    progress: Callable[[str], None],
    converter: Converter | None = None,
) -> Loaded:
    """Send every batch of `reading`, through `converter` if its money is in another currency; adds to
    `known_months` those that were made sure of in this transaction.

    Raises whatever reading raises (DamagedFile, FileRefused, Undecided): then the caller must roll back.
    """
    if reading.contract.entity is not None:
        return _load_versions(conn, reading, reading.contract.entity, load_id=load_id, progress=progress)
    _let_wait(conn, SENT_AHEAD)
    loaded = Loaded()
    told = time.monotonic()
    columns = _filled_columns(reading) + (list(ADDED_COLUMNS) if converter else [])
    of_sales = [name for name in columns if name != "line_type"]
    with conn.cursor() as cursor, _Copy(cursor) as copy:
        for batch in _batches(reading):
            if batch is not None:
                if batch.accepted.num_rows:
                    accepted = converter.convert(batch.accepted) if converter else batch.accepted
                    months = _note_accepted(loaded, accepted)
                    if not known_months.issuperset(months):
                        copy.pause()
                        _make_months(cursor, sorted(set(months) - known_months))
                        known_months.update(months)
                    # up to the first return every line is what the table takes it for
                    sent = columns if loaded.return_lines else of_sales
                    keyed = _with_keys(accepted, sent, load_id, delivery_no)
                    for month, start, end in _runs(accepted, months):
                        copy.send(keyed.slice(start, end - start), month)
                loaded.rows_duplicate += batch.repeats
                loaded.refused_orders |= batch.refused_orders
                if batch.rejected:
                    loaded.rows_rejected += len(batch.rejected)
                    copy.pause()
                    _send_rejected(cursor, batch.rejected, load_id)
            if time.monotonic() - told >= SILENCE_S:
                told = time.monotonic()
                progress(f"{loaded.rows_accepted + loaded.rows_rejected:,} rows so far")
    if converter is not None:
        converter.check()
    return loaded


def _load_versions(
    conn: psycopg.Connection[Any],
    reading: Reading,
    entity: Entity,
    *,
    load_id: int,
    progress: Callable[[str], None],
) -> Loaded:
    """Master data: every batch into raw.<entity>. Such lists are short; rows are sent as Python values."""
    loaded = Loaded()
    told = time.monotonic()
    columns = ["load_id", "row_number", *entity.table_columns]
    into = sql.SQL("copy {} ({}) from stdin").format(
        sql.Identifier("raw", entity.name), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with conn.cursor() as cursor:
        for batch in _batches(reading):
            if batch is not None:
                loaded.rows_accepted += batch.accepted.num_rows
                loaded.rows_rejected += len(batch.rejected)
                with cursor.copy(into) as copy:
                    for row in zip(*batch.accepted.to_pydict().values(), strict=True):
                        copy.write_row((load_id, *row))
                if batch.rejected:
                    _send_rejected(cursor, batch.rejected, load_id)
            if time.monotonic() - told >= SILENCE_S:
                told = time.monotonic()
                progress(f"{loaded.rows_accepted + loaded.rows_rejected:,} rows so far")
    return loaded


class _Copy:
    """One COPY that stays open from batch to batch, until something else must be sent: other columns too.

    Rows of one month go straight into its partition: finding it row by row costs a fifth of a load.
    """

    def __init__(self, cursor: psycopg.Cursor[Any]) -> None:
        self._cursor = cursor
        self._schema: pa.Schema | None = None
        self._month: date | None = None
        self._open = ExitStack()
        self._copy: psycopg.Copy | None = None
        self._encoder: Any = None

    def __enter__(self) -> _Copy:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        if kind is None:
            self.pause()
        else:
            self._open.__exit__(kind, error, trace)

    def send(self, rows: pa.RecordBatch, month: date | None) -> None:
        """Encode and send `rows`, whose columns have the names of the table's and whose days lie in `month`,
        or anywhere."""
        from pgpq import ArrowToPostgresBinaryEncoder  # noqa: PLC0415 - heavy, and only needed once rows come

        if month != self._month or rows.schema != self._schema:
            self.pause()
        if self._copy is None:
            self._month, self._schema = month, rows.schema
            # handed to the kernel piece by piece: libpq moves what it holds back at each attempt to send it
            writer = LibpqWriter(self._cursor, flush_threshold=0)
            self._copy = self._open.enter_context(
                self._cursor.copy(_into(month, rows.schema.names), writer=writer)
            )
            self._encoder = ArrowToPostgresBinaryEncoder(rows.schema)
            self._copy.write(self._encoder.write_header())
        for start in range(0, rows.num_rows, ENCODED_AT_ONCE):
            encoded = self._encoder.write_batch(rows.slice(start, ENCODED_AT_ONCE))
            self._copy.write(memoryview(encoded))  # which psycopg cuts up without copying

    def pause(self) -> None:
        """End the COPY, so that the connection is free for another statement."""
        if self._copy is not None:
            self._copy.write(self._encoder.finish())
            self._copy = None
            self._open.close()


def _into(month: date | None, columns: Sequence[str]) -> sql.Composed:
    """The COPY into the partition of a month, or into the whole table."""
    table = (
        sql.Identifier("raw_parts", f"sales_lines_{month:%Y%m}")
        if month
        else sql.Identifier("raw", "sales_lines")
    )
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    return sql.SQL("copy {} ({}) from stdin (format binary)").format(table, names)


def _let_wait(conn: psycopg.Connection[Any], byte_count: int) -> None:
    """Let so many bytes be under way to the server; over TCP the kernel grows its buffer by itself."""
    with socket.socket(fileno=os.dup(conn.fileno())) as way:
        if way.family == socket.AF_UNIX:
            way.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, byte_count)


def _batches(reading: Reading) -> Iterator[Batch | None]:
    """The batches, read in a thread of their own; None after a second without one: time to say something."""
    if reading.in_memory:
        yield from reading.batches()
        return
    made: queue.Queue[Batch | BaseException | None] = queue.Queue(maxsize=QUEUED_BATCHES)
    stop = threading.Event()

    def put(item: Batch | BaseException | None) -> bool:
        while not stop.is_set():
            try:
                made.put(item, timeout=0.2)
            except queue.Full:
                continue
            return True
        return False

    def make() -> None:
        try:
            for batch in reading.batches():
                if not put(batch):
                    return
            put(None)
        except BaseException as error:
            put(error)

    maker = threading.Thread(target=make, name="reading", daemon=True)
    maker.start()
    try:
        while True:
            try:
                item = made.get(timeout=SILENCE_S)
            except queue.Empty:
                yield None
                continue
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
        maker.join()


def _note_accepted(loaded: Loaded, rows: pa.RecordBatch) -> list[date]:
    """Add the batch to the totals; returns the first days of its months."""
    import numpy as np  # noqa: PLC0415 - heavy, and only needed once rows arrive

    count = rows.num_rows
    days = views.values(rows["sale_date"], np.int32).astype("datetime64[D]")
    cents = views.values(rows["net_cents"], np.int64)
    is_sale = views.byte_lengths(rows["line_type"]) == len("sale")
    sales = cents[is_sale]
    loaded.rows_accepted += count
    loaded.amount_cents += int(cents.sum())
    loaded.first_date = min(filter(None, (loaded.first_date, days.min().item())))
    loaded.last_date = max(filter(None, (loaded.last_date, days.max().item())))
    loaded.missing_order_ids += rows["order_id"].null_count
    loaded.missing_products += _all_missing(rows, "product_id", "product_name")
    loaded.missing_customers += _all_missing(rows, "customer_id", "customer_email", "customer_name")
    loaded.return_lines += count - len(sales)
    largest = int(np.abs(cents).max())
    loaded.largest_line_cents = max(loaded.largest_line_cents or 0, largest)
    if len(sales):
        smallest = int(sales.min())
        before = loaded.smallest_sale_cents
        loaded.smallest_sale_cents = smallest if before is None else min(before, smallest)
    first, last = days.min().astype("datetime64[M]"), days.max().astype("datetime64[M]")
    months = np.array([first]) if first == last else np.unique(days.astype("datetime64[M]"))
    return list(months.astype("datetime64[D]").tolist())


def _runs(rows: pa.RecordBatch, months: Sequence[date]) -> list[tuple[date | None, int, int]]:
    """The stretches of rows that lie in one month, as (month, first, one after the last); all rows as one,
    without a month, where the stretches are so short that starting a COPY for each costs more."""
    import numpy as np  # noqa: PLC0415

    if len(months) == 1:
        return [(months[0], 0, rows.num_rows)]
    of = views.values(rows["sale_date"], np.int32).astype("datetime64[D]").astype("datetime64[M]")
    edges = [0, *(np.flatnonzero(of[1:] != of[:-1]) + 1).tolist(), rows.num_rows]
    if rows.num_rows < WORTH_A_COPY * (len(edges) - 1):
        return [(None, 0, rows.num_rows)]
    return [(of[start].item(), start, end) for start, end in pairwise(edges)]


def _all_missing(rows: pa.RecordBatch, *names: str) -> int:
    """In how many rows all of these columns are null."""
    if any(rows[name].null_count == 0 for name in names):
        return 0
    missing = ~views.known(rows[names[0]])
    for name in names[1:]:
        missing &= ~views.known(rows[name])
    return int(missing.sum())


def _filled_columns(reading: Reading) -> list[str]:
    """The columns this delivery can fill. One left out is null, as it would be, and costs nothing."""
    columns, given = reading.facts["columns"], reading.facts.get("values", {})
    assert isinstance(columns, dict)  # noqa: S101 - for the type checker; Reading says so
    assert isinstance(given, dict)  # noqa: S101
    used = columns.keys() | given.keys() | ({"line_kind"} if reading.contract.not_sales else set())
    theirs = {"tax_cents": "tax", "cost_cents": "unit_cost", "discount_cents": "discount"}
    optional = {name for name, type_name in ACCEPTED_COLUMNS if type_name == "string"} | set(theirs)
    computed = {"line_type"}
    return ["load_id", "order_line_key"] + [
        name
        for name, _ in ACCEPTED_COLUMNS
        if name not in ("row_number", "currency")
        and (name not in optional or name in computed or theirs.get(name, name) in used)
    ]


def _with_keys(
    rows: pa.RecordBatch, columns: Sequence[str], load_id: int, delivery_no: int
) -> pa.RecordBatch:
    """The batch with load_id and order_line_key; a row without an order id becomes an order of its own."""
    import numpy as np  # noqa: PLC0415
    import pyarrow as pa  # noqa: PLC0415

    line_keys = views.values(rows["row_number"], np.int32).astype(np.int64) + delivery_no * ROWS_OF_A_DELIVERY
    order_keys = rows["order_key"]
    if order_keys.null_count:
        given = views.values(order_keys, np.int64)
        order_keys = views.array(np.where(views.known(order_keys), given, -line_keys), pa.int64())
    made = {
        "load_id": views.array(np.full(rows.num_rows, load_id, dtype=np.int64), pa.int64()),
        "order_line_key": views.array(line_keys, pa.int64()),
        "order_key": order_keys,
    }
    return pa.RecordBatch.from_pydict({name: made[name] if name in made else rows[name] for name in columns})


def _make_months(cursor: psycopg.Cursor[Any], months: list[date]) -> None:
    for month in months:
        cursor.execute("select raw.create_months(%s, %s)", [month, month])


def _send_rejected(cursor: psycopg.Cursor[Any], rejected: list[RejectedRow], load_id: int) -> None:
    with cursor.copy(_COPY_REJECTED) as copy:
        for row in rejected:
            copy.write_row(
                (
                    load_id, row.line_number, row.sheet_row, row.byte_offset, _storable(row.columns),
                    _storable(row.reasons), _storable(row.messages), row.raw_bytes,
                )
            )  # fmt: skip


def _storable(texts: tuple[str, ...]) -> list[str]:
    """Postgres text holds no NUL; what was quoted from a damaged file may. The raw bytes stay as they are."""
    return [text.replace("\0", "␀") for text in texts]
