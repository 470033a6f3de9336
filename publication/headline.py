"""The few numbers that are said aloud after a publication; the same ones the dashboards show.

Put here: reading them from the published marts.
Never here: formatting for a terminal or a page.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg

QUERY = """
    with days as (
        select
            d.*,
            date_trunc('month', d.sale_date) as month,
            date_trunc('month', %(as_of)s::date) as this_month
        from marts.daily_sales as d
        where d.sale_date <= %(as_of)s
    )
    select
        min(sale_date),
        max(sale_date),
        coalesce(sum(gross_sales_cents), 0)::bigint,
        coalesce(sum(returns_cents), 0)::bigint,
        coalesce(sum(discounts_cents), 0)::bigint,
        coalesce(sum(net_sales_cents), 0)::bigint,
        coalesce(sum(orders), 0)::bigint,
        coalesce(sum(net_sales_cents) filter (where month = this_month), 0)::bigint,
        coalesce(sum(orders) filter (where month = this_month), 0)::bigint,
        coalesce(sum(gross_sales_cents + discounts_cents) filter (where month = this_month), 0)::bigint,
        sum(net_sales_cents) filter (where month = this_month - interval '1 month')::bigint
    from days
"""


@dataclass(frozen=True)
class Headline:
    """Totals up to `as_of`, and the month of `as_of` beside the month before (None: no sales then). Money
    in cents.
    """

    first_date: date | None
    last_date: date | None
    gross_sales_cents: int
    returns_cents: int
    discounts_cents: int
    net_sales_cents: int
    orders: int
    month: date
    month_net_sales_cents: int
    month_orders: int
    month_average_order_value_cents: int | None
    previous_month_net_sales_cents: int | None


def headline(connection: psycopg.Connection[Any], *, as_of: date) -> Headline:
    """Read the headline in the caller's transaction."""
    row = connection.execute(QUERY, {"as_of": as_of}).fetchone()
    assert row is not None  # noqa: S101  an aggregate always gives one row
    first, last, gross, returns, discounts, net, orders, month_net, month_orders, sold, before = row
    return Headline(
        first_date=first,
        last_date=last,
        gross_sales_cents=gross,
        returns_cents=returns,
        discounts_cents=discounts,
        net_sales_cents=net,
        orders=orders,
        month=as_of.replace(day=1),
        month_net_sales_cents=month_net,
        month_orders=month_orders,
        month_average_order_value_cents=_half_up(sold, month_orders) if month_orders else None,
        previous_month_net_sales_cents=before,
    )


def _half_up(cents: int, parts: int) -> int:
    """`cents / parts` rounded half away from zero, without floats."""
    quotient = (2 * abs(cents) + parts) // (2 * parts)
    return quotient if cents >= 0 else -quotient
