"""What can be asked for in an address: a period, what it is compared with, filters. The same everywhere.

Put here: the parameters and how they become a FilterState. Never here: what they mean for rows (answers/).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from dashboards.answers.state import PRESETS, FilterState
from dashboards.spec.model import Board
from warehouse.errors import ShopxError

LONGEST_DAYS_BACK = 36_600
Period = StrEnum("Period", {name: name for name in PRESETS})  # type: ignore[misc]
Values = Annotated[
    list[Annotated[str, Field(max_length=500)]],
    Field(default_factory=list, max_length=200, description="As often as you like; ~none: none named."),
]


class Filters(BaseModel):
    """Period and filters. A filter may be given several times; `~none` means "none named"."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    days_back: int | None = Field(
        None, ge=1, le=LONGEST_DAYS_BACK, description="So many whole days up to as_of, instead of a period."
    )
    period: Period | None = Field(None, description="Default last_28_days; custom needs from and to.")
    first: date | None = Field(None, alias="from", description="First day of a custom period.")
    last: date | None = Field(None, alias="to", description="Last day of a custom period, inclusive.")
    compare: Literal["previous", "year_before", "none"] = Field(
        "previous", description="The period before, or the same weekdays a year before."
    )
    store: Values
    region: Values
    channel: Values
    category: Values
    rep: Values
    feed: Values

    def chosen(self) -> dict[str, list[str]]:
        """The filters that are set."""
        return {name: values for name in FILTERS if (values := getattr(self, name))}

    def or_days_back(self, days: int) -> Self:
        """The same; where it says no days at all, so many days up to as_of."""
        said = (self.days_back, self.period, self.first, self.last)
        return self if any(one is not None for one in said) else self.model_copy(update={"days_back": days})

    def state(self, *, as_of: date) -> FilterState:
        """The state it means. Raises ShopxError (exit code 2) for what cannot be meant."""
        chosen = [(name, value) for name, values in self.chosen().items() for value in values]
        pairs = [("compare", self.compare), *chosen]
        if self.days_back is not None:
            if self.period or self.first or self.last:
                raise ShopxError("Give days_back, or a period; not both.", exit_code=2)
            first = as_of - timedelta(days=self.days_back - 1)
            pairs += [("period", "custom"), ("from", first.isoformat()), ("to", as_of.isoformat())]
        else:
            pairs += [("period", self.period.value)] if self.period else []
            pairs += [("from", self.first.isoformat())] if self.first else []
            pairs += [("to", self.last.isoformat())] if self.last else []
        if self.period and self.period.value != "custom" and (self.first or self.last):
            raise ShopxError("from and to belong to period=custom.", exit_code=2)
        if (self.first is None) != (self.last is None):
            raise ShopxError("Give from and to, both.", exit_code=2)
        return FilterState.from_query(pairs)


#: Every filter that some dashboard has, besides the period.
FILTERS: tuple[str, ...] = ("store", "region", "channel", "category", "rep", "feed")


def refuse_strange(filters: Filters, board: Board) -> None:
    """Raises ShopxError where a filter is set that the dashboard has not: it would act on nothing."""
    strange = [name for name in filters.chosen() if name not in board.filters]
    if strange:
        has = _listed(name for name in board.filters if name != "day")
        raise ShopxError(
            f"Dashboard {board.key} has no filter {_listed(strange)}; it has {has or 'none'}.", exit_code=2
        )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
