"""Writing what was found: all rows of a table replaced in one transaction of one build.

Put here: how a table of core is replaced. Never here: what is in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql


@dataclass(frozen=True)
class SeriesRow:
    """A row of core.revenue_forecast_series."""

    series: str
    series_key: int
    as_of: Any
    whole_weeks: int
    why_missing: str | None = None
    method: str | None = None
    baseline_method: str | None = None
    wape_pct: float | None = None
    baseline_wape_pct: float | None = None
    bias_pct: float | None = None
    mase: float | None = None
    coverage_pct: float | None = None
    backtests: int | None = None


@dataclass(frozen=True)
class WeekRow:
    """A row of core.revenue_forecast_weeks."""

    series: str
    series_key: int
    week_start_date: Any
    weeks_ahead: int
    estimate_cents: int | None
    low_cents: int | None
    high_cents: int | None


@dataclass(frozen=True)
class FlagRow:
    """A row of core.sales_anomaly_flags."""

    sale_date: Any
    subject: str
    subject_key: int
    as_of: Any
    direction: str
    seen_cents: int
    expected_cents: int | None
    low_cents: int | None
    high_cents: int | None
    score: float
    reason: str
    cause: str
    cause_detail: str
    load_id: int | None


TABLES: dict[str, type[Any]] = {
    "revenue_forecast_series": SeriesRow,
    "revenue_forecast_weeks": WeekRow,
    "sales_anomaly_flags": FlagRow,
}


def replace_rows(
    connection: psycopg.Connection[Any], *, build_id: int, table: str, rows: Sequence[Any]
) -> None:
    """Replace all rows of core.`table` and note it as made by the build, within the caller's transaction.

    Raises psycopg.errors.RaiseException where the build is not open any more: another run has opened its own.
    """
    connection.execute("select ops.assert_build(%s)", [build_id])
    target = sql.Identifier("core", table)
    columns = [field.name for field in fields(TABLES[table])]
    connection.execute(sql.SQL("delete from {}").format(target))
    with (
        connection.cursor() as cursor,
        cursor.copy(
            sql.SQL("copy {} ({}) from stdin").format(
                target, sql.SQL(", ").join(map(sql.Identifier, columns))
            )
        ) as copy,
    ):
        for row in rows:
            copy.write_row(astuple(row))
    connection.execute(
        """
        insert into ops.model_builds (build_id, model, checksum, is_whole) values (%s, %s, %s, true)
        on conflict (build_id, model) do update set built_at = clock_timestamp(), checksum = excluded.checksum
        """,
        [build_id, table, _checksum()],
    )


def _checksum() -> str:
    """Of the code of this folder, so that a new version can be told from new data."""
    digest = sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
