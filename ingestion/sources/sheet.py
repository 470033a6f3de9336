"""The block `sheet:` of a contract: which cells of which Google spreadsheet are delivered.

Put its keys here. Never reading it (spreadsheet.py).
"""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

_ID = re.compile(r"/spreadsheets/d/([A-Za-z0-9_-]+)")
_GID = re.compile(r"[#&?]gid=(\d+)")
A1 = re.compile(r"^([A-Z]{1,3})([1-9]\d{0,7})?(?::([A-Z]{1,3})([1-9]\d{0,7})?)?$")


class SheetSource(BaseModel):
    """The block `sheet:`. `id`, or `url` as the browser shows it (its gid then names the worksheet, whatever
    the worksheet is called); `worksheet`: its name; `range`: a part of it, like A3:H or B:D.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-]{10,}$")
    url: str | None = None
    worksheet: str | None = None
    range: str | None = None

    @field_validator("url")
    @classmethod
    def _has_an_id(cls, value: str | None) -> str | None:
        if value is not None and not _ID.search(value):
            raise ValueError(
                "write it as the browser shows it: https://docs.google.com/spreadsheets/d/…/edit"
            )
        return value

    @field_validator("range")
    @classmethod
    def _is_a1(cls, value: str | None) -> str | None:
        if value is not None and not A1.match(value):
            raise ValueError(f'"{value}" is no range; write one like A3:H or B:D')
        return value

    @model_validator(mode="after")
    def _one_place(self) -> SheetSource:
        if (self.id is None) == (self.url is None):
            raise ValueError("sheet: write id or url, one of them")
        return self

    @property
    def spreadsheet(self) -> str:
        """The id of the spreadsheet."""
        found = _ID.search(self.url or "")
        return self.id or (found[1] if found else "")

    @property
    def gid(self) -> int | None:
        """The number of the worksheet that the address names, which stays when it is renamed."""
        found = _GID.search(self.url or "")
        return int(found[1]) if found else None
