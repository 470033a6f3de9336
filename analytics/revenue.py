"""The revenue forecast: weekly net sales of the shop, its largest categories and its stores, 8 weeks ahead.

Put here: which series there are, reading their weeks, and the rows that come of them. Never here: methods
(methods.py) or how one is chosen (backtest.py).

A week runs from Monday to Sunday. Only whole weeks are learned from: the week of a series' first sale
counts when that was a Monday, the week of as_of when as_of is its Sunday. The first forecast week starts
after as_of.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import psycopg

from analytics.backtest import HORIZON, forecast, why_no_forecast
from analytics.methods import Floats
from analytics.storing import SeriesRow, WeekRow

# beside the shop itself: the categories, and the stores, with the highest net sales of the last 91 days
LARGEST = 12

WEEKS = """
    with categories as (
        select category_key as series_key, sale_date, net_sales_cents
        from core.agg_categories_daily
        where sale_date <= %(as_of)s
    ),
    places as (
        select p.store_key as series_key, a.sale_date, a.net_sales_cents
        from core.agg_orders_daily as a
        inner join core.dim_places as p on p.place_key = a.place_key
        where a.sale_date <= %(as_of)s
    ),
    weeks as (
        select
            'shop' as series, 0::bigint as series_key, date_trunc('week', sale_date)::date as week_start_date,
            min(sale_date) as first_day, sum(net_sales_cents) as net_sales_cents,
            sum(net_sales_cents) filter (where sale_date > %(as_of)s - 91) as recent_cents
        from places group by 3
        union all
        select
            'category', series_key, date_trunc('week', sale_date)::date, min(sale_date), sum(net_sales_cents),
            sum(net_sales_cents) filter (where sale_date > %(as_of)s - 91)
        from categories group by 2, 3
        union all
        select
            'store', series_key, date_trunc('week', sale_date)::date, min(sale_date), sum(net_sales_cents),
            sum(net_sales_cents) filter (where sale_date > %(as_of)s - 91)
        from places where series_key <> -1 group by 2, 3
    ),
    members as (
        select
            series, series_key,
            row_number() over (
                partition by series order by coalesce(sum(recent_cents), 0) desc, series_key
            ) as size_rank
        from weeks group by series, series_key
    )
    select w.series, w.series_key, w.week_start_date, w.first_day, w.net_sales_cents::bigint
    from weeks as w
    inner join members as m using (series, series_key)
    where m.size_rank <= %(largest)s
    order by w.series <> 'shop', w.series, w.series_key, w.week_start_date
"""


@dataclass(frozen=True)
class History:
    """Net sales of a series in cents per week, oldest first, and the Monday of the first."""

    first_week: date
    weeks: Floats


def whole_weeks(found: list[tuple[date, date, int]], *, as_of: date) -> History:
    """Make whole weeks of (Monday, first day with a sale in it, net sales) in order, weeks without sales
    being 0.
    """
    first_week, first_day, _ = found[0]
    if first_day > first_week:
        first_week += timedelta(weeks=1)
    after = as_of + timedelta(days=1)
    count = max((after - first_week).days // 7, 0)
    weeks = np.zeros(count)
    for monday, _, cents in found:
        at = (monday - first_week).days // 7
        if 0 <= at < count:
            weeks[at] = cents
    return History(first_week, weeks)


def forecast_rows(
    found: list[tuple[str, int, date, date, int]], *, as_of: date
) -> tuple[list[SeriesRow], list[WeekRow]]:
    """Forecast every series of `found` (series, key, Monday, first day, cents), which is in order."""
    grouped: dict[tuple[str, int], list[tuple[date, date, int]]] = {}
    for series, key, monday, first_day, cents in found:
        grouped.setdefault((series, key), []).append((monday, first_day, cents))
    first_ahead = as_of + timedelta(days=7 - as_of.weekday())
    lead = 0 if as_of.weekday() == 6 else 1
    series_rows, week_rows = [], []
    for (series, key), weeks in grouped.items():
        history = whole_weeks(weeks, as_of=as_of).weeks
        mondays = [first_ahead + timedelta(weeks=ahead) for ahead in range(HORIZON)]
        missing = why_no_forecast(history)
        if missing:
            series_rows.append(SeriesRow(series, key, as_of, len(history), why_missing=missing))
            week_rows += [
                WeekRow(series, key, monday, ahead, None, None, None)
                for ahead, monday in enumerate(mondays, 1)
            ]
            continue
        made = forecast(history, lead=lead)
        series_rows.append(
            SeriesRow(
                series,
                key,
                as_of,
                len(history),
                method=made.chosen.method,
                baseline_method=made.baseline.method,
                wape_pct=_rounded(made.chosen.wape_pct, 1),
                baseline_wape_pct=_rounded(made.baseline.wape_pct, 1),
                bias_pct=_rounded(made.chosen.bias_pct, 1),
                mase=_rounded(made.chosen.mase, 2),
                coverage_pct=_rounded(made.coverage_pct, 1),
                backtests=made.origins,
            )
        )
        week_rows += [
            WeekRow(series, key, monday, ahead, *(round(float(value)) for value in figures))
            for ahead, (monday, *figures) in enumerate(
                zip(mondays, made.estimates, made.low, made.high, strict=True), 1
            )
        ]
    return series_rows, week_rows


def read_weeks(connection: psycopg.Connection[Any], *, as_of: date) -> list[tuple[str, int, date, date, int]]:
    """Read the weekly net sales of every series to be forecast, up to as_of."""
    return connection.execute(WEEKS, {"as_of": as_of, "largest": LARGEST}).fetchall()


def _rounded(value: float | None, digits: int) -> float | None:
    # adding 0 makes -0.0 a plain 0
    return None if value is None else round(value, digits) + 0.0
