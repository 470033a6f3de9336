"""Strange orders are found with their reason; a clean month raises few questions, and the same ones again."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from analytics.screening import Order, strange_orders

AS_OF = date(2026, 5, 31)
SINCE = AS_OF - timedelta(days=27)


def clean_orders(seed: int, number: int = 3600) -> list[Order]:
    """Orders of 56 days: log-normal amounts, a tenth with a tenth off, hours 9 to 19, half of known
    customers.
    """
    rng = np.random.default_rng(seed)
    amounts = rng.lognormal(8, 0.7, number)
    return [
        Order(
            order_key=key,
            order_date=AS_OF - timedelta(days=int(rng.integers(0, 56))),
            amount=round(amounts[key]),
            discount=0.1 if rng.random() < 0.1 else 0.0,
            own_amount=float(rng.lognormal(8, 0.3)) if key % 2 else 0.0,
            quantity_ratio=float(rng.choice([0.7, 1.0, 2.0])),
            hour=12,
            hour_share=0.09,
            same_day=1,
            is_first=key % 10 == 0,
        )
        for key in range(number)
    ]


def test_planted_orders_are_found_with_their_reasons_and_a_clean_month_asks_little() -> None:
    clean = clean_orders(1)
    asked = strange_orders(clean, since=SINCE)
    assert len(asked) <= 12  # of 1,800 orders
    usual = replace(clean[0], order_date=AS_OF, amount=3000, own_amount=0.0, is_first=False)
    planted = {
        1: replace(usual, amount=90_000),
        2: replace(usual, quantity_ratio=60.0, amount=20_000, order_date=AS_OF - timedelta(days=1)),
        3: replace(usual, discount=0.9, amount=300, order_date=AS_OF - timedelta(days=2)),
        4: replace(usual, hour=3, hour_share=0.0003, same_day=7, order_date=AS_OF - timedelta(days=3)),
    }
    orders = [*clean, *(replace(order, order_key=10_000 + key) for key, order in planted.items())]
    flags = {flag.order.order_key - 10_000: flag for flag in strange_orders(orders, since=SINCE)}
    assert {1, 2, 3, 4} <= set(flags)
    assert re.fullmatch(r"Its amount is 30\.\d × that of the usual order\.", flags[1].reason)
    assert flags[2].reason == "One line holds 60.0 × the product's usual quantity."
    assert flags[3].reason == "90 % of its price was taken off."
    assert flags[4].reason == (
        "Its customer placed 7 orders that day and it was placed at 03:00, when hardly anybody buys."
    )
    assert [flags[key].cause for key in (1, 2, 3, 4)] == ["amount", "quantity", "discount", "velocity"]
    assert strange_orders(orders, since=SINCE) == strange_orders(orders, since=SINCE)


def test_at_most_three_orders_of_a_day_are_told_and_none_of_a_small_shop() -> None:
    clean = clean_orders(2)
    large = [
        replace(clean[0], order_key=10_000 + at, order_date=AS_OF, amount=200_000 + at) for at in range(9)
    ]
    told = [flag for flag in strange_orders([*clean, *large], since=SINCE) if flag.order.order_date == AS_OF]
    assert len(told) == 3
    assert strange_orders([*clean[:400], *large], since=SINCE) == []
