"""How many sales lines a second the simulator writes, on one core.

    .venv/bin/python benchmarks/simulate.py [--lines 400000 10000000] [--write]

Each size twice in a process of its own: as daily files with mess, corrections and lists, and as one file. The
seconds are those of the processor, imports not counted, and so those of one core: the machine may be doing
other things. Bar: at least 200,000 lines a second. With --write the result replaces its section in
benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import sections

BAR = 200_000


def simulate_once(lines: int, *, one_file: bool) -> dict[str, float]:
    """In the measured process: lines, files, seconds, CPU seconds and peak MB of one simulation."""
    # imported here, so that they are not counted
    from ingestion.simulating.shop import Shop  # noqa: PLC0415
    from ingestion.simulating.simulation import simulate  # noqa: PLC0415

    shop = Shop(lines=lines, customers_per_year=max(lines // 500, 200))
    with tempfile.TemporaryDirectory(prefix="sx-sim-") as name:
        started, cpu = time.perf_counter(), time.process_time()
        made = simulate(Path(name) / "shop", shop, one_file=one_file)
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "lines": made.lines,
        "files": len(made.files),
        "seconds": seconds,
        "cpu": cpu,
        "peak_mb": peak_kb / 1024,
    }


def measure(sizes: list[int]) -> str:
    """Run all of them; the section for the README."""
    rows = [
        "| | files | lines | wall clock | CPU | lines per CPU second | bar | peak memory |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for lines in sizes:
        for one_file in (False, True):
            form = ["--one-file"] if one_file else []
            done = subprocess.run(
                [sys.executable, __file__, "--once", str(lines), *form],
                check=True,
                capture_output=True,
                text=True,
            )
            found: dict[str, float] = json.loads(done.stdout)
            rate = found["lines"] / found["cpu"]
            what = "one file" if one_file else "daily files, mess, corrections, lists"
            rows.append(
                f"| {what} | {found['files']:,} "
                f"| {found['lines']:,} | {found['seconds']:.1f} s | {found['cpu']:.1f} s | **{rate:,.0f}** "
                f"| ≥ {BAR:,}: {'met' if rate >= BAR else '**missed**'} | {found['peak_mb']:.0f} MB |"
            )
    about = (
        f"{os.cpu_count()} cores, Python {platform.python_version()}, load average over five minutes "
        f"{os.getloadavg()[1]:.1f}. Command: `.venv/bin/python benchmarks/simulate.py --write`."
    )
    return "\n".join([about, "", *rows])


def main() -> None:
    """Measure, or (with --once) be the process that is measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--lines", type=int, nargs="+", default=[400_000, 10_000_000])
    parser.add_argument("--write", action="store_true", help="write the section in benchmarks/README.md")
    parser.add_argument("--once", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--one-file", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.once is not None:
        print(json.dumps(simulate_once(options.once, one_file=options.one_file)))
        return
    text = measure(options.lines)
    print(text)
    if options.write:
        sections.write("simulate", "Simulating a shop", text)


if __name__ == "__main__":
    main()
