"""The ledger of deliveries, raw.loads: entering one and finding it again, and the currency they share.

Put here what is written when a delivery is first seen, and look-ups. Never a change of status (deciding.py),
never rows of a delivery (loading.py), never files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from psycopg.rows import class_row

from warehouse.errors import ShopxError

if TYPE_CHECKING:
    from datetime import date

    import psycopg

    from ingestion.sources.fetched import Fetched

MODES = ("days", "orders", "lines", "events", "match")


@dataclass(frozen=True)
class Load:
    """One row of the ledger. `amount_cents` in minor units of the reporting currency."""

    load_id: int
    delivery_no: int
    feed: str
    source: str
    delivered_name: str
    content_sha256: str
    mode: str | None
    released_as: str | None
    read_as: dict[str, str]
    path_values: dict[str, str]
    reading: dict[str, Any]
    rows_delivered: int
    rows_accepted: int
    rows_rejected: int
    amount_cents: int
    currency: str | None
    status: str
    held_reason: str | None
    held_message: str | None
    duplicate_of: int | None
    has_rows: bool
    holds: str = "sales"
    archived_sha256: str | None = None
    first_date: date | None = None
    last_date: date | None = None
    choices: dict[str, Any] = field(default_factory=dict)

    @property
    def archive_sha256(self) -> str:
        """Under which hash its bytes are archived: another one once a person was erased from them."""
        return self.archived_sha256 or self.content_sha256


_LOAD = """
select
    load_id, delivery_no, feed, source, delivered_name, content_sha256, mode, released_as, read_as,
    path_values, reading,
    rows_delivered, rows_accepted, rows_rejected, amount_cents, currency, status, held_reason, held_message,
    duplicate_of,
    landed_at is not null as has_rows, holds, archived_sha256, first_date, last_date, choices
from raw.loads
"""


def find_load(conn: psycopg.Connection[Any], load_id: int, *, lock: bool = False) -> Load:
    """The ledger row; with `lock`, until the transaction ends nobody else decides about it."""
    with conn.cursor(row_factory=class_row(Load)) as cursor:
        found = cursor.execute(
            _LOAD + f"where load_id = %s {'for update' if lock else ''}", [load_id]
        ).fetchone()
    if found is None:
        raise ShopxError(f"There is no load {load_id}; `./shopx loads` lists them.")
    return found


def loads_in(conn: psycopg.Connection[Any], status: str) -> list[Load]:
    """All loads with this status, in delivery order."""
    with conn.cursor(row_factory=class_row(Load)) as cursor:
        return cursor.execute(_LOAD + "where status = %s order by delivery_no, load_id", [status]).fetchall()


def same_bytes(
    conn: psycopg.Connection[Any],
    *,
    content_sha256: str,
    source: str,
    days: tuple[date, date] | None = None,
    path_values: Mapping[str, str] | None = None,
    other_than: int | None = None,
) -> list[Load]:
    """The loads of this source that already brought these bytes and count, may still count, or are held.

    `days`, first and last: those that a fetched delivery is complete for; `path_values`: what its path says
    about its rows. The same bytes with others say something else: no sales on Monday, and no sales on
    Tuesday.
    """
    first, last = days or (None, None)
    with conn.cursor(row_factory=class_row(Load)) as cursor:
        return cursor.execute(
            _LOAD  # noqa: S608 - a list of columns
            + """where content_sha256 = %s and source = %s and load_id is distinct from %s
                 and status in ('landing', 'landed', 'approved', 'held') and path_values = %s::jsonb
                 and (%s::date is null or (load_id, %s, %s) in (
                     select load_id, first_date, last_date from raw.load_scopes where store is null
                 ))
                 order by load_id""",
            [content_sha256, source, other_than, json.dumps(dict(path_values or {})), first, first, last],
        ).fetchall()


def twins_of(conn: psycopg.Connection[Any], load: Load) -> list[Load]:
    """The other loads that have brought the same bytes, for the same days where those were asked for, and
    count, may still count, or are held."""
    days = conn.execute(
        "select first_date, last_date from raw.load_scopes where load_id = %s and store is null",
        [load.load_id],
    ).fetchone()
    return same_bytes(
        conn,
        content_sha256=load.content_sha256,
        source=load.source,
        days=days,
        path_values=load.path_values,
        other_than=load.load_id,
    )


def enter(
    conn: psycopg.Connection[Any],
    *,
    feed: str,
    source: str,
    delivered_name: str,
    content_sha256: str,
    byte_count: int,
    contract_sha256: str,
    mode: str | None = None,
    currency: str | None = None,
    reading: Mapping[str, object] | None = None,
    holds: str = "sales",
    path_values: Mapping[str, str] | None = None,
) -> Load:
    """Enter a delivery seen for the first time: it gets its delivery_no, for good, and the status
    `landing`.
    """
    row = conn.execute(
        """
        insert into raw.loads (
            delivery_no, feed, source, delivered_name, content_sha256, byte_count, contract_sha256, mode,
            currency, reading, holds, path_values
        ) values (nextval('raw.delivery_no'), %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) returning load_id
        """,
        [
            feed, source, delivered_name, content_sha256, byte_count, contract_sha256, mode, currency,
            json.dumps(dict(reading or {})), holds, json.dumps(dict(path_values or {})),
        ],
    ).fetchone()  # fmt: skip
    assert row is not None  # noqa: S101 - an insert returns its row
    return find_load(conn, row[0])


def note_fetched(conn: psycopg.Connection[Any], load_id: int, fetched: Fetched) -> None:
    """Keep what a fetched delivery is complete for and how far it reaches, in the transaction that enters
    it."""
    if fetched.window is not None:
        conn.execute(
            "insert into raw.load_scopes (load_id, store, first_date, last_date) values (%s, null, %s, %s)",
            [load_id, fetched.window.first, fetched.window.last],
        )
    conn.execute(
        """
        update raw.loads
        set cursor_from = %s::jsonb, cursor = %s::jsonb,
            reading = reading || jsonb_build_object('fetched', %s::jsonb)
        where load_id = %s
        """,
        [
            None if fetched.cursor_from is None else json.dumps(fetched.cursor_from),
            None if fetched.cursor is None else json.dumps(fetched.cursor),
            json.dumps(dict(fetched.facts)),
            load_id,
        ],
    )


def enter_again(
    conn: psycopg.Connection[Any],
    load: Load,
    *,
    source: str,
    contract_sha256: str,
    mode: str | None,
    released_as: str | None,
    currency: str | None,
    reading: Mapping[str, object],
    holds: str,
) -> Load:
    """Enter the bytes of `load` once more, in its place among the deliveries: the new row has its
    delivery_no, the answers a person gave, what it is complete for and how far it reaches.
    """
    row = conn.execute(
        """
        insert into raw.loads (
            delivery_no, feed, source, delivered_name, content_sha256, byte_count, contract_sha256, mode,
            released_as, read_as, currency, reading, holds, path_values, cursor_from, cursor, first_seen_at,
            archived_sha256, replays
        )
        select
            delivery_no, feed, %s, delivered_name, content_sha256, byte_count, %s, %s, %s, read_as, %s,
            jsonb_strip_nulls(jsonb_build_object('fetched', reading -> 'fetched')) || %s::jsonb,
            %s, path_values, cursor_from, cursor, first_seen_at, archived_sha256, load_id
        from raw.loads where load_id = %s returning load_id
        """,
        [
            source, contract_sha256, mode, released_as, currency, json.dumps(dict(reading)), holds,
            load.load_id,
        ],
    ).fetchone()  # fmt: skip
    assert row is not None  # noqa: S101 - an insert returns its row
    conn.execute(
        """
        insert into raw.load_scopes (load_id, store, first_date, last_date)
        select %s, null, first_date, last_date from raw.load_scopes where load_id = %s and store is null
        """,
        [row[0], load.load_id],
    )
    return find_load(conn, row[0])


def newest_of(conn: psycopg.Connection[Any], delivery_no: int) -> Load | None:
    """The load that stands for a delivery now: the one that is not withdrawn, else its last replay."""
    with conn.cursor(row_factory=class_row(Load)) as cursor:
        return cursor.execute(
            _LOAD + "where delivery_no = %s order by status = 'withdrawn', load_id desc limit 1",
            [delivery_no],
        ).fetchone()


def enter_duplicate(
    conn: psycopg.Connection[Any], *, of: Load, feed: str, delivered_name: str, byte_count: int
) -> Load:
    """The row that says these bytes came again under this name; one per feed, name, path and content."""
    with conn.cursor(row_factory=class_row(Load)) as cursor:
        known = cursor.execute(
            _LOAD
            + """where content_sha256 = %s and feed = %s and delivered_name = %s and status = 'duplicate'
                 and path_values = %s::jsonb order by load_id limit 1""",
            [of.content_sha256, feed, delivered_name, json.dumps(of.path_values)],
        ).fetchone()
    if known is not None:
        if known.duplicate_of != of.load_id:
            conn.execute(
                "update raw.loads set duplicate_of = %s where load_id = %s", [of.load_id, known.load_id]
            )
        return find_load(conn, known.load_id)
    row = conn.execute(
        """
        insert into raw.loads (
            delivery_no, feed, source, delivered_name, content_sha256, byte_count, contract_sha256, status,
            duplicate_of, currency, holds, path_values
        )
        select
            nextval('raw.delivery_no'), %s, source, %s, content_sha256, %s, contract_sha256, 'duplicate',
            load_id, currency, holds, path_values
        from raw.loads where load_id = %s returning load_id
        """,
        [feed, delivered_name, byte_count, of.load_id],
    ).fetchone()
    assert row is not None  # noqa: S101 - an insert returns its row
    return find_load(conn, row[0])


def reporting_currency(conn: psycopg.Connection[Any]) -> str | None:
    """The one currency of the warehouse's money, or None before the first approved load."""
    row = conn.execute("select value from ops.settings where name = 'currency'").fetchone()
    return None if row is None else row[0]


def set_currency(conn: psycopg.Connection[Any], currency: str) -> None:
    """Fix the reporting currency, unless it is fixed already."""
    conn.execute(
        "insert into ops.settings (name, value) values ('currency', %s) on conflict do nothing", [currency]
    )


def foreign_currency(conn: psycopg.Connection[Any], currency: str | None) -> str | None:
    """Why a delivery in this currency cannot count, or None."""
    ours = reporting_currency(conn)
    if currency is None or ours is None or currency == ours:
        return None
    return (
        f"its money is in {currency}, the warehouse reports in {ours}, and no exchange rates are known; "
        "amounts of two currencies are never added up. Deliver rates (date, currency, rate), then release it"
    )
