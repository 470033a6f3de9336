"""The money sums that must agree before anything is published: ledger = raw = fact = marts, to the cent.

Put here: each identity with its two sides in SQL of its own, compared by total, feed and day.
Never here: models' SQL reused to check itself. Which raw rows are current is worked out anew, over
ops.build_loads.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import psycopg

# A row counts unless a later load of the same source replaces its order, its line or its day, or it repeats
# what a match load met. A row without an order id is an order of its own, so only its day can be replaced.
CURRENT_ROWS = """
    with orders as (
        select b.source, r.order_key, max(b.delivery_no) as delivery_no
        from ops.build_loads as b
        inner join raw.sales_lines as r on r.load_id = b.load_id
        where b.build_id = %(build)s and b.mode = 'orders' and r.order_id is not null
        group by b.source, r.order_key
    ),
    lines as (
        select b.source, r.order_key, r.line_number, max(b.delivery_no) as delivery_no
        from ops.build_loads as b
        inner join raw.sales_lines as r on r.load_id = b.load_id
        where b.build_id = %(build)s and b.mode in ('days', 'lines')
            and r.order_id is not null and r.line_number is not null
        group by b.source, r.order_key, r.line_number
    ),
    delivered_days as (
        select b.load_id, b.source, b.delivery_no, coalesce(r.store, '') as store, r.sale_date
        from ops.build_loads as b
        inner join raw.sales_lines as r on r.load_id = b.load_id
        where b.build_id = %(build)s
            and b.source in (
                select d.source from ops.build_loads as d where d.build_id = %(build)s and d.mode = 'days'
            )
        group by b.load_id, b.source, b.delivery_no, coalesce(r.store, ''), r.sale_date
    ),
    days as (
        select distinct d.load_id, d.store, d.sale_date
        from delivered_days as d
        inner join ops.build_loads as b
            on b.build_id = %(build)s and b.mode = 'days' and b.source = d.source
            and b.delivery_no > d.delivery_no
        inner join raw.load_scopes as s
            on s.load_id = b.load_id and d.sale_date between s.first_date and s.last_date
            and (s.store is null or s.store = d.store)
    )
    select b.feed, r.sale_date, r.net_cents
    from ops.build_loads as b
    inner join raw.sales_lines as r on r.load_id = b.load_id
    left join orders as o on o.source = b.source and o.order_key = r.order_key and r.order_id is not null
    left join lines as n
        on n.source = b.source and n.order_key = r.order_key and n.line_number = r.line_number
        and r.order_id is not null
    left join days as d
        on d.load_id = r.load_id and d.store = coalesce(r.store, '') and d.sale_date = r.sale_date
    where b.build_id = %(build)s
        and b.delivery_no >= coalesce(o.delivery_no, b.delivery_no)
        and b.delivery_no >= coalesce(n.delivery_no, b.delivery_no)
        and d.load_id is null
        and r.order_line_key not in (select order_line_key from ops.build_repeats where build_id = %(build)s)
"""

# Each query gives (feed or null, day or null, cents, and lines where they are compared too).
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
CURRENT = f"select feed, sale_date, sum(net_cents), count(*) from ({CURRENT_ROWS}) as c group by 1, 2"  # noqa: S608
FACT = "select feed, sale_date, sum(net_cents), count(*) from core.fct_order_lines group by 1, 2"

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
# net sales to those who have ordered at least once, what they gave back taken off
BUYERS = """
    select null, null::date, sum(o.net_cents)
    from core.fct_orders as o
    inner join (
        select distinct customer_key from core.fct_orders where is_completed_order and customer_key <> -1
    ) as b on b.customer_key = o.customer_key
"""
CUSTOMERS = "select null, null::date, sum(spent_cents) from marts_next.customer_lifetime_value"
CUSTOMER_MONTHS = "select null, null::date, sum(net_sales_cents) from marts_next.customers_monthly"
RETURN_MONTHS = "select null, null::date, sum(returns_cents) from marts_next.returns_monthly"
# days are held against the facts above; what is made of days is held against those, not against facts again
CUBE_DAYS = 800  # as sales_by_filters_days in dbt_project.yml
BRIDGE_DAYS = 400  # as sales_bridge_days in dbt_project.yml
LAST_DAYS = """
    select null, d.sale_date, d.net_sales_cents
    from marts_next.daily_sales as d
    inner join ops.builds as b on b.build_id = %(build)s and d.sale_date > b.as_of - {}
"""
CUBE = "select null, sale_date, sum(net_sales_cents) from marts_next.sales_by_filters where {} group by 2"
MONTHS = """
    select null, date_trunc('month', sale_date)::date, sum(net_sales_cents)
    from marts_next.daily_sales
    group by 2
"""
CUBE_MONTHS = """
    select null, sale_month, sum(net_sales_cents) from marts_next.sales_by_filters_monthly where {} group by 2
"""
CATEGORY_MONTHS = """
    select null, sale_month, sum(own_net_sales_cents) from marts_next.category_performance_monthly group by 2
"""
UP_TO_AS_OF = """
    select null, null::date, sum(d.net_sales_cents)
    from marts_next.daily_sales as d
    inner join ops.builds as b on b.build_id = %(build)s and d.sale_date <= b.as_of
"""
ALL_TIME = "select null, null::date, sum({}) from marts_next.{} where period = 'all_time' and {}"
BRIDGE = """
    select null, sale_date, sum(amount_cents) from marts_next.sales_bridge where step = 'net_sales' group by 2
"""
# product_sales_daily holds the last days only: from its first one on every day is compared
PRODUCT_DAYS = "select null, sale_date, sum(net_sales_cents) from marts_next.product_sales_daily group by 2"
OF_PRODUCT_DAYS = (
    "select null, sale_date, sum(net_cents) from core.fct_order_lines where counts_as_revenue "
    "and sale_date >= (select min(sale_date) from marts_next.product_sales_daily) group by 2"
)
PRODUCT_MONTHS = (
    "select null, sale_month, sum(net_sales_cents) from marts_next.product_sales_monthly group by 2"
)


Unit = Literal["cents", "lines"]


@dataclass(frozen=True)
class Identity:
    """Two ways to the same sum, of cents or of lines; of core, or of a mart with its name."""

    name: str
    says: str
    expected: str
    actual: str
    by_day: bool
    unit: Unit = "cents"
    mart: str | None = None  # compared only where the project declares that mart


IDENTITIES = (
    Identity("ledger = stored rows", "the ledger and the stored rows", LEDGER, STORED, by_day=False),
    Identity("raw = fact", "the current raw rows and core.fct_order_lines", CURRENT, FACT, by_day=True),
    Identity(
        "raw lines = fact lines",
        "the current raw rows and the rows of core.fct_order_lines",
        CURRENT,
        FACT,
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
            mart="daily_sales",
        )
        for what in REVENUE
    ),
    Identity(
        "fact = hourly_sales (net)",
        "revenue lines of core.fct_order_lines and marts_next.hourly_sales (net)",
        REVENUE["net"],
        HOURLY,
        by_day=True,
        mart="hourly_sales",
    ),
    Identity(
        "fact = product_performance (net)",
        "revenue lines of core.fct_order_lines and marts_next.product_performance (net)",
        REVENUE["net"],
        PRODUCTS,
        by_day=False,
        mart="product_performance",
    ),
    Identity(
        "orders = customer_lifetime_value (net)",
        "core.fct_orders of customers and marts_next.customer_lifetime_value (net)",
        BUYERS,
        CUSTOMERS,
        by_day=False,
        mart="customer_lifetime_value",
    ),
    Identity(
        "fact = customers_monthly (net)",
        "revenue lines of core.fct_order_lines and marts_next.customers_monthly (net)",
        REVENUE["net"],
        CUSTOMER_MONTHS,
        by_day=False,
        mart="customers_monthly",
    ),
    Identity(
        "fact = returns_monthly (returns)",
        "returns in core.fct_order_lines and marts_next.returns_monthly",
        REVENUE["returns"],
        RETURN_MONTHS,
        by_day=False,
        mart="returns_monthly",
    ),
    Identity(
        "daily_sales = sales_by_filters (all categories)",
        "marts_next.daily_sales and marts_next.sales_by_filters (all categories)",
        LAST_DAYS.format(CUBE_DAYS),
        CUBE.format("category_key = 0"),
        by_day=True,
        mart="sales_by_filters",
    ),
    Identity(
        "daily_sales = sales_by_filters (each category)",
        "marts_next.daily_sales and marts_next.sales_by_filters (each category)",
        LAST_DAYS.format(CUBE_DAYS),
        CUBE.format("category_key <> 0"),
        by_day=True,
        mart="sales_by_filters",
    ),
    Identity(
        "daily_sales = sales_by_filters_monthly (all categories)",
        "marts_next.daily_sales and marts_next.sales_by_filters_monthly (all categories)",
        MONTHS,
        CUBE_MONTHS.format("category_key = 0"),
        by_day=True,
        mart="sales_by_filters_monthly",
    ),
    Identity(
        "daily_sales = sales_by_filters_monthly (each category)",
        "marts_next.daily_sales and marts_next.sales_by_filters_monthly (each category)",
        MONTHS,
        CUBE_MONTHS.format("category_key <> 0"),
        by_day=True,
        mart="sales_by_filters_monthly",
    ),
    Identity(
        "daily_sales = category_performance_monthly (net)",
        "marts_next.daily_sales and marts_next.category_performance_monthly (net)",
        MONTHS,
        CATEGORY_MONTHS,
        by_day=True,
        mart="category_performance_monthly",
    ),
    *(
        Identity(
            f"daily_sales = {mart} ({of})",
            f"marts_next.daily_sales and marts_next.{mart} ({of})",
            UP_TO_AS_OF,
            ALL_TIME.format(column, mart, condition),
            by_day=False,
            mart=mart,
        )
        for mart, of, column, condition in (
            ("category_performance", "all time", "own_net_sales_cents", "true"),
            ("regional_performance", "stores, all time", "net_sales_cents", "level = 'store'"),
            ("sales_rep_performance", "all time", "net_sales_cents", "true"),
            ("profit_analysis", "products, all time", "net_sales_cents", "group_type = 'product'"),
            ("profit_analysis", "categories, all time", "net_sales_cents", "group_type = 'category'"),
            ("kpi_summary", "net sales, all time", "value", "kpi = 'net_sales'"),
        )
    ),
    Identity(
        "daily_sales = sales_bridge (net)",
        "marts_next.daily_sales and marts_next.sales_bridge (net sales)",
        LAST_DAYS.format(BRIDGE_DAYS),
        BRIDGE,
        by_day=True,
        mart="sales_bridge",
    ),
    Identity(
        "fact = product_sales_daily (net)",
        "revenue lines of core.fct_order_lines and marts_next.product_sales_daily (net)",
        OF_PRODUCT_DAYS,
        PRODUCT_DAYS,
        by_day=True,
        mart="product_sales_daily",
    ),
    Identity(
        "daily_sales = product_sales_monthly (net)",
        "marts_next.daily_sales and marts_next.product_sales_monthly (net)",
        MONTHS,
        PRODUCT_MONTHS,
        by_day=True,
        mart="product_sales_monthly",
    ),
)


@dataclass(frozen=True)
class Comparison:
    """One identity in one build: totals of both sides, and every scope in which they differ."""

    identity: Identity
    expected: int
    actual: int
    scopes: int
    agreeing: tuple[tuple[str, int], ...]  # scope, amount
    differing: tuple[tuple[str, int, int], ...]  # scope, expected, actual

    @property
    def holds(self) -> bool:
        """Whether the two sides agree everywhere."""
        return not self.differing

    @property
    def message(self) -> str | None:
        """The first place where the two sides part, in words."""
        if self.holds:
            return None
        days = [side for side in self.differing if side[0].startswith("day ")]
        scope, expected, actual = days[0] if days else self.differing[-1]
        more = f" (and {len(self.differing) - 1} more places)" if len(self.differing) > 1 else ""
        return (
            f"{self.identity.says} disagree by {actual - expected:+,} {self.identity.unit} for {scope}: "
            f"{expected:,} against {actual:,}{more}"
        )


def reconcile(
    connection: psycopg.Connection[Any], *, build_id: int, marts: Collection[str]
) -> list[Comparison]:
    """Compare every identity of core and of `marts` for a build and write the sums to ops.reconciliation.

    Totals and feeds are always written, days only where they differ: the table then grows with builds, not
    with builds × days. Runs in the caller's transaction.
    """
    # every join here is of whole tables; a nested loop, chosen on stale figures, took 3 s instead of 0.2 s
    connection.execute("select set_config('enable_nestloop', 'off', true)")
    answers: dict[str, list[Any]] = {}

    def side(query: str, identity: Identity) -> Mapping[str, int]:
        if query not in answers:
            answers[query] = connection.execute(query, {"build": build_id}).fetchall()
        found = _scopes(answers[query], unit=identity.unit)
        return found if identity.by_day else {s: n for s, n in found.items() if not s.startswith("day ")}

    comparisons = [
        _compare(identity, side(identity.expected, identity), side(identity.actual, identity))
        for identity in IDENTITIES
        if identity.mart is None or identity.mart in marts
    ]
    _write(connection, build_id, comparisons)
    return comparisons


def _scopes(rows: Iterable[Sequence[Any]], *, unit: Unit) -> Mapping[str, int]:
    """Sums by total, feed and day."""
    place = 2 if unit == "cents" else 3
    sums: dict[str, int] = defaultdict(int)
    sums["total"] = 0
    for row in rows:
        feed, day, amount = row[0], row[1], int(row[place] or 0)
        sums["total"] += amount
        if feed is not None:
            sums[f"feed {feed}"] += amount
        if day is not None:
            sums[f"day {day}"] += amount
    return dict(sums)


def _compare(identity: Identity, expected: Mapping[str, int], actual: Mapping[str, int]) -> Comparison:
    scopes = sorted(set(expected) | set(actual), key=lambda scope: (_rank(scope), scope))
    sides = [(scope, expected.get(scope, 0), actual.get(scope, 0)) for scope in scopes]
    return Comparison(
        identity,
        expected["total"],
        actual["total"],
        len(scopes),
        agreeing=tuple((scope, wanted) for scope, wanted, found in sides if wanted == found),
        differing=tuple(side for side in sides if side[1] != side[2]),
    )


def _rank(scope: str) -> int:
    return ("total", "feed", "day").index(scope.split(" ", 1)[0])


def _write(connection: psycopg.Connection[Any], build_id: int, comparisons: Sequence[Comparison]) -> None:
    """Replace this build's sums; lines are counted, not money, and stand in ops.audit_results only."""
    connection.execute("delete from ops.reconciliation where build_id = %s", [build_id])
    rows = [
        (build_id, comparison.identity.name, scope, wanted, found)
        for comparison in comparisons
        if comparison.identity.unit == "cents"
        for scope, wanted, found in (
            *comparison.differing,
            *((scope, n, n) for scope, n in comparison.agreeing if not scope.startswith("day ")),
        )
    ]
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into ops.reconciliation (build_id, identity, scope, expected_cents, actual_cents) "
            "values (%s, %s, %s, %s, %s)",
            sorted(rows),
        )
