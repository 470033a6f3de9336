"""A forecast knows nothing of the future, is never worse than its baseline, silent on too little."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.backtest import FEWEST_WEEKS, forecast, half_width, why_no_forecast
from analytics.methods import METHODS, Method
from analytics.revenue import forecast_rows, whole_weeks

weeks_of_sales = st.lists(st.integers(-50_000, 5_000_000), min_size=FEWEST_WEEKS, max_size=130).map(
    lambda weeks: np.array(weeks, dtype=float)
)


def wave(weeks: int, *, seed: int, noise: float = 0.08) -> np.ndarray:
    """A shop with a yearly wave at a random point of it, growth, and noise."""
    rng = np.random.default_rng(seed)
    at = np.arange(weeks) + rng.uniform(0, 52)
    return (10_000 + 20 * at) * (1 + 0.2 * np.sin(2 * np.pi * at / 52)) * rng.lognormal(0, noise, weeks)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_a_method_sees_nothing_of_what_comes_after_its_end(method: Method) -> None:
    known, ends = wave(120, seed=1), [80, 90, 100]
    other = np.concatenate([known[:100], -known[100:]])
    assert np.array_equal(method.forecast(known, ends, 9), method.forecast(other, ends, 9))
    # each end alone gives what all ends together give
    together = method.forecast(known, ends, 9)
    assert np.array_equal(np.vstack([method.forecast(known, [end], 9) for end in ends]), together)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_a_steady_shop_is_forecast_as_it_is(method: Method) -> None:
    assert np.allclose(method.forecast(np.full(80, 700.0), [80], 8), 700)


def test_methods_by_hand() -> None:
    by_name = {method.name: method.forecast for method in METHODS}
    # 1, 2, 3 ... 70: last week 70, a year before the next two weeks stood 19 and 20
    line = np.arange(1.0, 71.0)
    assert by_name["last_week"](line, [70], 2).tolist() == [[70, 70]]
    assert by_name["same_week_last_year"](line, [70], 2).tolist() == [[19, 20]]
    assert by_name["average_of_8_weeks"](line, [70], 2).tolist() == [[66.5, 66.5]]
    # weeks 6 to 18 bring 156, 58 to 70 bring 832: more than twice, and no more than twice is believed
    assert by_name["last_year_with_growth"](line, [70], 2).tolist() == [[38, 40]]
    # a factor of 0.9 follows a line best; its level trails by 1/9, so theta, with half the slope on top from
    # 1/0.9 weeks on, stands at 69.889 + 0.5556 a week later
    assert by_name["smoothing"](line, [70], 1)[0, 0] == pytest.approx(69.889, abs=0.001)
    assert by_name["theta"](line, [70], 2)[0] == pytest.approx([70.444, 70.944], abs=0.001)


@given(weeks_of_sales, st.integers(0, 1))
@settings(max_examples=40)
def test_a_forecast_is_never_worse_than_its_baseline_and_stands_within_its_band(
    weeks: np.ndarray, lead: int
) -> None:
    made = forecast(weeks, lead=lead)
    assert made.chosen.mean_absolute_error <= made.baseline.mean_absolute_error
    assert np.all(made.low <= made.estimates) and np.all(made.estimates <= made.high)
    assert np.all(np.diff(made.high - made.estimates) >= -1e-6)  # further away is never surer
    assert (made.in_progress is None) == (lead == 0)
    if weeks.min() >= 0:
        assert np.all(made.low >= 0)
    again = forecast(weeks.copy(), lead=lead)
    assert again.estimates.tobytes() == made.estimates.tobytes() and again.chosen == made.chosen


def test_a_yearly_wave_is_forecast_better_than_by_last_year_and_the_band_holds_what_it_promises() -> None:
    inside, gained = [], []
    for seed in range(40):
        known = wave(130, seed=seed)
        made = forecast(known[:121], lead=1)
        came = known[122:130]
        inside.append(np.mean((made.low <= came) & (came <= made.high)))
        gained.append(made.chosen.mean_absolute_error / made.baseline.mean_absolute_error)
        assert made.baseline.method == "same_week_last_year"
    assert 0.7 < np.mean(inside) < 0.95  # 80 % is promised
    assert np.mean(gained) < 0.9


def test_the_band_is_the_quantile_that_its_origins_allow() -> None:
    # 14 origins: of as many misses the 12th (15 * 0.8) is wide enough, of 4 the largest
    misses = np.arange(1.0, 15.0)[:, None]
    assert half_width(misses).tolist() == [12]
    assert half_width(misses[:4]).tolist() == [4]
    # a neighbour makes wider, and further away is never narrower: the 24th of 28, the 36th of 42
    wider = np.hstack([misses, misses * 10, misses * 10, misses * 0])
    assert half_width(wider).tolist() == [100, 110, 110, 110]


def test_too_little_history_and_a_shop_that_rests_have_a_reason_and_no_figures() -> None:
    assert FEWEST_WEEKS == 26  # as docs/decisions/0061 and the mart's sentence say
    assert why_no_forecast(np.ones(25)) == "too_little_history"
    assert why_no_forecast(np.ones(26)) is None
    assert why_no_forecast(np.concatenate([np.ones(30), np.zeros(8)])) == "no_recent_sales"
    monday = date(2026, 3, 2)
    weeks = [("shop", 0, monday + timedelta(weeks=w), monday + timedelta(weeks=w), 100) for w in range(3)]
    series, rows = forecast_rows(weeks, as_of=date(2026, 3, 24))
    assert [(one.whole_weeks, one.why_missing, one.method) for one in series] == [
        (3, "too_little_history", None)
    ]
    # as_of is a Tuesday: the first whole week after it starts on 30 March
    assert [row.week_start_date for row in rows][:2] == [date(2026, 3, 30), date(2026, 4, 6)]
    assert len(rows) == 8 and {row.estimate_cents for row in rows} == {None}


def test_only_whole_weeks_are_learned_from_and_closed_weeks_are_zero() -> None:
    # first sale on Wednesday 7 January: that week is left out. Nothing in the week of the 19th. As_of is
    # Saturday 31 January, so the week of the 26th is not over
    found = [
        (date(2026, 1, 5), date(2026, 1, 7), 500),
        (date(2026, 1, 12), date(2026, 1, 12), 700),
        (date(2026, 1, 26), date(2026, 1, 26), 900),
    ]
    history = whole_weeks(found, as_of=date(2026, 1, 31))
    assert history.first_week == date(2026, 1, 12) and history.weeks.tolist() == [700, 0]
    assert whole_weeks(found, as_of=date(2026, 2, 1)).weeks.tolist() == [700, 0, 900]
    assert whole_weeks(found[1:], as_of=date(2026, 2, 1)).weeks.tolist() == [700, 0, 900]
