"""What the data says about the likely cause of an unusual day.

Put here: the evidence that is asked for and the order in which it is believed. Never here: which days are
unusual (usual_days.py).
"""

from __future__ import annotations

from dataclasses import dataclass

# a single thing is the cause when it makes up at least this part of the distance
MOST = 0.5
# prices are another thing than sales when they moved by this part while the units did not
PRICE_CHANGE = 0.25
# a change of orders, or of what an order is worth, is told when it is at least this factor
FACTOR = 1.25


@dataclass(frozen=True)
class Evidence:
    """What is known of a day (of the shop or of a category); money in cents, usual = median of the same
    weekdays.

    `silent_stores` are stores that usually sell on that weekday and sold nothing. `largest_order` is (order
    id or None, cents); `loads` are (load id, cents) of all that stands on the day, the largest first.
    """

    seen: int
    expected: int
    orders: float
    usual_orders: float
    units: float
    usual_units: float
    returns: int
    usual_returns: float
    price: float | None
    usual_price: float | None
    largest_order: tuple[str | None, int] | None
    silent_stores: tuple[str, ...]
    loads: tuple[tuple[int, int], ...]


def likely_cause(evidence: Evidence) -> tuple[str, str]:
    """Return the cause's name and a sentence; `unknown` where the data tells nothing."""
    distance = abs(evidence.seen - evidence.expected)
    high = evidence.seen > evidence.expected
    found = _too_much(evidence, distance) if high else _too_little(evidence, distance)
    return found or _number_or_worth(evidence)


def _too_little(evidence: Evidence, distance: int) -> tuple[str, str] | None:
    if evidence.orders == 0 and evidence.returns == 0:
        return "nothing_delivered", "Nothing is known of that day: closed, or a delivery is missing."
    if evidence.silent_stores:
        names = ", ".join(evidence.silent_stores[:3])
        return "store_missing", f"No sales of {names}: closed, or a delivery is missing."
    more_returns = evidence.usual_returns - evidence.returns
    if more_returns >= MOST * distance:
        return "returns", f"Returns make up {_percent(more_returns, distance)} of the difference."
    return _price(evidence, "fell", -1)


def _too_much(evidence: Evidence, distance: int) -> tuple[str, str] | None:
    order = evidence.largest_order
    if order and order[1] >= MOST * distance:
        name = f"Order {order[0]}" if order[0] else "One order"
        return "one_order", f"{name} makes up {_percent(order[1], distance)} of the difference."
    if len(evidence.loads) > 1 and all(cents > 0 for _, cents in evidence.loads[:2]):
        load, cents = max(evidence.loads)
        if cents >= MOST * distance:
            share = _percent(cents, distance)
            return (
                "one_load",
                f"Load {load}, the last to bring sales of that day, makes up {share} of the difference.",
            )
    return _price(evidence, "rose", 1)


def _price(evidence: Evidence, moved: str, sign: int) -> tuple[str, str] | None:
    if not evidence.price or not evidence.usual_price or not evidence.usual_units:
        return None
    change = evidence.price / evidence.usual_price - 1
    steady = abs(evidence.units / evidence.usual_units - 1) < PRICE_CHANGE
    if steady and sign * change >= PRICE_CHANGE:
        return (
            "price",
            f"The average price of a piece {moved} by {abs(100 * change):.0f} %, the pieces sold did not.",
        )
    return None


def _number_or_worth(evidence: Evidence) -> tuple[str, str]:
    """Whether the orders were more or larger: whichever differs by the larger factor, in the day's
    direction.
    """
    if not evidence.orders or not evidence.usual_orders or not evidence.expected:
        return "unknown", "The data does not tell why."
    number = evidence.orders / evidence.usual_orders
    worth = (evidence.seen / evidence.orders) / (evidence.expected / evidence.usual_orders)
    if evidence.seen < evidence.expected:
        if number <= 1 / FACTOR and number <= worth:
            return (
                "fewer_orders",
                f"Fewer orders: {evidence.orders:.0f} instead of about {evidence.usual_orders:.0f}.",
            )
        if worth <= 1 / FACTOR:
            return "smaller_orders", f"An order brought {100 * worth:.0f} % of the usual."
    else:
        if number >= FACTOR and number >= worth:
            return (
                "more_orders",
                f"More orders: {evidence.orders:.0f} instead of about {evidence.usual_orders:.0f}.",
            )
        if worth >= FACTOR:
            return "larger_orders", f"An order brought {worth:.1f} × the usual."
    return "unknown", "The data does not tell why."


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.0f} %"
