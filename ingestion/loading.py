"""Brings the rows of an opened delivery into raw.sales_lines and raw.rejected_rows, in the caller's
transaction.

Put the way of rows into Postgres here: Arrow batches are parsed and encoded in one thread while another
sends the last one by COPY. Never decisions about a delivery (landing.py, ledger.py), never parsing
(reading/).
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from psycopg import sql

from ingestion.reading import ACCEPTED_COLUMNS, Reading, RejectedRow

if TYPE_CHECKING:
    import psycopg
    import pyarrow as pa

QUEUED_BATCHES = 2
SILENCE_S = 1.0
ROW_BITS = 32  # order_line_key = delivery_no * 2^32 + row_number
SENT_AT_ONCE = 1 << 20

_ADDED = ("load_id", "order_line_key")
_COPY_LINES = sql.SQL("copy raw.sales_lines ({}) from stdin (format binary)").format(
    sql.SQL(", ").join(map(sql.Identifier, (*_ADDED, *(name for name, _ in ACCEPTED_COLUMNS))))
)
_COPY_REJECTED = sql.SQL(
    "copy raw.rejected_rows "
    "(load_id, line_number, sheet_row, byte_offset, columns, reasons, messages, raw_bytes) from stdin"
)


@dataclass
class Loaded:
    """What was sent, counted on our side. Money in minor units; dates are None when no row was accepted."""

    rows_accepted: int = 0
    rows_rejected: int = 0
    amount_cents: int = 0
    first_date: date | None = None
    last_date: date | None = None


@dataclass(frozen=True)
class _Parcel:
    """One batch ready to be sent: binary COPY data, and what it adds to the totals."""

    data: bytes
    rows: int
    cents: int
    months: tuple[date, ...]
    first_date: date | None
    last_date: date | None
    rejected: list[RejectedRow]


def load_rows(
    conn: psycopg.Connection[Any],
    reading: Reading,
    *,
    load_id: int,
    delivery_no: int,
    known_months: set[date],
    progress: Callable[[str], None],
) -> Loaded:
    """Send every batch of `reading`; adds to `known_months` those that were made sure of in this
    transaction.

    Raises whatever reading raises (DamagedFile, FileRefused, Undecided); the caller's transaction must
    then roll back.
    """
    loaded = Loaded()
    told = time.monotonic()
    with conn.cursor() as cursor:
        for parcel in _parcels(reading, load_id, delivery_no):
            if parcel is not None:
                for month in parcel.months:
                    if month not in known_months:
                        cursor.execute("select raw.create_months(%s, %s)", [month, month])
                        known_months.add(month)
                _send(cursor, parcel, load_id)
                _add(loaded, parcel)
            if time.monotonic() - told >= SILENCE_S:
                told = time.monotonic()
                progress(f"{loaded.rows_accepted + loaded.rows_rejected:,} rows read")
    return loaded


def _send(cursor: psycopg.Cursor[Any], parcel: _Parcel, load_id: int) -> None:
    if parcel.rows:
        with cursor.copy(_COPY_LINES) as copy:
            data = memoryview(parcel.data)
            for start in range(0, len(data), SENT_AT_ONCE):
                copy.write(data[start : start + SENT_AT_ONCE])
    if parcel.rejected:
        with cursor.copy(_COPY_REJECTED) as copy:
            for row in parcel.rejected:
                copy.write_row(
                    (
                        load_id, row.line_number, row.sheet_row, row.byte_offset, _storable(row.columns),
                        _storable(row.reasons), _storable(row.messages), row.raw_bytes,
                    )
                )  # fmt: skip


def _storable(texts: tuple[str, ...]) -> list[str]:
    """Postgres text holds no NUL; what was quoted from a damaged file may. The raw bytes are kept as they
    are.
    """
    return [text.replace("\0", "␀") for text in texts]


def _add(loaded: Loaded, parcel: _Parcel) -> None:
    loaded.rows_accepted += parcel.rows
    loaded.rows_rejected += len(parcel.rejected)
    loaded.amount_cents += parcel.cents
    dates = [
        d for d in (loaded.first_date, loaded.last_date, parcel.first_date, parcel.last_date) if d is not None
    ]
    if dates:
        loaded.first_date, loaded.last_date = min(dates), max(dates)


def _parcels(reading: Reading, load_id: int, delivery_no: int) -> Iterator[_Parcel | None]:
    """The batches, made in a thread of their own; None after a second without one, so that the caller can
    speak.
    """
    made: queue.Queue[_Parcel | BaseException | None] = queue.Queue(maxsize=QUEUED_BATCHES)
    stop = threading.Event()

    def put(item: _Parcel | BaseException | None) -> bool:
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
                if not put(_pack(batch.accepted, batch.rejected, load_id, delivery_no)):
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


def _pack(rows: pa.RecordBatch, rejected: list[RejectedRow], load_id: int, delivery_no: int) -> _Parcel:
    if rows.num_rows == 0:
        return _Parcel(b"", 0, 0, (), None, None, rejected)
    import numpy as np  # noqa: PLC0415 - heavy, and only needed once rows arrive
    import pyarrow as pa  # noqa: PLC0415
    from pgpq import ArrowToPostgresBinaryEncoder  # noqa: PLC0415

    line_keys = rows["row_number"].to_numpy().astype(np.int64) + (delivery_no << ROW_BITS)
    order_keys = rows["order_key"]
    if order_keys.null_count:
        # a row without an order id is an order of its own
        named = np.asarray(order_keys.is_valid().to_numpy(zero_copy_only=False))
        given = order_keys.fill_null(0).to_numpy()
        order_keys = pa.array(np.where(named, given, -line_keys))
    columns = [rows.column(i) for i in range(rows.num_columns)]
    columns[rows.schema.get_field_index("order_key")] = order_keys
    full = pa.RecordBatch.from_arrays(
        [pa.array(np.full(rows.num_rows, load_id, dtype=np.int64)), pa.array(line_keys), *columns],
        schema=_schema(),
    )
    encoder = ArrowToPostgresBinaryEncoder(full.schema)
    data = b"".join((encoder.write_header(), encoder.write_batch(full), encoder.finish()))
    days = rows["sale_date"].to_numpy(zero_copy_only=False).astype("datetime64[D]")
    months = np.unique(days.astype("datetime64[M]")).astype("datetime64[D]").tolist()
    return _Parcel(
        data=data,
        rows=rows.num_rows,
        cents=int(rows["net_cents"].to_numpy().sum()),
        months=tuple(months),
        first_date=days.min().item(),
        last_date=days.max().item(),
        rejected=rejected,
    )


@lru_cache(maxsize=1)
def _schema() -> pa.Schema:
    import pyarrow as pa  # noqa: PLC0415 - heavy, and only needed once rows arrive

    from ingestion.reading import accepted_schema  # noqa: PLC0415

    return pa.schema([pa.field(name, pa.int64()) for name in _ADDED] + list(accepted_schema()))
