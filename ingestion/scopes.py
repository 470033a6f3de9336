"""The days a delivery is complete for: raw.load_scopes.

Put here what notes and reads them. A fetched delivery's window is noted when it is entered (ledger.py);
without one it is first to last day per store, as its rows say.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

    from ingestion.ledger import Load


def note_days_of_rows(conn: psycopg.Connection[Any], load_id: int) -> None:
    """Note first to last day per store as what the load is complete for, unless its window was declared.

    A load without rows is then complete for nothing.
    """
    conn.execute(
        """
        insert into raw.load_scopes (load_id, store, first_date, last_date)
        select r.load_id, coalesce(r.store, ''), min(r.sale_date), max(r.sale_date)
        from raw.sales_lines as r
        inner join raw.loads as l on r.load_id = l.load_id
        where
            r.load_id = %(load)s and r.sale_date between l.first_date and l.last_date
            and not exists (select from raw.load_scopes as s where s.load_id = %(load)s)
        group by r.load_id, coalesce(r.store, '')
        """,
        {"load": load_id},
    )


def note_days_beyond(conn: psycopg.Connection[Any], load: Load) -> tuple[int, date] | None:
    """A fetched delivery may hold rows of days that were not asked for: it is complete for those as well, or
    the next one that brings them again would count them twice.

    Returns how many of these days hold fewer rows than are current, and the first of them; None where no
    day does. A source that ignores the days it is asked for gives all it has; one that cuts days elsewhere
    gives a part of a day.
    """
    row = conn.execute(
        """
        with mine as (
            select coalesce(r.store, '') as store, r.sale_date, count(*) as n
            from raw.sales_lines as r
            inner join raw.loads as l on r.load_id = l.load_id
            where r.load_id = %(load)s and r.sale_date between l.first_date and l.last_date
            group by coalesce(r.store, ''), r.sale_date
        ),
        beyond as (
            select mine.*
            from mine
            where
                exists (select from raw.load_scopes as s where s.load_id = %(load)s and s.store is null)
                and not exists (
                    select from raw.load_scopes as s
                    where s.load_id = %(load)s and mine.sale_date between s.first_date and s.last_date
                )
        ),
        noted as (
            insert into raw.load_scopes (load_id, store, first_date, last_date)
            select %(load)s, store, sale_date, sale_date from beyond
        ),
        others as (
            select array_agg(load_id) as loads, array_agg(mode) as modes
            from raw.loads
            where
                source = %(source)s and load_id <> %(load)s and delivery_no < %(delivery_no)s
                and status in ('landed', 'approved') and mode is not null
        ),
        days as (select min(sale_date) as first_day, max(sale_date) as last_day from beyond),
        now_current as (
            select coalesce(c.store, '') as store, c.sale_date, count(*) as n
            from others
            cross join days
            cross join lateral
                raw.current_lines(others.loads, others.modes, days.first_day, days.last_day) as c
            where days.first_day is not null and others.loads is not null
            group by coalesce(c.store, ''), c.sale_date
        )
        select count(*), min(beyond.sale_date)
        from beyond
        inner join now_current as had on beyond.store = had.store and beyond.sale_date = had.sale_date
        where beyond.n < had.n
        """,
        {"load": load.load_id, "source": load.source, "delivery_no": load.delivery_no},
    ).fetchone()
    return None if row is None or not row[0] else (row[0], row[1])


def span_of(conn: psycopg.Connection[Any], load_id: int) -> tuple[date, date] | None:
    """First and last day the load is complete for in any store, or None."""
    row = conn.execute(
        "select min(first_date), max(last_date) from raw.load_scopes where load_id = %s", [load_id]
    ).fetchone()
    return None if row is None or row[0] is None else (row[0], row[1])


def archived_months(conn: psycopg.Connection[Any]) -> frozenset[date]:
    """First days of the months whose rows were dropped: a delivery that touches one cannot be folded.

    No month is ever dropped yet.
    """
    return frozenset()
