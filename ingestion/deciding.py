"""Decisions about deliveries: whether one counts, said by the gate or by a person.

Put every change of status here; each decision about what counts writes its row in ops.changes in the same
transaction. Which status may follow which stands in `ALLOWED`. Never what a delivery means by its rows
(meaning.py), never the entering of one (ledger.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ingestion.contract import FEEDS, folder_of
from ingestion.contract_edits import contract_keys, write_keys
from ingestion.conversion import convertible
from ingestion.effects import SAYS, Effect, effect_as_it_is, possible_modes
from ingestion.entities import ENTITIES
from ingestion.ledger import (
    MODES,
    Load,
    find_load,
    foreign_currency,
    reporting_currency,
    set_currency,
    twins_of,
)
from ingestion.scopes import note_days_of_rows
from warehouse.alerts import raise_alert, resolve_alerts, resolve_each
from warehouse.errors import ShopxError

if TYPE_CHECKING:
    import psycopg

    from ingestion.meaning import Meaning
    from warehouse.database import Warehouse

Decision = Literal["approved", "held", "withdrawn", "failed"]
Change = Literal["approve", "release", "withdraw", "replay"]

#: the answer to a hold that asks nothing: let what was accepted count
AS_IT_IS = "as it is"
#: decision -> the statuses it may follow
ALLOWED: dict[str, tuple[str, ...]] = {
    "approved": ("landed", "held", "withdrawn"),
    "held": ("landing", "landed"),
    "withdrawn": ("landing", "landed", "held", "approved", "failed"),
    "failed": ("landing",),
}


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
                f"Load {load_id} needs `--as days`, orders, lines, events or match first: what it means is "
                "undecided."
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
        _note(conn, load_id, "replay" if change == "replay" else "withdraw", by, why)
    tell(conn, load_id)
    return status


def approve_landed(conn: psycopg.Connection[Any], load_ids: Sequence[int], *, by: str, why: str) -> list[int]:
    """Approve in three statements, however many they are, those that nothing speaks against; returns them.

    Each becomes what `decide` would make of it, one after the other. Left alone, for `decide` to say why:
    what is not landed, what has no meaning yet, and what is in another currency.
    """
    ids = sorted(load_ids)
    ours = reporting_currency(conn)
    if ours is None:
        first = conn.execute(
            """
            select currency from raw.loads
            where load_id = any(%s) and status = 'landed' and mode is not null and currency is not null
            order by load_id limit 1
            """,
            [ids],
        ).fetchone()
        if first is not None:
            ours = first[0]
            set_currency(conn, first[0])
    found = conn.execute(
        """
        update raw.loads
        set status = 'approved', held_reason = null, held_message = null, decided_at = now(), decided_by = %s
        where
            load_id = any(%s) and status = 'landed' and mode is not null
            and (currency is null or currency = %s)
        returning load_id, delivered_name
        """,
        [by, ids, ours],
    ).fetchall()
    names = dict(sorted(found))
    conn.execute(
        """
        insert into ops.changes (load_id, kind, changed_by, why)
        select load_id, case when holds = 'sales' then 'approve' else 'master_data' end, %s, %s
        from raw.loads where load_id = any(%s) order by load_id
        """,
        [by, why, list(names)],
    )
    resolve_each(conn, kind="held", subjects=[f"load {load} ({name})" for load, name in names.items()])
    resolve_each(conn, kind="failed", subjects=list(names.values()))
    resolve_each(conn, kind="refused", subjects=list(names.values()))
    return list(names)


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


def release(
    warehouse: Warehouse,
    load_id: int,
    *,
    as_: str | None,
    by: str,
    why: str,
    always: bool = False,
    feeds: Path = FEEDS,
) -> str:
    """A person's word that a held (or duplicate, or withdrawn) load counts after all; returns its new
    status.

    `as_` answers what was undecided: what it means (one of MODES), or a way of reading such as `day-first`.
    With `always` the answer is written into the feed's contract too. A load whose rows were examined by the
    gate becomes `approved`; one that was not goes through it in the next run (`landed`); one without rows is
    read from the archive in the next run (`landing`). Raises ShopxError with the choices there are.
    """
    with warehouse.connect("loader", application_name="shopx release") as conn, conn.transaction():
        load = find_load(conn, load_id, lock=True)
        if load.status not in ("held", "duplicate", "withdrawn"):
            raise ShopxError(
                f"Load {load_id} ({load.delivered_name}) is {load.status}: there is nothing to release."
            )
        if load.held_reason == "FOREIGN_CURRENCY" and (
            load.has_rows or load.currency not in convertible(conn)
        ):
            raise ShopxError(f"Load {load_id} cannot be released: {load.held_message}.")
        if load.status == "withdrawn":
            _refuse_second_copy(conn, load)
        choices = dict(load.reading.get("choices") or {}) if not load.has_rows else {}
        if choices:
            status = _read_as(conn, load, as_, choices)
            answer = contract_keys(choices[as_])
        else:
            status = _mean(conn, load, as_, by=by, why=why)
            answer = {"delivers": as_}
        if always:
            if as_ is None:
                raise ShopxError("--always writes an answer into the contract: say --as and which.")
            write_keys(folder_of(load.feed, feeds), load.feed, answer)
        return status


def _mean(conn: psycopg.Connection[Any], load: Load, as_: str | None, *, by: str, why: str) -> str:
    """Release a load whose reading is settled, with what it means; a list always means the same."""
    load_id = load.load_id
    if as_ is not None and load.holds != "sales":
        noun = ENTITIES[load.holds].noun
        raise ShopxError(
            f"Load {load_id} ({load.delivered_name}) is {noun}: its rows add or change what they name, "
            f"so there is nothing to choose with --as. Let it count: `./shopx release {load_id}`."
        )
    possible = possible_modes(conn, load_id) if load.has_rows else list(MODES)
    if as_ is not None and as_ not in possible:
        raise ShopxError(f"Load {load_id} can be released --as {' or --as '.join(possible)}, not --as {as_}.")
    if load.status == "duplicate" and as_ is None and load.holds == "sales":
        raise ShopxError(
            f"Load {load_id} has the same bytes as load {load.duplicate_of}. "
            f"If it really is a second delivery: `./shopx release {load_id} --as events`."
        )
    mode = as_ or load.mode
    if load.has_rows and mode is None:
        raise ShopxError(f"Load {load_id}: {load.held_message or f'say --as {possible[0]}'}")
    conn.execute(
        "update raw.loads set mode = %s, released_as = coalesce(%s, released_as) where load_id = %s",
        [mode, as_, load_id],
    )
    if not load.has_rows:
        return _send_back(conn, load_id, "landing")
    if mode == "days":
        note_days_of_rows(conn, load_id)
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


def note_meaning(conn: psycopg.Connection[Any], load_id: int, meaning: Meaning) -> None:
    """What a delivery whose rows are stored means: it is landed, or held with its choices."""
    choices = {mode: _effect(effect, says=SAYS[mode]) for mode, effect in (meaning.choices or {}).items()}
    conn.execute(
        """
        update raw.loads
        set status = %s, mode = %s, held_reason = %s, held_message = %s, choices = %s, landed_at = now()
        where load_id = %s
        """,
        [
            "held" if meaning.reason else "landed", meaning.mode, meaning.reason, meaning.message,
            json.dumps(choices), load_id,
        ],
    )  # fmt: skip
    if meaning.mode == "days":
        note_days_of_rows(conn, load_id)
    tell(conn, load_id)


def note_choices(
    conn: psycopg.Connection[Any], load_id: int, choices: Mapping[str, Mapping[str, str]]
) -> None:
    """Keep what a person may answer to a delivery that can be read in several ways; `release` asks for
    one of them.
    """
    conn.execute(
        """
        update raw.loads
        set reading = reading || jsonb_build_object('choices', %s::jsonb), choices = '{}'
        where load_id = %s
        """,
        [json.dumps({choice: dict(read_as) for choice, read_as in choices.items()}), load_id],
    )


def note_effects(
    conn: psycopg.Connection[Any], load_id: int, choices: Mapping[str, Mapping[str, Any]]
) -> None:
    """Keep what each answer would change, for the views; nothing is decided by it."""
    conn.execute("update raw.loads set choices = %s where load_id = %s", [json.dumps(choices), load_id])


def note_effect_as_it_is(conn: psycopg.Connection[Any], load_id: int) -> None:
    """Keep what letting a load of settled meaning count would change, beside older rows that it replaces."""
    load = find_load(conn, load_id)
    says = "its accepted rows count" + (f": {SAYS[load.mode]}" if load.mode in ("days", "orders") else "")
    note_effects(conn, load_id, {AS_IT_IS: _effect(effect_as_it_is(conn, load), says=says) | _read(load)})


def _effect(effect: Effect, *, says: str) -> dict[str, Any]:
    return {
        "says": says,
        "rows": effect.added - effect.taken,
        "added": effect.added,
        "taken": effect.taken,
        "cents": effect.cents,
    }


def _read(load: Load) -> dict[str, Any]:
    return {
        "rejected": load.rows_rejected,
        "first_date": load.first_date and load.first_date.isoformat(),
        "last_date": load.last_date and load.last_date.isoformat(),
    }


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
    twins = twins_of(conn, load)
    if twins:
        raise ShopxError(
            f"Load {load.load_id} was withdrawn and load {twins[0].load_id} has brought the same bytes "
            f"since; withdraw load {twins[0].load_id} first."
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
        """
        insert into ops.changes (load_id, kind, changed_by, why)
        select load_id, case when holds = 'sales' then %s else 'master_data' end, %s, %s
        from raw.loads where load_id = %s
        """,
        [kind, by, why, load_id],
    )
