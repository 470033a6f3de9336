"""Recomputes the promises of the warehouse, independently of the pipeline that keeps them.

Put here: running the checks in one consistent, read-only look, and comparing published marts with what was
audited.
Never here: the checks' own SQL (promises.py, debris.py) or repairing anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from publication.debris import DEBRIS, READER_FENCE
from publication.delivered import recount
from publication.grain import shape_of, tables_in
from publication.numbers import not_a_number
from publication.promises import LEDGER, MONEY, PUBLISHED, Check
from publication.schema_changes import KEPT

if TYPE_CHECKING:
    from warehouse.database import Warehouse


@dataclass(frozen=True)
class Finding:
    """One promise and whether it holds; when not, `message` names the first load, day, order or table."""

    promise: str
    passed: bool
    message: str


@dataclass(frozen=True)
class State:
    """Which builds the facts and the published marts are of."""

    core_build: int | None
    published_build: int | None

    def has(self, needs: str) -> bool:
        """Whether what a check needs is there."""
        if needs == "level":
            return self.core_build is not None and self.core_build == self.published_build
        return {"core": self.core_build, "published": self.published_build}.get(needs, True) is not None


STATE = """
    select
        (
            select max(build_id) from ops.model_builds
            where model = 'fct_order_lines' and to_regclass('core.fct_order_lines') is not null
        ),
        (select build_id from ops.publications order by publication_id desc limit 1)
"""


def verify(warehouse: Warehouse) -> list[Finding]:
    """Check every promise; changes nothing. One finding per check, broken ones with the first thing that
    breaks.
    """
    with warehouse.connect("owner", application_name="shopx verify") as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        # the checks join whole tables; on stale figures the planner would choose nested loops
        connection.execute("select set_config('enable_nestloop', 'off', true)")
        # sorts and joins of all lines; one connection, for seconds
        connection.execute("select set_config('work_mem', '128MB', true)")
        row = connection.execute(STATE).fetchone()
        assert row is not None  # noqa: S101  a select of two sub-selects gives one row
        state = State(core_build=row[0], published_build=row[1])
        checks = (*LEDGER, *MONEY, *PUBLISHED, *DEBRIS, *READER_FENCE)
        findings = [_run(connection, check, state) for check in checks]
        again = recount(connection, warehouse.settings.archive)
        findings.append(
            Finding(
                "I1",
                again.broken is None,
                again.broken or f"the archived bytes hold the records that the ledger accounts for ({again})",
            )
        )
        return [
            *findings,
            *_every_table_has_a_key(connection),
            _every_number_is_one(connection),
            *_marts_are_as_audited(connection, state),
        ]


def _run(connection: psycopg.Connection[Any], check: Check, state: State) -> Finding:
    if not state.has(check.needs):
        waiting = (
            "the facts are ahead of the marts"
            if check.needs == "level"
            else f"nothing is {_done(check.needs)}"
        )
        return Finding(check.promise, True, f"{check.holds} (not looked at: {waiting})")
    parameters = {"core_build": state.core_build, "published_build": state.published_build}
    with connection.cursor(row_factory=dict_row) as cursor:
        broken = cursor.execute(check.query, parameters).fetchone()
    if broken is None:
        return Finding(check.promise, True, check.holds)
    return Finding(check.promise, False, check.breaks.format_map(broken))


def _done(needs: str) -> str:
    return "built yet" if needs == "core" else "published yet"


def _every_table_has_a_key(connection: psycopg.Connection[Any]) -> Iterator[Finding]:
    """I3: a table without a valid grain key could hold a row twice."""
    bare = [
        f"{schema}.{table}"
        for schema in ("core", "marts_next", "marts")
        for table in tables_in(connection, schema=schema)
        if "__dbt_" not in table and not getattr(shape_of(connection, schema=schema, table=table), "key", ())
    ]
    holds = "every table of core and marts has a valid grain key"
    yield Finding(
        "I3",
        not bare,
        f"{bare[0]} has no valid grain key, so a row could stand there twice" if bare else holds,
    )


def _every_number_is_one(connection: psycopg.Connection[Any]) -> Finding:
    """I2: with one value that is no number, no sum over its column says anything."""
    broken = not_a_number(connection, schema="marts")
    return Finding("I2", broken is None, broken or "every number in the marts is one")


def _marts_are_as_audited(connection: psycopg.Connection[Any], state: State) -> Iterator[Finding]:
    """I6: each published mart is row for row what the audited build made, while marts_next still holds
    that build.
    """
    if not state.has("level"):
        return
    for mart in tables_in(connection, schema="marts"):
        next_shape = shape_of(connection, schema="marts_next", table=mart)
        if mart == KEPT or next_shape is None or not next_shape.key:
            continue
        columns = sql.SQL(", ").join(sql.Identifier(name) for name in next_shape.types)
        keys = sql.SQL(", ").join(sql.Identifier(name) for name in next_shape.key)
        difference = connection.execute(
            sql.SQL(
                "with published as (select {columns} from {published}), "
                "audited as (select {columns} from {audited}) select concat_ws(', ', {keys}) from ("
                "(select * from published except all select * from audited) union all "
                "(select * from audited except all select * from published)) as d order by 1 limit 1"
            ).format(
                columns=columns,
                keys=keys,
                published=sql.Identifier("marts", mart),
                audited=sql.Identifier("marts_next", mart),
            )
        ).fetchone()
        name = ", ".join(next_shape.key)
        broken = (
            f"marts.{mart} is not what was audited, first at {name} = {difference[0]}" if difference else ""
        )
        yield Finding("I6", difference is None, broken or f"marts.{mart} is row for row what was audited")
