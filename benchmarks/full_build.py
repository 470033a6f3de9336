"""A full build of 10 million lines beside a plain copy of them, and beside DuckDB from the same file.

    .venv/bin/python benchmarks/full_build.py [--lines 10000000] [--repetitions 1] [--write]

Five years of a simulated shop are loaded as one file. Then, in turns: `create table as select *` of
raw.sales_lines; every model of core and marts made anew by `dbt run` (without tests, audit and publication);
and DuckDB reading the same CSV files into facts, flags, aggregates and a mart of each kind, with two threads
and no keys, contracts or versions (benchmarks/duckdb_rebuild.sql). Bars: at most 110 s at 10 million lines,
and at most 20 times the plain copy; stretch 60 s. With --write the result replaces its section in
benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import sections
from timed_shop import Steps, TimedShop, say, timed_shop

BAR_S, STRETCH_S, RATIO_BAR = 110.0, 60.0, 20.0
BAR_LINES = 10_000_000
DUCKDB = Path(__file__).with_name("duckdb_rebuild.sql")
THREADS = 2


def plain_copy(shop: TimedShop) -> float:
    """Seconds of a copy of raw.sales_lines into a heap without anything."""
    with shop.warehouse.connect("owner", autocommit=True) as conn:
        conn.execute("drop table if exists staging.plain_copy")
        started = time.perf_counter()
        conn.execute("create table staging.plain_copy as select * from raw.sales_lines")
        seconds = time.perf_counter() - started
        conn.execute("drop table staging.plain_copy")
    return seconds


def full_build(shop: TimedShop) -> Steps:
    """Every model made of everything."""
    steps = Steps(lines=shop.history.lines)
    shop.built(steps, command="run")
    return steps


def duckdb_rebuild(folder: Path) -> tuple[float, float]:
    """Seconds and peak MB of DuckDB, in a process of its own, from the CSV files of a folder."""
    done = subprocess.run(
        [sys.executable, __file__, "--duckdb", folder], check=True, capture_output=True, text=True
    )
    seconds, peak_mb = map(float, done.stdout.split())
    return seconds, peak_mb


def duckdb_once(folder: Path) -> None:
    """In the measured process: run the statements; print seconds and peak MB."""
    import duckdb  # noqa: PLC0415 - imported here, so that it is not counted

    started = time.perf_counter()
    with duckdb.connect(str(folder / "rebuilt.duckdb")) as conn:
        conn.execute(f"set threads = {THREADS}")
        conn.execute("set preserve_insertion_order = false")
        conn.execute("set variable folder = ?", [str(folder)])
        for statement in DUCKDB.read_text(encoding="utf-8").split(";"):
            if statement.strip():
                conn.execute(statement)
    seconds = time.perf_counter() - started
    (folder / "rebuilt.duckdb").unlink()
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def measure(lines: int, repetitions: int) -> str:
    """Run it; the section for the README."""
    copies, builds, rebuilds = [], [], []
    with timed_shop(lines) as shop:
        say("loading the history")
        loaded = shop.loaded(shop.history)
        for number in range(repetitions):
            say(f"turn {number + 1} of {repetitions}: plain copy")
            copies.append(plain_copy(shop))
            builds.append(full_build(shop))
            say("DuckDB")
            rebuilds.append(duckdb_rebuild(shop.history.deliveries))
        about = sections.machine(shop.warehouse)
    walls = [build.seconds["dbt core"] + build.seconds["dbt marts"] for build in builds]
    wall, copy = statistics.median(walls), statistics.median(copies)
    ratio = statistics.median(build / plain for build, plain in zip(walls, copies, strict=True))
    rebuilt = statistics.median(seconds for seconds, _ in rebuilds)
    is_at_bar = loaded.lines >= BAR_LINES * 0.9
    bar = f"≤ {BAR_S:g} s: {_met(wall <= BAR_S)}; stretch {STRETCH_S:g} s: {_met(wall <= STRETCH_S)}"

    landed = loaded.seconds["landing"] + loaded.seconds["gate"]

    def step(name: str) -> float:
        return statistics.median(build.seconds[name] for build in builds)

    return "\n".join(
        [
            f"{loaded.lines:,} lines, turns: {repetitions}; {about}. "
            "Command: `.venv/bin/python benchmarks/full_build.py --write`.",
            "",
            "| | seconds | bar |",
            "|---|---|---|",
            f"| landing and gate of the one file | {landed:.1f} | |",
            f"| plain `create table as` of raw.sales_lines | {copy:.1f} | |",
            f"| open build | {step('open build'):.1f} | |",
            f"| core: facts, dimensions, aggregates | {step('dbt core'):.1f} | |",
            f"| marts | {step('dbt marts'):.1f} | |",
            f"| **full build**: `dbt run` of both, starts of dbt included | **{wall:.1f}** "
            f"| {bar if is_at_bar else ''} |",
            f"| times the plain copy | **{ratio:.1f}** | ≤ {RATIO_BAR:g}: {_met(ratio <= RATIO_BAR)} |",
            f"| DuckDB from the same CSV files, {THREADS} threads | {rebuilt:.1f} "
            f"| peak {max(peak for _, peak in rebuilds):,.0f} MB |",
            "",
            f"Slowest models, seconds: core {builds[-1].slowest('core', 6)}; marts "
            f"{builds[-1].slowest('marts', 4)}. Models overlap, as dbt runs two at a time.",
        ]
    )


def _met(is_met: bool) -> str:
    return "met" if is_met else "**missed**"


def main() -> None:
    """Measure, or (with --duckdb) be the process that is measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--lines", type=int, default=BAR_LINES)
    parser.add_argument("--repetitions", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="write the section in benchmarks/README.md")
    parser.add_argument("--duckdb", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.duckdb is not None:
        duckdb_once(options.duckdb)
        return
    text = measure(options.lines, options.repetitions)
    print(text)
    if options.write:
        sections.write("full_build", "A full build", text)


if __name__ == "__main__":
    main()
