"""The ledger of deliveries, raw.loads: entering a delivery, and every decision about whether it counts.

Put status changes here; each decision about what counts writes its row in ops.changes in the same
transaction. Never rows of a delivery (loading.py), never files. Which status may follow which stands in
`ALLOWED`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from psycopg.rows import class_row

from warehouse.alerts import raise_alert, resolve_alerts
from warehouse.errors import ShopxError

if TYPE_CHECKING:
    from datetime import date

    import psycopg

    from ingestion.sources.fetched import Fetched
    from warehouse.database import Warehouse

Decision = Literal["approved", "held", "withdrawn", "failed"]
Change = Literal["approve", "release", "withdraw"]
MODES = ("orders", "events")

#: decision -> the statuses it may follow
ALLOWED: dict[str, tuple[str, ...]] = {
    "approved": ("landed", "held", "withdrawn"),
    "held": ("landing", "landed"),
    "withdrawn": ("landing", "landed", "held", "approved"),
    "failed": ("landing",),
}


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
    read_as: dict[str, str]
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


_LOAD = """
select
    load_id, delivery_no, feed, source, delivered_name, content_sha256, mode, read_as, reading,
    rows_delivered, rows_accepted, rows_rejected, amount_cents, currency, status, held_reason, held_message,
    duplicate_of,
    landed_at is not null as has_rows
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
    other_than: int | None = None,
) -> Load | None:
    """The load of this source that already brought these bytes and counts, may still count, or is held.

    `days`, first and last: those that a fetched delivery is complete for. The same bytes for other days say
    something else: no sales on Monday, and no sales on Tuesday.
    """
    first, last = days or (None, None)
    with conn.cursor(row_factory=class_row(Load)) as cursor:
        return cursor.execute(
            _LOAD  # noqa: S608 - a list of columns
            + """where content_sha256 = %s and source = %s and load_id is distinct from %s
                 and status in ('landing', 'landed', 'approved', 'held')
                 and (%s::date is null or (load_id, %s, %s) in (
                     select load_id, first_date, last_date from raw.load_scopes where store is null
                 ))
                 order by load_id limit 1""",
            [content_sha256, source, other_than, first, first, last],
        ).fetchone()


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
) -> Load:
    """Enter a delivery seen for the first time: it gets its delivery_no, for good, and the status
    `landing`.
    """
    row = conn.execute(
        """
        insert into raw.loads (
            delivery_no, feed, source, delivered_name, content_sha256, byte_count, contract_sha256, mode,
            currency, reading
        ) values (nextval('raw.delivery_no'), %s, %s, %s, %s, %s, %s, %s, %s, %s) returning load_id
        """,
        [
            feed, source, delivered_name, content_sha256, byte_count, contract_sha256, mode, currency,
            json.dumps(dict(reading or {})),
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


def enter_duplicate(
    conn: psycopg.Connection[Any], *, of: Load, feed: str, delivered_name: str, byte_count: int
) -> Load:
    """The row that says these bytes came again under this name; one per feed, name and content."""
    with conn.cursor(row_factory=class_row(Load)) as cursor:
        known = cursor.execute(
            _LOAD
            + """where content_sha256 = %s and feed = %s and delivered_name = %s and status = 'duplicate'
                 order by load_id limit 1""",
            [of.content_sha256, feed, delivered_name],
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
            duplicate_of, currency
        )
        select
            nextval('raw.delivery_no'), %s, source, %s, content_sha256, %s, contract_sha256, 'duplicate',
            load_id, currency
        from raw.loads where load_id = %s returning load_id
        """,
        [feed, delivered_name, byte_count, of.load_id],
    ).fetchone()
    assert row is not None  # noqa: S101 - an insert returns its row
    return find_load(conn, row[0])


def decide(
    conn: psycopg.Connection[Any],
    load_id: int,
    *,
    status: Decision,
    by: str,
    reason: str | None = None,
    message: str | None = None,
    why: str | None = None,
    change: Change = "approve",
) -> str:
    """Decide about a load inside the caller's transaction; returns the status it has afterwards.

    Deciding again what is already decided changes nothing. Approving writes ops.changes and, for the
    first load with a currency, fixes the reporting currency; a load in another currency is held
    (FOREIGN_CURRENCY) instead. Raises ShopxError when the decision cannot follow the load's present
    status.
    """
    load = find_load(conn, load_id, lock=True)
    if load.status == status:
        return status
    if load.status not in ALLOWED[status]:
        raise ShopxError(
            f"Load {load_id} ({load.delivered_name}) is {load.status} and cannot become {status}."
        )
    if status == "approved":
        if change == "approve" and load.status != "landed":
            raise ShopxError(
                f"Load {load_id} ({load.delivered_name}) is {load.status}: only a person can release it."
            )
        if load.mode is None:
            raise ShopxError(
                f"Load {load_id} needs `--as orders` or `--as events` first: what it means is undecided."
            )
        foreign = foreign_currency(conn, load.currency)
        if foreign is not None:
            if load.status != "landed":
                raise ShopxError(f"Load {load_id}: {foreign}")
            return decide(conn, load_id, status="held", by=by, reason="FOREIGN_CURRENCY", message=foreign)
        if load.currency is not None:
            set_currency(conn, load.currency)
    conn.execute(
        """
        update raw.loads
        set status = %s, held_reason = %s, held_message = %s, decided_at = now(), decided_by = %s
        where load_id = %s
        """,
        [status, reason or ("HELD" if status == "held" else None), message, by, load_id],
    )
    if status == "approved":
        _note(conn, load_id, change, by, why)
    elif status == "withdrawn":
        _note(conn, load_id, "withdraw", by, why)
    tell(conn, load_id)
    return status


def tell(conn: psycopg.Connection[Any], load_id: int) -> None:
    """Bring ops.alerts to the load's status, in the caller's transaction: what is held or failed needs a
    person, what counts again does not.
    """
    load = find_load(conn, load_id)
    held = f"load {load_id} ({load.delivered_name})"
    if load.status == "held":
        said = load.held_message or load.held_reason or "held"
        more = "" if "shopx " in said else f" Leave it out: `./shopx withdraw {load_id}`."
        raise_alert(conn, kind="held", subject=held, message=f"{said}{more}")
        return
    resolve_alerts(conn, kind="held", subject=held)
    if load.status == "failed":
        raise_alert(
            conn,
            kind="failed",
            subject=load.delivered_name,
            message=f"Load {load_id}: {load.held_message}. Once that is mended: `./shopx run FILE`.",
        )
    elif load.status in ("landed", "approved"):
        resolve_alerts(conn, kind="failed", subject=load.delivered_name)
        resolve_alerts(conn, kind="refused", subject=load.delivered_name)


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
        f"its money is in {currency}, the warehouse reports in {ours}; "
        "amounts of two currencies are never added up"
    )


def release(warehouse: Warehouse, load_id: int, *, as_: str | None, by: str, why: str) -> str:
    """A person's word that a held (or duplicate, or withdrawn) load counts after all; returns its new
    status.

    `as_` answers what was undecided: `orders` or `events`, or a way of reading such as `day-first`. A
    load whose rows were examined by the gate becomes `approved`; one that was not goes through it in the
    next run (`landed`); one without rows is read from the archive in the next run (`landing`). Raises
    ShopxError with the choices there are.
    """
    with warehouse.connect("loader", application_name="shopx release") as conn, conn.transaction():
        load = find_load(conn, load_id, lock=True)
        if load.status not in ("held", "duplicate", "withdrawn"):
            raise ShopxError(
                f"Load {load_id} ({load.delivered_name}) is {load.status}: there is nothing to release."
            )
        if load.held_reason == "FOREIGN_CURRENCY":
            raise ShopxError(f"Load {load_id} cannot be released: {load.held_message}.")
        if load.status == "withdrawn":
            _refuse_second_copy(conn, load)
        choices = dict(load.reading.get("choices") or {}) if not load.has_rows else {}
        if choices:
            return _read_as(conn, load, as_, choices)
        if as_ is not None and as_ not in MODES:
            raise ShopxError(f"Load {load_id} can be released --as orders or --as events, not --as {as_}.")
        if load.status == "duplicate" and as_ is None:
            raise ShopxError(
                f"Load {load_id} has the same bytes as load {load.duplicate_of}. "
                f"If it really is a second delivery: `./shopx release {load_id} --as events`."
            )
        mode = as_ or load.mode
        if load.has_rows and mode is None:
            raise ShopxError(f"Load {load_id}: {load.held_message or 'say --as orders or --as events'}")
        conn.execute("update raw.loads set mode = %s where load_id = %s", [mode, load_id])
        if not load.has_rows:
            return _send_back(conn, load_id, "landing")
        examined = conn.execute(
            "select exists (select from ops.gate_results where load_id = %s)", [load_id]
        ).fetchone()
        if examined is None or not examined[0]:
            return _send_back(conn, load_id, "landed")
        return decide(conn, load_id, status="approved", by=by, why=why, change="release")


def withdraw(warehouse: Warehouse, load_id: int, *, by: str, why: str) -> None:
    """Take a load out again: what it had replaced comes back with the next build. Its delivery_no stays
    its own.
    """
    with warehouse.connect("loader", application_name="shopx withdraw") as conn, conn.transaction():
        load = find_load(conn, load_id, lock=True)
        if load.status == "withdrawn":
            raise ShopxError(f"Load {load_id} ({load.delivered_name}) is withdrawn already.")
        decide(conn, load_id, status="withdrawn", by=by, why=why)


def note_choices(
    conn: psycopg.Connection[Any], load_id: int, choices: Mapping[str, Mapping[str, str]]
) -> None:
    """Keep what a person may answer to a delivery that can be read in several ways; `release` asks for
    one of them.
    """
    conn.execute(
        """
        update raw.loads set reading = reading || jsonb_build_object('choices', %s::jsonb) where load_id = %s
        """,
        [json.dumps({choice: dict(read_as) for choice, read_as in choices.items()}), load_id],
    )


def _read_as(conn: psycopg.Connection[Any], load: Load, as_: str | None, choices: Mapping[str, Any]) -> str:
    if as_ is None or as_ not in choices:
        known = " or ".join(f"`./shopx release {load.load_id} --as {choice}`" for choice in sorted(choices))
        raise ShopxError(f"Load {load.load_id} ({load.delivered_name}) needs an answer: {known}.")
    conn.execute(
        "update raw.loads set read_as = read_as || %s::jsonb where load_id = %s",
        [json.dumps(choices[as_]), load.load_id],
    )
    return _send_back(conn, load.load_id, "landing")


def _refuse_second_copy(conn: psycopg.Connection[Any], load: Load) -> None:
    twin = same_bytes(conn, content_sha256=load.content_sha256, source=load.source, other_than=load.load_id)
    if twin is not None:
        raise ShopxError(
            f"Load {load.load_id} was withdrawn and load {twin.load_id} has brought the same bytes since; "
            f"withdraw load {twin.load_id} first."
        )


def _send_back(conn: psycopg.Connection[Any], load_id: int, status: Literal["landing", "landed"]) -> str:
    conn.execute(
        """
        update raw.loads
        set status = %s, held_reason = null, held_message = null, duplicate_of = null, decided_at = null,
            decided_by = null
        where load_id = %s
        """,
        [status, load_id],
    )
    tell(conn, load_id)
    return status


def _note(conn: psycopg.Connection[Any], load_id: int, kind: str, by: str, why: str | None) -> None:
    conn.execute(
        "insert into ops.changes (load_id, kind, changed_by, why) values (%s, %s, %s, %s)",
        [load_id, kind, by, why],
    )
