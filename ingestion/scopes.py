"""The days a delivery is complete for: raw.load_scopes.

Put here what notes and reads them. A fetched delivery's window is noted when it is entered (ledger.py);
without one it is first to last day per store, as its rows say.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg


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
