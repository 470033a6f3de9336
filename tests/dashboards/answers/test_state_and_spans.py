"""What a reader chooses, its one spelling in an address, and the days it means."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dashboards.answers.spans import Span, months_before, span_of
from dashboards.answers.state import MAX_VALUES, PRESETS, FilterState
from warehouse.errors import ShopxError

CASES = Path(__file__).resolve().parents[3] / "dbt_project" / "models" / "core" / "dim_periods_cases.yml"
TEXTS = st.text(
    st.characters(blacklist_characters="\x00", blacklist_categories=["Cs"]), min_size=1, max_size=20
)
DAYS = st.dates(date(1900, 1, 1), date(2200, 12, 31))
VALUES = st.dictionaries(
    st.sampled_from(["store", "region", "channel", "category"]),
    st.lists(st.one_of(st.none(), TEXTS.filter(lambda text: text != "~none")), max_size=4).map(tuple),
)


@given(period=st.sampled_from(sorted(set(PRESETS) - {"custom"})), chosen=VALUES)
def test_an_address_restores_the_state(period: str, chosen: dict[str, Any]) -> None:
    state = FilterState(period=period, chosen=chosen)
    assert FilterState.from_query(state.query()) == state
    assert FilterState.from_query(state.query()).query() == state.query()


@given(DAYS, DAYS)
def test_an_address_restores_custom_days(one: date, other: date) -> None:
    state = FilterState(period="custom", first=min(one, other), last=max(one, other), compare="year_before")
    assert FilterState.from_query(state.query()) == state


def test_the_order_of_choosing_makes_no_difference() -> None:
    one = FilterState(chosen={"store": ("York", "Leeds"), "channel": ("web",)})
    other = FilterState(chosen={"channel": ("web",), "store": ("Leeds", "York", "Leeds")})
    assert (one, one.query()) == (other, other.query())


def test_an_empty_address_means_the_period_of_the_board() -> None:
    assert FilterState.from_query("").period == "last_28_days"
    assert FilterState.from_query("", default_period="last_month").period == "last_month"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("period=fortnight", "period='fortnight' is none of yesterday"),
        ("compare=always", "compare='always' is none of previous"),
        ("from=2026-02-30&to=2026-03-01", "from='2026-02-30' is no day; write it like 2026-05-31"),
        ("period=custom", "a custom period needs from= and to="),
        ("from=2026-03-02&to=2026-03-01", "from=2026-03-02 is after to=2026-03-01"),
        ("store=a%00b", "a value of store is no text"),
        ("&".join(f"store={number}" for number in range(MAX_VALUES + 1)), "more than 200 values"),
    ],
)
def test_nonsense_is_refused_with_a_sentence(query: str, said: str) -> None:
    with pytest.raises(ShopxError) as refused:
        FilterState.from_query(query)
    assert said in refused.value.message
    assert refused.value.exit_code == 2


def dbt_cases() -> list[Any]:
    found = []
    for case in yaml.safe_load(CASES.read_text())["unit_tests"]:
        as_of = next(given["rows"][0]["as_of"] for given in case["given"] if "stg_build" in given["input"])
        for row in case["expect"]["rows"]:
            if row["period"] in PRESETS and row["period"] != "all_time":
                found.append(pytest.param(as_of, row, id=f"{as_of}-{row['period']}"))
    return found


@pytest.mark.parametrize(("as_of", "row"), dbt_cases())
def test_a_preset_means_the_days_of_the_mart_of_that_period(as_of: date, row: dict[str, Any]) -> None:
    """The marts by period and the cards by day would show different figures otherwise."""
    found = span_of(FilterState(period=row["period"]), as_of=as_of, first_sale=date(1990, 1, 1))
    assert (found.first, found.last) == (row["first_date"], row["last_date"])
    assert found.previous is not None
    assert (found.previous.first, found.previous.last) == (
        row["previous_first_date"],
        row["previous_last_date"],
    )
    if "year_before_first_date" in row:
        assert found.year_before is not None
        assert (found.year_before.first, found.year_before.last) == (
            row["year_before_first_date"], row["year_before_last_date"],
        )  # fmt: skip


def spanned(first: date, last: date, *, as_of: date, first_sale: date) -> Span:
    return span_of(FilterState(period="custom", first=first, last=last), as_of=as_of, first_sale=first_sale)


def test_no_period_goes_beyond_the_last_complete_day() -> None:
    found = spanned(date(2026, 5, 1), date(2026, 6, 30), as_of=date(2026, 5, 30), first_sale=date(2020, 1, 1))
    assert (found.last, found.note) == (date(2026, 5, 30), "Published sales end on Sat 30 May 2026.")
    late = spanned(date(2026, 7, 1), date(2026, 7, 2), as_of=date(2026, 5, 30), first_sale=date(2020, 1, 1))
    assert (late.first, late.last) == (date(2026, 5, 30), date(2026, 5, 30))


def test_nothing_is_compared_with_days_before_the_first_sale() -> None:
    found = span_of(FilterState(), as_of=date(2026, 5, 31), first_sale=date(2026, 4, 20))
    assert (found.previous, found.why_no_previous) == (
        None, "Nothing to compare with: sales begin on Mon 20 Apr 2026.",
    )  # fmt: skip


def test_unequal_days_and_other_weekdays_are_said() -> None:
    def of(period: str) -> Span:
        return span_of(FilterState(period=period), as_of=date(2026, 3, 31), first_sale=date(2020, 1, 1))

    month, day = of("last_month").previous, of("yesterday")
    assert month is not None and month.caution == "31 days against 28 days"
    assert day.previous is not None and day.previous.caution == "other weekdays"
    assert day.year_before is not None and day.year_before.caution is None


@given(DAYS, st.integers(0, 36))
def test_months_before_stay_within_their_month(day: date, months: int) -> None:
    found = months_before(day, months)
    assert (day.year * 12 + day.month) - (found.year * 12 + found.month) == months
    assert found.day == day.day or found.day >= 28
