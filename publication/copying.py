"""SQL that brings one table to the state of another by its grain key, touching only the rows that differ.

Put here: composing and running the delete and the insert.
Never here: which tables, in which order, in which transaction (publish.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from publication.grain import Shape


@dataclass(frozen=True)
class Difference:
    """Rows deleted from and inserted into the target; a changed row counts once in each."""

    deleted: int
    inserted: int

    def __add__(self, other: Difference) -> Difference:
        return Difference(self.deleted + other.deleted, self.inserted + other.inserted)


def copy_differences(connection: psycopg.Connection[Any], *, source: Shape, target_schema: str) -> Difference:
    """Make `target_schema`.table hold exactly the rows of `source`, over the columns of `source`.

    Rows that differ or vanished are deleted, then rows whose key is missing are inserted. A target column
    that the source does not have is left to its default.
    """
    target = sql.Identifier(target_schema, source.table)
    origin = sql.Identifier(source.schema, source.table)
    columns = [sql.Identifier(name) for name in source.types]
    same_key = _same_key(source)
    same_row = sql.SQL("({}) is not distinct from ({})").format(_of("s", columns), _of("t", columns))
    deleted = connection.execute(
        sql.SQL("delete from {} as t where not exists (select from {} as s where {} and {})").format(
            target, origin, same_key, same_row
        )
    ).rowcount
    inserted = connection.execute(
        sql.SQL(
            "insert into {} ({}) select {} from {} as s where not exists (select from {} as t where {})"
        ).format(target, sql.SQL(", ").join(columns), _of("s", columns), origin, target, same_key)
    ).rowcount
    return Difference(deleted, inserted)


def _of(alias: str, columns: list[sql.Identifier]) -> sql.Composable:
    return sql.SQL(", ").join(sql.SQL("{}.{}").format(sql.Identifier(alias), column) for column in columns)


def _same_key(shape: Shape) -> sql.Composable:
    """Equality of keys in a form the planner can hash, which `is not distinct from` is not."""
    parts: list[sql.Composable] = []
    for name in shape.key:
        s, t = (sql.SQL("{}.{}").format(sql.Identifier(alias), sql.Identifier(name)) for alias in "st")
        if name in shape.nullable:
            parts.append(sql.SQL("({} is null) = ({} is null)").format(s, t))
            parts.append(sql.SQL("coalesce({}::text, '') = coalesce({}::text, '')").format(s, t))
        else:
            parts.append(sql.SQL("{} = {}").format(s, t))
    return sql.SQL(" and ").join(parts)
