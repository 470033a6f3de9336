"""What a delivery shares with the rows of its source that are current: measured in SQL, judged nowhere here.

Put queries over the rows of one landed delivery beside those of its source here. Never a verdict
(meaning.py), never a change. The rows it is compared with are those that would be current without it;
months that were just loaded have no statistics, so nested loops are switched off: their cost grows with the
square.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from psycopg.rows import class_row

from ingestion.planning import joined_by_hashing

if TYPE_CHECKING:
    import psycopg

    from ingestion.ledger import Load

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(9999, 12, 31)


@dataclass(frozen=True)
class Neighbours:
    """The loads of the same source that count, or will once the gate has seen them."""

    load_ids: list[int]
    modes: list[str]
    first_dates: list[date]
    last_dates: list[date]

    def __bool__(self) -> bool:
        return bool(self.load_ids)

    def meet(self, first: date, last: date) -> bool:
        """Whether one of them has rows between these days."""
        spans = zip(self.first_dates, self.last_dates, strict=True)
        return any(start <= last and end >= first for start, end in spans)


@dataclass(frozen=True)
class SharedOrders:
    """Orders of the delivery that are there already. `old_`: what is current of them, `new_`: what it brings.

    `vanished_lines`: old lines that do not come back on their day (the same number, or without numbers the
    same product; amounts may have been corrected). `moved_orders`: a sale stands on a day where the order
    had none. `strangers`: no product in common. Both leave out returns. `only_returns_elsewhere`: all it
    brings for them is returns on days on which they had no line. `newer`: a later delivery holds one.
    """

    orders: int
    old_rows: int
    old_cents: int
    new_rows: int
    new_cents: int
    vanished_lines: int
    moved_orders: int
    strangers: int
    only_returns_elsewhere: bool
    newer: bool
    first_date: date | None
    last_date: date | None
    names: list[str]


@dataclass(frozen=True)
class SharedDays:
    """Days of a store on which both have rows.

    `without_ids`: current rows on them that name no order; `reappearing`: how many of those come back
    equal; `old_with_ids`: current rows that name one; `new_without_ids`, `new_orders`: what the delivery
    brings on them, rows without an order and orders that are not there yet.
    """

    days: int
    first_day: date | None
    last_date: date | None
    without_ids: int
    reappearing: int
    old_with_ids: int
    new_without_ids: int
    new_orders: int
    names: list[str]


@dataclass(frozen=True)
class Sums:
    """Rows and their money, in minor units."""

    rows: int
    cents: int


_NEIGHBOURS = """
select
    coalesce(array_agg(load_id order by load_id), '{}') as load_ids,
    coalesce(array_agg(mode order by load_id), '{}') as modes,
    coalesce(array_agg(first_date order by load_id), '{}') as first_dates,
    coalesce(array_agg(last_date order by load_id), '{}') as last_dates
from raw.loads
where
    source = %(source)s and load_id <> %(load)s and status in ('landed', 'approved') and mode is not null
    and holds = 'sales'
    and rows_accepted > 0
"""

_MINE = """
mine as materialized (
    select *, coalesce(store, '') as shop, coalesce('#' || line_number, product_id, product_name) as line
    from raw.sales_lines
    where load_id = %(load)s and sale_date between %(first)s and %(last)s
)"""

# any row of the neighbours with one of these orders, current or not: cheap, and mostly there is none
_MEETS_ORDERS = f"""
with {_MINE}
select exists (
    select from raw.sales_lines as o
    where
        o.load_id = any(%(loads)s) and o.order_id is not null
        and o.order_key in (select order_key from mine where order_id is not null)
)
"""  # noqa: S608

_SHARED_ORDERS = f"""
with {_MINE},
theirs as materialized (
    select
        o.*, coalesce('#' || o.line_number, o.product_id, o.product_name) as line, l.delivery_no,
        l.delivered_name
    from raw.current_lines(%(loads)s, %(modes)s, %(first_day)s, %(last_day)s) as o
    inner join raw.loads as l on o.load_id = l.load_id
    where o.order_id is not null and o.order_key in (select order_key from mine where order_id is not null)
),
new as materialized (
    select * from mine where order_id is not null and order_key in (select order_key from theirs)
),
old_lines as (
    select order_key, sale_date, line_type, line, count(*) as n from theirs group by 1, 2, 3, 4
),
new_lines as (
    select order_key, sale_date, line_type, line, count(*) as n from new group by 1, 2, 3, 4
),
sold as (
    select order_key
    from new where line_type = 'sale' intersect select order_key from theirs where line_type = 'sale'
),
new_days as (
    select distinct order_key, sale_date
    from new where line_type = 'sale' and order_key in (select order_key from sold)
),
old_days as (select distinct order_key, sale_date from theirs where line_type = 'sale'),
known as (
    select distinct new.order_key
    from new
    inner join theirs
        on new.order_key = theirs.order_key
        and coalesce(new.product_id, new.product_name) = coalesce(theirs.product_id, theirs.product_name)
    where new.line_type = 'sale' and theirs.line_type = 'sale'
)
select
    (select count(distinct order_key) from theirs) as orders,
    (select count(*) from theirs) as old_rows,
    (select coalesce(sum(net_cents), 0)::bigint from theirs) as old_cents,
    (select count(*) from new) as new_rows,
    (select coalesce(sum(net_cents), 0)::bigint from new) as new_cents,
    (
        select coalesce(sum(greatest(old_lines.n - coalesce(new_lines.n, 0), 0)), 0)::bigint
        from old_lines
        left join new_lines
            on old_lines.order_key = new_lines.order_key and old_lines.sale_date = new_lines.sale_date
            and old_lines.line_type = new_lines.line_type
            and old_lines.line is not distinct from new_lines.line
    ) as vanished_lines,
    (
        select count(distinct new_days.order_key)
        from new_days
        left join old_days
            on new_days.order_key = old_days.order_key and new_days.sale_date = old_days.sale_date
        where old_days.order_key is null
    ) as moved_orders,
    (
        select count(distinct sold.order_key)
        from sold left join known on sold.order_key = known.order_key where known.order_key is null
    ) as strangers,
    (
        select count(*) > 0 and bool_and(new.line_type = 'return' and days.order_key is null)
        from new
        left join (select distinct order_key, sale_date from theirs) as days
            on new.order_key = days.order_key and new.sale_date = days.sale_date
    ) as only_returns_elsewhere,
    (select coalesce(bool_or(delivery_no > %(delivery_no)s), false) from theirs) as newer,
    (select min(sale_date) from theirs) as first_date,
    (select max(sale_date) from theirs) as last_date,
    (select coalesce(array_agg(distinct delivered_name), '{{}}') from theirs) as names
"""  # noqa: S608

_SHARED_DAYS = f"""
with {_MINE},
my_days as (select distinct shop, sale_date from mine),
theirs as materialized (
    select o.*, my_days.shop, l.delivered_name
    from raw.current_lines(%(loads)s, %(modes)s, %(first)s, %(last)s) as o
    inner join my_days on coalesce(o.store, '') = my_days.shop and o.sale_date = my_days.sale_date
    inner join raw.loads as l on o.load_id = l.load_id
),
their_days as (select distinct shop, sale_date from theirs),
new as materialized (
    select mine.* from mine
    inner join their_days on mine.shop = their_days.shop and mine.sale_date = their_days.sale_date
),
old_lines as (
    select
        shop, sale_date, concat_ws(
            chr(31), line_type, extract(epoch from sold_at), '/', product_id, '/', product_name, '/',
            customer_id, '/', quantity_thousandths, gross_cents, discount_cents, net_cents
        ) as line, count(*) as n
    from theirs where order_id is null group by 1, 2, 3
),
new_lines as (
    select
        shop, sale_date, concat_ws(
            chr(31), line_type, extract(epoch from sold_at), '/', product_id, '/', product_name, '/',
            customer_id, '/', quantity_thousandths, gross_cents, discount_cents, net_cents
        ) as line, count(*) as n
    from new where order_id is null group by 1, 2, 3
)
select
    (select count(*) from their_days) as days,
    (select min(sale_date) from their_days) as first_day,
    (
        select max(l.last_date) from raw.loads as l where l.load_id in (select load_id from theirs)
    ) as last_date,
    (select coalesce(sum(n), 0)::bigint from old_lines) as without_ids,
    (
        select coalesce(sum(least(old_lines.n, new_lines.n)), 0)::bigint
        from old_lines inner join new_lines using (shop, sale_date, line)
    ) as reappearing,
    (select count(*) from theirs where order_id is not null) as old_with_ids,
    (select count(*) from new where order_id is null) as new_without_ids,
    (
        select count(distinct new.order_key)
        from new
        left join (
            select distinct o.order_key from raw.sales_lines as o
            where
                o.load_id = any(%(loads)s) and o.order_id is not null
                and o.order_key in (select order_key from mine where order_id is not null)
        ) as known on new.order_key = known.order_key
        where new.order_id is not null and known.order_key is null
    ) as new_orders,
    (select coalesce(array_agg(distinct delivered_name), '{{}}') from theirs) as names
"""  # noqa: S608

_IN_SCOPE = """
select count(*) as rows, coalesce(sum(o.net_cents), 0)::bigint as cents
from raw.current_lines(%(loads)s, %(modes)s, %(first)s, %(last)s) as o
inner join raw.loads as l on o.load_id = l.load_id
where
    l.delivery_no < %(delivery_no)s
    and exists (
        select from raw.load_scopes as s
        where
            s.load_id = %(load)s and o.sale_date between s.first_date and s.last_date
            and (s.store is null or s.store = coalesce(o.store, ''))
    )
"""

_LINES_ELSEWHERE = f"""
with {_MINE},
moving as (
    select * from mine where order_id is not null and line_number is null and line_type = 'sale'
)
select count(distinct o.order_key), min(o.sale_date), coalesce(array_agg(distinct l.delivered_name), '{{}}')
from raw.current_lines(%(loads)s, %(modes)s, %(first_day)s, %(last_day)s) as o
inner join raw.loads as l on o.load_id = l.load_id
inner join moving
    on o.order_key = moving.order_key and o.net_cents = moving.net_cents
    and o.quantity_thousandths = moving.quantity_thousandths
    and coalesce(o.product_id, o.product_name) = coalesce(moving.product_id, moving.product_name)
where
    o.order_id is not null and o.line_number is null and o.line_type = 'sale'
    and o.sale_date <> moving.sale_date
    and not exists (
        select from raw.load_scopes as s
        where
            s.load_id = %(load)s and o.sale_date between s.first_date and s.last_date
            and (s.store is null or s.store = coalesce(o.store, ''))
    )
"""  # noqa: S608

_SHARED_LINES = f"""
with {_MINE},
theirs as materialized (
    select o.order_key, o.line_number, o.net_cents
    from raw.current_lines(%(loads)s, %(modes)s, %(first_day)s, %(last_day)s) as o
    inner join raw.loads as l on o.load_id = l.load_id
    where
        l.delivery_no < %(delivery_no)s and o.order_id is not null and o.line_number is not null
        and (o.order_key, o.line_number) in (
            select order_key, line_number from mine where order_id is not null
        )
)
select
    (select count(*) from theirs),
    (select coalesce(sum(net_cents), 0)::bigint from theirs),
    (select count(*) from mine where (order_key, line_number) in (select order_key, line_number from theirs)),
    (
        select coalesce(sum(net_cents), 0)::bigint from mine
        where (order_key, line_number) in (select order_key, line_number from theirs)
    )
"""  # noqa: S608


_INCOMPLETE = """
with mine as materialized (
    select distinct r.order_key
    from raw.sales_lines as r
    inner join raw.loads as l on r.load_id = l.load_id
    where r.load_id = %(load)s and r.sale_date between l.first_date and l.last_date
        and r.order_key = any(%(orders)s) and r.order_id is not null
),
others as materialized (
    select n.load_id
    from raw.loads as l
    inner join raw.loads as n on n.source = l.source and n.load_id <> l.load_id
    where l.load_id = %(load)s and n.status in ('landed', 'approved') and n.holds = 'sales'
)
select coalesce(array_agg(distinct theirs.order_key), '{}')
from raw.sales_lines as theirs
where theirs.order_key in (select order_key from mine) and theirs.load_id in (select load_id from others)
"""


def incomplete_orders(
    conn: psycopg.Connection[Any], load_id: int, refused_orders: set[int]
) -> frozenset[int]:
    """Those of `refused_orders`, keys of orders with a rejected row, of which other rows were accepted
    though an older version of the order is there: half a new version would replace a whole old one."""
    if not refused_orders:
        return frozenset()
    with joined_by_hashing(conn):
        row = conn.execute(_INCOMPLETE, {"load": load_id, "orders": sorted(refused_orders)}).fetchone()
    return frozenset(row[0] if row else ())


_REPLACERS = """
select
    array_agg(load_id order by load_id), array_agg(mode order by load_id),
    bool_or(delivery_no > %(delivery_no)s and mode in ('days', 'orders', 'lines'))
from raw.loads
where source = %(source)s and status in ('landed', 'approved') and mode is not null and holds = 'sales'
"""


def is_diminished(conn: psycopg.Connection[Any], load: Load) -> bool:
    """Whether a later delivery has replaced any row of this one, so that its bytes say something new again.

    Only of loads that count; the rows of a `match` delivery are never all its own.
    """
    counts = load.status in ("landed", "approved") and load.holds == "sales"
    if not counts or load.mode == "match" or not load.rows_accepted:
        return False
    row = conn.execute(_REPLACERS, {"source": load.source, "delivery_no": load.delivery_no}).fetchone()
    loads, modes, replaceable = row or ([], [], False)
    if not replaceable:
        return False
    with joined_by_hashing(conn):
        current = conn.execute(
            """
            select count(*)
            from raw.current_lines(
                %(loads)s, %(modes)s,
                (select first_date from raw.loads where load_id = %(load)s),
                (select last_date from raw.loads where load_id = %(load)s)
            ) as r
            where r.load_id = %(load)s
            """,
            {"loads": loads, "modes": modes, "load": load.load_id},
        ).fetchone()
    return current is None or current[0] < load.rows_accepted


class Comparison:
    """One landed delivery beside its source. Every method reads; `first` and `last` are its own days."""

    def __init__(
        self, conn: psycopg.Connection[Any], load: Load, *, first: date | None, last: date | None
    ) -> None:
        self._conn = conn
        conn.execute("set local enable_nestloop = off")
        self.first, self.last = first, last
        about = {"load": load.load_id, "source": load.source}
        with conn.cursor(row_factory=class_row(Neighbours)) as cursor:
            found = cursor.execute(_NEIGHBOURS, about).fetchone()
        assert found is not None  # noqa: S101 - an aggregate returns a row
        self.neighbours = found
        self._about = about | {
            "delivery_no": load.delivery_no,
            "first": first or LAST_DAY,
            "last": last or FIRST_DAY,
            "loads": found.load_ids,
            "modes": found.modes,
            "first_day": min(found.first_dates, default=FIRST_DAY),
            "last_day": max(found.last_dates, default=LAST_DAY),
        }

    @property
    def whole(self) -> dict[str, Any]:
        """The neighbours and all days of theirs and of the delivery, as raw.current_lines takes them."""
        days = [day for day in (self.first, self.last) if day is not None]
        neighbours = self.neighbours
        return {
            "loads": neighbours.load_ids,
            "modes": neighbours.modes,
            "first": min([*neighbours.first_dates, *days], default=FIRST_DAY),
            "last": max([*neighbours.last_dates, *days], default=LAST_DAY),
        }

    def shared_orders(self) -> SharedOrders | None:
        """None where it shares no order."""
        if not self.neighbours or not self._one(_MEETS_ORDERS)[0]:
            return None
        with self._conn.cursor(row_factory=class_row(SharedOrders)) as cursor:
            found = cursor.execute(_SHARED_ORDERS, self._about).fetchone()
        return found if found is not None and found.orders else None

    def shared_days(self) -> SharedDays | None:
        """None where no day of a store holds rows of both."""
        if self.first is None or self.last is None or not self.neighbours.meet(self.first, self.last):
            return None
        with self._conn.cursor(row_factory=class_row(SharedDays)) as cursor:
            found = cursor.execute(_SHARED_DAYS, self._about).fetchone()
        return found if found is not None and found.days else None

    def in_scope(self, scopes: tuple[date, date] | None) -> Sums:
        """What is current in the days that the delivery is complete for, and came before it."""
        if scopes is None or not self.neighbours.meet(*scopes):
            return Sums(0, 0)
        about = self._about | {"first": scopes[0], "last": scopes[1]}
        with self._conn.cursor(row_factory=class_row(Sums)) as cursor:
            found = cursor.execute(_IN_SCOPE, about).fetchone()
        return found or Sums(0, 0)

    def lines_elsewhere(self) -> tuple[int, date | None, list[str]]:
        """Orders without line numbers of which equal lines are current on a day it does not cover; the
        first such day; the deliveries they are in."""
        if not self.neighbours or not self._one(_MEETS_ORDERS)[0]:
            return 0, None, []
        orders, day, names = self._one(_LINES_ELSEWHERE)
        return orders, day, names

    def shared_lines(self) -> tuple[Sums, Sums]:
        """The current lines whose keys come again, and what the delivery brings for them."""
        if not self.neighbours or not self._one(_MEETS_ORDERS)[0]:
            return Sums(0, 0), Sums(0, 0)
        old_rows, old_cents, new_rows, new_cents = self._one(_SHARED_LINES)
        return Sums(old_rows, old_cents), Sums(new_rows, new_cents)

    def _one(self, query: str) -> tuple[Any, ...]:
        row = self._conn.execute(query, self._about).fetchone()
        assert row is not None  # noqa: S101 - each of these returns a row
        return tuple(row)
