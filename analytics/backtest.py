"""Which method forecasts a series best, how far it was off, and how wide the band around it must be.

Put here: the rolling-origin back-test and what is concluded from it. Never here: methods (methods.py),
reading or writing (forecast.py).

Each of up to 26 past Mondays is taken for today in turn: every method forecasts from what was known then
and is compared with what came (Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 3rd ed.,
5.10).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics.methods import METHODS, QUARTER, RECENT, SEASONAL_NAIVE, Floats, Method

HORIZON = 8
ORIGINS = 26
FEWEST_ORIGINS = 5
SHORTEST_TRAINING = QUARTER
CONFIDENCE = 0.8
# a week in progress lies between the last whole week and the first forecast one
FEWEST_WEEKS = SHORTEST_TRAINING + HORIZON + 1 + FEWEST_ORIGINS - 1


@dataclass(frozen=True)
class Backtest:
    """How a method did: mean absolute error in units of the series, WAPE and bias in percent of what came
    (None where nothing came), MASE against the mean change from week to week (Hyndman & Koehler 2006).
    """

    method: str
    mean_absolute_error: float
    wape_pct: float | None
    bias_pct: float | None
    mase: float | None


@dataclass(frozen=True)
class Forecast:
    """Estimates of `HORIZON` weeks with their 80 % band, and the back-test they rest on.

    `coverage_pct` is the share of back-tested weeks that fell into the band which the other origins draw.
    `in_progress` is the estimate of the week between history and the first estimate, where there is one.
    """

    estimates: Floats
    low: Floats
    high: Floats
    chosen: Backtest
    baseline: Backtest
    coverage_pct: float
    origins: int
    in_progress: float | None


def why_no_forecast(weeks: Floats) -> str | None:
    """The reason for which these weeks are no ground for a forecast; None where they are."""
    if len(weeks) < FEWEST_WEEKS:
        return "too_little_history"
    return None if np.any(weeks[-RECENT:]) else "no_recent_sales"


def forecast(weeks: Floats, *, lead: int) -> Forecast:
    """Forecast the `HORIZON` weeks that begin `lead` (0 or 1) weeks after the last of `weeks`.

    `weeks` are sums of whole weeks, oldest first, at least `FEWEST_WEEKS`. The method with the least mean
    absolute error is taken; the seasonal-naive baseline is one of them, so none is worse than it.
    """
    reach = HORIZON + lead
    origins = min(ORIGINS, len(weeks) - SHORTEST_TRAINING - reach + 1)
    ends = [len(weeks) - reach - back for back in reversed(range(origins))]
    came = np.array([weeks[end + lead : end + reach] for end in ends])
    usual_change = float(np.abs(np.diff(weeks)).mean())
    floor = 0.0 if weeks.min() >= 0 else -np.inf

    def ahead(method: Method, at: list[int]) -> Floats:
        return np.maximum(method.forecast(weeks, at, reach), floor)

    candidates = {method.name: method for method in METHODS if method.needs <= ends[0]}
    errors = {name: ahead(method, ends)[:, lead:] - came for name, method in candidates.items()}
    results = {name: _measured(name, error, came, usual_change) for name, error in errors.items()}
    chosen = min(results.values(), key=lambda result: result.mean_absolute_error)
    baseline = next(results[name] for name in SEASONAL_NAIVE if name in results)
    row = ahead(candidates[chosen.method], [len(weeks)])[0]
    misses = np.abs(errors[chosen.method])
    width = half_width(misses)
    estimates = row[lead:]
    return Forecast(
        estimates=estimates,
        low=np.maximum(estimates - width, floor),
        high=estimates + width,
        chosen=chosen,
        baseline=baseline,
        coverage_pct=_coverage_pct(misses),
        origins=origins,
        in_progress=float(row[0]) if lead else None,
    )


def half_width(misses: Floats) -> Floats:
    """Half the band per week ahead, from the absolute misses [origin, week ahead].

    The quantile of the misses at that distance and its neighbours that split conformal prediction takes for
    as many observations as there are origins (neighbours are no observations of their own), and never
    narrower than at a shorter distance.
    """
    origins = len(misses)
    share = min(np.ceil((origins + 1) * CONFIDENCE) / origins, 1.0)
    widths = [
        np.quantile(misses[:, max(0, ahead - 1) : ahead + 2], share, method="inverted_cdf")
        for ahead in range(misses.shape[1])
    ]
    return np.maximum.accumulate(np.array(widths))


def _coverage_pct(misses: Floats) -> float:
    inside = [
        misses[origin] <= half_width(np.delete(misses, origin, axis=0)) for origin in range(len(misses))
    ]
    return float(100 * np.mean(inside))


def _measured(name: str, errors: Floats, came: Floats, usual_change: float) -> Backtest:
    mean_error = float(np.abs(errors).mean())
    total = float(np.abs(came).sum())
    return Backtest(
        method=name,
        mean_absolute_error=mean_error,
        wape_pct=100 * float(np.abs(errors).sum()) / total if total else None,
        bias_pct=100 * float(errors.sum()) / total if total else None,
        mase=mean_error / usual_change if usual_change else None,
    )
