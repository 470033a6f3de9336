"""Everything known about one delivery, one build, or all that waits, as the views for readers tell it.

Put queries for the pages and for `shopx loads N` here. Never words or HTML.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

if TYPE_CHECKING:
    import psycopg

    from warehouse.database import Warehouse

NEWEST_LOADS = 50
NEWEST_BUILDS = 20
MOST_ROWS = 200

_REFUSED = """
select sheet_row, line_number, columns, reasons, messages
from raw.rejected_rows where load_id = %(load)s
order by line_number, sheet_row limit %(most)s
"""
_AUDIT = """
select kind, name, observed, limit_value, passed, message
from ops.audit_results where build_id = %(build)s
order by passed, coalesce(message, '') = 'skipped', kind, name
"""


def load_story(warehouse: Warehouse, load_id: int) -> dict[str, Any] | None:
    """The delivery with its newest checks, choices, decisions and first refused rows; None: no such."""
    with warehouse.connect("loader", autocommit=True) as conn:
        found = _rows(conn, "select * from ops.pipeline_loads where load_id = %(load)s", load=load_id)
        if not found:
            return None
        return {
            "load": found[0],
            "choices": _rows(
                conn, "select * from ops.held_loads where load_id = %(load)s order by choice_number",
                load=load_id,
            ),
            "checks": _rows(
                conn,
                """
                select * from ops.pipeline_checks
                where load_id = %(load)s and gate_run_id is not distinct from (
                    select max(gate_run_id) from ops.gate_results where load_id = %(load)s
                )
                order by passed, severity, reason, column_name
                """,
                load=load_id,
            ),
            "decisions": _rows(
                conn, "select * from ops.pipeline_decisions where load_id = %(load)s order by change_id",
                load=load_id,
            ),
            "reasons": _rows(
                conn,
                "select reason, rows_rejected, example_1 from ops.pipeline_rejects where load_id = %(load)s"
                " order by rows_rejected desc, reason",
                load=load_id,
            ),
            "refused": _rows(conn, _REFUSED, load=load_id, most=MOST_ROWS),
        }  # fmt: skip


def build_story(warehouse: Warehouse, build_id: int) -> dict[str, Any] | None:
    """A build with every check of its audit, the broken ones first; None where there is none."""
    with warehouse.connect("loader", autocommit=True) as conn:
        found = _rows(conn, "select * from ops.pipeline_builds where build_id = %(build)s", build=build_id)
        if not found:
            return None
        checks = _rows(conn, _AUDIT, build=build_id)
        return {"build": found[0], "checks": checks}


def overview(warehouse: Warehouse) -> dict[str, Any]:
    """What waits for a person, the feeds, and the newest deliveries and builds."""
    with warehouse.connect("loader", autocommit=True) as conn:
        return {
            "held": _rows(conn, "select * from ops.held_loads order by held_since, load_id, choice_number"),
            "alerts": _rows(
                conn,
                "select * from ops.pipeline_alerts where is_open and kind <> 'held' order by raised_at desc",
            ),
            "feeds": _rows(conn, "select * from ops.pipeline_health order by feed"),
            "loads": _rows(
                conn,
                "select * from ops.pipeline_loads where status <> 'duplicate' order by load_id desc"
                " limit %(most)s",
                most=NEWEST_LOADS,
            ),
            "runs": _rows(
                conn, "select * from ops.gate_runs order by gate_run_id desc limit %(most)s",
                most=NEWEST_BUILDS,
            ),
            "builds": _rows(
                conn, "select * from ops.pipeline_builds order by build_id desc limit %(most)s",
                most=NEWEST_BUILDS,
            ),
        }  # fmt: skip


def _rows(conn: psycopg.Connection[Any], query: str, **parameters: Any) -> list[dict[str, Any]]:
    return conn.cursor(row_factory=dict_row).execute(query, parameters).fetchall()
