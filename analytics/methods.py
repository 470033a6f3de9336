"""Methods that forecast a series of weeks, simplest first.

Put here: a method as a function of the past alone. Never here: which method is chosen (backtest.py).

Each method answers for several ends at once, because a back-test asks for dozens and the recursions share
their way there. Own code and no library: the recursions are a few lines, and statsmodels takes as long for
one fit as these for a whole back-test (docs/decisions/0061-revenue-forecast.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
YEAR = 52
RECENT = 8
QUARTER = 13
# what a year's growth is believed to be at most, up and down; beyond it is a start or an end, not growth
GROWTH = (0.5, 2.0)
LEVELS = np.array([0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9])
TRENDS = np.array([0.01, 0.05, 0.1, 0.2])
DAMPING = np.array([0.8, 0.9, 0.98])


@dataclass(frozen=True)
class Method:
    """A method: `forecast(history, ends, horizon)` returns a row of `horizon` weeks for each end, made of
    history[:end] alone; every end is at least `needs`.
    """

    name: str
    needs: int
    forecast: Callable[[Floats, Sequence[int], int], Floats]


def last_week(history: Floats, ends: Sequence[int], horizon: int) -> Floats:
    """The last week again: each weekday as a week before."""
    return np.array([np.full(horizon, history[end - 1]) for end in ends])


def average_of_8_weeks(history: Floats, ends: Sequence[int], horizon: int) -> Floats:
    """The mean of the last 8 weeks."""
    return np.array([np.full(horizon, history[end - RECENT : end].mean()) for end in ends])


def same_week_last_year(history: Floats, ends: Sequence[int], horizon: int) -> Floats:
    """The week 364 days earlier."""
    return np.array([history[end - YEAR : end - YEAR + horizon] for end in ends])


def last_year_with_growth(history: Floats, ends: Sequence[int], horizon: int) -> Floats:
    """The week 364 days earlier, times what the last 13 weeks brought against the same 13 a year before."""
    rows = []
    for end, row in zip(ends, same_week_last_year(history, ends, horizon), strict=True):
        before = history[end - YEAR - QUARTER : end - YEAR].sum()
        growth = history[end - QUARTER : end].sum() / before if before > 0 else 1.0
        rows.append(row * np.clip(growth, *GROWTH))
    return np.array(rows)


def smoothing(history: Floats, ends: Sequence[int], horizon: int) -> Floats:
    """Simple exponential smoothing; the factor is the one with the least squared error one week ahead.

    Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., 8.1.
    """
    levels, best, _ = _smoothed(history, ends)
    return np.repeat(levels[np.arange(len(ends)), best][:, None], horizon, axis=1)


def theta(history: Floats, ends: Sequence[int], horizon: int) -> Floats:
    """The Theta method: simple smoothing plus half of the straight line's slope.

    Assimakopoulos & Nikolopoulos 2000, in the form of Hyndman & Billah 2003 (Unmasking the Theta method).
    """
    levels, best, factors = _smoothed(history, ends)
    steps = np.arange(horizon)
    rows = []
    for at, end in enumerate(ends):
        weeks = np.arange(end) - (end - 1) / 2
        slope = (weeks @ history[:end]) / (weeks @ weeks)
        factor = factors[best[at]]
        rows.append(levels[at, best[at]] + slope / 2 * (steps + (1 - (1 - factor) ** end) / factor))
    return np.array(rows)


def damped_trend(history: Floats, ends: Sequence[int], horizon: int) -> Floats:
    """Holt's linear trend, damped; factors from a grid, by the least squared error one week ahead.

    Gardner & McKenzie 1985; Hyndman & Athanasopoulos, 3rd ed., 8.2.
    """
    grid = np.meshgrid(LEVELS, TRENDS, DAMPING, indexing="ij")
    alpha, beta, phi = (axis.ravel() for axis in grid)
    level = np.full(alpha.shape, history[:RECENT].mean())
    trend = np.zeros(alpha.shape)
    squares = np.zeros(alpha.shape)
    reached: dict[int, Floats] = {}
    wanted = set(ends)
    for week, seen in enumerate(history[: max(ends)], start=1):
        ahead = level + phi * trend
        squares = squares + (seen - ahead) ** 2
        before, level = level, alpha * seen + (1 - alpha) * ahead
        trend = beta * (level - before) + (1 - beta) * phi * trend
        if week in wanted:
            best = int(np.argmin(squares))
            damped = np.cumsum(phi[best] ** np.arange(1, horizon + 1))
            reached[week] = level[best] + trend[best] * damped
    return np.array([reached[end] for end in ends])


def _smoothed(history: Floats, ends: Sequence[int]) -> tuple[Floats, NDArray[np.intp], Floats]:
    """Level per end and factor, the best factor's place per end, the factors."""
    level = np.full(LEVELS.shape, history[:RECENT].mean())
    squares = np.zeros(LEVELS.shape)
    levels, best = {}, {}
    wanted = set(ends)
    for week, seen in enumerate(history[: max(ends)], start=1):
        squares = squares + (seen - level) ** 2
        level = LEVELS * seen + (1 - LEVELS) * level
        if week in wanted:
            levels[week], best[week] = level, int(np.argmin(squares))
    return np.array([levels[end] for end in ends]), np.array([best[end] for end in ends]), LEVELS


# in the order in which they win a tie
METHODS = (
    Method("last_week", 1, last_week),
    Method("same_week_last_year", YEAR, same_week_last_year),
    Method("average_of_8_weeks", RECENT, average_of_8_weeks),
    Method("last_year_with_growth", YEAR + QUARTER, last_year_with_growth),
    Method("smoothing", RECENT, smoothing),
    Method("theta", RECENT, theta),
    Method("damped_trend", RECENT, damped_trend),
)
SEASONAL_NAIVE = ("same_week_last_year", "last_week")
