"""Brings published tables to the shape of marts_next: adds freely, takes away only when that is meant.

Put here: comparing shapes, creating tables, adding columns, grants to readers.
Never here: rows (copying.py). Tables are never renamed or swapped: a reader in a REPEATABLE READ
transaction would see an empty table, and grants and views would be lost.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import psycopg
from psycopg import sql

from publication.grain import Shape, shape_of, tables_in
from warehouse.errors import ShopxError

READERS = ("shopx_reader", "shopx_analyst")
KEPT = "publication"  # the table publication itself writes
LOCK_TIMEOUT = "3s"
ATTEMPTS = 5


@dataclass(frozen=True)
class SchemaChange:
    """What one published schema needs before it can take the rows of marts_next."""

    schema: str
    create: tuple[str, ...]
    add: tuple[tuple[str, str, str], ...]  # table, column, type
    recreate: tuple[str, ...]  # dropped or retyped columns, or another grain
    drop: tuple[str, ...]
    why_breaking: tuple[str, ...]

    def only(self, *, recreate: tuple[str, ...]) -> SchemaChange:
        """What is new, and these tables made anew; nothing is dropped."""
        return replace(self, add=(), drop=(), recreate=recreate)


def plan(connection: psycopg.Connection[Any], *, schema: str, shapes: Sequence[Shape]) -> SchemaChange:
    """Compare the published tables of `schema` with `shapes`; changes nothing."""
    create: list[str] = []
    add: list[tuple[str, str, str]] = []
    recreate: list[str] = []
    why: list[str] = []
    for shape in shapes:
        there = shape_of(connection, schema=schema, table=shape.table)
        if there is None:
            create.append(shape.table)
            continue
        broken = _breaks(there, shape)
        if broken:
            recreate.append(shape.table)
            why.extend(broken)
        else:
            add.extend(
                (shape.table, name, kind) for name, kind in shape.types.items() if name not in there.types
            )
    wanted = {shape.table for shape in shapes} | {KEPT}
    gone = [table for table in tables_in(connection, schema=schema) if table not in wanted]
    why.extend(f"{schema}.{table} would vanish" for table in gone)
    return SchemaChange(schema, tuple(create), tuple(add), tuple(recreate), tuple(gone), tuple(why))


def _breaks(there: Shape, wanted: Shape) -> list[str]:
    """What a reader of the table `there` would lose if it took the shape `wanted`."""
    name = f"{there.schema}.{there.table}"
    lost = [f"column {name}.{column} would vanish" for column in there.types if column not in wanted.types]
    lost += [
        f"column {name}.{column} would change from {kind} to {wanted.types[column]}"
        for column, kind in there.types.items()
        if wanted.types.get(column, kind) != kind
    ]
    if there.key != wanted.key:
        lost.append(
            f"{name} would have one row per ({', '.join(wanted.key)}) instead of ({', '.join(there.key)})"
        )
    return lost


def refuse_breaking(change: SchemaChange) -> None:
    """Raise ShopxError naming what readers would lose, when there is any such thing."""
    if change.why_breaking:
        raise ShopxError(
            f"Not published, because readers would lose something: {'; '.join(change.why_breaking)}. "
            "If that is meant, allow it once: ./shopx run --allow-breaking."
        )


def add_columns(connection: psycopg.Connection[Any], change: SchemaChange) -> None:
    """Add missing columns, each table for itself in a short transaction that gives way to readers.

    Adding needs a moment alone with the table, so it happens before publication and never inside it.
    """
    for table, column, kind in change.add:
        statement = sql.SQL("alter table {} add column if not exists {} ").format(
            sql.Identifier(change.schema, table), sql.Identifier(column)
        ) + sql.SQL(kind)  # a type name as the catalogue spells it
        retry_locked(connection, partial(connection.execute, statement))


def make_tables(connection: psycopg.Connection[Any], change: SchemaChange, *, like: str) -> None:
    """Create what is new as in schema `like`; drop what is gone, drop and recreate what breaks.

    Runs in the caller's transaction, so that no reader sees a new mart before its rows.
    """
    grants = {table: _grants(connection, change.schema, table) for table in change.recreate}
    for table in (*change.drop, *change.recreate):
        try:
            connection.execute(sql.SQL("drop table {}").format(sql.Identifier(change.schema, table)))
        except psycopg.errors.DependentObjectsStillExist as problem:
            detail = " ".join((problem.diag.message_detail or "something").split())
            raise ShopxError(
                f"{change.schema}.{table} cannot be replaced, because other objects need it: {detail}. "
                "Drop or change those first."
            ) from None
    for table in (*change.create, *change.recreate):
        connection.execute(
            sql.SQL("create table {} (like {} including all excluding constraints)").format(
                sql.Identifier(change.schema, table), sql.Identifier(like, table)
            )
        )
        for privilege, grantee in grants.get(table, ()):
            connection.execute(
                sql.SQL("grant {} on {} to {}").format(
                    sql.SQL(privilege), sql.Identifier(change.schema, table), sql.SQL(grantee)
                )
            )


def _grants(connection: psycopg.Connection[Any], schema: str, table: str) -> list[tuple[str, str]]:
    """What anybody but the owner may do with the whole table: privilege and grantee, quoted for SQL."""
    return connection.execute(
        """
        select a.privilege_type, case when a.grantee = 0 then 'public' else a.grantee::regrole::text end
        from pg_class as c cross join lateral aclexplode(c.relacl) as a
        where c.oid = to_regclass(format('%%I.%%I', %s::text, %s::text)) and a.grantee <> c.relowner
        order by 2, 1
        """,
        [schema, table],
    ).fetchall()


def grant_readers(connection: psycopg.Connection[Any], tables: Sequence[str]) -> None:
    """Let the readers read these marts, where a grant is missing; a lost grant heals with the next
    publication.
    """
    for table in tables:
        for role in READERS:
            missing = connection.execute(
                "select not has_table_privilege(%s, to_regclass(format('marts.%%I', %s::text)), 'select')",
                [role, table],
            ).fetchone()
            if missing and missing[0]:
                connection.execute(
                    sql.SQL("grant select on {} to {}").format(
                        sql.Identifier("marts", table), sql.Identifier(role)
                    )
                )


def retry_locked(connection: psycopg.Connection[Any], work: Callable[[], object]) -> None:
    """Run `work` in a transaction of its own with a lock timeout of 3 s, up to five times.

    Waiting longer for a lock would make every new reader wait behind us. Raises ShopxError when it stays
    locked.
    """
    for attempt in range(ATTEMPTS):
        try:
            with connection.transaction():
                connection.execute("select set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
                work()
            return
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            if attempt + 1 < ATTEMPTS:
                time.sleep(0.2 * 2**attempt)  # let the readers that queue behind us pass
    raise ShopxError(
        f"Not published: another session has kept a mart locked for {ATTEMPTS} × {LOCK_TIMEOUT}. "
        "The marts are unchanged. See who: ./shopx doctor; then start again: ./shopx run."
    )
