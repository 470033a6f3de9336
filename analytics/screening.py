"""Orders that look like no other: what screening for fraud and for typing errors would ask about.

Put here: what is strange about an order, when that is enough, and the sentence that says why. Never here:
reading the orders (orders.py).

Each feature is measured against a bound of its own, so that there is always a reason to tell. Twice beyond a
bound, or beyond two of them, is enough; between once and twice an isolation forest (Liu, Ting & Zhou 2008, as
in scikit-learn) has to agree that few cuts set the order apart from all others. The forest learns from a
fixed sample with a fixed seed on one thread: the same orders give the same flags.
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
# the forest agrees about the strangest hundredth of the sample
STRANGEST = 0.99
# how many times beyond their bounds the features together need no second opinion
ALONE = 2.0

# times the usual order, or the customer's own; more where the shop's orders differ more
AMOUNT = 8.0
OWN_AMOUNT = 5.0
RARE_AMOUNT = 0.995
FEWEST_OWN_ORDERS = 3
QUANTITY = 10.0
DISCOUNT = 0.5
DISCOUNT_ALONE = 0.8
USUAL_DISCOUNT = 0.2
RARE_HOUR = 0.002
FEWEST_TIMED = 1000
SAME_DAY = 4


@dataclass(frozen=True)
class Order:
    """An order as screening sees it.

    `amount` is before returns, in cents; `own_amount` the mean of the customer's other orders, 0 where
    there are fewer than 3; `quantity_ratio` the largest quantity of a line against what is usual for its
    product; `hour_share` the part of the reference orders at its hour, None without a time; `same_day` how
    many orders its customer placed that day, 1 for guests.
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


@dataclass(frozen=True)
class Usual:
    """Of the reference: median amount in cents and median discount, whether it has hours to speak of, and the
    bounds of an amount as times the median, and as times the customer's own mean.
    """

    amount: float
    amount_bound: float
    own_bound: float
    discount: float
    tells_hours: bool


@dataclass(frozen=True)
class Reason:
    """How far beyond its bound a feature is (1 or more), its name, and words for a sentence."""

    excess: float
    cause: str
    words: str


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

    `reference` are the orders of the last weeks, those since `since` among them, ordered by order_key.
    Fewer than 500 tell nothing about the usual, so nothing is flagged.
    """
    if len(reference) < FEWEST_ORDERS:
        return []
    amount = float(np.median([order.amount for order in reference]))
    own = [order.amount / order.own_amount for order in reference if order.own_amount > 0]
    usual = Usual(
        amount=amount,
        amount_bound=_bound([order.amount / max(amount, 1.0) for order in reference], AMOUNT),
        own_bound=_bound(own, OWN_AMOUNT),
        discount=float(np.median([order.discount for order in reference])),
        tells_hours=sum(order.hour is not None for order in reference) >= FEWEST_TIMED,
    )
    reasons = {
        order.order_key: found
        for order in reference
        if order.order_date >= since and (found := reasons_of(order, usual))
    }
    suspects = [order for order in reference if order.order_key in reasons]
    if not suspects:
        return []
    sample = reference[:: -(-len(reference) // SAMPLE)]
    scores, cut = _forest(_features(sample, usual), _features(suspects, usual))
    flags = [
        _flag(order, float(score), reasons[order.order_key], usual)
        for order, score in zip(suspects, scores, strict=True)
        if score >= cut or _weight(reasons[order.order_key]) >= ALONE
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


def reasons_of(order: Order, usual: Usual) -> list[Reason]:
    """What is beyond its bound about an order, the most extreme first."""
    words = {
        "amount": f"its amount is {order.amount / max(usual.amount, 1):.1f} × that of the usual order",
        "own_amount": f"its amount is {order.amount / max(order.own_amount, 1):.1f} × "
        "this customer's other orders",
        "quantity": f"one line holds {order.quantity_ratio:.1f} × the product's usual quantity",
        "discount": f"{100 * order.discount:.0f} % of its price was taken off",
        "hour": f"it was placed at {order.hour or 0:02}:00, when hardly anybody buys",
        "velocity": f"its customer placed {order.same_day} orders that day",
    }
    found = [
        Reason(excess, cause, words[cause])
        for cause, excess in _excesses(order, usual).items()
        if excess >= 1
    ]
    return sorted(found, key=lambda reason: (-reason.excess, reason.cause))


def _excesses(order: Order, usual: Usual) -> dict[str, float]:
    """How far each feature is, 1 being its bound and 2 what is enough alone."""
    rare = usual.tells_hours and order.hour_share is not None
    own = order.amount / order.own_amount if order.own_amount > 0 else 0.0
    deep = 1 + (order.discount - DISCOUNT) / (DISCOUNT_ALONE - DISCOUNT)
    return {
        "amount": order.amount / usual.amount / usual.amount_bound if usual.amount > 0 else 0.0,
        "own_amount": own / usual.own_bound,
        "quantity": order.quantity_ratio / QUANTITY,
        "discount": max(deep, 0.0) if usual.discount <= USUAL_DISCOUNT else 0.0,
        # a rare hour alone is an early bird
        "hour": min(RARE_HOUR / max(order.hour_share or 0.0, 1e-6), 1.0) if rare else 0.0,
        "velocity": order.same_day / SAME_DAY,
    }


def _bound(values: Sequence[float], least: float) -> float:
    """What few of the values reach, at least `least`."""
    return max(least, float(np.quantile(values, RARE_AMOUNT))) if values else least


def _weight(reasons: list[Reason]) -> float:
    """The excesses added up; an amount and the same amount against the customer's own are one thing."""
    amounts = [reason.excess for reason in reasons if reason.cause in ("amount", "own_amount")]
    others = [reason.excess for reason in reasons if reason.cause not in ("amount", "own_amount")]
    return max(amounts, default=0.0) + sum(others)


def _flag(order: Order, score: float, reasons: list[Reason], usual: Usual) -> Flag:
    words = [reason.words for reason in reasons[:3]]
    if order.is_first:
        words.append("it is the first order of its customer")
    sentence = ", ".join(words[:-1]) + " and " + words[-1] if len(words) > 1 else words[0]
    return Flag(order, score, reasons[0].cause, sentence[0].upper() + sentence[1:] + ".", round(usual.amount))


def _features(orders: Sequence[Order], usual: Usual) -> Floats:
    """One row per order: its excesses, so that the forest cuts along what can be told as a reason."""
    return np.array([list(_excesses(order, usual).values()) for order in orders])


def _forest(sample: Floats, suspects: Floats) -> tuple[Floats, float]:
    """Scores of the suspects, 0 to 1 and higher the stranger, and the score that few of the sample reach."""
    from sklearn.ensemble import IsolationForest  # noqa: PLC0415  a second; only where there are suspects

    forest = IsolationForest(n_estimators=TREES, max_samples=min(256, len(sample)), random_state=SEED)
    forest.fit(sample)
    return -forest.score_samples(suspects), float(np.quantile(-forest.score_samples(sample), STRANGEST))
