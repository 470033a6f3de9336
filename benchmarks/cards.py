"""Every card of every dashboard on marts of the size that 10 million lines make.

.venv/bin/python benchmarks/cards.py [KEY ...] [--write]

Marts do not grow with the history: the cube holds 800 days of 80 places and 12 categories, products 400 days
of 2,000 products, buyers 400 days of some 2,200 orders. They are filled with made-up rows of these numbers,
with the keys of their contracts, in a server of its own; each card is asked as the viewer asks it,
comparisons and sparkline included, under three choices of filters, 5 times. Bar: 100 ms for each statement,
300 ms where a year is asked for. It is held against the server's processor time, which a busy machine changes
little; the clock's median stands beside it. With --write the result replaces its section in
benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
import sections
import yaml
from psycopg import sql

from dashboards.answers.page import Page, reading
from dashboards.answers.state import FilterState
from dashboards.spec.loading import load_boards
from dashboards.spec.model import Card
from warehouse.database import Warehouse, open_warehouse
from warehouse.settings import PROJECT_ROOT, Settings

BAR_MS, BAR_OF_A_YEAR_MS = 100.0, 300.0
TURNS = 5
STATES = {
    "28 days": FilterState(),
    "28 days, store and category": FilterState(chosen={"store": ("Store 3",), "category": ("Category 2",)}),
    "12 months": FilterState(period="last_12_months", compare="previous"),
}
FILLED = Path(__file__).with_name("marts_of_10_million_lines.sql")


def make_marts(connection: psycopg.Connection[Any]) -> None:
    """Every mart as its contract declares it, with its key."""
    for file in sorted((PROJECT_ROOT / "dbt_project/models/marts").glob("*.yml")):
        for model in yaml.safe_load(file.read_text()).get("models") or []:
            if not file.with_suffix(".sql").is_file() or not model.get("columns"):
                continue
            columns = [
                sql.SQL("{} {}").format(sql.Identifier(one["name"]), sql.SQL(one["data_type"]))
                for one in model["columns"]
            ]
            keys = [one["columns"] for one in model.get("constraints") or [] if one["type"] == "primary_key"]
            columns += [
                sql.SQL("primary key ({})").format(sql.SQL(", ").join(map(sql.Identifier, key)))
                for key in keys
            ]
            connection.execute(
                sql.SQL("create table marts.{} ({})").format(
                    sql.Identifier(model["name"]), sql.SQL(", ").join(columns)
                )
            )


@contextmanager
def filled_warehouse() -> Iterator[Warehouse]:
    """A warehouse of its own with marts of that size."""
    with (
        tempfile.TemporaryDirectory(prefix="sx-", dir="/tmp") as folder,  # short, for sockets
        open_warehouse(Settings(home=Path(folder) / "home", warehouse_url=None)) as warehouse,
    ):
        with warehouse.connect("owner", autocommit=True) as connection:
            make_marts(connection)
            for statement in FILLED.read_text().split(";\n"):
                if statement.strip():
                    connection.execute(statement.encode())
            connection.execute("vacuum analyze")
        yield warehouse


def median_ms(
    page: Page, card: Card, state: FilterState, backend: psutil.Process
) -> tuple[float, float, int]:
    """Milliseconds of processor time and of the clock of the whole answer, and its number of statements."""
    times = []
    before = sum(backend.cpu_times()[:2])
    for _ in range(TURNS):
        started = time.perf_counter()
        answer = page.answer(card, state)
        times.append((time.perf_counter() - started) * 1000)
    statements = 1 + (answer.compared is not None) + len(answer.changes) + bool(answer.spark)
    busy = (sum(backend.cpu_times()[:2]) - before) / TURNS * 1000
    return busy, statistics.median(times), statements


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("keys", nargs="*", help="of cards; all when none is given")
    parser.add_argument("--write", action="store_true", help="into benchmarks/README.md")
    options = parser.parse_args()
    rows = []
    with (
        filled_warehouse() as warehouse,
        warehouse.connect("reader") as connection,
        reading(connection) as page,
    ):
        machine = sections.machine(warehouse)
        backend = psutil.Process(connection.info.backend_pid)
        for board in load_boards():
            for card in board.cards.values():
                if options.keys and card.key not in options.keys:
                    continue
                for name, state in STATES.items():
                    busy, took, statements = median_ms(page, card, state, backend)
                    year = name == "12 months" or "day" not in card.filters
                    bar = BAR_OF_A_YEAR_MS if year else BAR_MS
                    rows.append((busy / statements, took, statements, board.key, card.key, name, bar))
    rows.sort(reverse=True)
    over = [row for row in rows if row[0] > row[-1]]
    lines = [
        "| slowest | filters | processor ms a statement | ms of the clock in all | bar |",
        "|---|---|---|---|---|",
    ]
    for each, took, statements, board_key, key, name, bar in rows[:15]:
        met = "met" if each <= bar else "**missed**"
        lines.append(
            f"| {board_key}.{key} | {name} | {each:.0f} | {took:.0f} of {statements} | ≤ {bar:.0f}: {met} |"
        )
    quick = sum(row[0] <= 10 for row in rows)
    lines.append(
        f"\n{len(rows)} answers: {len(over)} over their bar, {quick} within 10 ms a statement. {machine}."
    )
    text = "\n".join(lines)
    print(text)
    if options.write:
        sections.write("cards", "Cards of the dashboards", text)


if __name__ == "__main__":
    main()
