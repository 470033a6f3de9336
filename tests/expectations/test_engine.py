"""The engine fails closed: nothing checked, nothing proven."""

from __future__ import annotations

import subprocess
import sys

import great_expectations.expectations as gxe
import pandas as pd
import pytest

from expectations.engine import QuerySuite, judge_frame, judge_queries
from warehouse.errors import ShopxError

FRAME = pd.DataFrame({"load_id": [1, 2, 3], "n": [5, None, -1]}, dtype=object)


def test_failing_rows_are_named_by_their_key():
    verdict, count = judge_frame(
        name="t",
        frame=FRAME,
        expectations=[
            gxe.ExpectColumnValuesToBeBetween(column="n", min_value=0),
            gxe.ExpectTableRowCountToBeBetween(min_value=1),
        ],
        key="load_id",
    )
    assert verdict.failing_keys == {3}
    assert [verdict.fails(key) for key in (1, 2, 3)] == [False, False, True]
    assert (count.passed, count.observed) == (True, "3")


def test_a_missing_column_fails_every_row_and_says_why():
    (verdict,) = judge_frame(
        name="t", frame=FRAME, expectations=[gxe.ExpectColumnValuesToBeUnique(column="nope")], key="load_id"
    )
    assert verdict.problem is not None
    assert "nope" in verdict.problem
    assert all(verdict.fails(key) for key in (1, 2, 3))


def test_an_empty_suite_and_an_empty_frame_are_refused():
    with pytest.raises(ShopxError, match="holds no expectation"):
        judge_frame(name="t", frame=FRAME, expectations=[], key="load_id")
    with pytest.raises(ShopxError, match="no row to look at"):
        judge_frame(
            name="t",
            frame=FRAME.iloc[:0],
            expectations=[gxe.ExpectColumnValuesToBeUnique(column="n")],
            key="load_id",
        )


def test_an_empty_sql_suite_is_refused(warehouse):
    with pytest.raises(ShopxError, match="holds no expectation"):
        judge_queries(url=warehouse.url("owner"), suites=[QuerySuite("t", "select 1 as n", [])])
    with pytest.raises(ShopxError, match="holds no expectation"):
        judge_queries(url=warehouse.url("owner"), suites=[])


def test_a_broken_query_fails_its_suite_and_not_the_others(warehouse):
    found = judge_queries(
        url=warehouse.url("owner"),
        suites=[
            QuerySuite("bad", "select n from nowhere", [gxe.ExpectColumnValuesToNotBeNull(column="n")]),
            QuerySuite("good", "select 1 as n", [gxe.ExpectColumnValuesToNotBeNull(column="n")]),
        ],
    )
    assert [verdict.passed for verdict in found["bad"]] == [False]
    assert [verdict.passed for verdict in found["good"]] == [True]


def test_importing_the_gates_does_not_import_great_expectations():
    code = (
        "import sys, expectations.arrival, expectations.audit, publication.publish, publication.verify\n"
        "heavy = {'great_expectations', 'pandas', 'sqlalchemy'} & set(sys.modules)\n"
        "sys.exit(bool(heavy))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
