"""Which of many waiting deliveries share nothing with any other: no order, and no day of a store.

Put here the one look at the stored rows that answers it for all of them; one look per delivery would cost the
square of their number. It only reads. What a delivery that does share something means is meaning.py's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from ingestion.planning import joined_by_hashing

if TYPE_CHECKING:
    import psycopg
    import pyarrow as pa

_STORED_ORDERS = """
select distinct order_key from raw.sales_lines
where order_key = any(%(orders)s) and load_id in (
    select load_id from raw.loads where source = %(source)s and status in ('landed', 'approved')
)
"""

_STORED_DAYS = """
select distinct coalesce(store, ''), sale_date from raw.sales_lines
where sale_date = any(%(days)s) and load_id in (
    select load_id from raw.loads where source = %(source)s and status in ('landed', 'approved')
)
"""


@dataclass(frozen=True)
class Touched:
    """What a delivery would touch: keys of its orders, and its (store, day) pairs; '' for no store."""

    source: str
    orders: frozenset[int]
    days: frozenset[tuple[str, date]]


def touched_by(source: str, batches: Iterable[pa.RecordBatch]) -> Touched:
    """What accepted rows touch within `source`."""
    orders: set[int] = set()
    days: set[tuple[str, date]] = set()
    for rows in batches:
        orders.update(key for key in rows["order_key"].to_pylist() if key is not None)
        stores = (store or "" for store in rows["store"].to_pylist())
        days.update(zip(stores, rows["sale_date"].to_pylist(), strict=True))
    return Touched(source, frozenset(orders), frozenset(days))


def strangers(conn: psycopg.Connection[Any], waiting: Sequence[Touched]) -> list[bool]:
    """For each of `waiting`, in the order they will land: whether it shares nothing with what counts of its
    source, nor with those before it.
    """
    orders: dict[str, set[int]] = {}
    days: dict[str, set[tuple[str, date]]] = {}
    for source in {delivery.source for delivery in waiting}:
        ours = [delivery for delivery in waiting if delivery.source == source]
        about = {
            "source": source,
            "orders": list(frozenset[int]().union(*(delivery.orders for delivery in ours))),
            "days": list({day for delivery in ours for _, day in delivery.days}),
        }
        with joined_by_hashing(conn):
            orders[source] = {key for (key,) in conn.execute(_STORED_ORDERS, about)}
            days[source] = set(conn.execute(_STORED_DAYS, about))
    alone = []
    for delivery in waiting:
        seen_orders, seen_days = orders[delivery.source], days[delivery.source]
        alone.append(seen_orders.isdisjoint(delivery.orders) and seen_days.isdisjoint(delivery.days))
        seen_orders |= delivery.orders
        seen_days |= delivery.days
    return alone
