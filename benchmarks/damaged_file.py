"""Loading damaged files of a million rows: one row in a hundred, and every row.

    .venv/bin/python benchmarks/damaged_file.py [--rows 1000000] [--repetitions 3] [--write]

The file is that of load_csv.py with five kinds of damage in turn: a quote that is never closed, a delimiter
too many, a row cut off, a NUL byte, a date that is none. Every row that is not damaged must be
accepted. Bars: 150,000 rows/s with 1 % damaged, 20,000 rows/s with all damaged, from the file to committed
rows. With --write the result replaces its section in benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import sections
from load_csv import TODAY, make_file

from warehouse import embedded, places
from warehouse.database import Warehouse, open_warehouse
from warehouse.settings import Settings

BARS = {"1 % damaged": 150_000, "all damaged": 20_000}


def damaged(line: bytes, kind: int) -> bytes:
    """One row, broken in one of five ways."""
    return (
        line.replace(b"Product", b'"Product', 1),
        line.replace(b"Product", b"Prod,uct", 1),
        line[:30] + b"\n",
        line.replace(b"Store", b"St\0re", 1),
        line.replace(b"2025-", b"soon-", 1).replace(b"2026-", b"soon-", 1),
    )[kind]


def damage(sound: Path, path: Path, *, every: int) -> int:
    """Copy `sound` with one row in `every` damaged; returns how many."""
    count = 0
    with sound.open("rb") as file, path.open("wb") as out:
        out.write(next(file))
        for number, line in enumerate(file):
            if number % every == every // 2:
                out.write(damaged(line, count % 5))
                count += 1
            else:
                out.write(line)
    return count


def load_once(path: Path) -> dict[str, float]:
    """In the loading process: land the file; seconds, and the peak memory of this process in MB."""
    import duckdb  # noqa: F401, PLC0415
    import pgpq  # noqa: F401, PLC0415
    import pyarrow  # noqa: F401, PLC0415

    from ingestion.landing import land  # noqa: PLC0415

    with open_warehouse() as warehouse:
        started = time.perf_counter()
        result = land(warehouse, [path], today=TODAY)
        seconds = time.perf_counter() - started
    (landed,) = result.landed
    assert landed.status == "landed", landed
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"seconds": seconds, "peak_mb": peak_kb / 1024, "rejected": landed.rows_rejected}


def load(warehouse: Warehouse, path: Path) -> dict[str, float]:
    """Land the file in a process of its own, into an empty ledger."""
    with warehouse.connect("owner", autocommit=True) as conn:
        conn.execute("truncate raw.loads, raw.sales_lines cascade")
    shutil.rmtree(warehouse.settings.archive, ignore_errors=True)
    done = subprocess.run(
        [sys.executable, __file__, "--load", str(path)],
        env={**os.environ, **warehouse.environment(), "SHOPX_CURRENCY": "EUR"},
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(rows: int, repetitions: int) -> str:
    """Load each file in turn; the section for the README."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in BARS}
    with tempfile.TemporaryDirectory(prefix="sx-bench-") as folder:
        settings = Settings(home=Path(folder) / "home", warehouse_url=None)
        sound = Path(folder) / "sales.csv"
        make_file(sound, rows)
        files = {name: Path(folder) / f"{number}.csv" for number, name in enumerate(BARS)}
        counts = {
            name: damage(sound, files[name], every=every) for name, every in zip(BARS, (100, 1), strict=True)
        }
        place = places.place_of(settings)
        try:
            with open_warehouse(settings) as warehouse:
                for _ in range(repetitions):
                    for name, path in files.items():
                        found[name].append(load(warehouse, path))
                        assert found[name][-1]["rejected"] == counts[name], (name, found[name][-1])
                        print(name, found[name][-1], file=sys.stderr)
        finally:
            embedded.stop_now(settings)
            shutil.rmtree(place.data, ignore_errors=True)
            shutil.rmtree(place.socket_dir, ignore_errors=True)
    lines = [
        f"{rows:,} rows, {repetitions} turns each in one run; {os.cpu_count()} cores, Python "
        f"{platform.python_version()}, load average {os.getloadavg()[2]:.1f}, {dt.date.today()}. "
        f"Command: `.venv/bin/python benchmarks/damaged_file.py --write`.",
        "",
        "| | median | slowest | rows per second | bar | peak memory |",
        "|---|---|---|---|---|---|",
    ]
    for name, bar in BARS.items():
        seconds = [turn["seconds"] for turn in found[name]]
        speed = rows / statistics.median(seconds)
        missed = "" if speed >= bar else " (missed)"
        lines.append(
            f"| {name}, {counts[name]:,} rows refused | {statistics.median(seconds):.1f} s "
            f"| {max(seconds):.1f} s | **{speed:,.0f}** | ≥ {bar:,}{missed} "
            f"| {max(turn['peak_mb'] for turn in found[name]):.0f} MB |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure, or (with --load) be the process that is measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="write the section in benchmarks/README.md")
    parser.add_argument("--load", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.load is not None:
        print(json.dumps(load_once(options.load)))
        return
    text = measure(options.rows, options.repetitions)
    print(text)
    if options.write:
        sections.write("damaged_file", "Loading a damaged CSV", text)


if __name__ == "__main__":
    main()
