"""Planted days are found, clean ones left alone, and each says why."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

from analytics.anomalies import day_reason
from analytics.causes import Evidence, likely_cause
from analytics.usual_days import FEWEST_DAYS, usual_days

WEEKDAYS = np.array([0.8, 0.9, 1.0, 1.0, 1.2, 1.6, 0.7])
SIZES = np.array([8, 12, 20, 30, 40, 60, 80, 150, 300])
DAYS = 224


def clean_sales(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Net sales and orders [day, category]: weekdays, a yearly wave, growth, Poisson orders of log-normal
    worth.
    """
    rng = np.random.default_rng(seed)
    day = np.arange(DAYS)
    rates = WEEKDAYS[day % 7] * (1 + 0.3 * np.sin(2 * np.pi * day / 365 + seed)) * 1.0008**day
    orders = rng.poisson(np.outer(rates, SIZES)).astype(float)
    return np.array([[rng.lognormal(7.5, 0.9, int(n)).sum() for n in row] for row in orders]), orders


def test_clean_sales_raise_no_alarm_and_planted_days_are_found() -> None:
    alarms, judged, found, planted = 0, 0, 0, 0
    for seed in range(3):
        sales, orders = clean_sales(seed)
        alarms += int(usual_days(sales, orders).unusual[-91:].sum())
        judged += 91 * len(SIZES)
        for back, times in ((3, 0.0), (11, 4.0), (25, 6.0)):
            broken, fewer = sales.copy(), orders.copy()
            broken[-back] *= times
            fewer[-back] *= times
            usual = usual_days(broken, fewer)
            found += int(usual.unusual[-back, SIZES >= 40].sum())
            planted += int((SIZES >= 40).sum())
            # what comes after a day does not change what is said of it
            assert np.array_equal(
                usual_days(broken[: -back + 1], fewer[: -back + 1]).unusual[-1], usual.unusual[-back]
            )
    assert alarms <= judged / 1000
    assert found >= 0.95 * planted


def test_nothing_is_said_before_enough_days_are_known_or_where_one_customer_decides() -> None:
    sales, orders = np.full((200, 2), 1000.0), np.full((200, 2), 10.0)
    sales[50:52], sales[190] = 9000, 9000
    orders[:, 1] = 4
    usual = usual_days(sales, orders)
    assert np.argwhere(usual.unusual).tolist() == [[190, 0]]
    assert not usual_days(sales[:FEWEST_DAYS], orders[:FEWEST_DAYS]).unusual.any()


def test_the_expectation_by_hand() -> None:
    # every weekday sold 100.00, for two weeks twice that: 6 of the 8 weekdays before say 100.00, the last
    # 14 days stood at twice their usual, so 200.00 are expected. The least noise is 5 % of its root, which
    # is 141.42: 7.07; the range is (141.42 - 31.82)^2 to (141.42 + 31.82)^2, that is 120.12 to 300.13
    sales = np.full((190, 1), 10_000.0)
    sales[175:] = 20_000
    usual = usual_days(sales, np.full((190, 1), 10.0))
    assert usual.expected[189, 0] == 20_000
    assert (round(usual.low[189, 0]), round(usual.high[189, 0])) == (12_012, 30_013)


EVIDENCE: dict[str, Any] = {
    "seen": 4000, "expected": 1000, "orders": 10.0, "usual_orders": 10.0, "units": 10.0, "usual_units": 10.0,
    "returns": 0, "usual_returns": 0.0, "price": 100.0, "usual_price": 100.0, "largest_order": ("A1", 400),
    "silent_stores": (), "loads": ((3, 4000),),
}  # fmt: skip
LOW = {"seen": 200}


@pytest.mark.parametrize(
    ("known", "cause", "sentence"),
    [
        ({"largest_order": ("A1", 2400)}, "one_order", "Order A1 makes up 80 % of the difference."),
        ({"loads": ((3, 2500), (7, 1500))}, "one_load",
         "Load 7, the last to bring sales of that day, makes up 50 % of the difference."),
        ({"price": 400.0}, "price", "The average price of a piece rose by 300 %, the pieces sold did not."),
        ({"orders": 40.0, "units": 40.0}, "more_orders", "More orders: 40 instead of about 10."),
        ({"units": 40.0}, "larger_orders", "An order brought 4.0 × the usual."),
        ({**LOW, "orders": 0.0}, "nothing_delivered",
         "Nothing is known of that day: closed, or a delivery is missing."),
        ({**LOW, "silent_stores": ("North",)}, "store_missing",
         "No sales of North: closed, or a delivery is missing."),
        ({**LOW, "returns": -800}, "returns", "Returns make up 100 % of the difference."),
        ({**LOW, "price": 20.0}, "price",
         "The average price of a piece fell by 80 %, the pieces sold did not."),
        ({**LOW, "orders": 2.0, "units": 2.0}, "fewer_orders", "Fewer orders: 2 instead of about 10."),
        ({**LOW, "units": 2.0}, "smaller_orders", "An order brought 20 % of the usual."),
    ],
)  # fmt: skip
def test_the_likely_cause_is_the_first_that_the_data_tells(
    known: dict[str, Any], cause: str, sentence: str
) -> None:
    assert likely_cause(Evidence(**{**EVIDENCE, **known})) == (cause, sentence)


def test_a_day_is_told_in_a_sentence() -> None:
    day = date(2026, 3, 3)
    assert day_reason(day, "Tea", 4100, 1000) == "Tuesday 3 March 2026: Tea sold 4.1 × its usual Tuesday."
    assert day_reason(day, "Tea", 200, 1000) == "Tuesday 3 March 2026: Tea sold 20 % of its usual Tuesday."
    assert day_reason(day, "Tea", 0, 1000).endswith("Tea sold nothing, unlike on its usual Tuesday.")
    assert day_reason(day, "Tea", -5, 1000).endswith("Tea gave back more than it sold.")
