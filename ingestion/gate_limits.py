"""What a feed's deliveries may look like as a whole: the block `gate` of a contract, judged on arrival.

Put limits here that hold for a delivery. Never one for a single row (contract.py: columns), never the judging
(expectations/).
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Answer = Literal["warn", "hold", "ignore"]
_Share = Annotated[float, Field(ge=0, le=1)]
_Count = Annotated[int, Field(ge=0)]


class GateLimits(BaseModel):
    """The block `gate` of a contract; every key has a default.

    Shape: `least_rows`, `most_rows` delivered. Required values: `most_without_order` and
    `most_without_customer`, shares of the accepted rows. Ranges: `largest_line_cents` of one line,
    `most_returns` as a share of the lines (warns). Dates: `earliest_date`, and `days_ahead` of the day of
    loading. Against the feed's own past, in multiples of its usual spread (`tolerance`): `volume`, `revenue`,
    `mix`, `columns`, each warn, hold or ignore.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    least_rows: _Count | None = None
    most_rows: _Count | None = None
    most_without_order: _Share | None = None
    most_without_customer: _Share | None = None
    largest_line_cents: _Count | None = None
    most_returns: _Share = 0.5
    earliest_date: date = date(1970, 1, 1)
    days_ahead: Annotated[int, Field(ge=0, le=366)] = 1
    tolerance: Annotated[float, Field(ge=1, le=100)] = 4
    volume: Answer = "warn"
    revenue: Answer = "warn"
    mix: Answer = "warn"
    columns: Answer = "warn"

    @model_validator(mode="after")
    def _range(self) -> GateLimits:
        if self.least_rows is not None and self.most_rows is not None and self.least_rows > self.most_rows:
            raise ValueError("least_rows is above most_rows: no delivery could pass")
        return self

    def stored(self) -> dict[str, Any]:
        """The limits as they are kept beside the measures of a delivery (ops.load_metrics.limits)."""
        return self.model_dump(mode="json", exclude_none=True)
