"""Rows of one list that name the same thing and say different things about it; the later of them holds.

Put here what one delivery of master data contradicts in itself. Never what two deliveries say differently:
the newer one wins, as it should. No values, only where they stand: a list may hold people, and the ledger
keeps this.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg import sql

if TYPE_CHECKING:
    import psycopg

    from ingestion.entities import Entity

_DOUBTFUL = sql.SQL("""
with
    versions as (
        select {key} as member, row_number, {columns} from {table} where load_id = %s
    ),
    doubtful as (
        select member, min(row_number) as first_row, array_remove(array[{differing}], null) as columns
        from versions group by member having count(*) > 1 and ({differs})
    ),
    first as (
        select member, columns[1] as column_name, count(*) over () as members
        from doubtful order by first_row limit 1
    )
select
    first.members, first.column_name, versions.row_number,
    case first.column_name {chosen} end as value
from first
inner join versions on versions.member is not distinct from first.member
order by versions.row_number
""")


@dataclass(frozen=True)
class Contradictions:
    """`members`: how many the list says two things about; the first of them by column and rows of data."""

    members: int
    column: str
    rows: tuple[int, int]

    def says(self, entity: Entity) -> str:
        """The sentence about them."""
        return (
            f"it says two different things about {self.members:,} of its {entity.members}; "
            f"the later row holds (first: {self.column}, data rows {self.rows[0]:,} and {self.rows[1]:,})"
        )


def contradictions(conn: psycopg.Connection[Any], entity: Entity, load_id: int) -> Contradictions | None:
    """What the stored rows of a list contradict in themselves, or None. A blank cell contradicts nothing."""
    columns = [sql.Identifier(name) for name in entity.table_columns]
    differs = [sql.SQL("count(distinct {}) > 1").format(column) for column in columns]
    comma = sql.SQL(", ")
    found = conn.execute(
        _DOUBTFUL.format(
            key=sql.SQL(" || chr(31) || ").join(_named_by(group) for group in entity.key),
            columns=comma.join(columns),
            table=sql.Identifier("raw", entity.name),
            differing=comma.join(
                sql.SQL("case when {} then {} end").format(condition, sql.Literal(name))
                for condition, name in zip(differs, entity.table_columns, strict=True)
            ),
            differs=sql.SQL(" or ").join(differs),
            chosen=sql.SQL(" ").join(
                sql.SQL("when {} then {}::text").format(sql.Literal(name), sql.Identifier(name))
                for name in entity.table_columns
            ),
        ),
        [load_id],
    ).fetchall()
    if not found:
        return None
    told = [(row, value) for _, _, row, value in found if value is not None]
    first_row, first_value = told[0]
    other_row = next(row for row, value in told if value != first_value)
    return Contradictions(found[0][0], found[0][1], (first_row, other_row))


def _named_by(group: tuple[str, ...]) -> sql.Composable:
    """SQL: the first filled column of the group and which it is, so that an id is never taken for a name."""
    whens = [
        sql.SQL("when {0} is not null then {1} || {0}::text").format(sql.Identifier(name), sql.Literal(name))
        for name in group
    ]
    return sql.SQL("case {} else '' end").format(sql.SQL(" ").join(whens))
