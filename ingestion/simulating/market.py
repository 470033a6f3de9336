"""All that is known of a shop before its first order: calendar, demand, catalogue, places, choices by month.

Put here: what is looked up again and again while orders are made. Never here: an order.
"""

from __future__ import annotations

from functools import cached_property, lru_cache

import numpy as np

from ingestion.simulating.catalogue import Catalogue, make_catalogue, review_of
from ingestion.simulating.demand import Event, discounts_of_days, events_of, orders_of_days, orders_of_lines
from ingestion.simulating.draws import Choice, Ints, bits, rounded_by_chance
from ingestion.simulating.people import (
    WEB,
    Place,
    place_weights,
    places_of,
    region_of_store,
    regions_of_customers,
)
from ingestion.simulating.shop import Shop


class Market:
    """A shop up to day `last` (counted from 0). `lines_a_day`: days somebody wants about so many lines on."""

    def __init__(self, shop: Shop, last: int, *, lines_a_day: dict[int, int] | None = None) -> None:
        self.shop = shop
        self.last = last
        self.months = shop.month_of(shop.date_of(last)) + 1
        # whole months: what is drawn for a month does not depend on where the simulation ends
        self.days = shop.day_of(shop.month_start(self.months))
        self.month_of_day = shop.months_of_days(self.days)
        self.events: list[Event] = events_of(shop, shop.date_of(self.days - 1))
        #: Orders of each day in millionths: what growth gives, and with the days somebody asked for.
        self.usual = orders_of_days(shop, self.days, self.events)
        self.expected = self.usual.copy()
        for day, lines in (lines_a_day or {}).items():
            self.expected[day] = orders_of_lines(shop, lines)
        self.orders = rounded_by_chance(self.expected, bits(shop.seed, "orders", 0, self.days))
        self.discount_pct = discounts_of_days(shop, self.days, self.events)
        self.catalogue: Catalogue = make_catalogue(shop, self.months)
        self.places: list[Place] = places_of(shop)
        self.products_of = lru_cache(maxsize=24)(self.catalogue.choice)
        self.places_in = lru_cache(maxsize=24)(self._places_in)

    def _places_in(self, month: int) -> Choice:
        return Choice(place_weights(self.shop, month))

    def days_of(self, month: int) -> Ints:
        """The days of a month."""
        first, after = (self.shop.day_of(self.shop.month_start(at)) for at in (month, month + 1))
        days: Ints = np.arange(first, after, dtype=np.int64)
        return days

    @cached_property
    def is_web(self) -> Ints:
        """1 for places of the web shop."""
        return np.array([place.store == WEB for place in self.places], dtype=np.int64)

    @cached_property
    def region_of_place(self) -> Ints:
        """The region of a place that is a store's."""
        return np.array([region_of_store(place.store) for place in self.places], dtype=np.int64)

    @cached_property
    def region_of_customer(self) -> Ints:
        """The region of every customer up to the last day."""
        known = int(self.shop.customers_on(np.array([self.days]))[0])
        return regions_of_customers(self.shop, known + 1)

    def prices_in(self, month: int) -> Ints:
        """Pence per product."""
        found: Ints = self.catalogue.prices[review_of(month)]
        return found

    def costs_in(self, month: int) -> Ints:
        """Pence per product."""
        found: Ints = self.catalogue.costs[review_of(month)]
        return found
