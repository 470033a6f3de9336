"""A simulated shop in a warehouse of its own, and the steps of a batch with the seconds each took.

Put here what the benchmarks of builds share: making and loading a history of so many lines, the days after
it, and the steps of a batch as the Dagster job takes them, without Dagster. Never a bar, never a table.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from analytics.making import make_anomalies, make_forecasts
from expectations.arrival import run_arrival_gate
from ingestion.contract import own_feeds
from ingestion.landing import land
from ingestion.simulating.demand import MEAN_LINES_PERCENT
from ingestion.simulating.feeds import write_contracts
from ingestion.simulating.shop import Shop
from ingestion.simulating.simulation import Simulated, go_on, simulate
from orchestration.dbt_runner import NodeResult, ensure_manifest, run_dbt
from publication.audit import audit
from publication.driver import Build, drive
from publication.publish import publish
from warehouse import embedded, places
from warehouse.database import Warehouse, open_warehouse
from warehouse.settings import Settings

Found = TypeVar("Found")
YEARS = 5
BATCH_DAYS = 3
CORRECTIONS_A_BATCH = 200
BUSIER_THAN_MEAN = (
    1.7  # the last December, from which a batch's corrections come, beside the mean of all days
)


def say(sentence: str) -> None:
    """Tell what is being done; the tables go to standard output."""
    print(f"{time.strftime('%H:%M:%S')} {sentence}", file=sys.stderr, flush=True)


def shop_of(lines: int) -> Shop:
    """Five years with about so many lines, 100,000 customers, 2,000 products, 20 stores; a tenth of the lines
    comes late, and in three days about 200 orders come again."""
    orders_a_day = lines * 100 / MEAN_LINES_PERCENT / (365 * YEARS) * BUSIER_THAN_MEAN
    corrections = round(CORRECTIONS_A_BATCH * 1_000_000 / (BATCH_DAYS * orders_a_day))
    return Shop(
        years=YEARS,
        lines=lines,
        customers_per_year=20_000,
        products_per_year=400,
        stores=20,
        late=100_000,
        mess=0,
        corrections=min(corrections, 500_000),
        corrections_every_days=1,
    )


@dataclass
class Steps:
    """Seconds of a batch by step. `models`: each model's own seconds, as dbt reports them: the SQL, its
    compilation and its commit; with several threads they overlap. `lines`: what was delivered."""

    lines: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    models: dict[str, dict[str, float]] = field(default_factory=dict)

    def timed(self, step: str, function: Callable[[], Found]) -> Found:
        """Call it and note how long it took."""
        started = time.perf_counter()
        found = function()
        self.seconds[step] = time.perf_counter() - started
        return found

    def note_models(self, layer: str, results: Sequence[NodeResult]) -> None:
        """Keep what each model took; a node that failed ends the benchmark."""
        bad = [f"{result.name}: {result.message}" for result in results if not result.good]
        assert not bad, bad[:3]
        self.models[layer] = {r.name: r.seconds for r in results if r.kind == "model"}
        self.seconds[f"{layer} models"] = sum(self.models[layer].values())

    def slowest(self, layer: str, count: int = 3) -> str:
        """The models that took longest, in words."""
        ordered = sorted(self.models[layer].items(), key=lambda item: -item[1])[:count]
        return ", ".join(f"{name} {seconds:.2f}" for name, seconds in ordered)


class TimedShop:
    """A history in a warehouse, and a folder in which it goes on."""

    def __init__(self, warehouse: Warehouse, folder: Path, lines: int) -> None:
        self.warehouse, self.folder = warehouse, folder / "shop"
        self.shop = shop_of(lines)
        write_contracts(self.shop, own_feeds())
        say(f"simulating {lines:,} lines")
        self.history = simulate(self.folder, self.shop, one_file=True)

    def next_days(self, lines: int) -> Simulated:
        """Three more days that bring about so many lines."""
        return go_on(self.folder, days=BATCH_DAYS, lines_a_day=lines // BATCH_DAYS)

    def loaded(self, made: Simulated) -> Steps:
        """Land and gate what was delivered."""
        steps = Steps(lines=made.lines)
        landing = steps.timed("landing", lambda: land(self.warehouse, [made.deliveries]))
        assert not landing.refused, landing.refused
        ids = [load.load_id for load in landing.landed]
        report = steps.timed("gate", lambda: run_arrival_gate(self.warehouse, ids))
        assert not report.held, report.held
        return steps

    def built(self, steps: Steps, *, command: str = "build") -> None:
        """Open a build and make core and marts; with `build`, the tests too, then audit and publish."""
        from orchestration.defs.dbt import CORE, IN_A_BATCH, MARTS  # noqa: PLC0415 - imports Dagster

        options = IN_A_BATCH if command == "build" else ()

        ensure_manifest(self.warehouse.settings)
        with drive(self.warehouse) as driver:
            build: Build = steps.timed("open build", lambda: driver.open_build(opened_by="benchmark"))
            for layer, select in (("core", CORE), ("marts", MARTS)):
                say(f"dbt {command}: {layer}")
                _, results = steps.timed(
                    f"dbt {layer}", lambda select=select: self._dbt(command, select, build, options)
                )
                steps.note_models(layer, results)
                if layer == "core":
                    steps.timed("analytics", lambda: self._analysed(build))
            if command == "build":
                say("audit and publication")
                report = steps.timed("audit", lambda: audit(self.warehouse, build))
                assert report.passed, report.failures
                steps.timed("publication", lambda: publish(self.warehouse, build, report))

    def _dbt(
        self, command: str, select: str, build: Build, options: Sequence[str]
    ) -> tuple[bool, list[NodeResult]]:
        return run_dbt(
            command,
            *("--select", *select.split()),
            *options,
            settings=self.warehouse.settings,
            environment={**self.warehouse.environment(), "SHOPX_BUILD_ID": str(build.build_id)},
        )

    def _analysed(self, build: Build) -> None:
        make_forecasts(self.warehouse, build_id=build.build_id, as_of=build.as_of)
        make_anomalies(self.warehouse, build_id=build.build_id, as_of=build.as_of)

    def run(self, made: Simulated) -> float:
        """Seconds of one `shopx run` over what was delivered, as a person would type it."""
        started = time.perf_counter()
        done = subprocess.run(
            [Path(sys.executable).with_name("shopx"), "run", "--json", made.deliveries],
            env={**os.environ, **self.warehouse.environment()},
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - started
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        assert json.loads(done.stdout)["publication_id"] is not None
        return seconds


@contextmanager
def timed_shop(lines: int) -> Iterator[TimedShop]:
    """A shop with a history of so many lines, nothing loaded yet; all of it is removed afterwards."""
    before = {name: os.environ.get(name) for name in ("SHOPX_HOME", "WAREHOUSE_URL")}
    with tempfile.TemporaryDirectory(prefix="sx-") as name:
        folder = Path(name)
        os.environ.update({"SHOPX_HOME": str(folder / "home"), "WAREHOUSE_URL": ""})
        settings = Settings()
        place = places.place_of(settings)
        try:
            with open_warehouse(settings) as warehouse:
                yield TimedShop(warehouse, folder, lines)
        finally:
            embedded.stop_now(settings)
            shutil.rmtree(place.data, ignore_errors=True)
            shutil.rmtree(place.socket_dir, ignore_errors=True)
            for variable, value in before.items():
                if value is None:
                    os.environ.pop(variable, None)
                else:
                    os.environ[variable] = value
