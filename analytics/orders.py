"""Reading the orders that are screened, with what is usual for their customer, products and hour.

Put here: the query behind screening.Order. Never here: when an order is strange (screening.py).

Bounded by days: orders of the last 56, of which the last 28 are screened, so the cost follows the shop's
size and not its history.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import psycopg

from analytics.screening import FEWEST_OWN_ORDERS, Order

REFERENCE_DAYS = 56
SCREENED_DAYS = 28

ORDERS = """
    with orders as (
        select
            order_key, order_date, order_hour, customer_key,
            gross_cents + discount_cents as amount,
            case when gross_cents > 0 then -discount_cents::float8 / gross_cents else 0 end as discount,
            count(*) over (partition by customer_key, order_date) as same_day
        from core.fct_orders
        where is_completed_order and order_date between %(first_day)s and %(as_of)s
    ),
    hours as (
        select order_hour, count(*)::float8 / sum(count(*)) over () as hour_share
        from orders where order_hour is not null group by order_hour
    ),
    usual as (
        select product_key, sum(units + units_returned)::float8 / nullif(sum(line_count), 0) as quantity
        from core.agg_products_monthly
        where sale_month > %(first_day)s::date - 400 and sale_month <= %(as_of)s
        group by product_key
    ),
    lines as (
        select l.order_key, max(l.quantity::float8 / u.quantity) as quantity_ratio
        from core.fct_order_lines as l
        inner join usual as u on u.product_key = l.product_key and u.quantity > 0
        where
            l.sale_date between %(first_day)s and %(as_of)s and l.line_type = 'sale' and l.counts_as_revenue
            and l.product_key <> -1
        group by l.order_key
    )
    select
        o.order_key,
        o.order_date,
        o.amount,
        o.discount,
        case
            when o.customer_key <> -1 and c.orders > %(own_orders)s
                then (c.gross_sales_cents + c.discounts_cents - o.amount)::float8 / (c.orders - 1)
            else 0
        end,
        coalesce(l.quantity_ratio, 1),
        o.order_hour,
        h.hour_share,
        case when o.customer_key = -1 then 1 else o.same_day end,
        coalesce(c.first_order_date = o.order_date, false)
    from orders as o
    left join hours as h on h.order_hour = o.order_hour
    left join lines as l on l.order_key = o.order_key
    left join core.agg_customers as c on c.customer_key = o.customer_key
    order by o.order_key
"""


def read_orders(connection: psycopg.Connection[Any], *, first_day: date, as_of: date) -> list[Order]:
    """Read the completed orders of these days, ordered by order_key."""
    found = connection.execute(
        ORDERS, {"first_day": first_day, "as_of": as_of, "own_orders": FEWEST_OWN_ORDERS}
    ).fetchall()
    return [Order(*row) for row in found]
