"""The two steps of this layer, each one transaction of a build.

Put here: which tables a step writes. Never here: Dagster, or when a step runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from analytics.anomalies import day_rows, order_rows
from analytics.revenue import forecast_rows, read_weeks
from analytics.storing import replace_rows

if TYPE_CHECKING:
    from warehouse.database import Warehouse


@dataclass(frozen=True)
class Forecasts:
    """How many series there are, and how many of them have a forecast."""

    series: int
    forecast: int


@dataclass(frozen=True)
class Anomalies:
    """How many unusual days (of the shop and of categories) and strange orders there are."""

    days: int
    orders: int


def make_forecasts(warehouse: Warehouse, *, build_id: int, as_of: date) -> Forecasts:
    """Write core.revenue_forecast_series and core.revenue_forecast_weeks as of that day.

    Raises psycopg.errors.RaiseException where the build is not open any more.
    """
    with warehouse.connect("transformer", application_name="shopx analytics") as connection:
        series, weeks = forecast_rows(read_weeks(connection, as_of=as_of), as_of=as_of)
        replace_rows(connection, build_id=build_id, table="revenue_forecast_series", rows=series)
        replace_rows(connection, build_id=build_id, table="revenue_forecast_weeks", rows=weeks)
    return Forecasts(len(series), sum(row.why_missing is None for row in series))


def make_anomalies(warehouse: Warehouse, *, build_id: int, as_of: date) -> Anomalies:
    """Write core.sales_anomaly_flags as of that day.

    Raises psycopg.errors.RaiseException where the build is not open any more.
    """
    with warehouse.connect("transformer", application_name="shopx analytics") as connection:
        days, orders = day_rows(connection, as_of=as_of), order_rows(connection, as_of=as_of)
        replace_rows(connection, build_id=build_id, table="sales_anomaly_flags", rows=[*days, *orders])
    return Anomalies(len(days), len(orders))
