"""Which days a period means, seen from the last complete day, and which days it is compared with.

Put here: calendar arithmetic, the same as dim_periods makes for the marts by period. Never here: SQL, the
clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from dashboards import formats
from dashboards.answers.state import PRESETS, FilterState

WEEKDAYS_A_YEAR_BEFORE = 364  # 52 weeks: the same weekdays


@dataclass(frozen=True)
class Base:
    """Days that a period is compared with; `caution` says what is not alike, None where all is."""

    first: date
    last: date
    name: str
    caution: str | None

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def words(self) -> str:
        return formats.span(self.first, self.last)


@dataclass(frozen=True)
class Span:
    """The days of a state, both ends inclusive. A base is None where it would begin before the first sale."""

    first: date
    last: date
    name: str
    previous: Base | None
    year_before: Base | None
    why_no_previous: str | None
    why_no_year_before: str | None
    note: str | None = None

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def words(self) -> str:
        """Last 28 days, 4–31 May 2026."""
        dates = formats.span(self.first, self.last)
        return dates if self.name == PRESETS["custom"] else f"{self.name}, {dates}"

    def base(self, compare: str) -> Base | None:
        """The base of that name."""
        return {"previous": self.previous, "year_before": self.year_before}.get(compare)


def span_of(state: FilterState, *, as_of: date, first_sale: date | None) -> Span:
    """The days of a state. No day after `as_of` belongs to any period: the unfinished day is left out."""
    first, last, previous, note = _days(state, as_of=as_of, first_sale=first_sale)
    year = None
    if state.period != "all_time":
        if (last - first).days < WEEKDAYS_A_YEAR_BEFORE:
            back = timedelta(days=WEEKDAYS_A_YEAR_BEFORE)
            year = (first - back, last - back)
        else:
            year = previous
    found: dict[str, tuple[Base | None, str | None]] = {}
    for key, days, name in (
        ("previous", previous, "the period before"),
        ("year_before", year, "the same weekdays a year before"),
    ):
        if days is None:
            found[key] = (None, "All time has nothing before it.")
        elif first_sale is None or days[0] < first_sale:
            since = f"sales begin on {formats.day(first_sale)}" if first_sale else "there are no sales yet"
            found[key] = (None, f"Nothing to compare with: {since}.")
        else:
            found[key] = (Base(*days, name, _caution(first, last, *days)), None)
    return Span(
        first=first,
        last=last,
        name=PRESETS[state.period],
        previous=found["previous"][0],
        year_before=found["year_before"][0],
        why_no_previous=found["previous"][1],
        why_no_year_before=found["year_before"][1],
        note=note,
    )


def _days(
    state: FilterState, *, as_of: date, first_sale: date | None
) -> tuple[date, date, tuple[date, date] | None, str | None]:
    """First and last day, the days before, and what to say about them."""
    period = state.period
    if period == "custom":
        assert state.first is not None and state.last is not None  # noqa: S101  FilterState has seen to it
        note = f"Published sales end on {formats.day(as_of)}." if state.last > as_of else None
        last = min(state.last, as_of)
        first = min(state.first, last)
        return first, last, _equal_before(first, last), note
    if period == "all_time":
        return min(first_sale or as_of, as_of), as_of, None, None
    days_back = {"yesterday": 1, "last_7_days": 7, "last_28_days": 28, "last_91_days": 91}.get(period)
    if days_back:
        first = as_of - timedelta(days=days_back - 1)
        return first, as_of, _equal_before(first, as_of), None
    if period == "last_month":
        end = (as_of + timedelta(days=1)).replace(day=1) - timedelta(days=1)
        start = end.replace(day=1)
        before_end = start - timedelta(days=1)
        return start, end, (before_end.replace(day=1), before_end), None
    if period == "last_12_months":
        today = as_of + timedelta(days=1)
        start = months_before(today, 12)
        return start, as_of, (months_before(today, 24), start - timedelta(days=1)), None
    start, months = {
        "week_to_date": (as_of - timedelta(days=as_of.weekday()), 0),
        "month_to_date": (as_of.replace(day=1), 1),
        "quarter_to_date": (_quarter(as_of), 3),
        "year_to_date": (as_of.replace(month=1, day=1), 12),
    }[period]
    before = months_before(start, months) if months else start - timedelta(days=7)
    before_last = min(before + (as_of - start), start - timedelta(days=1))
    return start, as_of, (before, before_last), None


def _equal_before(first: date, last: date) -> tuple[date, date]:
    days = last - first + timedelta(days=1)
    return first - days, last - days


def months_before(day: date, months: int) -> date:
    """The same day of the month so many months before; the last day of a shorter month."""
    month = day.year * 12 + day.month - 1 - months
    year, number = divmod(month, 12)
    for number_of_day in range(day.day, 27, -1):
        try:
            return date(year, number + 1, number_of_day)
        except ValueError:
            continue
    return date(year, number + 1, day.day)


def _quarter(day: date) -> date:
    return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)


def _caution(first: date, last: date, base_first: date, base_last: date) -> str | None:
    days, base_days = (last - first).days + 1, (base_last - base_first).days + 1
    if days != base_days:
        return f"{days} days against {base_days} days"
    if days % 7 and (first - base_first).days % 7:
        return "other weekdays"
    return None
