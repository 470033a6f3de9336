"""Runs Great Expectations over a small frame or over SQL queries and hands back plain dataclasses.

Put here: the one place that starts Great Expectations, reads its results and closes what it opened.
Never here: what is expected of anything (the suites) or what follows from a failure (the gates).

It fails closed: a suite without expectations, an expectation that did not run or raised, and a list of
failing rows that Great Expectations cut short all count as failures. By itself an empty suite would be a
success there.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from warehouse.errors import ShopxError

if TYPE_CHECKING:
    import pandas as pd

_RULE = "rule"  # meta key that ties a result to its place in the suite; results do not come back in order


@dataclass(frozen=True)
class Verdict:
    """What one expectation found.

    `failing_keys` holds the key of each failing row (frames only); `None` means that the whole table failed.
    `problem` is set when the expectation could not be evaluated.
    """

    expectation: str
    column: str | None
    passed: bool
    observed: str
    failing_keys: frozenset[object] | None
    problem: str | None = None

    def fails(self, key: object) -> bool:
        """Whether the row with this key failed."""
        return not self.passed and (self.failing_keys is None or key in self.failing_keys)


@dataclass(frozen=True)
class QuerySuite:
    """Expectations over the result of one SQL query."""

    name: str
    query: str
    expectations: Sequence[Any]


def judge_frame(
    *,
    name: str,
    frame: pd.DataFrame,
    expectations: Sequence[Any],
    key: str,
    show: Callable[[Any], None] = lambda _: None,
) -> list[Verdict]:
    """Evaluate `expectations` over a frame with one row per `key`, verdicts in the order of the expectations.

    `show` is given Great Expectations' own result, once the verdicts are drawn from it.

    Raises ShopxError when the suite holds no expectation or the frame no row.
    """
    _refuse_empty(name, expectations)
    if frame.empty:
        raise ShopxError(
            f"The checks of {name} found no row to look at, so they prove nothing; nothing was approved."
        )
    with _quiet_context() as context:
        asset = context.data_sources.add_pandas(name).add_dataframe_asset(name)
        batch = asset.add_batch_definition_whole_dataframe(name).get_batch({"dataframe": frame})
        result_format = {"result_format": "COMPLETE", "unexpected_index_column_names": [key]}
        return _evaluate(name, batch, expectations, result_format, key, show=show)


def judge_queries(*, url: str, suites: Sequence[QuerySuite]) -> dict[str, list[Verdict]]:
    """Evaluate each suite over its query in the database at `url` (SQLAlchemy form), by suite name.

    Raises ShopxError when there is no suite, or one without expectations.
    """
    _refuse_empty("the audit", suites)
    for suite in suites:
        _refuse_empty(suite.name, suite.expectations)
    with _quiet_context() as context:
        # `$` starts a substitution in Great Expectations' configuration strings
        source = context.data_sources.add_postgres("warehouse", connection_string=url.replace("$", r"\$"))
        try:
            return {suite.name: _judge_query(source, suite) for suite in suites}
        finally:
            with contextlib.suppress(Exception):
                source.get_execution_engine().close()
            source.get_engine().dispose()


def _judge_query(source: Any, suite: QuerySuite) -> list[Verdict]:
    batch = source.add_query_asset(suite.name, query=suite.query).add_batch_definition(suite.name).get_batch()
    return _evaluate(suite.name, batch, suite.expectations, {"result_format": "BASIC"}, None)


def _refuse_empty(name: str, things: Sequence[Any]) -> None:
    if not things:
        raise ShopxError(
            f"The suite of {name} holds no expectation, so it would prove nothing; nothing was approved."
        )


@contextlib.contextmanager
def _quiet_context() -> Iterator[Any]:
    """A context in memory: no files, no telemetry, no progress bars."""
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    gx = importlib.import_module("great_expectations")
    context = gx.get_context(mode="ephemeral")
    context.enable_analytics(False)
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    yield context


def _evaluate(
    name: str,
    batch: Any,
    expectations: Sequence[Any],
    result_format: Mapping[str, Any],
    key: str | None,
    *,
    show: Callable[[Any], None] = lambda _: None,
) -> list[Verdict]:
    gx = importlib.import_module("great_expectations")
    suite = gx.ExpectationSuite(name)
    for number, expectation in enumerate(expectations):
        numbered = expectation.copy()
        numbered.meta = {**(expectation.meta or {}), _RULE: number}
        suite.add_expectation(numbered)
    outcome = batch.validate(suite, result_format=dict(result_format))
    by_number = {result.expectation_config.meta[_RULE]: result for result in outcome.results}
    verdicts = [_verdict(expectation, by_number.get(n), key) for n, expectation in enumerate(expectations)]
    show(outcome)
    return verdicts


def _verdict(expectation: Any, result: Any, key: str | None) -> Verdict:
    kind, column = expectation.expectation_type, _column(expectation)
    if result is None:
        return Verdict(kind, column, False, "not evaluated", None, "the expectation was not evaluated")
    problem = _problem(result.exception_info)
    if problem is not None:
        return Verdict(kind, column, False, "not evaluated", None, problem)
    found = result.result
    if result.success:
        return Verdict(kind, column, True, _observed(found), frozenset())
    rows = found.get("unexpected_index_list") if key is not None else None
    if rows is None or len(rows) != found.get("unexpected_count"):
        return Verdict(kind, column, False, _observed(found), None)
    return Verdict(kind, column, False, _observed(found), frozenset(_plain(row[key]) for row in rows))


def _problem(info: Mapping[str, Any] | None) -> str | None:
    """The first exception in Great Expectations' two shapes of `exception_info`, or None."""
    if not info:
        return None
    entries = [info] if "raised_exception" in info else list(info.values())
    for entry in entries:
        if entry.get("raised_exception"):
            lines = str(entry.get("exception_message") or "unknown error").strip().splitlines()
            return lines[0]
    return None


def _column(expectation: Any) -> str | None:
    pair = getattr(expectation, "column_A", None)
    if pair is not None:
        return f"{pair}, {expectation.column_B}"
    columns = getattr(expectation, "column_list", None)
    if columns:
        return ", ".join(columns)
    column = getattr(expectation, "column", None)
    return None if column is None else str(column)


def _observed(found: Mapping[str, Any]) -> str:
    if "observed_value" in found:
        return str(found["observed_value"])
    bad, of = found.get("unexpected_count"), found.get("element_count")
    if not bad:
        return f"all {of} rows" if of is not None else "as expected"
    examples = ", ".join(str(value) for value in (found.get("partial_unexpected_list") or [])[:3])
    return f"{bad} of {of} rows" + (f", e.g. {examples}" if examples else "")


def _plain(value: Any) -> object:
    """NumPy scalars as Python values, so that keys compare and hash as the caller's do."""
    return value.item() if hasattr(value, "item") else value
