"""Runs the audit suites over core and marts_next and says in sentences what failed.

Put here: turning verdicts into results with a message and the query that shows the rows.
Never here: the rules (audit_suites.py) or what happens to the build (publication/audit.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from expectations.audit_suites import audit_suites
from expectations.engine import Verdict, judge_queries

if TYPE_CHECKING:
    from warehouse.database import Warehouse


@dataclass(frozen=True)
class AuditCheck:
    """One expectation about one table; `name` is table, expectation and column."""

    name: str
    table: str
    observed: str
    limit: str
    passed: bool
    message: str | None


def run_audit_suites(
    warehouse: Warehouse, *, marts: Sequence[str], may_be_empty: bool = False
) -> list[AuditCheck]:
    """Judge core and each of `marts`; `may_be_empty` where no delivery counts, so no row is wanted.

    Raises ShopxError when there is nothing to judge with.
    """
    suites = audit_suites(marts, may_be_empty=may_be_empty)
    verdicts = judge_queries(url=warehouse.url("owner"), suites=suites)
    return [
        _check(suite.name, verdict.expectation, verdict.column, expectation, verdict)
        for suite in suites
        for expectation, verdict in zip(suite.expectations, verdicts[suite.name], strict=True)
    ]


def _check(table: str, kind: str, column: str | None, expectation: Any, verdict: Verdict) -> AuditCheck:
    limit = _limit(expectation)
    about = f"{table}.{column}" if column else table
    message = None
    if not verdict.passed:
        found = verdict.problem or f"found {verdict.observed}"
        message = f"{about} breaks {kind}({limit}): {found}. Look: {look_at(table)}."
    return AuditCheck(
        name=f"{kind} {about}",
        table=table,
        observed=verdict.observed,
        limit=limit,
        passed=verdict.passed,
        message=message,
    )


def look_at(table: str) -> str:
    """The command that shows rows of a table that readers may not see."""
    return f"""./shopx dbt show --inline "select * from {table}" --limit 20"""  # noqa: S608  a command to type


def _limit(expectation: Any) -> str:
    told = {
        name: value
        for name, value in expectation.configuration.kwargs.items()
        if name not in ("column", "column_A", "column_B", "column_list", "ignore_row_if", "batch_id")
    }
    return ", ".join(f"{name} {_short(value)}" for name, value in told.items()) or "every row"


def _short(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
