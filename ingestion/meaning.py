"""What a delivery without a declared meaning means: new events, a newer version of orders, or undecided.

Put the comparison of a delivery with the loads that count here; it only reads. Never change a status here
(ledger.py). A contract that says `delivers` is never questioned. Rows of earlier deliveries are looked at
as they are current: an order is represented by the newest delivery that held it completely, and by the
events since.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import psycopg

    from ingestion.ledger import Load
    from ingestion.loading import Loaded

OVERLAPS = "OVERLAPS_EARLIER_LOAD"


@dataclass(frozen=True)
class Meaning:
    """`mode` is None when undecided; then `message` tells what was found and what a person can choose."""

    mode: Literal["orders", "events"] | None
    message: str | None = None


@dataclass(frozen=True)
class _Overlap:
    orders: int
    old_rows: int
    old_cents: int
    vanished_lines: int
    newer: bool
    names: list[str]


_NEIGHBOURS = """
select load_id, first_date <= %(last)s and last_date >= %(first)s as same_days
from raw.loads
where source = %(source)s and load_id <> %(load)s and status in ('landed', 'approved') and rows_accepted > 0
"""

_SHARED_DAYS = """
with mine as materialized (
    select distinct coalesce(store, '') as store, sale_date
    from raw.sales_lines
    where load_id = %(load)s and sale_date between %(first)s and %(last)s
)
select
    count(distinct (theirs.store, theirs.sale_date)),
    min(theirs.sale_date),
    array_agg(distinct l.delivered_name)
from (
    select distinct o.load_id, coalesce(o.store, '') as store, o.sale_date
    from raw.sales_lines as o
    where o.load_id = any(%(neighbours)s) and o.sale_date between %(first)s and %(last)s
) as theirs
inner join mine on theirs.store = mine.store and theirs.sale_date = mine.sale_date
inner join raw.loads as l on theirs.load_id = l.load_id
"""

# A line is the same line when its number is the same, or, without numbers, its product; amounts may have
# been corrected.
_SHARED_ORDERS = """
with mine as materialized (
    select
        order_key, sale_date, line_type, coalesce('#' || line_number, product_id, product_name) as line,
        count(*) as n
    from raw.sales_lines
    where load_id = %(load)s and order_id is not null and sale_date between %(first)s and %(last)s
    group by 1, 2, 3, 4
),
theirs as materialized (
    select
        o.order_key, o.sale_date, o.line_type,
        coalesce('#' || o.line_number, o.product_id, o.product_name) as line,
        o.net_cents, l.delivery_no, l.mode, l.delivered_name
    from raw.sales_lines as o
    inner join raw.loads as l on o.load_id = l.load_id
    where
        o.load_id = any(%(neighbours)s) and o.order_id is not null
        and o.order_key in (select order_key from mine)
),
complete as (
    select order_key, max(delivery_no) as delivery_no from theirs where mode = 'orders' group by order_key
),
now_current as (
    select theirs.* from theirs left join complete on theirs.order_key = complete.order_key
    where theirs.delivery_no >= coalesce(complete.delivery_no, theirs.delivery_no)
),
lines as (
    select order_key, sale_date, line_type, line, count(*) as n from now_current group by 1, 2, 3, 4
)
select
    (select count(distinct order_key) from now_current),
    (select count(*) from now_current),
    (select coalesce(sum(net_cents), 0)::bigint from now_current),
    (
        select coalesce(sum(greatest(lines.n - coalesce(mine.n, 0), 0)), 0)::bigint
        from lines
        left join mine
            on lines.order_key = mine.order_key and lines.sale_date = mine.sale_date
            and lines.line_type = mine.line_type and lines.line is not distinct from mine.line
    ),
    (select coalesce(bool_or(delivery_no > %(delivery_no)s), false) from now_current),
    (select coalesce(array_agg(distinct delivered_name), '{}') from now_current)
"""


def undeclared_meaning(
    conn: psycopg.Connection[Any], load: Load, loaded: Loaded, *, currency: str | None
) -> Meaning:
    """Compare the rows of `load`, already in raw.sales_lines, with those of its source that count."""
    about = {
        "load": load.load_id,
        "source": load.source,
        "delivery_no": load.delivery_no,
        "first": loaded.first_date,
        "last": loaded.last_date,
    }
    # months just loaded have no statistics: the planner would nest loops, whose cost grows with the square
    conn.execute("set local enable_nestloop = off")
    neighbours = conn.execute(_NEIGHBOURS, about).fetchall()
    if loaded.rows_accepted == 0 or not neighbours:
        return Meaning("events")

    row = conn.execute(_SHARED_ORDERS, {**about, "neighbours": [n[0] for n in neighbours]}).fetchone()
    assert row is not None  # noqa: S101 - an aggregate returns a row
    overlap = _Overlap(*row)
    if overlap.orders:
        if not overlap.vanished_lines and not overlap.newer:
            return Meaning("orders")
        gone = f"{overlap.vanished_lines:,} of their lines do not come back"
        found = (
            f"{overlap.orders:,} of its orders are already in {_names(overlap.names)}, "
            f"{'which is newer' if overlap.newer else f'and {gone}'}"
        )
        return Meaning(None, f"{found}. {_choices(load, loaded, overlap, currency)}")

    same_days = [n[0] for n in neighbours if n[1]]
    if same_days:
        days = conn.execute(_SHARED_DAYS, {**about, "neighbours": same_days}).fetchone()
        if days is not None and days[0]:
            found = (
                f"{days[0]:,} of its days (the first is {days[1]}) already hold rows of the same store "
                f"from {_names(days[2])}"
            )
            return Meaning(None, f"{found}. {_choices(load, loaded, overlap, currency)}")
    return Meaning("events")


def _choices(load: Load, loaded: Loaded, old: _Overlap, currency: str | None) -> str:
    unit = f" {currency}" if currency else ""
    adds = f"adds {loaded.rows_accepted:,} rows"
    replaced = f" and takes {old.old_rows:,} older rows away" if old.old_rows else ""
    return (
        f"`./shopx release {load.load_id} --as orders` (its orders are complete and replace older versions) "
        f"{adds}{replaced}: {_money(loaded.amount_cents - old.old_cents)}{unit}. "
        f"`./shopx release {load.load_id} --as events` (every row is new) "
        f"{adds}: {_money(loaded.amount_cents)}{unit}. `./shopx withdraw {load.load_id}` leaves it out."
    )


def _money(cents: int) -> str:
    return f"{'-' if cents < 0 else '+'}{abs(cents) // 100:,}.{abs(cents) % 100:02d}"


def _names(names: list[str]) -> str:
    first = ", ".join(sorted(names)[:3])
    return first if len(names) <= 3 else f"{first} and {len(names) - 3} more"
