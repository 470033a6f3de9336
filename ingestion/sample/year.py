"""What happened in the sample year: who ordered what, when, and what came back.

Put here: chances. Never here: what the shop is (shop.py) or how files look (files.py).
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import accumulate

from ingestion.sample.shop import FIRST_DAY, GRINDER, LAST_DAY, PRODUCTS, STORES, Product, Store

_WEEKDAY = (0.8, 0.8, 0.9, 1.0, 1.25, 1.6, 1.1)
_MONTH = (0.8, 0.85, 0.95, 1.0, 1.05, 1.0, 0.95, 0.9, 1.0, 1.1, 1.35, 1.8)  # January first
_ORDERS_A_DAY = 52.0
_GROWTH_A_YEAR = 0.15
_UNNAMED = 0.3
_NEW = 0.22  # of the orders by a named customer; the more often somebody has come, the likelier again
_REMEMBERED = 3_000  # visits: who has not come for so long is forgotten
_CANCELLED = 0.02
_RETURNED = 0.015
_WEIGHTS = [store.weight for store in STORES]
_RESELLER_DAY = date(2026, 5, 26)


@dataclass(frozen=True)
class Line:
    """One sold line; money in pence, before tax."""

    order_id: str
    number: int
    at: datetime
    product: Product
    quantity: int
    price: int
    discount: int
    customer: int
    store: Store
    rep: str
    status: str

    @property
    def amount(self) -> int:
        """What the line brought."""
        return self.price * self.quantity - self.discount

    @property
    def tax(self) -> int:
        """Value added tax on top, rounded half away from zero."""
        sign = -1 if self.amount < 0 else 1
        return sign * ((abs(self.amount) * self.product.tax_pct + 50) // 100)


class _Customers:
    """Who comes: new ones, and those who came before, the frequent and the recent rather than others."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._known = 0
        self._visits: list[int] = []

    def next(self) -> int:
        """The number of whoever orders now; 0 for somebody without a name."""
        if self._chance.random() < _UNNAMED:
            return 0
        if not self._visits or self._chance.random() < max(_NEW, 1 - len(self._visits) / 1_500):
            self._known += 1
            customer = self._known
        else:
            customer = self._chance.choice(self._visits[-_REMEMBERED:])
        self._visits.append(customer)
        return customer


class _Shelf:
    """What is on sale on one day."""

    def __init__(self, day: date) -> None:
        self._products = [product for product in PRODUCTS if product.first <= day <= product.last]
        self._wanted = list(accumulate(product.wanted for product in self._products))

    def taken(self, chance: random.Random) -> Product:
        """What somebody buys."""
        return chance.choices(self._products, cum_weights=self._wanted)[0]


def sales_of_the_year(chance: random.Random) -> Iterator[Line]:
    """Every line of the year in the order it was sold."""
    serial, customers = 10_000, _Customers(chance)
    for offset in range((LAST_DAY - FIRST_DAY).days + 1):
        day = FIRST_DAY + timedelta(days=offset)
        shape = _WEEKDAY[day.weekday()] * _MONTH[day.month - 1] * (1 + _GROWTH_A_YEAR * offset / 365)
        orders = round(_ORDERS_A_DAY * shape * chance.uniform(0.85, 1.15))
        shelf = _Shelf(day)
        for minute in sorted(chance.randrange(8 * 60, 20 * 60) for _ in range(orders)):
            serial += 1
            at = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)
            yield from _order(chance, f"S{serial}", at, customers, shelf)
        if day == _RESELLER_DAY:
            yield _reseller(serial := serial + 1, day, customers)


def _order(
    chance: random.Random, order_id: str, at: datetime, customers: _Customers, shelf: _Shelf
) -> Iterator[Line]:
    store = chance.choices(STORES, weights=_WEIGHTS)[0]
    customer, rep = customers.next(), chance.choice(store.reps) if store.reps else ""
    status = "cancelled" if chance.random() < _CANCELLED else "completed"
    if status == "completed" and store.channel == "online" and (LAST_DAY - at.date()).days < 2:
        status = "pending"
    for number in range(1, chance.choices((1, 2, 3, 4), weights=(45, 30, 17, 8))[0] + 1):
        product = shelf.taken(chance)
        quantity = chance.choices((1, 2, 3, 6), weights=(70, 20, 7, 3))[0]
        discount = product.price * quantity // 10 if chance.random() < 0.08 else 0
        if status == "completed" and chance.random() < _RETURNED:  # its discount is given back too
            quantity, discount = -quantity, -discount
        yield Line(
            order_id, number, at, product, quantity, product.price, discount, customer, store, rep, status
        )


def _reseller(serial: int, day: date, customers: _Customers) -> Line:
    """One order far beyond what anybody buys here."""
    at = datetime(day.year, day.month, day.day, 19, 55)
    web = STORES[-1]
    buyer = customers.next() or 1
    return Line(
        f"S{serial}", 1, at, GRINDER, 48, GRINDER.price, GRINDER.price * 24, buyer, web, "", "completed"
    )
