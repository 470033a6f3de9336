"""The money sums that must agree before anything is published: ledger = raw = fact = marts, to the cent.

Put here: each identity with its two sides in SQL of its own, compared by total, feed and day.
Never here: models' SQL reused to check itself. Which raw rows are current is worked out anew, over
ops.build_loads.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

# A row counts unless a later load of the same source that holds complete orders holds its order. A row
# without an order id is an order of its own (its order_key is unique), so nothing replaces it.
CURRENT_ROWS = """
    with counting as (
        select r.*, b.feed, b.source, b.mode, b.delivery_no
        from ops.build_loads as b
        inner join raw.sales_lines as r on r.load_id = b.load_id
        where b.build_id = %(build)s
    ),
    newest as (
        select source, order_key, max(delivery_no) as delivery_no
        from counting where mode = 'orders' and order_id is not null
        group by source, order_key
    )
    select c.*
    from counting as c
    left join newest as n on n.source = c.source and n.order_key = c.order_key
    where n.delivery_no is null or c.delivery_no >= n.delivery_no
"""

# Each query gives (feed or null, day or null, cents).
LEDGER = """
    select b.feed, null::date, sum(l.amount_cents)
    from ops.build_loads as b inner join raw.loads as l on l.load_id = b.load_id
    where b.build_id = %(build)s group by b.feed
"""
STORED = """
    select b.feed, null::date, sum(r.net_cents)
    from ops.build_loads as b inner join raw.sales_lines as r on r.load_id = b.load_id
    where b.build_id = %(build)s group by b.feed
"""
CURRENT = f"select feed, sale_date, sum(net_cents) from ({CURRENT_ROWS}) as c group by 1, 2"  # noqa: S608
CURRENT_LINES = f"select feed, sale_date, count(*) from ({CURRENT_ROWS}) as c group by 1, 2"  # noqa: S608
FACT = "select feed, sale_date, sum(net_cents) from core.fct_order_lines group by 1, 2"
FACT_LINES = "select feed, sale_date, count(*) from core.fct_order_lines group by 1, 2"

_OF_SALES = "from core.fct_order_lines where counts_as_revenue and line_type = 'sale' group by sale_date"
_OF_RETURNS = "from core.fct_order_lines where counts_as_revenue and line_type = 'return' group by sale_date"
REVENUE = {
    "gross": f"select null, sale_date, sum(gross_cents) {_OF_SALES}",
    "discounts": f"select null, sale_date, sum(discount_cents) {_OF_SALES}",
    "returns": f"select null, sale_date, sum(net_cents) {_OF_RETURNS}",
    "net": "select null, sale_date, sum(net_cents) from core.fct_order_lines "
    "where counts_as_revenue group by sale_date",
}
DAILY = {
    "gross": "select null, sale_date, gross_sales_cents from marts_next.daily_sales",
    "discounts": "select null, sale_date, discounts_cents from marts_next.daily_sales",
    "returns": "select null, sale_date, returns_cents from marts_next.daily_sales",
    "net": "select null, sale_date, net_sales_cents from marts_next.daily_sales",
}
HOURLY = "select null, sale_date, sum(net_sales_cents) from marts_next.hourly_sales group by sale_date"
PRODUCTS = "select null, null::date, sum(net_sales_cents) from marts_next.product_performance"


@dataclass(frozen=True)
class Identity:
    """Two ways to the same sum; `look` is a query that shows where they part."""

    name: str
    says: str
    expected: str
    actual: str
    by_day: bool
    unit: str = "cents"


IDENTITIES = (
    Identity("ledger = stored rows", "the ledger and the stored rows", LEDGER, STORED, by_day=False),
    Identity("raw = fact", "the current raw rows and core.fct_order_lines", CURRENT, FACT, by_day=True),
    Identity(
        "raw lines = fact lines",
        "the current raw rows and the rows of core.fct_order_lines",
        CURRENT_LINES,
        FACT_LINES,
        by_day=True,
        unit="lines",
    ),
    *(
        Identity(
            f"fact = daily_sales ({what})",
            f"revenue lines of core.fct_order_lines and marts_next.daily_sales ({what})",
            REVENUE[what],
            DAILY[what],
            by_day=True,
        )
        for what in REVENUE
    ),
    Identity(
        "fact = hourly_sales (net)",
        "revenue lines of core.fct_order_lines and marts_next.hourly_sales (net)",
        REVENUE["net"],
        HOURLY,
        by_day=True,
    ),
    Identity(
        "fact = product_performance (net)",
        "revenue lines of core.fct_order_lines and marts_next.product_performance (net)",
        REVENUE["net"],
        PRODUCTS,
        by_day=False,
    ),
)


@dataclass(frozen=True)
class Comparison:
    """One identity in one build: totals of both sides, and every scope in which they differ."""

    identity: Identity
    expected: int
    actual: int
    scopes: int
    differing: tuple[tuple[str, int, int], ...]  # scope, expected, actual

    @property
    def holds(self) -> bool:
        return not self.differing

    @property
    def message(self) -> str | None:
        """The first place where the two sides part, in words."""
        if self.holds:
            return None
        scope, expected, actual = self.differing[
            -1
        ]  # the narrowest: days come after feeds, feeds after the total
        for candidate in self.differing:
            if candidate[0].startswith("day "):
                scope, expected, actual = candidate
                break
        more = f" (and {len(self.differing) - 1} more places)" if len(self.differing) > 1 else ""
        return (
            f"{self.identity.says} disagree by {actual - expected:+,} {self.identity.unit} for {scope}: "
            f"{expected:,} against {actual:,}{more}"
        )


def reconcile(connection: psycopg.Connection[Any], *, build_id: int) -> list[Comparison]:
    """Compare every identity for a build and write the sums to ops.reconciliation.

    Totals and feeds are always written, days only where they differ: the table then grows with builds, not
    with builds × days. Runs in the caller's transaction.
    """
    cache: dict[str, Mapping[str, int]] = {}

    def side(query: str, by_day: bool) -> Mapping[str, int]:
        if query not in cache:
            cache[query] = _scopes(connection.execute(query, {"build": build_id}).fetchall())
        found = cache[query]
        return found if by_day else {scope: n for scope, n in found.items() if not scope.startswith("day ")}

    comparisons = [
        _compare(identity, side(identity.expected, identity.by_day), side(identity.actual, identity.by_day))
        for identity in IDENTITIES
    ]
    _write(connection, build_id, comparisons, cache)
    return comparisons


def _scopes(rows: Iterable[Sequence[Any]]) -> Mapping[str, int]:
    sums: dict[str, int] = defaultdict(int)
    sums["total"] = 0
    for feed, day, cents in rows:
        amount = int(cents or 0)
        sums["total"] += amount
        if feed is not None:
            sums[f"feed {feed}"] += amount
        if day is not None:
            sums[f"day {day}"] += amount
    return dict(sums)


def _compare(identity: Identity, expected: Mapping[str, int], actual: Mapping[str, int]) -> Comparison:
    scopes = sorted(set(expected) | set(actual), key=lambda scope: (_rank(scope), scope))
    differing = tuple(
        (scope, expected.get(scope, 0), actual.get(scope, 0))
        for scope in scopes
        if expected.get(scope, 0) != actual.get(scope, 0)
    )
    return Comparison(identity, expected["total"], actual["total"], len(scopes), differing)


def _rank(scope: str) -> int:
    return ("total", "feed", "day").index(scope.split(" ", 1)[0])


def _write(
    connection: psycopg.Connection[Any],
    build_id: int,
    comparisons: Sequence[Comparison],
    cache: Mapping[str, Mapping[str, int]],
) -> None:
    connection.execute("delete from ops.reconciliation where build_id = %s", [build_id])
    rows: dict[tuple[str, str], tuple[int, int]] = {}
    for comparison in comparisons:
        expected, actual = cache[comparison.identity.expected], cache[comparison.identity.actual]
        for scope in set(expected) & set(actual):
            if not scope.startswith("day "):
                rows[comparison.identity.name, scope] = (expected[scope], actual[scope])
        for scope, wanted, found in comparison.differing:
            rows[comparison.identity.name, scope] = (wanted, found)
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into ops.reconciliation (build_id, identity, scope, expected_cents, actual_cents) "
            "values (%s, %s, %s, %s, %s)",
            [
                (build_id, name, scope, wanted, found)
                for (name, scope), (wanted, found) in sorted(rows.items())
            ],
        )
