"""Published marts without a build: every mart as its contract declares it, and the days of a small shop.

Put here: tables as dbt would make them, and rows that tests of surfaces look at. Never here: tests of models.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import yaml
from psycopg import sql

from warehouse.database import Warehouse

MARTS = Path(__file__).resolve().parents[2] / "dbt_project" / "models" / "marts"
AS_OF = date(2026, 5, 31)
FIRST = date(2025, 4, 1)
STORES = {1: "Leeds", 2: "York"}
PLACE = """
    insert into marts.places (place_key, store_key, store_name, region, channel)
    values (%(store)s, %(store)s, %(name)s, 'North', 'till')
"""
DAYS_OF_A_STORE = """
    insert into marts.sales_by_filters (
        category_key, category, sale_date, place_key, store_key, store_name, region, channel, orders, units,
        units_returned, discounts_cents, gross_sales_cents, returns_cents, net_sales_cents
    )
    select
        0, 'All categories', %(first)s::date + n, %(store)s, %(store)s, %(name)s, 'North', 'till',
        10 * %(times)s, 10 * %(times)s, 0, 0,
        (10 * n + %(store)s) * %(times)s, -n * %(times)s, (9 * n + %(store)s) * %(times)s
    from generate_series(0, %(last)s::date - %(first)s::date) as n
"""


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
    with warehouse.connect("owner") as connection:
        for table in ("sales_by_filters", "places", "daily_sales", "publication"):
            connection.execute(sql.SQL("delete from marts.{}").format(sql.Identifier(table)))
        connection.execute("delete from ops.publications")
        for store, name in STORES.items():
            place = {"store": store, "name": name, "first": FIRST, "last": as_of, "times": times}
            connection.execute(PLACE, place)
            connection.execute(DAYS_OF_A_STORE, place)
        connection.execute(
            "insert into marts.daily_sales (sale_date, orders)"
            " select day::date, 20 * %s from generate_series(%s::date, %s::date, interval '1 day') as day",
            [times, FIRST, as_of],
        )
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
