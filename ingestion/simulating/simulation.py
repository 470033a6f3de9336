"""Runs a shop from its first day to its last: deliveries into a folder, true totals beside them.

Put here: the order of things, what a folder holds, going on with one. Never here: how anything is made up.

    FOLDER/simulation.json                 what was asked for, so that more days can follow
    FOLDER/2021-01-01_2025-12-31/          the deliveries of those days
    FOLDER/truth/daily.csv, totals.json    what counts, by day and in all, after every delivery
    FOLDER/truth/files.csv, planted.csv    what each file holds; which rows were damaged, and how

Nothing is kept between calls but what was asked for: going on lives through the earlier days again, without
writing them, which costs a microsecond a line.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from ingestion.simulating.delivered import DailyFiles, File, Files, Mess, OneFile, Planted
from ingestion.simulating.draws import Flags, Ints
from ingestion.simulating.fates import brought_back, corrected, with_fates
from ingestion.simulating.lines import BROUGHT_BACK, NOTHING, Lines, joined
from ingestion.simulating.market import Market
from ingestion.simulating.mess import SOUND, damage, twice
from ingestion.simulating.orders import late_sales_of, returns_of, sales_of
from ingestion.simulating.sales_csv import SalesText
from ingestion.simulating.shop import Shop
from ingestion.simulating.truth import Truth
from warehouse.errors import ShopxError

MANIFEST = "simulation.json"
OF_SALES = ("sales", "corrections", "returns")


@dataclass(frozen=True)
class Part:
    """Days from `first` to `last` delivered by one call: as daily files, or as one file without mess;
    `lines_a_day`: about so many lines each, 0 for what the shop's growth gives."""

    first: date
    last: date
    one_file: bool = False
    lines_a_day: int = 0

    @property
    def name(self) -> str:
        """The folder of its deliveries."""
        return f"{self.first}_{self.last}"


@dataclass(frozen=True)
class Simulated:
    """What a call has written: the folder of its deliveries, its files, how many sales lines they hold."""

    deliveries: Path
    files: list[File]
    lines: int


def _silent(_: str) -> None:
    """Nobody is listening."""


def simulate(
    folder: Path, shop: Shop, *, one_file: bool = False, progress: Callable[[str], None] = _silent
) -> Simulated:
    """The first years of a shop. Raises ShopxError where the folder holds anything."""
    if folder.exists() and any(folder.iterdir()):
        raise ShopxError(
            f"{folder} is not empty. Name another folder, or add days to the simulation in it: "
            f"./shopx simulate {folder} --days 30",
            exit_code=2,
        )
    return _run(folder, shop, [Part(shop.first_day, shop.last_day_of_years, one_file)], progress)


def go_on(
    folder: Path,
    *,
    days: int,
    lines_a_day: int = 0,
    one_file: bool = False,
    progress: Callable[[str], None] = _silent,
) -> Simulated:
    """`days` more days of the simulation in a folder. Raises ShopxError where there is none."""
    shop, parts = read_manifest(folder)
    first = parts[-1].last + timedelta(days=1)
    parts.append(Part(first, first + timedelta(days=days - 1), one_file, lines_a_day))
    return _run(folder, shop, parts, progress)


def read_manifest(folder: Path) -> tuple[Shop, list[Part]]:
    """The shop and the parts delivered so far. Raises ShopxError where the folder holds no simulation."""
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return Shop(**_with_dates(found["shop"])), [Part(**_with_dates(part)) for part in found["parts"]]
    except FileNotFoundError:
        raise ShopxError(
            f"{folder} holds no simulation to go on with. Make one first: ./shopx simulate {folder}",
            exit_code=2,
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise ShopxError(
            f"{folder / MANIFEST} is not as it was written ({problem}). Make the simulation again in another "
            "folder.",
            exit_code=2,
        ) from None


def _with_dates(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: date.fromisoformat(value) if name in ("first_day", "first", "last") else value
        for name, value in values.items()
    }


def net_sales(folder: Path) -> int:
    """The true net sales of all deliveries so far, in cents."""
    totals = json.loads((folder / "truth" / "totals.json").read_text(encoding="utf-8"))
    return int(totals["totals"]["net_sales_cents"])


def _run(folder: Path, shop: Shop, parts: Sequence[Part], progress: Callable[[str], None]) -> Simulated:
    last = shop.day_of(parts[-1].last)
    wanted = {
        day: part.lines_a_day
        for part in parts
        if part.lines_a_day
        for day in range(shop.day_of(part.first), shop.day_of(part.last) + 1)
    }
    market = Market(shop, last, lines_a_day=wanted)
    text = SalesText(market)
    deliveries = folder / parts[-1].name
    files: Files = (
        OneFile(deliveries, market, text, last=last)
        if parts[-1].one_file
        else DailyFiles(deliveries, market, text)
    )
    truth = Truth(shop, market.days)
    story = _Story(market, parts, truth, files)
    for month in range(market.months):
        progress(f"{shop.month_start(month):%B %Y}")
        story.live(month)
    files.close()
    _keep(folder, parts, market, truth=truth, files=files)
    lines = sum(file.rows for file in files.written if file.holds in OF_SALES)
    return Simulated(deliveries, files.written, lines)


class _Story:
    """Month after month; what is due later is carried along."""

    def __init__(self, market: Market, parts: Sequence[Part], truth: Truth, files: Files) -> None:
        self._market, self._truth, self._files = market, truth, files
        shop = market.shop
        self._last = market.last
        self._days = range(shop.day_of(parts[-1].first), market.last + 1)
        self._carried: list[Lines] = []
        # of each day: the last day of the one file it is delivered in, or -1 where it has a file of its own
        self._folded_until = np.full(market.days, -1, dtype=np.int64)
        for part in parts:
            if part.one_file:
                days = slice(shop.day_of(part.first), shop.day_of(part.last) + 1)
                self._folded_until[days] = shop.day_of(part.last)

    def live(self, month: int) -> None:
        """One month: what is sold and delivered in it, and what falls due."""
        market = self._market
        sales = with_fates(market, month, sales_of(market, month))
        made = joined([sales, returns_of(market, month), late_sales_of(market, month)])
        made = made.take(np.argsort(made.delivered, kind="stable"))
        damaged = damage(market, month, made)
        mess = Mess(damaged, twice(market, month, made, damaged))
        clean = self._folded_until[made.delivered] >= 0
        mess = Mess(np.where(clean, SOUND, mess.damaged), mess.twice & ~clean)
        there = made.delivered <= self._last
        self._truth.add(made.take(there & (mess.damaged == SOUND)))
        self._files.lists(month, self._days)
        mine = self._is_mine(made.delivered)
        if mine.any():
            self._files.sales(month, self._as_known(made.take(mine)), mess.take(mine))
        self._fall_due(month, sales.take((sales.fate != NOTHING) & (sales.sold <= self._last)))

    def _is_mine(self, delivered: Ints) -> Flags:
        found: Flags = (delivered >= self._days.start) & (delivered <= self._last)
        return found

    def _as_known(self, lines: Lines) -> Lines:
        """In one file orders stand as they are known at its end."""
        known = (lines.due >= 0) & (lines.due <= self._folded_until[lines.delivered])
        known &= lines.fate != BROUGHT_BACK
        if not known.any():
            return lines
        new = corrected(lines)
        columns = {
            name: np.where(known, getattr(new, name), getattr(lines, name))
            for name in ("price", "discount", "status")
        }
        return lines.with_(**columns)

    def _fall_due(self, month: int, new: Lines) -> None:
        carried = joined([*self._carried, new])
        end = int(self._market.days_of(month)[-1])
        now = carried.due <= end
        self._carried = [carried.take(~now)]
        due = carried.take(now & (carried.due <= self._last))
        due = due.take(np.argsort(due.due, kind="stable"))
        again = due.take(due.fate != BROUGHT_BACK)
        self._truth.add(again, sign=-1)
        self._truth.add(corrected(again))
        back = brought_back(due)
        self._truth.add(back)
        # an order that stands in one file as corrected does not come again
        told = corrected(again.take(again.due > self._folded_until[again.delivered]))
        told, back = (lines.take(self._is_mine(lines.delivered)) for lines in (told, back))
        if len(told):
            self._files.corrections(told)
        if len(back):
            self._files.returns(back)


def _keep(folder: Path, parts: Sequence[Part], market: Market, *, truth: Truth, files: Files) -> None:
    place = folder / "truth"
    place.mkdir(exist_ok=True)
    (place / "daily.csv").write_text(truth.as_csv(), encoding="utf-8")
    written = [*_earlier(place / "files.csv", File), *files.written]
    _write_rows(place / "files.csv", File, written)
    _write_rows(place / "planted.csv", Planted, [*_earlier(place / "planted.csv", Planted), *files.planted])
    of_sales = [file for file in written if file.holds in OF_SALES]
    counts = {
        name: sum(getattr(file, name) for file in of_sales)
        for name in ("rows", "accepted", "rejected", "repeated")
    }
    totals = {
        "totals": asdict(truth.in_all()),
        "rows": counts | {"in_copies": sum(file.rows for file in of_sales if file.copy_of)},
        "events": [asdict(event) for event in market.events if event.first <= parts[-1].last],
    }
    (place / "totals.json").write_text(_json(totals), encoding="utf-8")
    manifest = {"shop": asdict(market.shop), "parts": [asdict(part) for part in parts]}
    (folder / MANIFEST).write_text(_json(manifest), encoding="utf-8")


def _json(value: object) -> str:
    return json.dumps(value, indent=2, default=str) + "\n"


def _write_rows(path: Path, kind: type[File] | type[Planted], rows: Iterable[Any]) -> None:
    with path.open("w", encoding="utf-8", newline="") as sink:
        writer = csv.DictWriter(sink, [field.name for field in fields(kind)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(map(vars, rows))


def _earlier(path: Path, kind: type[File] | type[Planted]) -> list[Any]:
    """What earlier calls wrote there."""
    if not path.exists():
        return []
    whole = {field.name for field in fields(kind) if field.type == "int"}
    make: Callable[..., Any] = kind
    with path.open(encoding="utf-8", newline="") as source:
        return [
            make(**{name: int(value) if name in whole else value for name, value in row.items()})
            for row in csv.DictReader(source)
        ]
