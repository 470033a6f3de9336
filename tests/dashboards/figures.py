"""Published marts without a build: every mart as its contract declares it, and the days of a small shop.

Put here: tables as dbt would make them, and rows that tests of surfaces look at. Never here: tests of models.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import yaml
from psycopg import sql

from warehouse.database import Warehouse

MARTS = Path(__file__).resolve().parents[2] / "dbt_project" / "models" / "marts"
AS_OF = date(2026, 5, 31)
FIRST = date(2025, 4, 1)
STORES = {1: "Leeds", 2: "York"}


def make_marts(warehouse: Warehouse) -> None:
    """Every mart, empty, with the columns and types of its contract."""
    with warehouse.connect("owner") as connection:
        for file in sorted(MARTS.glob("*.yml")):
            for model in yaml.safe_load(file.read_text()).get("models", ()):
                columns = [
                    sql.SQL("{} {}").format(sql.Identifier(one["name"]), sql.SQL(one["data_type"]))
                    for one in model["columns"]
                    if "data_type" in one
                ]
                statement = sql.SQL("create table if not exists marts.{} ({})")
                connection.execute(
                    statement.format(sql.Identifier(model["name"]), sql.SQL(", ").join(columns))
                )
        connection.execute("grant select on all tables in schema marts to shopx_reader")


def publish_days(warehouse: Warehouse, *, publication: int = 1, times: int = 1, as_of: date = AS_OF) -> None:
    """Publish a year of sales of two stores, in pence: on day n store s sells n × 10 + s, of which n come
    back, in ten orders; all of it `times` over.
    """
    days = [FIRST + timedelta(days=number) for number in range((as_of - FIRST).days + 1)]
    with warehouse.connect("owner") as connection:
        for table in ("sales_by_filters", "places", "daily_sales", "publication"):
            connection.execute(sql.SQL("delete from marts.{}").format(sql.Identifier(table)))
        connection.execute("delete from ops.publications")
        for store, name in STORES.items():
            place = {"place_key": store, "store_key": store, "store_name": name}
            _insert(connection, "places", [place | {"region": "North", "channel": "till"}])
            _insert(
                connection, "sales_by_filters", [_day(day, n, store, times) for n, day in enumerate(days)]
            )
        _insert(connection, "daily_sales", [{"sale_date": day, "orders": 20 * times} for day in days])
        connection.execute(
            "insert into ops.settings (name, value) values ('currency', 'GBP') on conflict do nothing"
        )
        connection.execute(
            "insert into ops.publications"
            " (publication_id, as_of, complete_through, loads, held_loads, rejected_rows)"
            " overriding system value values (%s, %s, %s, 1, 0, 0)",
            [publication, as_of, as_of],
        )
        connection.execute(
            "insert into marts.publication (publication_id, published_at, as_of, complete_through, loads,"
            " held_loads, rejected_rows)"
            " select publication_id, published_at, as_of, complete_through, loads, held_loads, rejected_rows"
            " from ops.publications"
        )


def _day(day: date, number: int, store: int, times: int) -> dict[str, object]:
    gross, returns = (number * 10 + store) * times, -number * times
    return {
        "category_key": 0, "category": "All categories", "sale_date": day, "place_key": store,
        "store_key": store, "store_name": STORES[store], "region": "North", "channel": "till",
        "orders": 10 * times, "units": 10 * times, "units_returned": 0, "gross_sales_cents": gross,
        "returns_cents": returns, "discounts_cents": 0, "net_sales_cents": gross + returns,
    }  # fmt: skip


def _insert(connection: psycopg.Connection[Any], table: str, rows: list[dict[str, object]]) -> None:
    names = list(rows[0])
    statement = sql.SQL("insert into marts.{} ({}) values ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, names)),
        sql.SQL(", ").join(map(sql.Placeholder, names)),
    )
    with connection.cursor() as cursor:
        cursor.executemany(statement, rows)
