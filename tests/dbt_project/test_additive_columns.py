"""What must not be summed says so, and no model sums it.

Put here: rules on `meta: {additive: false}`. Never here: what the columns mean (their descriptions).
Not additive is what means nothing added up over the rows of its table: ratios, averages, ranks, counts of
distinct things that stand in several rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from typing import Any

import pytest
from sqlglot import exp, parse_one
from sqlglot.optimizer.scope import Scope, traverse_scope

# A dimension's rate or share is an attribute of its member, which nobody takes for a measure.
MEASURED = r"(?!dim_)"
NOT_ADDITIVE = re.compile(r"(?!why_)(.*_(pct|share|ratio|rank|index)|average_.*|.*_per_.*|customers|buyers)$")
ADDS_UP = {
    "agg_customer_segments_monthly.customers": "a customer stands in one row of a month end",
    "customer_segments_monthly.customers": "a customer stands in one row of a month end",
    "customer_rfm_cells.customers": "a customer stands in one cell and segment",
}
SUMS = {
    ("customers_monthly", ("agg_cohorts_monthly", "customers")): "of one month; a customer has one cohort",
}
Column = tuple[str, str]
# what a value passes through and stays what it is
WRAPPERS = (exp.Coalesce, exp.Cast, exp.Paren, exp.Neg, exp.Add, exp.Sub, exp.Case, exp.If, exp.Round)


def not_additive(manifest: Any) -> set[Column]:
    return {
        (node.name, column.name)
        for node in manifest.nodes.values()
        if node.resource_type == "model"
        for column in node.columns.values()
        if {**column.meta, **column.config.meta}.get("additive") is False
    }


def origins(column: exp.Column, scope: Scope) -> set[Column]:
    """The columns of tables that a column is, through CTEs, subqueries and unions that only hand it on."""
    sources = scope.selected_sources
    names = [column.table] if column.table in sources else list(sources) if not column.table else []
    found: set[Column] = set()
    for name in names:
        source = sources[name][1]
        if isinstance(source, exp.Table):
            found.add((source.name, column.name))
        elif isinstance(source, Scope):
            found |= _handed_on(column.name, source)
    return found


def _handed_on(name: str, scope: Scope) -> set[Column]:
    query = scope.expression
    if isinstance(query, exp.SetOperation):
        return set().union(*(_handed_on(name, part) for part in scope.set_operation_scopes))
    found: set[Column] = set()
    for projection in getattr(query, "selects", []):
        value = projection.unalias()
        if isinstance(projection, exp.Star):
            found |= origins(exp.column(name), scope)
        elif projection.alias_or_name == name and isinstance(value, exp.Column):
            found |= origins(value, scope)
    return found


def _values(summed: exp.Expression) -> Iterator[exp.Column]:
    """Columns whose values are added up: not those of a condition, nor weights and what is weighted."""
    if isinstance(summed, exp.Column):
        yield summed
    elif isinstance(summed, exp.If):
        yield from _values(summed.args["true"])
    elif isinstance(summed, exp.Case):
        for branch in [*summed.args["ifs"], *filter(None, [summed.args.get("default")])]:
            yield from _values(branch)
    elif isinstance(summed, WRAPPERS):
        for child in summed.iter_expressions():
            yield from _values(child)


def sums_of(sql: str, forbidden: Set[Column]) -> set[Column]:
    """The forbidden columns that a query sums."""
    return {
        origin
        for scope in traverse_scope(parse_one(sql, dialect="postgres"))
        for total in scope.find_all(exp.Sum)
        for column in _values(total.this)
        for origin in origins(column, scope) & forbidden
    }


DAYS = "with days as (select d.day, d.customers, d.net from core.days as d)"


@pytest.mark.parametrize(
    "sql",
    [
        "select sum(customers) from core.days",
        f"{DAYS} select sum(days.customers) from days inner join core.other on days.day = other.day",
        f"{DAYS}, again as (select * from days) select sum(coalesce(customers, 0)) from again",
        f"{DAYS}, both_ as (select customers as n from days union all select 1) select sum(n) from both_",
        f"{DAYS} select sum(case when net > 0 then customers end) over (order by day) from days",
    ],
)
def test_the_lint_finds(sql: str) -> None:
    assert sums_of(sql, {("days", "customers")}) == {("days", "customers")}


@pytest.mark.parametrize(
    "sql",
    [
        f"{DAYS} select sum(net) from days",
        f"{DAYS} select max(customers) from days",
        f"{DAYS} select sum(case when customers > 10 then net end) from days",
        f"{DAYS}, made as (select net / customers as customers from days) select sum(customers) from made",
        "select sum(customers) from core.other",
    ],
)
def test_the_lint_lets_through(sql: str) -> None:
    assert sums_of(sql, {("days", "customers")}) == set()


def test_ratios_averages_ranks_and_distinct_counts_say_that_they_do_not_add_up(manifest: Any) -> None:
    marked = not_additive(manifest)
    assert len(marked) > 50
    unmarked = {
        f"{node.name}.{column.name}"
        for node in manifest.nodes.values()
        if node.resource_type == "model" and re.match(MEASURED, node.name)
        for column in node.columns.values()
        if (NOT_ADDITIVE.match(column.name) or "Not additive" in column.description)
        and (node.name, column.name) not in marked
    }
    assert unmarked == set(ADDS_UP)


def test_no_model_sums_what_does_not_add_up(manifest: Any, compiled: dict[str, str]) -> None:
    forbidden = not_additive(manifest)
    found = {(name, column) for name, sql in compiled.items() for column in sums_of(sql, forbidden)}
    assert found == set(SUMS)


def test_every_model_ends_in_the_columns_it_names(compiled: dict[str, str]) -> None:
    assert [
        name
        for name, sql in compiled.items()
        if any(isinstance(column, exp.Star) for column in parse_one(sql, dialect="postgres").selects)
    ] == []
