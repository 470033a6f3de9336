"""Forecasts and anomalies: made in a build, read by dbt, missed by the audit when they are not there.

Forty weeks of a shop to Sunday 31 May 2026: every day 12 orders of 10.00, five of them Tea, on Saturdays 24
with nine of Tea. On Tuesday 19 May nothing was sold; on Friday 22 May somebody paid 5,000.00 for Tea.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest

from analytics.making import make_anomalies, make_forecasts
from orchestration.dbt_runner import ensure_manifest
from publication.audit import missing_models
from publication.dbt_nodes import expected_nodes
from publication.driver import drive
from warehouse.database import Warehouse
from warehouse.settings import load_settings

AS_OF = date(2026, 5, 31)
FIRST = AS_OF - timedelta(weeks=40) + timedelta(days=1)
TABLES = ("revenue_forecast_series", "revenue_forecast_weeks", "sales_anomaly_flags")

LOAD = """
    insert into raw.loads (
        delivery_no, feed, source, delivered_name, content_sha256, byte_count, contract_sha256, mode,
        reading, rows_delivered, rows_accepted, status, first_date, last_date
    ) values (
        1, 'till', 'till', 'f.csv', repeat('0', 64), 1, 'x', 'events',
        '{"timezone": "Europe/London"}', 1, 1, 'approved', %s, %s
    ) returning load_id
"""
SALES = """
    insert into raw.sales_lines (
        load_id, order_line_key, order_key, order_id, sale_date, line_type, product_id, category,
        customer_id, quantity_thousandths, gross_cents, discount_cents, net_cents
    )
    select
        %(load)s, 10000000000 + row_number() over (order by day, number),
        hashtextextended(day || '-' || number, 0), day || '-' || number, day, 'sale', 'P' || number %% 5,
        case when number %% 5 < 2 then 'Tea' else 'Coffee' end, 'c' || number, 1000, cents, 0, cents
    from (
        select d::date as day, number, 1000 as cents
        from generate_series(%(first)s::timestamp, %(last)s, interval '1 day') as d
        cross join lateral generate_series(1, case when extract(isodow from d) = 6 then 24 else 12 end)
            as number
        where d::date <> '2026-05-19'
        union all
        select '2026-05-22', 100, 500000
    ) as sales
"""


def test_forecast_and_anomalies_are_made_in_a_build_and_published_with_no_other(
    warehouse: Warehouse, dbt: Callable[..., Any]
) -> None:
    def rows(query: str) -> list[tuple[Any, ...]]:
        with warehouse.connect("owner") as conn:
            return conn.execute(query).fetchall()

    def hashes() -> list[tuple[Any, ...]]:
        query = "select md5(string_agg(t::text, '|' order by t::text)) from core.{} as t"
        return [rows(query.format(table))[0] for table in TABLES]

    def missed() -> set[str]:
        with warehouse.connect("owner") as conn:
            sentences = missing_models(conn, build.build_id, expected_nodes(ensure_manifest(load_settings())))
        return {sentence.split()[1] for sentence in sentences} & set(TABLES)

    with warehouse.connect("owner") as conn:
        load = conn.execute(LOAD, [FIRST, AS_OF]).fetchone()
        assert load is not None
        conn.execute("select raw.create_months(%s::date, %s::date)", [FIRST, AS_OF])
        conn.execute(SALES, {"load": load[0], "first": FIRST, "last": AS_OF})
    marts = ("revenue_forecast", "sales_anomalies")
    with drive(warehouse) as driver:
        build = driver.open_build()
        core = ("path:models/staging", "path:models/core")
        done = dbt("run", "--select", *core, *marts, build_id=build.build_id)
        # without the step dbt succeeds all the same, with marts of nothing; but the audit misses it
        assert done.success, done.messages
        assert rows("select count(*) from marts_next.revenue_forecast") == [(0,)]
        assert missed() == set(TABLES)

        make_forecasts(warehouse, build_id=build.build_id, as_of=build.as_of)
        make_anomalies(warehouse, build_id=build.build_id, as_of=build.as_of)
        assert missed() == set()
        done = dbt("build", "--select", *marts, build_id=build.build_id)
        assert done.success, done.messages

        # a second time writes the same rows, and for a build that is not open nothing is written
        before = hashes()
        make_forecasts(warehouse, build_id=build.build_id, as_of=build.as_of)
        make_anomalies(warehouse, build_id=build.build_id, as_of=build.as_of)
        assert hashes() == before
        with pytest.raises(psycopg.errors.RaiseException, match="not open any more"):
            make_forecasts(warehouse, build_id=build.build_id + 1, as_of=build.as_of)
        assert hashes() == before

    # the shop, two categories; no store is named. Coffee has seven of twelve orders and 15 of 24: 6 * 70.00 +
    # 150.00 a week. All methods miss the week of the silent day, so the simplest wins: the last week again
    assert rows("select count(*), min(week_start_date)::text from marts_next.revenue_forecast") == [
        (3 * 8, "2026-06-01")
    ]
    ((estimate, backtests, whole_weeks),) = rows(
        "select estimate_cents, backtests, whole_weeks from marts_next.revenue_forecast"
        " where series_name = 'Coffee' and weeks_ahead = 8"
    )
    assert estimate == 57_000
    # 13 weeks to learn from, then 8 to come: 20 Mondays of 40 weeks
    assert (backtests, whole_weeks) == (20, 40)

    assert rows(
        "select sale_date::text, subject, category, direction, seen_cents, expected_cents, cause"
        " from marts_next.sales_anomalies where subject <> 'order' order by 1, 2, 3"
    ) == [
        ("2026-05-19", "category", "Coffee", "low", 0, 7000, "nothing_delivered"),
        ("2026-05-19", "category", "Tea", "low", 0, 5000, "nothing_delivered"),
        ("2026-05-19", "shop", None, "low", 0, 12_000, "nothing_delivered"),
        ("2026-05-22", "category", "Tea", "high", 505_000, 5000, "one_order"),
        ("2026-05-22", "shop", None, "high", 512_000, 12_000, "one_order"),
    ]
    assert rows(
        "select order_id, seen_cents, expected_cents, cause, load_id is not null"
        " from marts_next.sales_anomalies where subject = 'order'"
    ) == [("2026-05-22-100", 500_000, 1000, "amount", True)]
