"""Loading a sound CSV side by side: psql's raw `\\copy`, shopx, pandas with COPY, and dlt with Arrow.

    .venv/bin/python benchmarks/load_csv.py [--rows 1000000 10000000] [--repetitions 5] [--write]

All go to the same embedded server, started for this run in a folder of its own, and take turns, so that
what else the machine does meets all of them. `\\copy` fills an all-text heap and checks nothing; `shopx`
archives, parses, validates, loads and counts again. Each turn of a tool is a process of its own; it loads a
file of 3,000 rows first, which is not counted, because the process that takes deliveries is up before they
come. The bars are about this second load; what the very first one of a process costs is measured beside it.
From five million rows on there is one turn. dlt is installed into an environment for this run; where that
is not possible it is not measured. Bars: `shopx` at most 2.0 times `\\copy`, at least 5 times faster than
dlt, at most 400 MB at any size. With --write the result replaces its section in benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import sections
from psycopg import sql

from warehouse import embedded, places
from warehouse.database import Warehouse, open_warehouse
from warehouse.settings import Settings

RATIO_BAR = 2.0
DLT_BAR = 5.0
MEMORY_BAR_MB = 400
ONE_TURN_FROM = 5_000_000
SMALL_ROWS = 3_000
TODAY = dt.date(2027, 1, 1)
RIVALS = Path(__file__).with_name("rivals.py")
COLUMNS = (
    "order_id,line,date,customer_id,product_id,product_name,category,quantity,unit_price,amount,"
    "store,region,channel"
)


def make_file(path: Path, rows: int) -> None:
    """The same bytes each time: orders of three lines of 2025, about 105 bytes a line."""
    rng = random.Random(3)  # noqa: S311 - sample data
    moment, order, customer, number = dt.datetime(2025, 1, 1, 8), 100_000, 0, 0
    with path.open("w", encoding="ascii") as out:
        out.write(COLUMNS + "\n")
        for i in range(rows):
            if i % 3 == 0:
                order, number, customer = order + 1, 0, rng.randint(1, 50_000)
                moment += dt.timedelta(seconds=rng.randint(20, 170) * 1_000_000 / max(rows, 1_000_000))
            number += 1
            pieces, price, product = rng.randint(1, 9), rng.randint(99, 9999), rng.randint(1, 2000)
            total = pieces * price
            out.write(
                f"{order},{number},{moment:%Y-%m-%d %H:%M:%S},C{customer:05d},P{product:04d},"
                f"Product number {product},Category {product % 12},{pieces},{price // 100}.{price % 100:02d},"
                f"{total // 100}.{total % 100:02d},Store {product % 5},North,web\n"
            )


def empty(warehouse: Warehouse) -> None:
    """As if nothing had been delivered."""
    with warehouse.connect("owner", autocommit=True) as conn:
        conn.execute("truncate raw.loads, raw.sales_lines cascade")
    shutil.rmtree(warehouse.settings.archive, ignore_errors=True)


def load_once(path: Path, *, before: Path | None) -> dict[str, float]:
    """In the loading process: land the file, after another one if that is given; seconds, CPU seconds and
    peak MB of this process."""
    # imported here, so that the start of the process is reported apart
    import duckdb  # noqa: F401, PLC0415
    import pgpq  # noqa: F401, PLC0415
    import pyarrow  # noqa: F401, PLC0415

    from ingestion.landing import land  # noqa: PLC0415

    with open_warehouse() as warehouse:
        empty(warehouse)
        if before is not None:
            land(warehouse, [before], today=TODAY)
            empty(warehouse)
        started, cpu = time.perf_counter(), time.process_time()
        result = land(warehouse, [path], today=TODAY)
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    (landed,) = result.landed
    assert landed.status == "landed", landed
    assert landed.rows_rejected == 0, landed
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"seconds": seconds, "cpu": cpu, "peak_mb": peak_kb / 1024, "rows": landed.rows_accepted}


def shopx(warehouse: Warehouse, path: Path, *, before: Path | None) -> dict[str, float]:
    """Land the file in a process of its own, into an empty ledger, after `before` if that is given."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, __file__, "--load", str(path), *(["--before", str(before)] if before else [])],
        env={**os.environ, **warehouse.environment(), "SHOPX_CURRENCY": "EUR"},
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return {**found, "process_seconds": time.perf_counter() - started}


def raw_copy(warehouse: Warehouse, psql: Path, path: Path) -> float:
    """Seconds psql takes for `\\copy` into a new all-text heap."""
    columns = sql.SQL(", ").join(
        sql.SQL("{} text").format(sql.Identifier(name)) for name in COLUMNS.split(",")
    )
    with warehouse.connect("owner", autocommit=True) as conn:
        conn.execute("drop table if exists staging.plain_text")
        conn.execute(sql.SQL("create table staging.plain_text ({})").format(columns))
    address = warehouse.address
    started = time.perf_counter()
    subprocess.run(
        [
            psql, "--no-psqlrc", "--quiet", "-h", address.socket_dir or address.host, "-p", str(address.port),
            "-U", "shopx_owner", "-d", address.database,
            "-c", f"\\copy staging.plain_text from '{path}' with (format csv, header)",
        ],
        env={"PGPASSWORD": warehouse.passwords["owner"]},
        check=True,
    )  # fmt: skip
    return time.perf_counter() - started


def dlt_python(folder: Path) -> Path | None:
    """An interpreter with dlt in an environment of its own, or None where it cannot be installed."""
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
    if uv is None:
        return None
    python = folder / "dlt" / "bin" / "python"
    try:
        for command in (
            [uv, "venv", "--quiet", folder / "dlt"],
            [uv, "pip", "install", "--quiet", "--python", python, "dlt[postgres]", "pyarrow"],
        ):
            subprocess.run(command, check=True, timeout=300, capture_output=True)
    except (subprocess.SubprocessError, OSError):
        return None
    return python


def rival(name: str, python: Path, warehouse: Warehouse, path: Path, *, before: Path) -> dict[str, float]:
    """Seconds and peak MB of rivals.py in a process of its own, its imports and its load of `before` not
    counted."""
    done = subprocess.run(
        [python, RIVALS, name, path, before],
        env={
            **os.environ,
            "BENCH_DSN": warehouse.url("owner", driver="postgresql"),
            "HOME": str(path.parent / "home-of-dlt"),
            "RUNTIME__DLTHUB_TELEMETRY": "false",
        },
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


@dataclass
class Measured:
    """The turns of one file size: seconds of `\\copy`, and seconds and peak MB of the others."""

    rows: int
    megabytes: float
    copies: list[float] = field(default_factory=list)
    loads: list[dict[str, float]] = field(default_factory=list)
    first_loads: list[dict[str, float]] = field(default_factory=list)
    pandas: list[dict[str, float]] = field(default_factory=list)
    dlt: list[dict[str, float]] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The table rows of this size."""
        seconds = [load["seconds"] for load in self.loads]
        ratios = [load / copy for load, copy in zip(seconds, self.copies, strict=True)]
        size = f"{self.rows:,} rows, {self.megabytes:,.0f} MB, turns: {len(self.copies)}"
        ratio = statistics.median(ratios)
        peak = max(load["peak_mb"] for load in self.loads)
        found = [
            _line(f"**{size}**: `psql \\copy` into an all-text heap", self.copies),
            _line("`shopx`: archive, parse, validate, load, recount", seconds),
            f"| its own CPU seconds | {statistics.median(load['cpu'] for load in self.loads):.2f} s | | |",
            _line(
                "the same as the very first load of a process", [one["seconds"] for one in self.first_loads]
            ),
            f"| its ratio, turn by turn | **{ratio:.2f}** | {max(ratios):.2f} | {_bar(ratio, RATIO_BAR)} |",
            f"| its peak memory, MB | **{peak:.0f}** | | {_bar(peak, MEMORY_BAR_MB)} |",
            f"| its rows per second | {self.rows / statistics.median(seconds):,.0f} | | |",
            _line("pandas + COPY, typed, nothing validated", [one["seconds"] for one in self.pandas]),
        ]
        if not self.dlt:
            return [*found, "| dlt | not measured: could not be installed | | |"]
        times = [other["seconds"] / load for other, load in zip(self.dlt, seconds, strict=True)]
        faster = statistics.median(times)
        met = "met" if faster >= DLT_BAR else "**missed**"
        return [
            *found,
            _line("dlt, Arrow tables, loaded as CSV", [one["seconds"] for one in self.dlt]),
            f"| `shopx` is faster than dlt, times | **{faster:.1f}** | {min(times):.1f} "
            f"| ≥ {DLT_BAR:g}: {met} |",
        ]


def _line(what: str, seconds: list[float]) -> str:
    return f"| {what} | {statistics.median(seconds):.2f} s | {max(seconds):.2f} s | |"


def _bar(found: float, bar: float) -> str:
    return f"≤ {bar:g}: {'met' if found <= bar else '**missed**'}"


def measure(sizes: list[int], repetitions: int) -> str:
    """Run all of them in turn; the section for the README."""
    with tempfile.TemporaryDirectory(prefix="sx-bench-") as name:
        folder = Path(name)
        settings = Settings(home=folder / "home", warehouse_url=None)
        place = places.place_of(settings)
        python = dlt_python(folder)
        lines = ["| | median | worst | bar |", "|---|---|---|---|"]
        try:
            with open_warehouse(settings) as warehouse:
                psql = places.binaries(place) / "psql"
                # dlt makes its schemas itself
                with warehouse.connect("owner", autocommit=True) as conn:
                    conn.execute("set client_min_messages = warning")
                small = folder / "small.csv"
                make_file(small, SMALL_ROWS)
                for rows in sizes:
                    path = folder / f"sales_{rows}.csv"
                    make_file(path, rows)
                    found = Measured(rows, path.stat().st_size / 1e6)
                    for _ in range(repetitions if rows < ONE_TURN_FROM else 1):
                        found.copies.append(raw_copy(warehouse, psql, path))
                        found.loads.append(shopx(warehouse, path, before=small))
                        found.first_loads.append(shopx(warehouse, path, before=None))
                        found.pandas.append(
                            rival("pandas", Path(sys.executable), warehouse, path, before=small)
                        )
                        if python is not None:
                            found.dlt.append(rival("dlt", python, warehouse, path, before=small))
                        print(f"turn of {rows:,}: {found}", file=sys.stderr)
                    lines += found.lines()
                    path.unlink()
                about = sections.machine(warehouse)
        finally:
            embedded.stop_now(settings)
            shutil.rmtree(place.data, ignore_errors=True)
            shutil.rmtree(place.socket_dir, ignore_errors=True)
    command = "`.venv/bin/python benchmarks/load_csv.py --write`"
    counted = (
        "Not counted, for any of them but `psql`: starting Python, importing, joining the server, and the "
        f"load of {SMALL_ROWS:,} rows before, after which the process is as it is when a delivery comes."
    )
    return "\n".join([f"{about}. {counted} Command: {command}.", "", *lines])


def main() -> None:
    """Measure, or (with --load) be the process that is measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="write the section in benchmarks/README.md")
    parser.add_argument("--load", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--before", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.load is not None:
        print(json.dumps(load_once(options.load, before=options.before)))
        return
    text = measure(options.rows, options.repetitions)
    print(text)
    if options.write:
        sections.write("load_csv", "Loading a sound CSV", text)


if __name__ == "__main__":
    main()
