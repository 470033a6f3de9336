"""The true totals of what was delivered: by day and in all, worked out from the lines and not from any file.

Put here: sums of lines that count, and what of each file is sound. Never here: reading, and nothing from the
warehouse: these are what its figures are compared with.
The definitions are those of docs/decisions 0006 and 0010: money on the day it happened, orders on their day,
pending and cancelled ones kept apart.
"""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, dataclass, fields

import numpy as np

from ingestion.simulating.draws import Flags, Ints
from ingestion.simulating.lines import COMPLETED, Lines
from ingestion.simulating.people import GUEST
from ingestion.simulating.shop import Shop


@dataclass(frozen=True)
class Totals:
    """Sums of a day, or of all days; money in cents, signed as it adds up (net = gross + discounts +
    returns); tax and cost of what came back are below 0."""

    lines: int
    orders: int
    guest_orders: int
    units: int
    gross_sales_cents: int
    discounts_cents: int
    returns_cents: int
    net_sales_cents: int
    tax_cents: int
    cost_cents: int
    uncounted_cents: int


NAMES = tuple(field.name for field in fields(Totals))


class Truth:
    """Adds up lines by day as they are delivered."""

    def __init__(self, shop: Shop, days: int) -> None:
        self._shop = shop
        self._sums = {name: np.zeros(days, dtype=np.int64) for name in NAMES}

    def add(self, lines: Lines, *, sign: int = 1) -> None:
        """Count these lines, whole orders or single ones; with sign −1 take them out again."""
        counts = lines.status == COMPLETED
        self._sum("uncounted_cents", lines.take(~counts), lines.net[~counts], sign)
        lines = lines.take(counts)
        sale = lines.is_sale
        net = lines.net
        order = sale & _first_of(lines, sale)
        self._sum("lines", lines, np.ones(len(lines), dtype=np.int64), sign)
        self._sum("orders", lines, order, sign)
        self._sum("guest_orders", lines, order & (lines.customer == GUEST), sign)
        self._sum("units", lines, np.where(sale, lines.quantity, 0), sign)
        self._sum("gross_sales_cents", lines, np.where(sale, lines.gross, 0), sign)
        self._sum("discounts_cents", lines, np.where(sale, -lines.discount, 0), sign)
        self._sum("returns_cents", lines, np.where(sale, 0, net), sign)
        self._sum("net_sales_cents", lines, net, sign)
        self._sum("tax_cents", lines, lines.tax, sign)
        self._sum("cost_cents", lines, lines.quantity * lines.cost, sign)

    def _sum(self, name: str, lines: Lines, values: Ints | Flags, sign: int) -> None:
        # sums of whole numbers below 2**53 are exact in the floats that bincount adds
        days = len(self._sums[name])
        found = np.bincount(lines.sold, weights=values, minlength=days)
        self._sums[name] += sign * found.astype(np.int64)

    def by_day(self) -> dict[str, Totals]:
        """The totals of each day on which a line counts, by its date."""
        return {
            self._shop.date_of(int(day)).isoformat(): self._on(int(day))
            for day in np.flatnonzero(self._sums["lines"])
        }

    def in_all(self) -> Totals:
        """The totals of all days."""
        return Totals(**{name: int(sums.sum()) for name, sums in self._sums.items()})

    def _on(self, day: int) -> Totals:
        return Totals(**{name: int(sums[day]) for name, sums in self._sums.items()})

    def as_csv(self) -> str:
        """`by_day` as a CSV text."""
        sink = io.StringIO()
        writer = csv.writer(sink, lineterminator="\n")
        writer.writerow(("sale_date", *NAMES))
        for day, totals in self.by_day().items():
            writer.writerow((day, *asdict(totals).values()))
        return sink.getvalue()


def _first_of(lines: Lines, sale: Flags) -> Flags:
    """The first of each order's lines that sell; an order's lines stand together."""
    first = np.zeros(len(lines), dtype=np.bool_)
    at = np.flatnonzero(sale)
    first[at] = lines.take(at).is_first_of_order
    return first
