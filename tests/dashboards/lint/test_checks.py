"""Every card of ours keeps the rules, and each rule catches the card that breaks it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from dashboards.lint.checks import problems, relations_of
from dashboards.lint.contract import marts
from dashboards.lint.exposures import exposures_yaml, file_of
from dashboards.spec.loading import load_boards
from dashboards.spec.model import Board
from tests.conftest import fresh_warehouse
from tests.dashboards.figures import make_marts
from warehouse import embedded
from warehouse.settings import PROJECT_ROOT

BOARDS = load_boards()
SOUND: dict[str, Any] = {
    "name": "Sales",
    "display": "bar",
    "sql": (
        "select sale_date, sum(net_sales_cents) as net_sales_cents "
        "from marts.daily_sales where {{day}} group by 1"
    ),
    "x": "sale_date",
    "y": ["net_sales_cents"],
    "definition": "Net sales.",
    "source": "marts.daily_sales.net_sales_cents",
    "filters": {"day": "marts.daily_sales.sale_date"},
}


@pytest.fixture(scope="module")
def reader(server: embedded.Server) -> Iterator[psycopg.Connection[Any]]:
    """A reader of the marts as their contracts declare them, without a row."""
    with fresh_warehouse(server) as warehouse:
        make_marts(warehouse)
        with warehouse.connect("reader") as connection:
            yield connection


def board(**changed: Any) -> Board:
    return Board.model_validate(
        {
            "key": "shop",
            "name": "Shop",
            "question": "What sells?",
            "place": 1,
            "filters": {"day": {"name": "Period", "type": "date/all-options"}},
            "tabs": [{"name": "All", "layout": [{"card": "sales", "at": [0, 0, 12, 4]}]}],
            "cards": {"sales": {**SOUND, **changed}},
        }
    )


def test_every_dashboard_keeps_the_rules(reader: psycopg.Connection[Any]) -> None:
    assert [str(problem) for problem in problems(BOARDS, reader)] == []
    assert [str(problem) for problem in problems([board()], reader)] == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"x": "day"},
            "shop.yaml, card sales, x: the SQL gives no column day; it gives sale_date, net_sales_cents",
        ),
        ({"y": ["sale_date"]}, "y: sale_date is no number"),
        ({"format": {"net_sales_cents": "dollars"}}, "format.net_sales_cents: 'dollars' is none of money"),
        ({"format": {"net_sales_cents": "date"}}, "format.net_sales_cents: date does not fit a number"),
        ({"format": {"sales": "money"}}, "format.sales: the SQL gives no column sales"),
        (
            {"sql": SOUND["sql"].replace("net_sales_cents)", "net_cents)")},
            'sql: column "net_cents" does not exist',
        ),
        ({"sql": SOUND["sql"].replace("daily_sales", "weekly_sales")}, "sql: reads marts.weekly_sales"),
        (
            {"sql": SOUND["sql"].replace("where", "inner join core.fct_orders on true where")},
            "reads core.fct_orders",
        ),
        (
            {"sql": SOUND["sql"].replace("where", "inner join ops.loads on true where")},
            "sql: reads ops.loads",
        ),
        (
            {"sql": SOUND["sql"].replace("where", "where sale_date < current_date and")},
            "sql: current_date is a clock",
        ),
        ({"sql": SOUND["sql"].replace("where", "where sale_date < now() and")}, "sql: now is a clock"),
        (
            {"sql": SOUND["sql"].replace("sum(net_sales_cents)", "sum(customers)")},
            "sums customers, which does not add up",
        ),
        (
            {"sql": SOUND["sql"].replace("sum(net", "sum(average_order_value_cents + net")},
            "average_order_value_cents",
        ),
        ({"source": "marts.daily_sales.profit"}, "source: there is no column marts.daily_sales.profit"),
        (
            {"source": "marts.hourly_sales.orders"},
            "source: marts.hourly_sales.orders is not what the SQL reads",
        ),
        (
            {"filters": {"day": "marts.daily_sales.orders"}},
            "filters.day: marts.daily_sales.orders is bigint, not date",
        ),
        (
            {"filters": {"day": "marts.daily_sales.day"}},
            "filters.day: marts.daily_sales.day is no column, not date",
        ),
        ({"finding": "miracle"}, "finding: 'miracle' is none of trend"),
        ({"reaches_back_days": 5}, "reaches_back_days: its mart keeps all days, not 5"),
        ({"spark": "select sale_date from marts.daily_sales where {{day}}"}, "spark: must give two columns"),
        ({"missing": {"profit": "No cost."}}, "missing.profit: the SQL gives no column profit"),
    ],
)
def test_each_rule_catches_the_card_that_breaks_it(
    reader: psycopg.Connection[Any], changed: dict[str, Any], said: str
) -> None:
    found = [str(problem) for problem in problems([board(**changed)], reader)]
    assert any(said in one for one in found), found


def test_a_mart_of_the_last_days_is_said_to_reach_no_further() -> None:
    sql = SOUND["sql"].replace("daily_sales", "product_sales_daily")
    changed = {
        "sql": sql,
        "source": "marts.product_sales_daily.net_sales_cents",
        "filters": {"day": "marts.product_sales_daily.sale_date"},
    }
    assert "its mart keeps 400 days, not None" in str(problems([board(**changed)])[0])
    assert problems([board(**changed, reaches_back_days=400)]) == []


def test_counts_of_a_product_add_up_over_its_days_only() -> None:
    sql = (
        "select {0}sum(orders) as net_sales_cents, 1 as sale_date "
        "from marts.product_sales_daily where {{{{day}}}} {1}"
    )
    changed = {
        "source": "marts.product_sales_daily.orders",
        "filters": {"day": "marts.product_sales_daily.sale_date"},
        "reaches_back_days": 400,
    }
    assert problems([board(**changed, sql=sql.format("", ""))]) != []
    assert problems([board(**changed, sql=sql.format("product_key, ", "group by product_key"))]) == []


def test_marts_that_keep_the_last_days_are_known() -> None:
    kept = {name: mart.days for name, mart in marts(PROJECT_ROOT / "dbt_project").items() if mart.days}
    assert kept["sales_by_filters"] == 800
    assert kept["product_sales_daily"] == kept["buyers_daily"] == kept["sales_by_store_and_hour"] == 400


def test_the_exposures_of_dbt_are_those_of_the_dashboards() -> None:
    """If not: ./shopx dashboards exposures --write"""
    assert file_of(PROJECT_ROOT / "dbt_project").read_text() == exposures_yaml(BOARDS)


def test_relations_are_what_stands_behind_from_and_join() -> None:
    sql = """
        with own as (select extract(hour from sale_date) as x from marts.daily_sales)
        select 1 from own cross join lateral (values (1)) as v (n)  -- from marts.nothing
        inner join marts.places on x is distinct from y where {{day}}
    """
    assert relations_of(board(sql=sql).card("sales")) == {"marts.daily_sales", "marts.places"}
