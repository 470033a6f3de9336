"""The audit: everything that must hold for a build before readers may see it, and the record of it.

Put here: completeness (what ran against what the project declares), and gathering the other judges' results.
Never here: expectations (expectations/), sums (reconciliation.py), or the publication itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import psycopg

from expectations.audit import run_audit_suites
from publication.dbt_nodes import ExpectedNodes, expected_nodes, manifest_path
from publication.driver import Build
from publication.grain import mart_shape
from publication.numbers import not_a_number
from publication.reconciliation import reconcile
from warehouse.alerts import raise_alert
from warehouse.errors import ShopxError

if TYPE_CHECKING:
    from warehouse.database import Warehouse

Kind = Literal["dbt", "expectation", "reconciliation", "completeness"]


@dataclass(frozen=True)
class AuditResult:
    """One thing that was checked, with what was found and what was wanted."""

    kind: Kind
    name: str
    observed: str | None
    limit: str | None
    passed: bool
    message: str | None


@dataclass(frozen=True)
class AuditReport:
    """What the audit of a build found; `failures` are sentences for the person who reads the terminal."""

    build_id: int
    passed: bool
    failures: list[str]
    results: list[AuditResult]
    expected: ExpectedNodes


def audit(warehouse: Warehouse, build: Build, *, manifest: Path | None = None) -> AuditReport:
    """Audit an open build against the dbt project's manifest (default: that of the last dbt run).

    Results go to ops.audit_results and ops.reconciliation. When anything fails, the build is closed as
    failed and an alert is raised; the published marts are not touched either way. Raises ShopxError when
    the build is not open or the manifest cannot be read.
    """
    expected = expected_nodes(manifest or manifest_path(warehouse.settings))
    with warehouse.connect("owner", application_name="shopx audit") as connection:
        _refuse_closed(connection, build)
        results = _completeness(connection, build.build_id, expected)
        dbt_results = _dbt_results(connection, build.build_id, expected)
        results.append(_numbers(connection))
        # sums and suites need every table; where one is missing, that is the message
        complete = not any(result.name.startswith("model ") and not result.passed for result in results)
        if complete:
            results += _reconciliation(connection, build.build_id, expected)
        counts = _counts_a_load(connection, build.build_id)
    if complete:
        results += _expectations(warehouse, expected, may_be_empty=not counts)
    failures = [_sentence(result) for result in (*results, *dbt_results) if not result.passed]
    with warehouse.connect("owner", application_name="shopx audit") as connection:
        _store(connection, build.build_id, results, failures)
    return AuditReport(build.build_id, not failures, failures, [*results, *dbt_results], expected)


TESTS_RAN = "every dbt test ran and passed"
LOOK_AT_FACTS = (
    "./shopx sql --role analyst "
    '"select sale_date, count(*), sum(net_cents) from core.fct_order_lines group by 1 order by 1"'
)


def missing_models(connection: psycopg.Connection[Any], build_id: int, expected: ExpectedNodes) -> list[str]:
    """Sentences naming the models this build did not make."""
    rows = connection.execute("select model from ops.model_builds where build_id = %s", [build_id]).fetchall()
    made = {str(row[0]).rsplit(".", 1)[-1] for row in rows}
    return [
        f"Model {name} was not made by build {build_id}; a build must make every model: ./shopx run."
        for name in sorted(expected.models - made)
    ]


def missing_tests(connection: psycopg.Connection[Any], build_id: int, expected: ExpectedNodes) -> list[str]:
    """Sentences naming the dbt tests that did not run in this build, or whose last run failed."""
    outcomes = _last_outcomes(connection, build_id)
    sentences = []
    for name, forbids in sorted(expected.tests.items()):
        if name not in outcomes:
            sentences.append(f"dbt test {_short(name)} did not run in build {build_id}.")
        elif forbids and not outcomes[name][0]:
            sentences.append(f"dbt test {_short(name)} failed{_because(outcomes[name][2])}.")
    return sentences


def _last_outcomes(
    connection: psycopg.Connection[Any], build_id: int
) -> dict[str, tuple[bool, str | None, str | None]]:
    rows = connection.execute(
        "select distinct on (name) name, passed, observed, message from ops.audit_results "
        "where build_id = %s and kind = 'dbt' order by name, audit_result_id desc",
        [build_id],
    ).fetchall()
    return {name: (passed, observed, message) for name, passed, observed, message in rows}


def _refuse_closed(connection: psycopg.Connection[Any], build: Build) -> None:
    row = connection.execute("select status from ops.builds where build_id = %s", [build.build_id]).fetchone()
    if row is None or row[0] != "open":
        state = "does not exist" if row is None else f"is {row[0]} already"
        raise ShopxError(
            f"Build {build.build_id} {state}, so it cannot be audited. Start again: ./shopx run."
        )


def _completeness(
    connection: psycopg.Connection[Any], build_id: int, expected: ExpectedNodes
) -> list[AuditResult]:
    gone = missing_models(connection, build_id, expected)
    results = [
        AuditResult("completeness", f"model {name.split()[1]}", "not made", "made", False, name)
        for name in gone
    ]
    if not gone:
        made = str(len(expected.models))
        results.append(AuditResult("completeness", "every model was made", made, made, True, None))
    results += [_mart_has_grain(connection, mart) for mart in expected.marts]
    untested = missing_tests(connection, build_id, expected)
    wanted, ran = len(expected.tests), len(expected.tests) - len(untested)
    never = [sentence for sentence in untested if " did not run " in sentence]
    results.append(
        AuditResult(
            "completeness",
            TESTS_RAN,
            f"{ran} of {wanted}",
            str(wanted),
            not untested,
            " ".join(never) or "Some dbt tests failed." if untested else None,
        )
    )
    return [*results, _rows_add_up(connection, build_id)]


def _numbers(connection: psycopg.Connection[Any]) -> AuditResult:
    found = not_a_number(connection, schema="marts_next")
    look = f"{found}. Look: ./shopx dbt show --select {found.split('.')[1]}." if found else None
    return AuditResult(
        "completeness", "every number in the marts is one", found or "none", "none", not found, look
    )


def _mart_has_grain(connection: psycopg.Connection[Any], mart: str) -> AuditResult:
    try:
        key = ", ".join(mart_shape(connection, schema="marts_next", table=mart).key)
    except ShopxError as problem:
        return AuditResult(
            "completeness", f"model {mart} has a grain key", None, "a key", False, problem.message
        )
    return AuditResult("completeness", f"grain of {mart}", key, "a key", True, None)


def _rows_add_up(connection: psycopg.Connection[Any], build_id: int) -> AuditResult:
    """delivered = accepted + rejected + duplicate, with the stored rows of both kinds counted anew."""
    row = connection.execute(
        """
        select l.load_id, l.rows_delivered, l.rows_duplicate, coalesce(a.n, 0), coalesce(r.n, 0)
        from ops.build_loads as b
        inner join raw.loads as l on l.load_id = b.load_id
        left join (select load_id, row_count as n from raw.stored_rows) as a
            on a.load_id = b.load_id
        left join (select load_id, count(*) as n from raw.rejected_rows group by load_id) as r
            on r.load_id = b.load_id
        where b.build_id = %s and l.rows_delivered <> coalesce(a.n, 0) + coalesce(r.n, 0) + l.rows_duplicate
        order by l.load_id limit 1
        """,
        [build_id],
    ).fetchone()
    name = "delivered = accepted + rejected + duplicate"
    if row is None:
        return AuditResult("completeness", name, "every load", "every load", True, None)
    load_id, delivered, duplicate, accepted, rejected = row
    message = (
        f"Load {load_id} delivered {delivered:,} rows, but {accepted:,} accepted, {rejected:,} refused and "
        f"{duplicate:,} repeats are stored. Look: ./shopx loads and ./shopx verify."
    )
    return AuditResult(
        "completeness", name, str(accepted + rejected + duplicate), str(delivered), False, message
    )


def _dbt_results(
    connection: psycopg.Connection[Any], build_id: int, expected: ExpectedNodes
) -> list[AuditResult]:
    """dbt's own results of this build; a test whose severity is `warn` is told and forbids nothing."""
    return [
        AuditResult("dbt", name, observed, None, passed or not expected.tests.get(name, True), message)
        for name, (passed, observed, message) in sorted(_last_outcomes(connection, build_id).items())
    ]


def _reconciliation(
    connection: psycopg.Connection[Any], build_id: int, expected: ExpectedNodes
) -> list[AuditResult]:
    return [
        AuditResult(
            "reconciliation",
            found.identity.name,
            f"{found.actual} {found.identity.unit} ({found.scopes} scopes)",
            f"{found.expected} {found.identity.unit}",
            found.holds,
            None if found.holds else f"{found.message}. Look: {LOOK_AT_FACTS}.",
        )
        for found in reconcile(connection, build_id=build_id, marts=expected.marts)
    ]


def _counts_a_load(connection: psycopg.Connection[Any], build_id: int) -> bool:
    """False where every delivery was withdrawn: then empty marts are what was asked for."""
    row = connection.execute(
        "select exists (select from ops.build_loads where build_id = %s)", [build_id]
    ).fetchone()
    return bool(row and row[0])


def _expectations(warehouse: Warehouse, expected: ExpectedNodes, *, may_be_empty: bool) -> list[AuditResult]:
    checks = run_audit_suites(warehouse, marts=expected.marts, may_be_empty=may_be_empty)
    return [AuditResult("expectation", c.name, c.observed, c.limit, c.passed, c.message) for c in checks]


def _sentence(result: AuditResult) -> str:
    if result.kind == "dbt":
        look = look_at_test(result.name)
        return f"dbt test {_short(result.name)} failed{_because(result.message)}. Look: {look}."
    return result.message or f"{result.name} failed: {result.observed} instead of {result.limit}."


def look_at_test(unique_id: str) -> str:
    """The command that shows the rows a dbt test found."""
    return f"./shopx dbt show --select {_short(unique_id)}"


def _short(unique_id: str) -> str:
    """`test.shopx.not_null_x.0123abcdef` → `not_null_x`; unit tests keep `model.test`."""
    kind, _, rest = unique_id.split(".", 2) if unique_id.count(".") >= 2 else ("", "", unique_id)
    return rest.split(".")[0] if kind == "test" else rest


def _because(message: str | None) -> str:
    return f": {message.strip().rstrip('.')}" if message and message.strip() else ""


def _store(
    connection: psycopg.Connection[Any],
    build_id: int,
    results: Sequence[AuditResult],
    failures: Sequence[str],
) -> None:
    """Replace this build's results of our own judges, and close a failed build."""
    connection.execute("delete from ops.audit_results where build_id = %s and kind <> 'dbt'", [build_id])
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into ops.audit_results (build_id, kind, name, observed, limit_value, passed, message) "
            "values (%s, %s, %s, %s, %s, %s, %s)",
            [(build_id, r.kind, r.name, r.observed, r.limit, r.passed, r.message) for r in results],
        )
    if failures:
        connection.execute(
            "update ops.builds set status = 'failed', closed_at = now() "
            "where build_id = %s and status = 'open'",
            [build_id],
        )
        raise_alert(
            connection,
            kind="audit",
            subject="the newest build was not published",
            message="\n".join([f"Build {build_id} failed its audit.", *failures, "Try again: ./shopx run."]),
        )
