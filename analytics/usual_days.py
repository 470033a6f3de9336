"""What a day usually brings, and which days were far from it.

Put here: the expectation of a day from the days before it, and the rule that makes a day an anomaly. Never
here: why a day was unusual (causes.py), reading or writing (anomalies.py).

A day is compared with the median of the same weekday in the 8 weeks before, times how the last 14 days
stood to theirs, so that neither a weekday, a season nor growth is an anomaly. The distance is measured on
square roots, on which the noise of counted sales is about even, in units of its own median absolute
deviation (Hampel 1974). Only earlier days are looked at: what was unusual stays so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics.methods import Floats

SAME_WEEKDAYS = 8
LEVEL_DAYS = 14
LEVEL_RANGE = (0.5, 2.0)
NOISE_DAYS = 56
FEWEST_NOISE_DAYS = 28
FEWEST_DAYS = 7 * SAME_WEEKDAYS + LEVEL_DAYS + FEWEST_NOISE_DAYS
THRESHOLD = 4.5
# no noise is smaller than this part of the (square root of the) expectation
NOISE_FLOOR = 0.05
# with fewer usual orders on that weekday a single customer decides
FEWEST_ORDERS = 5.0
# a median absolute deviation in units of a normal distribution's standard deviation
MAD = 1.4826


@dataclass(frozen=True)
class Usual:
    """Per day and series what was to be expected and the range of the usual; nan where history is too short.

    `scores` are distances in robust standard deviations, `unusual` the days beyond `THRESHOLD`.
    """

    expected: Floats
    low: Floats
    high: Floats
    scores: Floats
    unusual: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


def usual_days(seen: Floats, orders: Floats) -> Usual:
    """Judge `seen` [day, series] (cents, consecutive days, oldest first) with `orders` of the same shape."""
    weekdays = _same_weekdays(seen)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.where(weekdays > 0, seen / weekdays, np.nan)
    level = np.clip(_median_before(ratios, LEVEL_DAYS, fewest=LEVEL_DAYS // 2), *LEVEL_RANGE)
    expected = np.where(
        np.arange(len(seen))[:, None] >= 7 * SAME_WEEKDAYS + LEVEL_DAYS, weekdays * level, np.nan
    )
    distance = _root(seen) - _root(expected)
    noise = MAD * _median_before(np.abs(distance), NOISE_DAYS, fewest=FEWEST_NOISE_DAYS)
    noise = np.maximum(noise, NOISE_FLOOR * _root(expected))
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = distance / noise
    reach = THRESHOLD * noise
    low, high = _squared(np.maximum(_root(expected) - reach, 0)), _squared(_root(expected) + reach)
    enough = (_same_weekdays(orders) >= FEWEST_ORDERS) & (expected > 0)
    with np.errstate(invalid="ignore"):
        unusual = enough & (np.abs(scores) > THRESHOLD)
    return Usual(expected=expected, low=low, high=high, scores=scores, unusual=unusual)


def _same_weekdays(values: Floats) -> Floats:
    """Median of the same weekday in the weeks before; nan in the first 8 weeks."""
    shifted = np.full((SAME_WEEKDAYS, *values.shape), np.nan)
    for week in range(1, SAME_WEEKDAYS + 1):
        shifted[week - 1, 7 * week :] = values[: max(len(values) - 7 * week, 0)]
    return np.asarray(np.median(shifted, axis=0))


def _median_before(values: Floats, days: int, *, fewest: int) -> Floats:
    """Median of the known values of the `days` days before each day; nan where fewer than `fewest` are
    known.
    """
    result = np.full(values.shape, np.nan)
    for day in range(1, len(values)):
        before = values[max(0, day - days) : day]
        known = (~np.isnan(before)).sum(axis=0) >= fewest
        if known.any():
            result[day, known] = np.nanmedian(before[:, known], axis=0)
    return result


def _root(values: Floats) -> Floats:
    return np.sign(values) * np.sqrt(np.abs(values))


def _squared(values: Floats) -> Floats:
    return np.sign(values) * values**2
