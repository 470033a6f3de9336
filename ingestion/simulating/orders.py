"""The orders of a month: those sold and delivered in it, those sold earlier and delivered late, and what is
brought back with a document of its own.

Put here: who buys what when, at which price. Never here: what happens to an order later (fates.py).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ingestion.simulating.demand import LINES_AN_ORDER, STORE_HOURS, WEB_HOURS
from ingestion.simulating.draws import (
    MILLION,
    Bits,
    Choice,
    Ints,
    below,
    bits,
    happens,
    rounded_by_chance,
)
from ingestion.simulating.lines import COMPLETED, LATE, NOTHING, RETURN, SALE, Lines, order_keys
from ingestion.simulating.market import Market
from ingestion.simulating.people import GUEST, buyers
from ingestion.simulating.shop import MOST_LATE_DAYS

RETURNS_WITHOUT_ORDER = 8_000  # millionths of the day's orders
_SOME_DISCOUNT = 70_000
_EVENT_DISCOUNT = 600_000
_COUNTS = Choice(LINES_AN_ORDER)
_QUANTITIES = (1, 2, 3, 4, 6, 12)
_QUANTITY = Choice((700, 170, 60, 35, 25, 10))
_NAMES = ("sale", "late", "return")


def sales_of(market: Market, month: int) -> Lines:
    """Orders delivered on the day they were placed, by day and minute."""
    days = market.days_of(month)
    sold = np.repeat(days, market.orders[days])
    return _orders(market, month, SALE, delivered=sold, sold=sold)


def late_sales_of(market: Market, month: int) -> Lines:
    """Orders that come up to 400 days after they were placed, by the day they are delivered."""
    days = market.days_of(month)
    share = market.shop.late
    expected = market.expected[days] // 1000 * share // (MILLION - share) * 1000
    expected[days == 0] = 0
    counts = rounded_by_chance(expected, bits(market.shop.seed, "late", month, len(days)))
    delivered = np.repeat(days, counts)
    lag = below(bits(market.shop.seed, "late.kind", month, len(delivered)), 100)
    by = bits(market.shop.seed, "late.days", month, len(delivered))
    lag = np.where(
        lag < 50,
        1 + below(by, 7),
        np.where(lag < 80, 8 + below(by, 53), 61 + below(by, MOST_LATE_DAYS - 60)),
    )
    return _orders(market, month, LATE, delivered=delivered, sold=np.maximum(delivered - lag, 0))


def returns_of(market: Market, month: int) -> Lines:
    """What comes back without its receipt: a document of its own, on the day it comes back."""
    days = market.days_of(month)
    expected = market.expected[days] // 1000 * RETURNS_WITHOUT_ORDER // 1000
    counts = rounded_by_chance(expected, bits(market.shop.seed, "return", month, len(days)))
    back = np.repeat(days, counts)
    made = _orders(market, month, RETURN, delivered=back, sold=back)
    made = made.take(made.is_first_of_order)
    return made.with_(quantity=-made.quantity)


def _orders(market: Market, month: int, kind: int, *, delivered: Ints, sold: Ints) -> Lines:
    """Lines of orders, one for each of `delivered` and `sold`; draws go by position, `delivered` grows."""
    shop, count = market.shop, len(delivered)

    def drawn(subject: str, number: int = count) -> Bits:
        return bits(shop.seed, f"{_NAMES[kind]}.{subject}", month, number)

    months = market.month_of_day[sold]
    place = _by_month(months, drawn("place"), lambda at: market.places_in(at).pick)
    is_web = market.is_web[place] == 1
    hours = drawn("hour")
    hour = np.where(is_web, WEB_HOURS.pick(hours), STORE_HOURS.pick(hours))
    minute = hour * 60 + below(drawn("minute"), 60)
    customer = buyers(shop, sold, drawn("buyer"), drawn("which"))
    region = np.where(
        is_web,
        np.where(customer == GUEST, 0, market.region_of_customer[customer]),
        market.region_of_place[place],
    )
    if kind == SALE:  # a day's orders are numbered as they come
        by_time = np.argsort(sold * 1440 + minute, kind="stable")
        place, minute, customer, region = (column[by_time] for column in (place, minute, customer, region))
    first_of_day = np.searchsorted(delivered, delivered)
    order = order_keys(kind, delivered, np.arange(count) - first_of_day + 1)

    size = _COUNTS.pick(drawn("size")) + 1
    of = np.repeat(np.arange(count), size)
    number = np.arange(len(of)) - np.repeat(np.cumsum(size) - size, size) + 1
    line_months = months[of]
    product = _by_month(line_months, drawn("product", len(of)), lambda at: market.products_of(at).pick)
    quantity = np.array(_QUANTITIES, dtype=np.int64)[_QUANTITY.pick(drawn("quantity", len(of)))]
    price = _by_month(line_months, product, lambda at: market.prices_in(at).__getitem__)
    cost = _by_month(line_months, product, lambda at: market.costs_in(at).__getitem__)
    zeros = np.zeros(len(of), dtype=np.int64)
    return Lines(
        order=order[of],
        number=number,
        delivered=delivered[of],
        sold=sold[of],
        minute=minute[of],
        product=product,
        quantity=quantity,
        price=price,
        discount=quantity * price * _discounts(market, sold[of], drawn("discount", len(of))) // 100,
        cost=cost,
        tax_pct=market.catalogue.tax_pct[product],
        customer=customer[of],
        place=place[of],
        region=region[of],
        status=zeros + COMPLETED,
        fate=zeros + NOTHING,
        happens=zeros - 1,
        due=zeros - 1,
    )


def _discounts(market: Market, sold: Ints, drawn: Bits) -> Ints:
    """The discount of each line in percent: that of the day's event for most, 10 % for a few otherwise."""
    on_event = market.discount_pct[sold]
    share = np.where(on_event > 0, _EVENT_DISCOUNT, _SOME_DISCOUNT)
    found: Ints = np.where(happens(drawn, share), np.where(on_event > 0, on_event, 10), 0)
    return found


def _by_month(months: Ints, values: Bits | Ints, function: Callable[[int], Callable[..., Ints]]) -> Ints:
    """`function(month)` applied to the values of each month."""
    if not len(months):
        return np.zeros(0, dtype=np.int64)
    if months[0] == months[-1] and (months == months[0]).all():
        return function(int(months[0]))(values)
    found = np.empty(len(months), dtype=np.int64)
    for month in np.unique(months):
        at = np.flatnonzero(months == month)
        found[at] = function(int(month))(values[at])
    return found
