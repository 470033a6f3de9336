"""How much is bought on which day and at which hour: growth, seasons, weekdays, market events, chance.

Put here: what makes a day busy. Never here: what is bought, or by whom.
Weights are in thousandths, so that a day's weight is a whole number on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from ingestion.simulating.draws import MILLION, Choice, Ints, below, bits
from ingestion.simulating.shop import Shop

MONTHS = (800, 850, 950, 1000, 1030, 1000, 960, 900, 1000, 1090, 1300, 1750)
WEEKDAYS = (800, 800, 880, 980, 1240, 1600, 1100)  # from Monday on
CLOSED = {(1, 1): 150, (12, 25): 100, (12, 26): 400}
LINES_AN_ORDER = (35, 27, 18, 10, 6, 4)  # weights of orders with one line, two lines, …
MEAN_LINES_PERCENT = 237
# what nobody orders at night also keeps the hour out that summer time skips or repeats
STORE_HOURS = Choice([0] * 9 + [3, 6, 8, 10, 9, 7, 7, 8, 10, 7, 3] + [0] * 4)
WEB_HOURS = Choice([4, 0, 0, 1, 1, 1, 2, 4, 6, 7, 8, 8, 9, 8, 7, 7, 8, 9, 10, 12, 14, 13, 10, 7])


@dataclass(frozen=True)
class Event:
    """Something that moves the whole market from `first` to `last`: sales in thousandths of what they would
    be, and a discount many buyers get, in percent."""

    name: str
    first: date
    last: date
    sales: int
    discount_pct: int = 0


def events_of(shop: Shop, last: date) -> list[Event]:
    """What happens up to `last`: sales weeks and Black Friday each year, a news report in some, a downturn in
    the third year."""
    found = []
    for year in range(last.year - shop.first_day.year + 1):
        drawn = below(bits(shop.seed, "events", year, 6), np.array([40, 21, 2, 300, 60, 30]))
        start = date(shop.first_day.year + year, 1, 1)
        spring = start + timedelta(days=80 + int(drawn[0]))
        summer = start + timedelta(days=183 + int(drawn[1]))
        friday = date(start.year, 11, 30) - timedelta(days=(date(start.year, 11, 30).weekday() - 4) % 7)
        found += [
            Event("spring sale", spring, spring + timedelta(days=6), 1350, 15),
            Event("summer sale", summer, summer + timedelta(days=13), 1250, 20),
            Event("Black Friday", friday - timedelta(days=1), friday + timedelta(days=3), 2100, 25),
        ]
        if drawn[2]:
            report = start + timedelta(days=20 + int(drawn[3]))
            found.append(Event("news report", report, report + timedelta(days=1), 2400))
        if year == 2:
            slump = start + timedelta(days=60 + int(drawn[4]))
            found.append(Event("downturn", slump, slump + timedelta(days=80 + int(drawn[5])), 780))
    return sorted((event for event in found if shop.first_day <= event.first <= last), key=lambda e: e.first)


def growth_levels(shop: Shop, days: int) -> list[int]:
    """The level of each day in millionths of the first one: compound by year, straight lines within."""
    years = [MILLION]
    for _ in range(days // 365 + 1):
        years.append(years[-1] * (MILLION + shop.growth) // MILLION)
    return [
        years[day // 365] + (years[day // 365 + 1] - years[day // 365]) * (day % 365) // 365
        for day in range(days)
    ]


def _weights(shop: Shop, days: int, events: list[Event]) -> list[int]:
    noise = 850 + below(bits(shop.seed, "noise", 0, days), 301)
    sales = [1000] * days
    for event in events:
        for day in range(shop.day_of(event.first), min(shop.day_of(event.last) + 1, days)):
            sales[day] = sales[day] * event.sales // 1000
    found = []
    for day, level in enumerate(growth_levels(shop, days)):
        at = shop.date_of(day)
        closed = CLOSED.get((at.month, at.day), 1000)
        found.append(
            level
            * MONTHS[at.month - 1]
            * WEEKDAYS[at.weekday()]
            * closed
            * sales[day]
            * int(noise[day])
            // 10**9
        )
    return found


def orders_of_days(shop: Shop, days: int, events: list[Event]) -> Ints:
    """How many orders are expected on each day, in millionths."""
    of_years = shop.day_of(shop.last_day_of_years) + 1
    weights = _weights(shop, max(days, of_years), events)
    whole = sum(weights[:of_years])
    orders = orders_of_lines(shop, shop.wanted_lines)
    return np.array([orders * weight // whole for weight in weights[:days]], dtype=np.int64)


def orders_of_lines(shop: Shop, lines: int) -> int:
    """How many orders, in millionths, are placed and delivered on time where about so many lines come."""
    return lines * (MILLION - shop.late) * 100 // MEAN_LINES_PERCENT


def discounts_of_days(shop: Shop, days: int, events: list[Event]) -> Ints:
    """The discount of the day's market event in percent, 0 without one."""
    found = np.zeros(days, dtype=np.int64)
    for event in events:
        first = shop.day_of(event.first)
        found[first : shop.day_of(event.last) + 1] = event.discount_pct
    return found
