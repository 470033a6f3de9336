"""Mess as real exports have it, all of it counted: damaged rows, rows twice, files that come again.

Put here: which rows and files are struck, and what a struck row looks like. Never here: reading; the codes
are those a loader must find (docs/reasons.md), written down without asking one.
Orders that change later are spared, so that each damaged row costs exactly itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ingestion.simulating.draws import Flags, Ints, below, bits, happens
from ingestion.simulating.lines import LATE, NOTHING, RETURN, SALE, Lines, order_parts
from ingestion.simulating.market import Market
from ingestion.simulating.sales_csv import COLUMNS

SOUND = -1
_TWICE = 2  # one repeated row on so many damaged ones
_COPIES = 2  # a file comes again with so many times the chance of a row being damaged
_MOST_COPIES = 500_000


@dataclass(frozen=True)
class Damage:
    """A way to break a row: its name, the reason a loader gives, and the cells afterwards."""

    name: str
    reason: str
    strike: Callable[[list[str]], Sequence[str]]


def _put(**cells: str) -> Callable[[list[str]], Sequence[str]]:
    places = {COLUMNS.index(name): text for name, text in cells.items()}
    return lambda row: [places.get(at, cell) for at, cell in enumerate(row)]


DAMAGES = (
    Damage("a day that does not exist", "DATE_IMPOSSIBLE", _put(order_date="2021-02-30 10:15")),
    Damage("a day in the future", "DATE_IN_FUTURE", _put(order_date="2199-03-01 10:15")),
    Damage("a day long ago", "DATE_TOO_OLD", _put(order_date="1921-03-01 10:15")),
    Damage("a word for a number", "NUMBER_FORMAT", _put(quantity="two")),
    Damage("no product", "VALUE_MISSING", _put(product_id="", product="")),
    Damage("no amount", "VALUE_MISSING", _put(amount="")),
    Damage("an amount that is not quantity times price", "AMOUNT_MISMATCH", _put(amount="99999.99")),
    Damage("a row torn in the middle", "ROW_TOO_SHORT", lambda row: row[:7]),
)


def damage(market: Market, month: int, lines: Lines) -> Ints:
    """For each line SOUND or the position of its damage in DAMAGES. `lines`: of one month's daily files."""
    found = np.full(len(lines), SOUND, dtype=np.int64)
    kinds = order_parts(lines.order)[0]
    for kind in (SALE, LATE, RETURN):
        at = np.flatnonzero(kinds == kind)
        struck = happens(bits(market.shop.seed, f"mess.{kind}", month, len(at)), market.shop.mess)
        how = below(bits(market.shop.seed, f"mess.how.{kind}", month, len(at)), len(DAMAGES))
        found[at] = np.where(struck & (lines.fate[at] == NOTHING), how, SOUND)
    return found


def twice(market: Market, month: int, lines: Lines, damaged: Ints) -> Flags:
    """Which lines stand twice in their file; never damaged ones."""
    found = np.zeros(len(lines), dtype=np.bool_)
    kinds = order_parts(lines.order)[0]
    for kind in (SALE, LATE, RETURN):
        at = np.flatnonzero(kinds == kind)
        drawn = bits(market.shop.seed, f"mess.twice.{kind}", month, len(at))
        found[at] = happens(drawn, market.shop.mess // _TWICE)
    spared: Flags = found & (damaged == SOUND)
    return spared


def comes_again(market: Market, month: int) -> dict[int, bool]:
    """For each day of a month whether its file is delivered a second time."""
    days = market.days_of(month)
    chance = min(market.shop.mess * _COPIES, _MOST_COPIES)
    flags = happens(bits(market.shop.seed, "mess.copy", month, len(days)), chance)
    return dict(zip(days.tolist(), flags.tolist(), strict=True))


def struck(text: str, how: int) -> str:
    """A sound row as damage number `how` leaves it; both end with a line break."""
    return ",".join(DAMAGES[how].strike(text.rstrip("\n").split(","))) + "\n"
