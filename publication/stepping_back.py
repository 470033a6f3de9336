"""Stepping back: readers get the figures of the publication before, and nothing is published until resumed.

Put here: republishing marts_previous under a new id, the pause that follows, and ending it.
Never here: publishing a build (publish.py) or composing copies (copying.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from publication.copying import Difference, copy_differences
from publication.driver import drive
from publication.grain import Shape, shape_of, tables_in
from publication.schema_changes import KEPT, grant_readers, make_tables, plan, retry_locked
from warehouse.alerts import raise_alert, resolve_alerts
from warehouse.errors import ShopxError

if TYPE_CHECKING:
    from warehouse.database import Warehouse

SUBJECT = "publication is paused"
RESUME = "./shopx publish --resume"


@dataclass(frozen=True)
class Pause:
    """An open pause: `figures_of` is the publication whose figures readers see as `publication_id`."""

    paused_at: datetime
    paused_by: str
    why: str
    stepped_back_from: int
    figures_of: int
    publication_id: int

    def sentence(self) -> str:
        """What every command and page says while the pause lasts."""
        return (
            f"Publication is paused since {self.paused_at:%Y-%m-%d %H:%M} UTC by {self.paused_by}: "
            f"{self.why}. #{self.stepped_back_from} was taken back; readers see the figures of "
            f"#{self.figures_of} as #{self.publication_id}. Go on: {RESUME}"
        )


def open_pause(connection: psycopg.Connection[Any]) -> Pause | None:
    """The pause that lasts, or None."""
    row = connection.execute(
        "select paused_at, paused_by, why, stepped_back_from, figures_of, publication_id "
        "from ops.publication_pause"
    ).fetchone()
    return Pause(*row) if row else None


def refuse_paused(connection: psycopg.Connection[Any]) -> None:
    """Raise ShopxError while publication is paused."""
    pause = open_pause(connection)
    if pause is not None:
        raise ShopxError(f"Not published. {pause.sentence()}")


def step_back(
    warehouse: Warehouse, *, by: str, why: str, progress: Callable[[str], None] | None = None
) -> Pause:
    """Republish marts_previous under a new id, and pause publication.

    Marts and columns that came with the publication taken back stay, empty, so that no view over them
    breaks. Raises ShopxError when there is nothing to step back to, or when that was done already; waits
    for a run that is building.
    """
    with (
        drive(warehouse, progress=progress),
        warehouse.connect("owner", autocommit=True, application_name="shopx publish") as connection,
    ):
        done: list[Pause] = []
        retry_locked(connection, lambda: done.append(_step_back(connection, by=by, why=why)))
        return done[-1]


def resume(warehouse: Warehouse, *, by: str) -> Pause:
    """End the pause; what waits is published by the next batch. Raises ShopxError when there is none."""
    with warehouse.connect("owner", application_name="shopx publish") as connection:
        pause = open_pause(connection)
        if pause is None:
            raise ShopxError("Publication is not paused, so there is nothing to resume.")
        connection.execute(
            "update ops.pauses set resumed_at = now(), resumed_by = %s where resumed_at is null", [by]
        )
        resolve_alerts(connection, kind="paused")
    return pause


def _step_back(connection: psycopg.Connection[Any], *, by: str, why: str) -> Pause:
    """The transaction itself."""
    connection.execute("lock table ops.publications in share row exclusive mode")
    taken_back, figures_of = _from_and_to(connection)
    shapes = _shapes(connection, schema="marts_previous")
    difference = _bring_back(connection, shapes)
    row = connection.execute(RECORD, {"back_to": figures_of, **vars(difference)}).fetchone()
    assert row is not None  # noqa: S101  figures_of is a publication
    publication_id = row[0]
    for statement in AFTERWARDS:
        connection.execute(statement, {"back_to": figures_of, "publication": publication_id})
    connection.execute(
        "insert into ops.changes (kind, changed_by, why) values ('step_back', %s, %s)", [by, why]
    )
    connection.execute(
        "insert into ops.pauses (paused_by, why, stepped_back_from, figures_of, publication_id) "
        "values (%s, %s, %s, %s, %s)",
        [by, why, taken_back, figures_of, publication_id],
    )
    pause = open_pause(connection)
    assert pause is not None  # noqa: S101  just inserted
    raise_alert(connection, kind="paused", subject=SUBJECT, message=pause.sentence())
    return pause


def _from_and_to(connection: psycopg.Connection[Any]) -> tuple[int, int]:
    """The publication to take back and the one whose figures marts_previous holds."""
    pause = open_pause(connection)
    if pause is not None:
        raise ShopxError(f"Not stepped back: that was done already. {pause.sentence()}")
    newest = connection.execute(
        "select publication_id, kind from ops.publications order by publication_id desc limit 1"
    ).fetchone()
    before = connection.execute("select publication_id from marts_previous.publication").fetchone()
    if newest is None or before is None:
        raise ShopxError(
            "Not stepped back: no earlier publication is kept, so there is nothing to go back to."
        )
    if newest[1] == "rollback":
        raise ShopxError(
            f"Not stepped back: #{newest[0]} is a step back itself, and only one publication before is kept. "
            "Withdraw what is wrong (./shopx withdraw N), or publish what waits: ./shopx run."
        )
    return newest[0], before[0]


def _shapes(connection: psycopg.Connection[Any], *, schema: str) -> list[Shape]:
    found = (
        shape_of(connection, schema=schema, table=table)
        for table in tables_in(connection, schema=schema)
        if table != KEPT
    )
    return [shape for shape in found if shape is not None and shape.key]


def _bring_back(connection: psycopg.Connection[Any], shapes: list[Shape]) -> Difference:
    """Give marts the rows of marts_previous; a mart is made anew only where its rows would not fit."""
    unfit = tuple(shape.table for shape in shapes if not _fits(connection, shape))
    change = plan(connection, schema="marts", shapes=shapes)
    make_tables(connection, change.only(recreate=unfit), like="marts_previous")
    difference = Difference(0, 0)
    for shape in shapes:
        difference += copy_differences(connection, source=shape, target_schema="marts")
        _empty_columns(connection, shape)
    kept = {shape.table for shape in shapes} | {KEPT}
    for table in tables_in(connection, schema="marts"):
        if table not in kept:
            gone = connection.execute(sql.SQL("delete from {}").format(sql.Identifier("marts", table)))
            difference += Difference(gone.rowcount, 0)
    grant_readers(connection, [shape.table for shape in shapes])
    return difference


def _fits(connection: psycopg.Connection[Any], wanted: Shape) -> bool:
    """Whether marts.x can hold the rows of marts_previous.x as it stands."""
    there = shape_of(connection, schema="marts", table=wanted.table)
    return there is None or (
        there.key == wanted.key and all(there.types.get(name) == kind for name, kind in wanted.types.items())
    )


def _empty_columns(connection: psycopg.Connection[Any], wanted: Shape) -> None:
    """What came with the publication taken back says nothing about the rows of the one before."""
    there = shape_of(connection, schema="marts", table=wanted.table)
    for name in (there.types if there else {}).keys() - wanted.types.keys():
        connection.execute(
            sql.SQL("update {} set {} = null where {} is not null").format(
                sql.Identifier("marts", wanted.table), sql.Identifier(name), sql.Identifier(name)
            )
        )


RECORD = """
    insert into ops.publications (
        build_id, kind, as_of, complete_through, loads, held_loads, rejected_rows, rows_deleted, rows_inserted
    )
    select
        build_id, 'rollback', as_of, complete_through, loads, held_loads, rejected_rows,
        %(deleted)s, %(inserted)s
    from ops.publications where publication_id = %(back_to)s
    returning publication_id
"""

AFTERWARDS = (
    "insert into ops.publication_loads (publication_id, load_id) "
    "select %(publication)s, load_id from ops.publication_loads where publication_id = %(back_to)s",
    "delete from marts.publication",
    "insert into marts.publication "
    "(publication_id, published_at, as_of, complete_through, loads, held_loads, rejected_rows) "
    "select publication_id, published_at, as_of, complete_through, loads, held_loads, rejected_rows "
    "from ops.publications where publication_id = %(publication)s",
)
