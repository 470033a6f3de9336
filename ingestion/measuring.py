"""What a landed delivery amounts to, counted again from the table: its totals in the ledger and its row in
ops.load_metrics, measured values beside their limits.

Put measures of one delivery here. Never judge them: that is the arrival gate's work.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from psycopg import sql

from ingestion.contradictions import contradictions

if TYPE_CHECKING:
    import psycopg

    from ingestion.ledger import Load
    from ingestion.loading import Loaded
    from ingestion.reading import Reading

EARLIEST = date(1970, 1, 1)
FEW_REJECTS = 20  # below this many a share says nothing

_RECOUNT = """
select count(*), coalesce(sum(net_cents), 0)::bigint
from raw.sales_lines
where load_id = %s and sale_date between %s and %s
"""
_MANY_ROWS, _ROW_BYTES = 100_000, 150
_BYTES_OF_MONTHS = """
select sum(pg_relation_size(to_regclass('raw_parts.sales_lines_' || to_char(month, 'YYYYMM'))))::bigint
from generate_series(date_trunc('month', %s::date), %s::date, interval '1 month') as month
"""


def measure(
    conn: psycopg.Connection[Any], load: Load, loaded: Loaded, reading: Reading, *, today: date
) -> None:
    """Write totals and metrics of `load`, whose rows were just sent in this transaction.

    Raises RuntimeError when the table does not hold as many rows as were sent.
    """
    first, last = loaded.first_date or EARLIEST, loaded.last_date or EARLIEST
    entity, facts = reading.contract.entity, dict(reading.facts)
    if entity is None:
        row = _recounted(conn, load.load_id, loaded.rows_accepted, first, last)
    else:
        versions = sql.SQL("select count(*), 0 from {} where load_id = %s")
        row = conn.execute(versions.format(sql.Identifier("raw", entity.name)), [load.load_id]).fetchone()
        if found := contradictions(conn, entity, load.load_id):
            facts["contradictions"] = {"members": found.members, "says": found.says(entity)}
    assert row is not None  # noqa: S101 - an aggregate returns a row
    rows, recounted_cents = row
    if rows != loaded.rows_accepted:
        raise RuntimeError(f"{loaded.rows_accepted} rows of load {load.load_id} were sent, {rows} arrived")
    delivered = loaded.rows_accepted + loaded.rows_rejected + loaded.rows_duplicate
    share = loaded.rows_rejected / delivered if loaded.rows_rejected >= FEW_REJECTS else 0.0
    conn.execute(
        """
        update raw.loads
        set rows_delivered = %s, rows_accepted = %s, rows_rejected = %s, rows_duplicate = %s, rows_gap = %s,
            amount_cents = %s, first_date = %s, last_date = %s, reading = (reading - 'choices') || %s::jsonb
        where load_id = %s
        """,
        [
            delivered, loaded.rows_accepted, loaded.rows_rejected, loaded.rows_duplicate, reading.rows_gap,
            loaded.amount_cents, loaded.first_date, loaded.last_date, json.dumps(facts), load.load_id,
        ],
    )  # fmt: skip
    metrics = {
        "load_id": load.load_id,
        "feed": load.feed,
        "rows_delivered": delivered,
        "rows_accepted": loaded.rows_accepted,
        "rows_rejected": loaded.rows_rejected,
        "reject_share": share,
        "max_reject_share": reading.contract.max_reject_share,
        "missing_order_ids": loaded.missing_order_ids,
        "missing_products": loaded.missing_products,
        "missing_customers": loaded.missing_customers,
        "first_date": loaded.first_date,
        "last_date": loaded.last_date,
        "earliest_allowed_date": reading.contract.gate.earliest_date,
        "latest_allowed_date": today + timedelta(days=reading.contract.gate.days_ahead),
        "amount_cents": loaded.amount_cents,
        "smallest_sale_cents": loaded.smallest_sale_cents,
        "largest_line_cents": loaded.largest_line_cents,
        "return_lines": loaded.return_lines,
        "amount_cents_recounted": recounted_cents,
        "limits": json.dumps(reading.contract.gate.stored()),
    }
    conn.execute(
        sql.SQL("insert into ops.load_metrics ({}) values ({})").format(
            sql.SQL(", ").join(map(sql.Identifier, metrics)),
            sql.SQL(", ").join(map(sql.Placeholder, metrics)),
        ),
        metrics,
    )


def _recounted(
    conn: psycopg.Connection[Any], load_id: int, sent: int, first: date, last: date
) -> tuple[int, int] | None:
    """Rows and cents of the load as they stand in the table.

    The planner knows nothing about rows that have just come and always looks them up by block, twice as dear
    as reading through months that hold little else; such months are told by their size.
    """
    whole = False
    if sent >= _MANY_ROWS:
        size = conn.execute(_BYTES_OF_MONTHS, [first, last]).fetchone()
        whole = size is not None and size[0] is not None and size[0] < 2 * sent * _ROW_BYTES
    if whole:
        conn.execute("set local enable_bitmapscan = off")
    row: tuple[int, int] | None = conn.execute(_RECOUNT, [load_id, first, last]).fetchone()
    if whole:
        conn.execute("set local enable_bitmapscan = default")
    return row
