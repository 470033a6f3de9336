"""A batch of 20,000 lines onto a history of 1 million and of 10 million: what grows with the history.

    .venv/bin/python benchmarks/batch.py [--lines 1000000 10000000] [--repetitions 3] [--write]

The history is five years of a simulated shop (100,000 customers, 2,000 products, 20 stores), loaded as one
file and published. A batch is three more days of it in files of their own: a tenth of the lines up to 400
days late, about 200 orders corrected. Each repetition takes two batches: one in this process, step by step,
and one by `shopx run` as a person types it. The first of each is not counted: it brings the lists of a new
month, and what is made once.
Bars: SQL of core at most 2 s, core + marts + publication at most 8 s on 10 million lines; against 1 million
core at most 2.0 times, `shopx run` at most 1.25 times. Other sizes are compared with the smallest. With
--write the result replaces its section in benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import statistics
from dataclasses import dataclass, field

import sections
from timed_shop import Steps, say, timed_shop

CORE_BAR_S, SQL_BAR_S = 2.0, 8.0
CORE_RATIO_BAR, RUN_RATIO_BAR = 2.0, 1.25
BAR_LINES = 10_000_000


@dataclass
class Measured:
    """The batches onto one history: what was in it, its own build, and each batch."""

    lines: int
    first: Steps
    batches: list[Steps] = field(default_factory=list)
    runs: list[float] = field(default_factory=list)

    def median(self, *steps: str) -> float:
        """The median over the batches of the seconds of these steps together."""
        return statistics.median(sum(batch.seconds[step] for step in steps) for batch in self.batches)

    @property
    def core(self) -> float:
        """SQL of core: opening the build finds what it touches, so it belongs to it."""
        return self.median("open build", "core models")

    @property
    def sql(self) -> float:
        """SQL of core, marts and publication."""
        return self.median("open build", "core models", "marts models", "publication")

    @property
    def run(self) -> float:
        """Seconds of a whole `shopx run`."""
        return statistics.median(self.runs)


def measure_one(lines: int, *, batch: int, repetitions: int) -> tuple[Measured, str]:
    """One history and its batches, and on which machine."""
    with timed_shop(lines) as shop:
        say("loading and publishing the history")
        first = shop.loaded(shop.history)
        shop.built(first)
        measured = Measured(first.lines, first)
        for number in range(repetitions + 1):
            say(f"batch {number} of {repetitions}, step by step")
            steps = shop.loaded(shop.next_days(batch))
            shop.built(steps)
            say(f"batch {number} of {repetitions}, shopx run")
            seconds = shop.run(shop.next_days(batch))
            if number:
                measured.batches.append(steps)
                measured.runs.append(seconds)
        return measured, sections.machine(shop.warehouse)


def table(found: list[Measured]) -> list[str]:
    """The rows of the section; the last column compares the largest history with the smallest."""
    least, most = found[0], found[-1]
    at_bar = most.lines >= BAR_LINES * 0.9
    head = "".join(f" {one.lines:,} lines |" for one in found)
    rows = [f"| median seconds |{head} ratio | bar |", "|---|" + "---|" * (len(found) + 2)]

    def row(what: str, seconds: list[float], bar: str = "") -> None:
        ratio = f"{seconds[-1] / seconds[0]:.2f}" if len(seconds) > 1 and seconds[0] else ""
        cells = "".join(f" {value:.2f} |" for value in seconds)
        rows.append(f"| {what} |{cells} {ratio} | {bar} |")

    for step in (
        "landing", "gate", "open build", "core models", "dbt core", "analytics", "marts models", "dbt marts",
        "audit", "publication",
    ):  # fmt: skip
        row(NAMES[step], [one.median(step) for one in found])
    ratio = most.core / least.core
    bars = [f"≤ {CORE_BAR_S:g} s: {_met(most.core <= CORE_BAR_S)}"] if at_bar else []
    bars += [f"≤ {CORE_RATIO_BAR:g} ×: {_met(ratio <= CORE_RATIO_BAR)}"] if len(found) > 1 else []
    row("**SQL of core**: open build + core models", [one.core for one in found], ", ".join(bars))
    bars = [f"≤ {SQL_BAR_S:g} s: {_met(most.sql <= SQL_BAR_S)}"] if at_bar else []
    row("**SQL of core, marts, publication**", [one.sql for one in found], ", ".join(bars))
    bars = [f"≤ {RUN_RATIO_BAR:g} ×: {_met(most.run <= least.run * RUN_RATIO_BAR)}"] if len(found) > 1 else []
    row("**whole `shopx run`**, as typed", [one.run for one in found], ", ".join(bars))
    return rows


NAMES = {
    "landing": "landing",
    "gate": "gate",
    "open build": "open build: what is touched",
    "core models": "core models, sum of their SQL",
    "dbt core": "dbt for core, start and tests included",
    "analytics": "forecast and anomalies",
    "marts models": "mart models, sum of their SQL",
    "dbt marts": "dbt for marts, start and tests included",
    "audit": "audit",
    "publication": "publication",
}


def _met(is_met: bool) -> str:
    return "met" if is_met else "**missed**"


def measure(sizes: list[int], *, batch: int, repetitions: int) -> str:
    """Run all sizes, smallest first; the section for the README."""
    found, about = [], ""
    for lines in sorted(sizes):
        measured, about = measure_one(lines, batch=batch, repetitions=repetitions)
        found.append(measured)
    most = found[-1]
    brought = statistics.median(one.lines for one in most.batches)
    told = [
        f"A batch brings about {brought:,.0f} lines in three days; median of {repetitions} after one that is "
        f"not counted. {about}. "
        "Command: `.venv/bin/python benchmarks/batch.py --write`.",
        "",
        *table(found),
        "",
        f"Slowest models on {most.lines:,} lines, seconds in the last batch: core "
        f"{most.batches[-1].slowest('core')}; marts {most.batches[-1].slowest('marts')}.",
    ]
    return "\n".join(told)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--lines", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--batch", type=int, default=20_000)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="write the section in benchmarks/README.md")
    options = parser.parse_args()
    text = measure(options.lines, batch=options.batch, repetitions=options.repetitions)
    print(text)
    if options.write:
        sections.write("batch", "A batch onto a history", text)


if __name__ == "__main__":
    main()
