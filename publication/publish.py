"""Publishing: marts take the state of marts_next in one transaction, so readers see one publication.

Put here: the conditions under which a build may be published, and the one transaction that does it.
Never here: judging the data (audit.py), composing copies (copying.py), changing shapes (schema_changes.py).

The conditions are read from the database and not from the caller's report alone: whatever starts a
publication, a build that did not make and audit every mart is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from publication.audit import AuditReport, missing_models, missing_tests
from publication.copying import Difference, copy_differences
from publication.driver import HOLDER, Build
from publication.grain import Shape, mart_shape, shape_of, tables_in
from publication.headline import Headline, headline
from publication.schema_changes import (
    KEPT,
    SchemaChange,
    add_columns,
    grant_readers,
    make_tables,
    plan,
    refuse_breaking,
    retry_locked,
)
from publication.stepping_back import refuse_paused
from warehouse.errors import ShopxError

if TYPE_CHECKING:
    from warehouse.database import Warehouse

# share of a mart's rows, or of all gross sales, that may vanish in one publication unasked
LARGEST_LOSS = 0.5
MONEY_MART, MONEY_COLUMN = "daily_sales", "gross_sales_cents"


@dataclass(frozen=True)
class Publication:
    """A committed publication; row counts are over the marts, not their previous state."""

    publication_id: int
    as_of: date
    complete_through: date
    rows_deleted: int
    rows_inserted: int
    loads: int
    held_loads: int
    headline: Headline


def publish(
    warehouse: Warehouse,
    build: Build,
    report: AuditReport,
    *,
    allow_breaking: bool = False,
    allow_shrink: bool = False,
) -> Publication:
    """Publish an audited build.

    marts_previous takes the rows that marts held, marts those of marts_next, and the ledger of publications
    its rows, all in one transaction. Raises ShopxError, leaving everything readers see as it was, when the
    build may not be published, when readers would lose a column (unless `allow_breaking`) or most rows of a
    mart (unless `allow_shrink`), or when a mart stays locked.
    """
    _refuse_report(build, report)
    with warehouse.connect("owner", autocommit=True, application_name="shopx publish") as connection:
        shapes = [mart_shape(connection, schema="marts_next", table=mart) for mart in report.expected.marts]
        change = plan(connection, schema="marts", shapes=shapes)
        if not allow_breaking:
            refuse_breaking(change)
        add_columns(connection, change)
        done: list[Publication] = []
        try:
            retry_locked(
                connection,
                lambda: done.append(
                    _publish(connection, build, report, shapes, change, allow_shrink=allow_shrink)
                ),
            )
        except psycopg.OperationalError as problem:
            if not connection.broken:
                raise
            raise ShopxError(
                f"The connection to the database was lost while publishing ({str(problem).splitlines()[0]}). "
                "Readers still see the publication before. Start again: ./shopx run."
            ) from None
        return done[-1]


def _publish(
    connection: psycopg.Connection[Any],
    build: Build,
    report: AuditReport,
    shapes: Sequence[Shape],
    change: SchemaChange,
    *,
    allow_shrink: bool,
) -> Publication:
    """The transaction itself."""
    _refuse_build(connection, build, report)
    if not allow_shrink:
        kept = {*change.create, *report.expected.windowed}
        _refuse_loss(connection, build, [shape for shape in shapes if shape.table not in kept])
    _keep_previous(connection)
    make_tables(connection, change, like="marts_next")
    difference = Difference(0, 0)
    for shape in shapes:
        difference += copy_differences(connection, source=shape, target_schema="marts")
    grant_readers(connection, [shape.table for shape in shapes])
    return _record(connection, build, difference)


def _keep_previous(connection: psycopg.Connection[Any]) -> None:
    """Bring marts_previous to what marts hold now, in shape and rows; nobody reads it meanwhile."""
    current = [
        shape
        for table in tables_in(connection, schema="marts")
        if table != KEPT
        and (shape := shape_of(connection, schema="marts", table=table)) is not None
        and shape.key
    ]
    change = plan(connection, schema="marts_previous", shapes=current)
    reshaped = {table for table, _, _ in change.add} | set(change.recreate)
    make_tables(connection, replace(change, recreate=tuple(sorted(reshaped))), like="marts")
    for shape in current:
        copy_differences(connection, source=shape, target_schema="marts_previous")


def _refuse_report(build: Build, report: AuditReport) -> None:
    if report.build_id != build.build_id:
        raise ShopxError(
            f"Not published: the audit was of build {report.build_id}, not of build {build.build_id}."
        )
    if not report.passed:
        raise ShopxError("Not published, because the audit failed: " + " ".join(report.failures))


def _refuse_build(connection: psycopg.Connection[Any], build: Build, report: AuditReport) -> None:
    """Refuse unless the database itself says that this build is open, driven, complete and audited."""
    connection.execute("lock table ops.publications in share row exclusive mode")
    refuse_paused(connection)
    row = connection.execute(
        "select status from ops.builds where build_id = %s for update", [build.build_id]
    ).fetchone()
    if row is None or row[0] != "open":
        state = "does not exist" if row is None else f"is {row[0]}"
        raise ShopxError(f"Not published: build {build.build_id} {state}. Start again: ./shopx run.")
    if build.driver_pid not in [holder[0] for holder in connection.execute(HOLDER).fetchall()]:
        raise ShopxError(
            f"Not published: the run that opened build {build.build_id} does not hold the driver's lock "
            "any more, so another may be building. Start again: ./shopx run."
        )
    missing = [
        *missing_models(connection, build.build_id, report.expected),
        *missing_tests(connection, build.build_id, report.expected),
    ]
    if missing:
        raise ShopxError("Not published: " + " ".join(missing))
    audited = connection.execute(
        "select kind, bool_and(passed) from ops.audit_results "
        "where build_id = %s and kind <> 'dbt' group by kind",
        [build.build_id],
    ).fetchall()
    wanted = {"completeness", "expectation", "reconciliation"}
    if {kind for kind, passed in audited if passed} != wanted:
        raise ShopxError(
            f"Not published: build {build.build_id} has no complete, passed audit. Start again: ./shopx run."
        )


def _refuse_loss(connection: psycopg.Connection[Any], build: Build, shapes: Sequence[Shape]) -> None:
    """Refuse when most rows of a mart, or most of the money, would vanish though no decision of this build
    took anything away.
    """
    asked = connection.execute(
        "select exists (select from ops.changes "
        "where build_id = %s and kind in ('withdraw', 'replay', 'release'))",
        [build.build_id],
    ).fetchone()
    if asked and asked[0]:
        return
    for shape in shapes:
        before, after = (
            _count(connection, sql.Identifier(schema, shape.table)) for schema in ("marts", "marts_next")
        )
        if after < before * (1 - LARGEST_LOSS):
            raise ShopxError(
                f"Not published: marts.{shape.table} would shrink from {before:,} to {after:,} rows, though "
                "nobody withdrew a delivery. What counts now: ./shopx loads; the new rows: "
                f"./shopx dbt show --select {shape.table}. If that is meant, allow it once: "
                "./shopx run --allow-shrink."
            )
        if shape.table == MONEY_MART:
            _refuse_loss_of_money(connection)


def _refuse_loss_of_money(connection: psycopg.Connection[Any]) -> None:
    before, after = (
        _sum(connection, sql.Identifier(schema, MONEY_MART), sql.Identifier(MONEY_COLUMN))
        for schema in ("marts", "marts_next")
    )
    if after < before * (1 - LARGEST_LOSS):
        raise ShopxError(
            f"Not published: gross sales of all days would fall from {before:,} to {after:,} cents, though "
            "nobody withdrew a delivery. What counts now: ./shopx loads; the new days: "
            f"./shopx dbt show --select {MONEY_MART}. If that is meant, allow it once: "
            "./shopx run --allow-shrink."
        )


def _sum(connection: psycopg.Connection[Any], table: sql.Identifier, column: sql.Identifier) -> int:
    row = connection.execute(sql.SQL("select coalesce(sum({}), 0) from {}").format(column, table)).fetchone()
    return int(row[0]) if row else 0


def _count(connection: psycopg.Connection[Any], table: sql.Identifier) -> int:
    row = connection.execute(sql.SQL("select count(*) from {}").format(table)).fetchone()
    return int(row[0]) if row else 0


RECORD = """
    insert into ops.publications
        (build_id, as_of, complete_through, loads, held_loads, rejected_rows, rows_deleted, rows_inserted)
    select
        b.build_id,
        b.as_of,
        -- every feed that counts has delivered up to here
        least(b.as_of, min(f.last_date)),
        coalesce(sum(f.loads), 0),
        (select count(*) from raw.loads as h where h.status = 'held'),
        coalesce(sum(f.rejected_rows), 0),
        %(deleted)s,
        %(inserted)s
    from ops.builds as b
    left join (
        select
            bl.build_id, bl.feed, max(l.last_date) as last_date, count(*) as loads,
            sum(l.rows_rejected) as rejected_rows
        from ops.build_loads as bl
        inner join raw.loads as l on l.load_id = bl.load_id
        group by bl.build_id, bl.feed
    ) as f on f.build_id = b.build_id
    where b.build_id = %(build)s
    group by b.build_id
    returning publication_id, as_of, complete_through, loads, held_loads
"""

AFTERWARDS = (
    "insert into ops.publication_loads (publication_id, load_id) "
    "select %(publication)s, load_id from ops.build_loads where build_id = %(build)s",
    "update ops.changes set publication_id = %(publication)s "
    "where build_id = %(build)s and publication_id is null",
    "update ops.builds set status = 'published', closed_at = now(), publication_id = %(publication)s "
    "where build_id = %(build)s",
    "update ops.alerts set resolved_at = now() where resolved_at is null and kind in ('audit', 'batch')",
    "delete from marts_previous.publication",
    "insert into marts_previous.publication select * from marts.publication",
    "delete from marts.publication",
    "insert into marts.publication "
    "(publication_id, published_at, as_of, complete_through, loads, held_loads, rejected_rows) "
    "select publication_id, published_at, as_of, complete_through, loads, held_loads, rejected_rows "
    "from ops.publications where publication_id = %(publication)s",
)


def _record(connection: psycopg.Connection[Any], build: Build, difference: Difference) -> Publication:
    row = connection.execute(
        RECORD, {"build": build.build_id, "deleted": difference.deleted, "inserted": difference.inserted}
    ).fetchone()
    if row is None:
        raise ShopxError(f"Not published: build {build.build_id} does not exist. Start again: ./shopx run.")
    publication_id, as_of, complete_through, loads, held_loads = row
    for statement in AFTERWARDS:
        connection.execute(statement, {"build": build.build_id, "publication": publication_id})
    return Publication(
        publication_id=publication_id,
        as_of=as_of,
        complete_through=complete_through,
        rows_deleted=difference.deleted,
        rows_inserted=difference.inserted,
        loads=loads,
        held_loads=held_loads,
        headline=headline(connection, as_of=as_of),
    )
