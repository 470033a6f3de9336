"""A shop of 140 days that ends on 2011-05-31, as order lines and as the published marts made of them.

Put here: the lines, the marts by plain Python, and sums of lines to hold answers against. Never here: tests.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import psycopg
from psycopg import sql

from tests.dashboards.figures import make_marts
from warehouse.database import Warehouse

AS_OF = date(2011, 5, 31)
FIRST = AS_OF - timedelta(days=139)
PLACES = {
    1: ("Leeds", "North", "till"),
    2: ("York", "North", "till"),
    3: ("Web", None, "web"),
    4: (None, "South", "till"),
}
CATEGORIES = {10: "Tea", 11: "Coffee", -1: "Unknown category"}
PRODUCTS = {1: 10, 2: 10, 3: 11, 4: 11, 5: -1}


@dataclass(frozen=True)
class Line:
    """A sale line or, with a negative amount, a return; money in pence."""

    day: date
    hour: int | None
    order: int
    place: int
    product: int
    customer: int | None
    units: int
    gross: int
    discount: int
    cost: int | None

    @property
    def category(self) -> int:
        return PRODUCTS[self.product]

    @property
    def is_sale(self) -> bool:
        return self.units > 0

    @property
    def net(self) -> int:
        return self.gross + self.discount


def make_lines(seed: int = 5) -> list[Line]:
    """The same lines for the same seed; some days sell nothing, some orders name nobody, costs lack."""
    chance = random.Random(seed)  # noqa: S311
    lines: list[Line] = []
    order = 0
    for number in range((AS_OF - FIRST).days + 1):
        day = FIRST + timedelta(days=number)
        for _ in range(0 if number % 17 == 5 else chance.randint(1, 6)):
            order += 1
            place, customer = chance.choice(list(PLACES)), chance.choice([None, *range(1, 40)])
            hour = chance.choice([None, 9, 12, 17])
            for product in chance.sample(list(PRODUCTS), chance.randint(1, 3)):
                units = chance.randint(1, 4)
                gross = units * chance.randint(100, 2500)
                discount = -chance.choice([0, 0, gross // 10])
                cost = None if chance.random() < 0.2 else gross // 2
                lines.append(Line(day, hour, order, place, product, customer, units, gross, discount, cost))
        if lines and chance.random() < 0.3:
            sold = chance.choice(lines)
            cost = None if sold.cost is None else -sold.cost
            lines.append(
                Line(
                    day,
                    None,
                    10**6 + number,
                    sold.place,
                    sold.product,
                    sold.customer,
                    -sold.units,
                    -sold.gross,
                    -sold.discount,
                    cost,
                )
            )
    return lines


def publish(warehouse: Warehouse, lines: list[Line], *, as_of: date = AS_OF) -> None:
    """The marts of the lines, as published."""
    make_marts(warehouse)
    with warehouse.connect("owner") as connection:
        connection.execute(
            "insert into ops.settings (name, value) values ('currency', 'GBP') on conflict do nothing"
        )
        connection.execute(
            "insert into marts.publication values (1, '2011-06-01 08:02+00', %s, %s, 1, 0, 12)",
            [as_of, as_of],
        )
        for table, rows in _marts(lines).items():
            _insert(connection, table, rows)


def measures(lines: Iterable[Line]) -> dict[str, int]:
    """Gross, discounts, returns, net and cost of lines, signed as they add up."""
    found = dict.fromkeys(
        (
            "units",
            "units_returned",
            "gross_sales_cents",
            "discounts_cents",
            "returns_cents",
            "net_sales_cents",
            "tax_cents",
            "cost_cents",
            "net_sales_with_cost_cents",
        ),
        0,
    )
    for line in lines:
        if line.is_sale:
            found["units"] += line.units
            found["gross_sales_cents"] += line.gross
            found["discounts_cents"] += line.discount
        else:
            found["units_returned"] -= line.units
            found["returns_cents"] += line.net
        found["net_sales_cents"] += line.net
        if line.cost is not None:
            found["cost_cents"] += line.cost
            found["net_sales_with_cost_cents"] += line.net
    return found


def orders_of(lines: Iterable[Line]) -> int:
    """Different orders with a sale line."""
    return len({line.order for line in lines if line.is_sale})


def _marts(lines: list[Line]) -> dict[str, list[dict[str, Any]]]:
    firsts: dict[int, date] = {}
    for line in lines:
        if line.is_sale and line.customer is not None:
            firsts[line.customer] = min(firsts.get(line.customer, line.day), line.day)
    places = [
        {
            "place_key": key,
            "store_key": key,
            "store_name": store,
            "region": region,
            "country": None,
            "channel": channel,
        }
        for key, (store, region, channel) in PLACES.items()
    ]
    by_place = {place["place_key"]: place for place in places}
    cube = [
        {
            **by_place[place],
            "category_key": category,
            "sale_date": day,
            "category": CATEGORIES.get(category, "All categories"),
            "orders": orders_of(found),
            **measures(found),
        }
        for (day, place, category), found in (
            *_grouped(lines, lambda line: (line.day, line.place, line.category)),
            *_grouped(lines, lambda line: (line.day, line.place, 0)),
        )
    ]
    no_product = ("tax_cents",)
    return {
        "places": places,
        "categories": [{"category_key": key, "category": name} for key, name in CATEGORIES.items()],
        "sales_by_filters": cube,
        "daily_sales": [
            {
                "sale_date": day,
                "orders": orders_of(found),
                "guest_orders": orders_of(line for line in found if line.customer is None),
                **_only(
                    measures(found),
                    "gross_sales_cents",
                    "returns_cents",
                    "discounts_cents",
                    "net_sales_cents",
                ),
            }
            for day, found in _grouped(lines, lambda line: line.day)
        ],
        "product_sales_daily": [
            {
                "sale_date": day,
                "product_key": product,
                "orders": orders_of(found),
                "lines_with_cost": sum(line.cost is not None for line in found),
                **{key: value for key, value in measures(found).items() if key not in no_product},
            }
            for (day, product), found in _grouped(lines, lambda line: (line.day, line.product))
        ],
        "product_performance": [
            {
                "product_key": key,
                "product_id": str(key),
                "product_name": f"Product {key}",
                "abc_class": "A",
                "category": None if category == -1 else CATEGORIES[category],
            }
            for key, category in PRODUCTS.items()
        ],
        "buyers_daily": [
            {
                "order_date": day,
                "customer_key": customer,
                "place_key": place,
                "orders": orders_of(found),
                "first_order_date": firsts[customer],
            }
            for (day, customer, place), found in _grouped(
                (line for line in lines if line.is_sale and line.customer is not None),
                lambda line: (line.day, line.customer, line.place),
            )
        ],
        "sales_by_store_and_hour": [
            {
                "sale_date": day,
                "sale_hour": hour,
                "store_key": place,
                "store_name": PLACES[place][0],
                "orders": orders_of(found),
                **_only(measures(found), "gross_sales_cents", "net_sales_cents"),
            }
            for (day, hour, place), found in _grouped(lines, lambda line: (line.day, line.hour, line.place))
        ],
    }


def _grouped(lines: Iterable[Line], key: Callable[[Line], Any]) -> list[tuple[Any, list[Line]]]:
    groups: dict[Any, list[Line]] = defaultdict(list)
    for line in lines:
        groups[key(line)].append(line)
    return list(groups.items())


def _only(row: dict[str, int], *keys: str) -> dict[str, int]:
    return {key: row[key] for key in keys}


def _insert(connection: psycopg.Connection[Any], table: str, rows: list[dict[str, Any]]) -> None:
    columns = list(rows[0])
    statement = sql.SQL("insert into marts.{} ({}) values ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join(sql.Placeholder() * len(columns)),
    )
    with connection.cursor() as cursor:
        cursor.executemany(statement, [[row[column] for column in columns] for row in rows])
