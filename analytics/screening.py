"""Orders that look like no other: what screening for fraud and for typing errors would ask about.

Put here: the features of an order, when one is strange, and the sentence that says why. Never here: reading the
orders (orders.py).

Two judges must agree. An isolation forest (Liu, Ting & Zhou 2008, as in scikit-learn) finds orders that few cuts
set apart from all others, whatever the combination; a feature must be extreme on its own, so that there is a reason
to tell. The forest learns from a fixed sample with a fixed seed on one thread: the same orders give the same flags.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from analytics.methods import Floats

FEWEST_ORDERS = 500
SAMPLE = 20_000
TREES = 100
SEED = 7
MOST_PER_DAY = 3
# the part of the sample that is stranger: one in two hundred
STRANGEST = 0.995

AMOUNT = 8.0
OWN_AMOUNT = 5.0
FEWEST_OWN_ORDERS = 3
QUANTITY = 10.0
DISCOUNT = 0.5
USUAL_DISCOUNT = 0.2
RARE_HOUR = 0.002
FEWEST_TIMED = 1000
SAME_DAY = 4


@dataclass(frozen=True)
class Order:
    """An order as screening sees it.

    `amount` is before returns, in cents; `own_amount` the mean of the customer's other orders, 0 where there are
    fewer than 3; `quantity_ratio` the largest quantity of a line against what is usual for its product;
    `hour_share` the part of the reference orders at its hour, None without a time; `same_day` how many orders its
    customer placed that day, 1 for guests; `returned` the part of the amount that came back within the order.
    """

    order_key: int
    order_date: date
    amount: int
    discount: float
    own_amount: float
    quantity_ratio: float
    hour: int | None
    hour_share: float | None
    same_day: int
    is_first: bool
    returned: float
    lines: int


@dataclass(frozen=True)
class Flag:
    """A strange order: the forest's score (0 to 1), the cause's name, and why in a sentence."""

    order: Order
    score: float
    cause: str
    reason: str
    usual_amount: int


def strange_orders(reference: Sequence[Order], *, since: date) -> list[Flag]:
    """Return the strange orders from `since` on, at most 3 a day, newest day first, the strangest first.

    `reference` are the orders of the last weeks, those since `since` among them, ordered by order_key. Fewer than
    500 tell nothing about the usual, so nothing is flagged.
    """
    if len(reference) < FEWEST_ORDERS:
        return []
    usual_amount = float(np.median([order.amount for order in reference]))
    usual_discount = float(np.median([order.discount for order in reference]))
    timed = sum(order.hour is not None for order in reference) >= FEWEST_TIMED
    reasons = {
        order.order_key: found
        for order in reference
        if order.order_date >= since
        and (found := reasons_of(order, usual_amount, usual_discount, hours_told=timed))
    }
    suspects = [order for order in reference if order.order_key in reasons]
    if not suspects:
        return []
    sample = reference[:: -(-len(reference) // SAMPLE)]
    scores, cut = _forest(_features(sample, usual_amount), _features(suspects, usual_amount))
    flags = [
        _flag(order, float(score), reasons[order.order_key], usual_amount)
        for order, score in zip(suspects, scores, strict=True)
        if score >= cut
    ]
    flags.sort(key=lambda flag: (-flag.order.order_date.toordinal(), -flag.score, flag.order.order_key))
    kept: list[Flag] = []
    for flag in flags:
        if (
            sum(other.order.order_date == flag.order.order_date for other in kept[-MOST_PER_DAY:])
            < MOST_PER_DAY
        ):
            kept.append(flag)
    return kept


def reasons_of(
    order: Order, usual_amount: float, usual_discount: float, *, hours_told: bool
) -> list[tuple[float, str, str]]:
    """What is extreme about an order: (how many times beyond its bound, cause, words), the most extreme first."""
    found = []
    if usual_amount > 0 and order.amount >= AMOUNT * usual_amount:
        times = order.amount / usual_amount
        found.append((times / AMOUNT, "amount", f"its amount is {times:.1f} × that of the usual order"))
    if order.own_amount > 0 and order.amount >= OWN_AMOUNT * order.own_amount:
        times = order.amount / order.own_amount
        found.append(
            (times / OWN_AMOUNT, "own_amount", f"its amount is {times:.1f} × this customer's other orders")
        )
    if order.quantity_ratio >= QUANTITY:
        times = order.quantity_ratio
        found.append(
            (times / QUANTITY, "quantity", f"one line holds {times:.1f} × the product's usual quantity")
        )
    if order.discount >= DISCOUNT and usual_discount <= USUAL_DISCOUNT:
        found.append(
            (
                order.discount / DISCOUNT,
                "discount",
                f"{100 * order.discount:.0f} % of its price was taken off",
            )
        )
    if hours_told and order.hour_share is not None and order.hour_share <= RARE_HOUR:
        found.append((1.0, "hour", f"it was placed at {order.hour:02}:00, when hardly anybody buys"))
    if order.same_day >= SAME_DAY:
        found.append(
            (order.same_day / SAME_DAY, "velocity", f"its customer placed {order.same_day} orders that day")
        )
    return sorted(found, key=lambda one: (-one[0], one[1]))


def _flag(order: Order, score: float, reasons: list[tuple[float, str, str]], usual_amount: float) -> Flag:
    words = [reason[2] for reason in reasons[:3]]
    if order.is_first:
        words.append("it is the first order of its customer")
    sentence = ", ".join(words[:-1]) + " and " + words[-1] if len(words) > 1 else words[0]
    return Flag(order, score, reasons[0][1], sentence[0].upper() + sentence[1:] + ".", round(usual_amount))


def _features(orders: Sequence[Order], usual_amount: float) -> Floats:
    """One row per order; ratios as logarithms, so that a tenth and ten times are equally far."""
    return np.array(
        [
            (
                np.log1p(max(order.amount, 0) / max(usual_amount, 1.0)),
                np.log(max(order.amount, 1) / order.own_amount) if order.own_amount > 0 else 0.0,
                np.log(max(order.quantity_ratio, 0.01)),
                order.discount,
                np.log10(max(order.hour_share, 1e-4)) if order.hour_share is not None else 0.0,
                np.log(order.same_day),
                order.returned,
                np.log(order.lines),
            )
            for order in orders
        ]
    )


def _forest(sample: Floats, suspects: Floats) -> tuple[Floats, float]:
    """Scores of the suspects, 0 to 1 and higher the stranger, and the score that few of the sample reach."""
    from sklearn.ensemble import IsolationForest  # noqa: PLC0415  a second; only where there are suspects

    forest = IsolationForest(n_estimators=TREES, max_samples=min(256, len(sample)), random_state=SEED)
    forest.fit(sample)
    return -forest.score_samples(suspects), float(np.quantile(-forest.score_samples(sample), STRANGEST))
