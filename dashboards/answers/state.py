"""What a reader has chosen: a period, what it is compared with, values of filters; and the same as a URL's
query.

Put here: the state and its one spelling. Never here: which days it means (spans.py), what SQL it makes
(compiling.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType
from typing import Literal, get_args
from urllib.parse import parse_qsl, urlencode

from warehouse.errors import ShopxError

PRESETS: Mapping[str, str] = MappingProxyType(
    {
        "yesterday": "Yesterday",
        "last_7_days": "Last 7 days",
        "last_28_days": "Last 28 days",
        "last_91_days": "Last 91 days",
        "week_to_date": "Week to date",
        "month_to_date": "Month to date",
        "quarter_to_date": "Quarter to date",
        "year_to_date": "Year to date",
        "last_month": "Last month",
        "last_12_months": "Last 12 months",
        "all_time": "All time",
        "custom": "Custom",
    }
)
DEFAULT_PERIOD = "last_28_days"
NONE_NAMED = "~none"  # the value that stands for "none named": null in the marts
Compared = Literal["previous", "year_before", "none"]
MAX_VALUES = 200  # of all filters together: more is no reader's choice
MAX_VALUE_LENGTH = 500
OLDEST_DAY, NEWEST_DAY = date(1900, 1, 1), date(2200, 12, 31)


@dataclass(frozen=True)
class FilterState:
    """`first` and `last` (both inclusive) only of a custom period; `chosen`: filter to its values, None for
    null.
    """

    period: str = DEFAULT_PERIOD
    first: date | None = None
    last: date | None = None
    compare: Compared = "previous"
    chosen: Mapping[str, tuple[str | None, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        kept = {
            key: tuple(sorted(set(values), key=lambda value: (value is None, value or "")))
            for key, values in sorted(self.chosen.items())
            if values
        }
        object.__setattr__(self, "chosen", MappingProxyType(kept))
        if self.period not in PRESETS:
            raise _refused(f"period={self.period!r} is none of {', '.join(PRESETS)}")
        if self.compare not in get_args(Compared):
            raise _refused(f"compare={self.compare!r} is none of {', '.join(get_args(Compared))}")
        if (self.period == "custom") != (self.first is not None and self.last is not None):
            raise _refused("a custom period needs from= and to=, the others neither")
        if self.first and self.last and self.first > self.last:
            raise _refused(f"from={self.first} is after to={self.last}")

    def __hash__(self) -> int:
        return hash(self.query())

    @classmethod
    def from_query(
        cls, query: str | Iterable[tuple[str, str]], *, default_period: str = DEFAULT_PERIOD
    ) -> FilterState:
        """Read a URL's query; keys that are no filter of a board are kept and simply act on nothing.
        `default_period` is the board's own (Board.default_period).

        Raises ShopxError (exit code 2) with a sentence when a value cannot be meant.
        """
        pairs = (
            parse_qsl(query.lstrip("?"), keep_blank_values=True) if isinstance(query, str) else list(query)
        )
        single: dict[str, str] = {}
        chosen: dict[str, list[str | None]] = {}
        for key, value in pairs:
            if key in ("period", "compare", "from", "to"):
                single[key] = value
            elif value != "":
                if "\x00" in value or len(value) > MAX_VALUE_LENGTH:
                    raise _refused(f"a value of {key} is no text that a filter has")
                chosen.setdefault(key, []).append(None if value == NONE_NAMED else value)
        if sum(len(values) for values in chosen.values()) > MAX_VALUES:
            raise _refused(f"more than {MAX_VALUES} values are chosen")
        first, last = (_day(single.get(key) or None, key) for key in ("from", "to"))
        period = single.get("period") or ("custom" if first and last else default_period)
        if period != "custom":
            first = last = None
        return cls(
            period=period,
            first=first,
            last=last,
            compare=single.get("compare") or "previous",  # type: ignore[arg-type]  # checked above
            chosen={key: tuple(values) for key, values in chosen.items()},
        )

    def query(self) -> str:
        """The one spelling of this state: always the same text for the same choice."""
        pairs = [("period", self.period)]
        if self.first and self.last:
            pairs += [("from", self.first.isoformat()), ("to", self.last.isoformat())]
        pairs.append(("compare", self.compare))
        pairs += [
            (key, NONE_NAMED if value is None else value)
            for key, values in self.chosen.items()
            for value in values
        ]
        return urlencode(pairs)

    def with_chosen(self, **values: tuple[str | None, ...]) -> FilterState:
        """The same with other values of some filters; an empty tuple clears one."""
        return replace(self, chosen={**self.chosen, **values})


def _day(text: str | None, key: str) -> date | None:
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise _refused(f"{key}={text!r} is no day; write it like 2026-05-31") from None
    if not OLDEST_DAY <= day <= NEWEST_DAY:  # the days before them must exist too
        raise _refused(f"{key}={text} lies before {OLDEST_DAY} or after {NEWEST_DAY}")
    return day


def _refused(why: str) -> ShopxError:
    return ShopxError(f"These filters cannot be used: {why}.", exit_code=2)
