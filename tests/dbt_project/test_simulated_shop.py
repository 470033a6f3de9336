"""A simulated shop from its files to `daily_sales`: every day is what the simulator says of itself."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

from expectations.arrival import run_arrival_gate
from ingestion.contract import own_feeds
from ingestion.landing import land
from ingestion.simulating.feeds import write_contracts
from ingestion.simulating.shop import Shop
from ingestion.simulating.simulation import Simulated, go_on, simulate
from warehouse.database import Warehouse

SHOP = Shop(
    years=1,
    lines=4_000,
    customers_per_year=200,
    products_per_year=40,
    stores=3,
    mess=60_000,
    late=80_000,
    corrections=40_000,
    returns=40_000,
)
SUMS = (
    "orders", "guest_orders", "units", "gross_sales_cents", "discounts_cents", "returns_cents",
    "net_sales_cents",
)  # fmt: skip


def told(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / "truth" / name).open(encoding="utf-8") as source:
        return list(csv.DictReader(source))


def rows(warehouse: Warehouse, query: str) -> list[tuple[Any, ...]]:
    with warehouse.connect("owner") as conn:
        return conn.execute(query).fetchall()


def bring(warehouse: Warehouse, made: Simulated, dbt: Callable[..., Any]) -> None:
    """Land, gate and build what was delivered."""
    landed = land(warehouse, [made.deliveries])
    assert not landed.refused
    report = run_arrival_gate(warehouse, [load.load_id for load in landed.landed])
    assert not report.held
    outcome = dbt("run", "--select", "+daily_sales")
    assert outcome.success, outcome.messages


def assert_days_are_true(warehouse: Warehouse, folder: Path) -> None:
    published = rows(
        warehouse,
        f"select sale_date::text, {', '.join(f'{name}::bigint' for name in SUMS)}"
        " from marts_next.daily_sales order by 1",
    )
    true = [(row["sale_date"], *(int(row[name]) for name in SUMS)) for row in told(folder, "daily.csv")]
    assert published == true
    of_lines = rows(
        warehouse,
        "select sale_date::text, sum(tax_cents)::bigint, sum(cost_cents)::bigint, count(*)"
        " from core.fct_order_lines where counts_as_revenue group by 1 order by 1",
    )
    names = ("tax_cents", "cost_cents", "lines")
    assert of_lines == [
        (row["sale_date"], *(int(row[name]) for name in names)) for row in told(folder, "daily.csv")
    ]


def test_a_year_and_three_messy_weeks_are_true_to_the_cent_and_the_refused_rows_are_those_planted(
    warehouse: Warehouse, dbt: Callable[..., Any], tmp_path: Path
) -> None:
    folder = tmp_path / "shop"
    write_contracts(SHOP, own_feeds())
    bring(warehouse, simulate(folder, SHOP, one_file=True), dbt)
    assert_days_are_true(warehouse, folder)

    bring(warehouse, go_on(folder, days=21, lines_a_day=60), dbt)
    assert_days_are_true(warehouse, folder)
    refused = rows(
        warehouse,
        "select l.delivered_name, r.line_number, array_to_string(r.reasons, ' ')"
        " from raw.rejected_rows as r inner join raw.loads as l on l.load_id = r.load_id",
    )
    planted = told(folder, "planted.csv")
    assert sorted(refused) == sorted((row["file"], int(row["line"]), row["reason"]) for row in planted)
    assert {row["reason"] for row in planted} >= {"DATE_IMPOSSIBLE", "ROW_TOO_SHORT", "AMOUNT_MISMATCH"}
    ledger = rows(
        warehouse,
        "select delivered_name, status = 'duplicate', rows_accepted, rows_rejected, rows_duplicate,"
        " amount_cents from raw.loads",
    )
    assert sorted(ledger) == sorted(
        (
            row["name"],
            bool(row["copy_of"]),
            *(int(row[name]) for name in ("accepted", "rejected", "repeated", "net_cents")),
        )
        for row in told(folder, "files.csv")
    )
    assert any(is_copy for _, is_copy, *_ in ledger)
    modes = dict(rows(warehouse, "select feed, min(mode) from raw.loads where holds = 'sales' group by 1"))
    assert modes == {
        "simulated_sales": "events",
        "simulated_corrections": "orders",
        "simulated_returns": "events",
    }
