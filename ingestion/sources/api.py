"""The `api:` block of a contract: where a REST API is, how it is asked, and where the records stand.

Put the block's shape and its sentences here. Never a request (rest.py, web.py), never a secret: the block
names environment variables, warehouse/settings.py reads them.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Variable = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{1,60}$")]
Parameter = Annotated[str, Field(pattern=r"^[^\s&=?#]{1,100}$")]
#: A place in a JSON answer, e.g. data.orders; empty: the answer itself.
DottedPath = Annotated[str, Field(pattern=r"^([^.\s]+(\.[^.\s]+)*)?$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Auth(_Strict):
    """How the key travels: `Authorization: Bearer KEY`, a header of its own, or a query parameter."""

    kind: Literal["bearer", "header", "query"] = "bearer"
    key_env: Variable
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,100}$")] | None = None

    @model_validator(mode="after")
    def _named(self) -> Auth:
        if (self.kind == "bearer") != (self.name is None):
            raise ValueError(
                "name: says which header or parameter holds the key; write it for kind: header and "
                "kind: query, and leave it out for kind: bearer"
            )
        return self


class Pages(_Strict):
    """How the next page is asked for.

    `page`: parameter = first, first + 1, …  until a page is empty · `offset`: parameter = records so far,
    until a page is empty · `cursor`: parameter = the text that the answer holds at `next`, until it holds
    none · `link`: the address in the header `Link: <…>; rel="next"`, or at `next` in the answer.
    `total`: where the answer says how many records there are; the end is then known, and a number that
    changes while paging is noticed.
    """

    by: Literal["page", "offset", "cursor", "link"]
    parameter: Parameter | None = None
    size_parameter: Parameter | None = None
    size: int | None = Field(default=None, ge=1, le=100_000)
    first: int = Field(default=1, ge=0, le=1)
    next: DottedPath | None = None
    total: DottedPath | None = None

    @model_validator(mode="after")
    def _complete(self) -> Pages:
        if (self.by == "link") != (self.parameter is None):
            raise ValueError(
                "parameter: names what is counted up or handed back; by: link needs none, all others do"
            )
        if self.by == "cursor" and not self.next:
            raise ValueError("next: says where the answer holds the cursor, e.g. paging.next")
        if self.by in ("page", "offset") and self.next:
            raise ValueError(f"next: has no meaning with by: {self.by}")
        if (self.size is None) != (self.size_parameter is None):
            raise ValueError("size: and size_parameter: go together")
        return self


class WindowParameters(_Strict):
    """How days are asked for. They are days of the feed's time zone and `day_starts_at`.

    `as`: `date` sends 2026-02-01; `datetime` sends the moments the days begin and end, in UTC; `epoch` the
    same in seconds. `to` is the last day (`inclusive`, the default for dates) or the moment after it
    (`exclusive`, the default for moments). Each time the last `days_back` days are asked for again, because
    sales are corrected, and older days that no delivery covers yet, from `since` on.
    """

    from_: Parameter = Field(alias="from")
    to: Parameter
    as_: Literal["date", "datetime", "epoch"] = Field(default="date", alias="as")
    to_is: Literal["inclusive", "exclusive"] | None = None
    through: Literal["yesterday", "today"] = "yesterday"
    days_back: int = Field(default=7, ge=1, le=3660)
    at_most_days: int = Field(default=366, ge=1, le=3660)
    since: date | None = None

    @property
    def is_exclusive(self) -> bool:
        """Whether `to` is the first moment that is not wanted."""
        return (self.to_is or ("inclusive" if self.as_ == "date" else "exclusive")) == "exclusive"


class CursorParameter(_Strict):
    """What changed since: `parameter` = the largest `field` that was delivered; nothing at the first time."""

    field: DottedPath
    parameter: Parameter


class ApiSource(_Strict):
    """A REST API that answers GET with JSON.

    `items`: where the list of records stands; `error`: where an answer with status 200 says that it is none;
    `record_id`: what names a record, so that one met twice while paging is noticed. Times in seconds, sizes
    in bytes as received after decompression. `allow_private_addresses`: the API may live in the own network
    (private, loopback, link-local and other addresses that are not public).
    """

    url_env: Variable
    auth: Auth | None = None
    path: Annotated[str, Field(pattern=r"^[^\s?#]*$")] = ""
    parameters: dict[Parameter, str | int] = Field(default_factory=dict)
    items: DottedPath = ""
    error: DottedPath | None = "error"
    record_id: DottedPath | None = None
    pages: Pages | None = None
    window: WindowParameters | None = None
    cursor: CursorParameter | None = None
    timeout_s: float = Field(default=30, gt=0, le=600)
    attempts: int = Field(default=6, ge=1, le=20)
    patience_s: float = Field(default=600, ge=0, le=86_400)
    max_pages: int = Field(default=10_000, ge=1, le=1_000_000)
    max_answer_bytes: int = Field(default=64 * 2**20, ge=1024, le=2**30)
    max_bytes: int = Field(default=2 * 2**30, ge=1024, le=2**40)
    allow_private_addresses: bool = False

    @model_validator(mode="after")
    def _one_way_forward(self) -> ApiSource:
        if self.window and self.cursor:
            raise ValueError("window: asks by days, cursor: asks for changes; write one of the two")
        return self
