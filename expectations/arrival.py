"""The gate on arrival: each landed delivery is approved or held, and every check is kept.

Put here: judging the landed loads of a batch in one run, storing the results, and the decision that follows.
Never here: the rules themselves (arrival_suite.py). A decision is written through the ledger and nowhere
else.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

from expectations.arrival_suite import FROM_THE_PAST, METRICS, Rule, Severity, arrival_suite
from expectations.data_docs import FOLDER, body_of, keep_page
from expectations.engine import Verdict, judge_frame
from expectations.past import compare_with_past
from ingestion.deciding import approve_landed, decide, note_effect_as_it_is
from warehouse.errors import ShopxError

if TYPE_CHECKING:
    import psycopg

    from warehouse.database import Warehouse

log = logging.getLogger(__name__)
PASSED = "every check of the arrival gate passed"


@dataclass(frozen=True)
class CheckResult:
    """One expectation about one load; `reason` and `message` say what a failure means."""

    load_id: int
    expectation: str
    column: str | None
    observed: str
    limit: str
    passed: bool
    severity: Severity
    reason: str
    message: str | None


@dataclass(frozen=True)
class GateReport:
    """What the gate found and decided; a load that was not waiting for the gate is in neither list.

    `gate_run_id` names the run in ops.gate_runs; None where nothing waited.
    """

    results: list[CheckResult]
    approved: list[int]
    held: list[int]
    gate_run_id: int | None = None


def run_arrival_gate(warehouse: Warehouse, load_ids: Sequence[int], *, by: str = "gate") -> GateReport:
    """Judge those of `load_ids` that are landed: green ones are approved, the others held with their reasons.

    Results and decisions commit together. Loads that were decided before are left alone, so a rerun changes
    nothing.
    """
    if not load_ids:
        return GateReport([], [], [])
    with warehouse.connect("loader") as connection:
        waiting = connection.execute(
            "select load_id from raw.loads where load_id = any(%s) and status = 'landed' "
            "order by load_id for update",
            [list(load_ids)],
        ).fetchall()
        landed = [row[0] for row in waiting]
        if not landed:
            return GateReport([], [], [])
        pages: list[str] = []
        results = _judge(connection, landed, show=lambda outcome: pages.append(_page(outcome)))
        gate_run_id = _store(connection, landed, results, by=by)
        approved, held = _decide(connection, landed, results, by=by)
    for page in pages:
        keep_page(warehouse.settings.home / FOLDER, gate_run_id, page)
    return GateReport(results, approved, held, gate_run_id)


def _page(outcome: Any) -> str:
    """The page about a run; the gate's verdict never depends on whether it can be drawn."""
    try:
        return body_of(outcome)
    except Exception:
        log.warning("the page of a gate run could not be rendered", exc_info=True)
        return "<p>Great Expectations could not render this run; its checks are all kept.</p>"


def _judge(
    connection: psycopg.Connection[Any], landed: Sequence[int], *, show: Callable[[Any], None]
) -> list[CheckResult]:
    import pandas as pd  # noqa: PLC0415  heavy; only when a gate runs

    past = compare_with_past(connection, landed)
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = [
            row | {name: past[row["load_id"]].get(name) for name in FROM_THE_PAST}
            for row in cursor.execute(METRICS, [list(landed)])
        ]
    measured = {row["load_id"] for row in rows}
    unmeasured = [_unmeasured(load_id) for load_id in landed if load_id not in measured]
    if not rows:
        return unmeasured
    rules = arrival_suite()
    # object columns keep integers exact beside missing values
    frame = pd.DataFrame(rows, dtype=object)
    verdicts = judge_frame(
        name="arrivals",
        frame=frame,
        expectations=[rule.expectation for rule in rules],
        key="load_id",
        show=show,
    )
    judged = [
        _result(row, rule, verdict) for row in rows for rule, verdict in zip(rules, verdicts, strict=True)
    ]
    return judged + unmeasured


def _unmeasured(load_id: int) -> CheckResult:
    return CheckResult(
        load_id=load_id,
        expectation="expect_load_to_be_measured",
        column=None,
        observed="no metrics",
        limit="one row of metrics",
        passed=False,
        severity="hold",
        reason="NOT_MEASURED",
        message="nothing was measured about it, so it cannot be judged",
    )


def _result(row: Mapping[str, Any], rule: Rule, verdict: Verdict) -> CheckResult:
    answer = rule.answers(row)
    failed = verdict.fails(row["load_id"]) and answer != "ignore"
    message = verdict.problem or _words(rule.says, row) if failed else None
    silent = rule.is_silent(row)
    return CheckResult(
        load_id=row["load_id"],
        expectation=verdict.expectation,
        column=verdict.column,
        observed="not compared" if silent and not failed else _words(rule.observed, row),
        limit=rule.silent_as if silent and not failed else _words(rule.limit, row),
        passed=not failed,
        severity="hold" if answer == "hold" or verdict.problem else "warn",
        reason=rule.reason,
        message=message,
    )


def _words(template: str, row: Mapping[str, Any]) -> str:
    """Fill a template from the row; a missing value reads "nothing" whatever its number format."""
    try:
        return template.format_map(row)
    except (TypeError, ValueError):
        return template.format_map(
            {name: _Blank() if value is None else value for name, value in row.items()}
        )


class _Blank:
    def __format__(self, spec: str) -> str:
        return "nothing"


def _store(
    connection: psycopg.Connection[Any], landed: Sequence[int], results: Sequence[CheckResult], *, by: str
) -> int:
    """Keep what was checked; returns the number of this run."""
    connection.execute("select ops.drop_old_gate_results()")
    run = connection.execute(
        "insert into ops.gate_runs (checked_by, loads, checks, checks_failed) values (%s, %s, %s, %s)"
        " returning gate_run_id",
        [by, len(landed), len(results), sum(not result.passed for result in results)],
    ).fetchone()
    assert run is not None  # noqa: S101 - an insert returns its row
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "copy ops.gate_results (gate_run_id, load_id, expectation, column_name, observed, limit_value, "
            "severity, passed, reason, message) from stdin"
        ) as copy,
    ):
        for r in results:
            copy.write_row(
                (run[0], r.load_id, r.expectation, r.column, r.observed, r.limit, r.severity, r.passed,
                 r.reason, r.message)
            )  # fmt: skip
    return int(run[0])


def _decide(
    connection: psycopg.Connection[Any], landed: Sequence[int], results: Sequence[CheckResult], *, by: str
) -> tuple[list[int], list[int]]:
    failures: dict[int, list[CheckResult]] = {}
    for result in results:
        if not result.passed and result.severity == "hold":
            failures.setdefault(result.load_id, []).append(result)
    green = [load_id for load_id in landed if load_id not in failures]
    approved = set(approve_landed(connection, green, by=by, why=PASSED))
    for load_id in landed:
        if load_id not in approved and _approved(connection, load_id, failures.get(load_id, []), by=by):
            approved.add(load_id)
    return sorted(approved), [load_id for load_id in landed if load_id not in approved]


def _approved(
    connection: psycopg.Connection[Any], load_id: int, failures: Sequence[CheckResult], *, by: str
) -> bool:
    """Decide about one load; the ledger may still hold what passed every check (a foreign currency)."""
    if failures:
        reasons = ", ".join(dict.fromkeys(r.reason for r in failures))
        message = held_message(load_id, failures)
        decide(connection, load_id, status="held", by=by, reason=reasons, message=message)
        note_effect_as_it_is(connection, load_id)
        return False
    try:
        return decide(connection, load_id, status="approved", by=by, why=PASSED) == "approved"
    except ShopxError as problem:
        decide(connection, load_id, status="held", by=by, reason="UNDECIDED", message=problem.message)
        return False


def held_message(load_id: int, failures: Sequence[CheckResult]) -> str:
    """What is wrong with the load, with numbers and limits, and the commands that come next."""
    first_of_each = {r.reason: r for r in reversed(failures)}
    said = dict.fromkeys(first_of_each[r.reason].message or r.reason for r in failures)
    return (
        f"{'; '.join(said)}. All about it: `./shopx loads {load_id}`. Its refused rows: "
        f"`./shopx rejects {load_id}`. Let it count as it is: `./shopx release {load_id}`. "
        f"Leave it out: `./shopx withdraw {load_id}`."
    )
