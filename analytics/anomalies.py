"""Sales anomalies: unusual days of the shop and of its categories, and strange orders, each with its reason.

Put here: reading the days, gathering evidence, and the rows that come of it. Never here: what is unusual
(usual_days.py, screening.py) or why (causes.py).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import psycopg

from analytics.causes import Evidence, likely_cause
from analytics.methods import Floats
from analytics.orders import REFERENCE_DAYS, SCREENED_DAYS, read_orders
from analytics.screening import Flag, strange_orders
from analytics.storing import FlagRow
from analytics.usual_days import FEWEST_DAYS, NOISE_DAYS, SAME_WEEKDAYS, Usual, usual_days

SHOWN_DAYS = 91
READ_DAYS = SHOWN_DAYS + FEWEST_DAYS + NOISE_DAYS
LARGEST = 30
MOST_CATEGORIES_PER_DAY = 5
MEASURES = 5  # net sales, orders, units sold, gross sales, returns

DAYS = """
    with shown as (
        select
            sale_date, category_key as series_key, net_sales_cents, orders, units, gross_sales_cents,
            returns_cents
        from core.agg_categories_daily
        where sale_date > %(as_of)s - %(days)s::integer and sale_date <= %(as_of)s
    ),
    largest as (
        select series_key from shown group by series_key
        order by sum(net_sales_cents) desc, series_key limit %(largest)s
    )
    select
        true, sale_date, 0::bigint, sum(net_sales_cents)::bigint, sum(orders)::bigint,
        sum(units)::float8, sum(gross_sales_cents)::bigint, sum(returns_cents)::bigint
    from core.agg_orders_daily
    where sale_date > %(as_of)s - %(days)s::integer and sale_date <= %(as_of)s
    group by sale_date
    union all
    select
        false, s.sale_date, s.series_key, s.net_sales_cents, s.orders, s.units::float8, s.gross_sales_cents,
        s.returns_cents
    from shown as s
    inner join largest using (series_key)
"""

FIRST_DAY = "select min(sale_date) from core.agg_orders_daily"

# the lines of unusual days alone, so that months are left out when it is planned
LINES = """
    with lines as (
        select sale_date, category_key, load_id, order_key, order_id, line_type, net_cents
        from core.fct_order_lines
        where sale_date = any(%(days)s) and counts_as_revenue
    ),
    loads as (
        select
            'load' as what, sale_date, category_key, load_id as key, null as name,
            sum(net_cents)::bigint as cents
        from lines group by grouping sets ((sale_date, load_id), (sale_date, category_key, load_id))
    ),
    orders as (
        select distinct on (sale_date, category_key)
            'order' as what, sale_date, category_key, order_key as key, max(order_id) as name,
            sum(net_cents)::bigint as cents
        from lines where line_type = 'sale'
        group by grouping sets ((sale_date, order_key), (sale_date, category_key, order_key))
        order by sale_date, category_key, cents desc, order_key
    )
    select * from loads
    union all
    select * from orders
    order by 2, 3, 1, 6 desc, 4
"""

SILENT_STORES = """
    with places as (
        select a.sale_date, p.store_name, sum(a.orders) as orders
        from core.agg_orders_daily as a
        inner join core.dim_places as p on p.place_key = a.place_key
        where p.store_key <> -1 and a.sale_date = any(%(days)s)
        group by a.sale_date, p.store_name
    )
    select store_name
    from places
    where sale_date <> %(day)s
    group by store_name
    having
        count(*) filter (where orders > 0) > %(most)s
        and store_name not in (select store_name from places where sale_date = %(day)s and orders > 0)
    order by sum(orders) desc, store_name
"""

ORDER_LOADS = """
    select distinct on (order_key) order_key, load_id, order_id
    from core.fct_order_lines
    where sale_date = any(%(days)s) and order_key = any(%(orders)s)
    order by order_key, sum(net_cents) over (partition by order_key, load_id) desc, load_id desc
"""


@dataclass(frozen=True)
class Days:
    """Measures [measure, day, series] of consecutive days up to as_of; series 0 is the shop, the rest
    categories.
    """

    dates: list[date]
    keys: list[int]
    measures: Floats


@dataclass(frozen=True)
class _Lines:
    loads: dict[tuple[date, int | None], list[tuple[int, int]]]
    largest: dict[tuple[date, int | None], tuple[str | None, int]]


def read_days(connection: psycopg.Connection[Any], *, as_of: date) -> Days:
    """Read the days of the shop and of its largest categories; days without sales are 0, days before the
    first sale of the shop are left out.
    """
    first = connection.execute(FIRST_DAY).fetchone()
    found = connection.execute(DAYS, {"as_of": as_of, "days": READ_DAYS, "largest": LARGEST}).fetchall()
    start = as_of - timedelta(days=READ_DAYS - 1)
    if first and first[0]:
        start = min(max(start, first[0]), as_of)
    dates = [start + timedelta(days=at) for at in range((as_of - start).days + 1)]
    keys = [0, *sorted({row[2] for row in found if not row[0]})]
    measures = np.zeros((MEASURES, len(dates), len(keys)))
    place = {key: at for at, key in enumerate(keys[1:], start=1)}
    for is_shop, day, key, *values in found:
        if day >= start:
            measures[:, (day - start).days, 0 if is_shop else place[key]] = values
    return Days(dates, keys, measures)


def unusual(days: Days) -> tuple[Usual, list[tuple[int, int]]]:
    """Judge the days; returns the judgement and the (day, series) to be told, in order.

    Only the last 91 days, and of one day at most the 5 categories furthest from the usual.
    """
    usual = usual_days(days.measures[0], days.measures[1])
    told = []
    for at in range(max(0, len(days.dates) - SHOWN_DAYS), len(days.dates)):
        hits = [int(series) for series in np.flatnonzero(usual.unusual[at])]
        categories = sorted(
            (series for series in hits if series),
            key=lambda series: (-abs(usual.scores[at, series]), days.keys[series]),
        )
        told += [(at, series) for series in hits if series == 0]
        told += [(at, series) for series in sorted(categories[:MOST_CATEGORIES_PER_DAY])]
    return usual, told


def day_rows(connection: psycopg.Connection[Any], *, as_of: date) -> list[FlagRow]:
    """Find the unusual days of the shop and its categories, with reason and likely cause."""
    days = read_days(connection, as_of=as_of)
    usual, told = unusual(days)
    if not told:
        return []
    lines = _read_lines(connection, sorted({days.dates[at] for at, _ in told}))
    names: dict[int, str | None] = dict(
        connection.execute(
            "select category_key, category from core.dim_categories where category_key = any(%s)", [days.keys]
        ).fetchall()
    )
    rows = []
    for at, series in told:
        day, key = days.dates[at], days.keys[series]
        member = None if series == 0 else key
        silent = _silent_stores(connection, day) if series == 0 else ()
        evidence = _evidence(days, usual, (at, series), lines=lines, silent_stores=silent)
        cause, detail = likely_cause(evidence)
        name = "The shop" if series == 0 else names.get(key) or "Sales without a category"
        loads = lines.loads.get((day, member), [])
        rows.append(
            FlagRow(
                sale_date=day,
                subject="shop" if series == 0 else "category",
                subject_key=key,
                as_of=as_of,
                direction="high" if evidence.seen > evidence.expected else "low",
                seen_cents=evidence.seen,
                expected_cents=evidence.expected,
                low_cents=round(float(usual.low[at, series])),
                high_cents=round(float(usual.high[at, series])),
                score=round(float(usual.scores[at, series]), 2),
                reason=day_reason(day, name, evidence.seen, evidence.expected),
                cause=cause,
                cause_detail=detail,
                load_id=loads[0][0] if loads else None,
            )
        )
    return rows


def day_reason(day: date, name: str, seen: int, expected: int) -> str:
    """Say how far a day was from its usual: `Tuesday 3 March 2026: Tea sold 4.1 × its usual Tuesday.`"""
    weekday = f"{day:%A}"
    opening = f"{weekday} {day.day} {day:%B %Y}: {name} "
    if seen < 0:
        return f"{opening}gave back more than it sold."
    if seen == 0:
        return f"{opening}sold nothing, unlike on its usual {weekday}."
    times = seen / expected
    return (
        f"{opening}sold {f'{times:.1f} ×' if times >= 1 else f'{100 * times:.0f} % of'} its usual {weekday}."
    )


def order_rows(connection: psycopg.Connection[Any], *, as_of: date) -> list[FlagRow]:
    """Find the strange orders of the last 28 days."""
    orders = read_orders(connection, first_day=as_of - timedelta(days=REFERENCE_DAYS - 1), as_of=as_of)
    flags = strange_orders(orders, since=as_of - timedelta(days=SCREENED_DAYS - 1))
    if not flags:
        return []
    brought = {
        key: (load, name)
        for key, load, name in connection.execute(
            ORDER_LOADS,
            {
                "days": sorted({flag.order.order_date for flag in flags}),
                "orders": [flag.order.order_key for flag in flags],
            },
        ).fetchall()
    }
    return [_order_row(flag, as_of, *brought[flag.order.order_key]) for flag in flags]


def _order_row(flag: Flag, as_of: date, load_id: int, order_id: str | None) -> FlagRow:
    order = flag.order
    return FlagRow(
        sale_date=order.order_date,
        subject="order",
        subject_key=order.order_key,
        as_of=as_of,
        direction="high" if order.amount >= flag.usual_amount else "low",
        seen_cents=order.amount,
        expected_cents=round(order.own_amount) if order.own_amount > 0 else flag.usual_amount,
        low_cents=None,
        high_cents=None,
        score=round(flag.score, 2),
        reason=f"Order {order_id}: {flag.reason}" if order_id else flag.reason,
        cause=flag.cause,
        cause_detail="To be looked at: a slip of the keyboard, a test, or fraud.",
        load_id=load_id,
    )


def _evidence(
    days: Days, usual: Usual, where: tuple[int, int], *, lines: _Lines, silent_stores: tuple[str, ...]
) -> Evidence:
    at, series = where
    seen, orders, units, gross, returns = days.measures[:, at, series]
    before = days.measures[:, [at - 7 * week for week in range(1, SAME_WEEKDAYS + 1)], series]
    usual_units, usual_gross = before[2].sum(), before[3].sum()
    key = (days.dates[at], None if series == 0 else days.keys[series])
    return Evidence(
        seen=int(seen),
        expected=round(float(usual.expected[at, series])),
        orders=float(orders),
        usual_orders=float(np.median(before[1])),
        units=float(units),
        usual_units=float(np.median(before[2])),
        returns=int(returns),
        usual_returns=float(np.median(before[4])),
        price=float(gross / units) if units > 0 else None,
        usual_price=float(usual_gross / usual_units) if usual_units > 0 else None,
        largest_order=lines.largest.get(key),
        silent_stores=silent_stores,
        loads=tuple(lines.loads.get(key, [])),
    )


def _read_lines(connection: psycopg.Connection[Any], days: list[date]) -> _Lines:
    loads: dict[tuple[date, int | None], list[tuple[int, int]]] = defaultdict(list)
    largest: dict[tuple[date, int | None], tuple[str | None, int]] = {}
    for what, day, category, key, name, cents in connection.execute(LINES, {"days": days}).fetchall():
        if what == "load":
            loads[day, category].append((key, cents))
        else:
            largest[day, category] = (name, cents)
    return _Lines(loads, largest)


def _silent_stores(connection: psycopg.Connection[Any], day: date) -> tuple[str, ...]:
    days = [day - timedelta(weeks=week) for week in range(SAME_WEEKDAYS + 1)]
    found = connection.execute(
        SILENT_STORES, {"days": days, "day": day, "most": SAME_WEEKDAYS // 2}
    ).fetchall()
    return tuple(name for (name,) in found)
