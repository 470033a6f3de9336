"""Files as the shop delivers them: day by day, or one file of all that happened so far.

Put here: names, order and times of files, and what each of them holds for sure. Never here: what is in a row.
The files' times are part of the simulation, because the ledger orders deliveries by them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import numpy as np

from ingestion.simulating import lists
from ingestion.simulating.draws import Flags, Ints
from ingestion.simulating.lines import Lines
from ingestion.simulating.lists import Row
from ingestion.simulating.market import Market
from ingestion.simulating.mess import DAMAGES, SOUND, comes_again, struck
from ingestion.simulating.sales_csv import (
    COLUMNS,
    CORRECTION_COLUMNS,
    RETURN_COLUMNS,
    SalesText,
    as_bytes,
    header,
    with_rows,
)

_COUNTS_KEPT_DAYS = 90
_MINUTES_OF_KIND = {"list": 0, "sales": 60, "copy": 90, "corrections": 120, "returns": 150}


@dataclass(frozen=True)
class File:
    """A delivered file: rows = accepted + rejected + repeated; `net_cents` of the accepted ones; `copy_of`
    the file whose bytes it has, of which nothing counts."""

    name: str
    holds: str
    rows: int
    accepted: int
    rejected: int = 0
    repeated: int = 0
    net_cents: int = 0
    copy_of: str = ""


@dataclass(frozen=True)
class Planted:
    """A row that was damaged on purpose: where it stands (the header is line 1), and the reason a loader must
    give."""

    file: str
    line: int
    reason: str
    damage: str


@dataclass(frozen=True)
class Mess:
    """Beside each line of a month: its damage or SOUND, and whether it stands twice."""

    damaged: Ints
    twice: Flags

    def take(self, which: Flags) -> Mess:
        """That of some of the lines."""
        return Mess(self.damaged[which], self.twice[which])


class Files(Protocol):
    """Where deliveries go; `written` and `planted` say what they hold."""

    written: list[File]
    planted: list[Planted]

    def lists(self, month: int, days: range) -> None:
        """The master data of a month, as far as it is delivered on one of `days`."""

    def sales(self, month: int, lines: Lines, mess: Mess) -> None:
        """Lines of the daily files of a month, by the day they are delivered."""

    def corrections(self, lines: Lines) -> None:
        """Whole orders that come again."""

    def returns(self, lines: Lines) -> None:
        """Lines that come back under their old order id."""

    def close(self) -> None:
        """All is written."""


class DailyFiles:
    """A file for each day, copies and mess included; corrections, returns and lists when there are any."""

    def __init__(self, folder: Path, market: Market, text: SalesText) -> None:
        folder.mkdir(parents=True)
        self._folder, self._market, self._text = folder, market, text
        self.written: list[File] = []
        self.planted: list[Planted] = []

    def lists(self, month: int, days: range) -> None:
        """Stores and people on the first day; products and customers on the first of a month, a stock count
        at its end."""
        market, first = self._market, int(self._market.days_of(month)[0])
        last, _ = lists.month_end(market, month)
        if first in days:
            if month == 0:
                self._list("stores", first, lists.STORES, lists.stores(market))
                self._list("sales_reps", first, lists.SALES_REPS, lists.sales_reps(market))
            self._list("products", first, lists.PRODUCTS, lists.products(market, month))
            since = max(int(market.days_of(month - 1)[0]), 1) if month else 0
            new = lists.customers(market, since, first - 1 if month else 0)
            self._list("customers", first, lists.CUSTOMERS, new)
        if last in days:
            self._list("inventory", last, lists.INVENTORY, lists.stock(market, last))

    def _list(self, kind: str, day: int, columns: Sequence[str], rows: Iterable[Row]) -> None:
        found = list(rows)
        if found:
            name = f"{kind}_{self._market.shop.date_of(day)}.csv"
            self._write(name, [lists.list_csv(columns, found)], day, "list")
            self.written.append(File(name, kind, len(found), len(found)))

    def sales(self, month: int, lines: Lines, mess: Mess) -> None:
        """One file a day; what was damaged or doubled is noted."""
        rows = self._text.sales(lines)
        hurt = np.flatnonzero(mess.damaged != SOUND).tolist()
        rows = with_rows(rows, {at: struck(rows[at].as_py(), int(mess.damaged[at])) for at in hurt})
        place = np.repeat(np.arange(len(lines)), 1 + mess.twice)
        if len(place) > len(lines):
            rows = rows.take(place)
        delivered = lines.delivered[place]
        net = np.where(mess.damaged == SOUND, lines.net, 0)
        again = comes_again(self._market, month)
        for day, start, end, text in _by_day(delivered, rows):
            name = f"sales_{self._market.shop.date_of(day)}.csv"
            mine = slice(int(place[start]), int(place[end - 1]) + 1)
            rejected = int((mess.damaged[mine] != SOUND).sum())
            repeated = int(mess.twice[mine].sum())
            count = end - start
            self._write(name, [header(COLUMNS), text], day, "sales")
            self.written.append(
                File(
                    name=name,
                    holds="sales",
                    rows=count,
                    accepted=count - rejected - repeated,
                    rejected=rejected,
                    repeated=repeated,
                    net_cents=int(net[mine].sum()),
                )
            )
            for at in np.flatnonzero(mess.damaged[place[start:end]] != SOUND).tolist():
                how = DAMAGES[int(mess.damaged[place[start + at]])]
                self.planted.append(Planted(name, at + 2, how.reason, how.name))
            if again[day]:
                copy = f"sales_{self._market.shop.date_of(day)} (1).csv"
                self._write(copy, [header(COLUMNS), text], day, "copy")
                self.written.append(File(copy, "sales", count, 0, copy_of=name))

    def corrections(self, lines: Lines) -> None:
        """One file for each day on which corrections come."""
        self._changes("corrections", CORRECTION_COLUMNS, lines, self._text.corrections(lines))

    def returns(self, lines: Lines) -> None:
        """One file for each day on which returns come."""
        self._changes("returns", RETURN_COLUMNS, lines, self._text.returns(lines))

    def _changes(self, kind: str, columns: Sequence[str], lines: Lines, rows: object) -> None:
        net = lines.net
        for day, start, end, text in _by_day(lines.delivered, rows):
            name = f"{kind}_{self._market.shop.date_of(day)}.csv"
            self._write(name, [header(columns), text], day, kind)
            count = end - start
            self.written.append(File(name, kind, count, count, net_cents=int(net[start:end].sum())))

    def close(self) -> None:
        """Every file is closed already."""

    def _write(self, name: str, content: Sequence[bytes | memoryview], day: int, kind: str) -> None:
        path = self._folder / name
        with path.open("wb") as file:
            for piece in content:
                file.write(piece)
        set_time(path, self._market, day, kind)


class OneFile:
    """All sales in one file, as they are known at the end, without mess; returns under old order ids and
    each list in a file of its own, of the stock counts the last three."""

    def __init__(self, folder: Path, market: Market, text: SalesText, *, last: int) -> None:
        folder.mkdir(parents=True)
        self._folder, self._market, self._text, self._last = folder, market, text, last
        self._open = {name: (folder / f"{name}.csv").open("wb") for name in _ONE}
        self._rows = dict.fromkeys(_ONE, 0)
        self._net = dict.fromkeys(_ONE, 0)
        for name, columns in _ONE.items():
            self._open[name].write(header(columns))
        self.written: list[File] = []
        self.planted: list[Planted] = []

    def lists(self, month: int, days: range) -> None:
        """What the lists of the month add."""
        market, first = self._market, int(self._market.days_of(month)[0])
        last, _ = lists.month_end(market, month)
        if month == 0:
            self._add("stores", lists.stores(market))
            self._add("sales_reps", lists.sales_reps(market))
        if first in days:
            self._add("products", lists.products(market, month))
            self._add("customers", lists.customers(market, first, min(last, self._last)))
        if last in days and self._last - last < _COUNTS_KEPT_DAYS:
            self._add("inventory", lists.stock(market, last))

    def _add(self, kind: str, rows: Iterable[Row]) -> None:
        text = [",".join(row) for row in rows]
        self._open[kind].write("".join(f"{line}\n" for line in text).encode())
        self._rows[kind] += len(text)

    def sales(self, month: int, lines: Lines, mess: Mess) -> None:
        """More sales."""
        self._take("sales", lines, self._text.sales(lines))

    def corrections(self, lines: Lines) -> None:
        """Known already: the sales stand there as corrected."""

    def returns(self, lines: Lines) -> None:
        """More returns."""
        self._take("returns", lines, self._text.returns(lines))

    def _take(self, name: str, lines: Lines, rows: object) -> None:
        for piece in as_bytes(rows, np.array([len(lines)])):
            self._open[name].write(piece)
        self._rows[name] += len(lines)
        self._net[name] += int(lines.net.sum())

    def close(self) -> None:
        """Close the files; those without rows are not delivered."""
        for name, file in self._open.items():
            file.close()
            path = self._folder / f"{name}.csv"
            count = self._rows[name]
            if not count:
                path.unlink()
                continue
            set_time(path, self._market, self._last, name if name in ("sales", "returns") else "list")
            self.written.append(File(path.name, name, count, count, net_cents=self._net[name]))


_ONE = {
    "stores": lists.STORES,
    "sales_reps": lists.SALES_REPS,
    "products": lists.PRODUCTS,
    "customers": lists.CUSTOMERS,
    "inventory": lists.INVENTORY,
    "sales": COLUMNS,
    "returns": RETURN_COLUMNS,
}


def set_time(path: Path, market: Market, day: int, kind: str) -> None:
    """A file is as old as its delivery: in the night after its day, lists first."""
    at = datetime.combine(market.shop.date_of(day), datetime.min.time(), UTC)
    at += timedelta(days=1, minutes=_MINUTES_OF_KIND[kind])
    os.utime(path, (at.timestamp(), at.timestamp()))


def _by_day(delivered: Ints, rows: object) -> Iterable[tuple[int, int, int, memoryview]]:
    """Day, first row, row after the last, and text of each day; `delivered` grows."""
    days, starts = np.unique(delivered, return_index=True)
    ends = np.append(starts[1:], len(delivered))
    texts = as_bytes(rows, ends) if len(days) else []
    return zip(days.tolist(), starts.tolist(), ends.tolist(), texts, strict=True)
