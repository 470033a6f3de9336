"""The block `database:` of a contract: what is asked of which other database.

Put its keys here, and the proof that a query only reads. Never asking (querying.py).
"""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict, Field, field_validator

_NOT_CODE = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)
_READS = re.compile(r"\s*\(*\s*(select|with|values)\b", re.IGNORECASE)
_WRITES = re.compile(
    r"\b(insert|update|delete|merge|truncate|drop|alter|create|grant|revoke|call|copy|into|lock)\b",
    re.IGNORECASE,
)


class DatabaseSource(BaseModel):
    """The block `database:`. `url_env`: the environment variable that holds the SQLAlchemy URL; `query`: one
    select; `cursor`: a column of it that only grows, such as updated_at or an id; without it the whole query
    is delivered whenever its answer changed. Times in seconds, for each statement and for connecting.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url_env: str = Field(pattern=r"^[A-Z][A-Z0-9_]*$")
    query: str
    cursor: str | None = None
    timeout_s: int = Field(default=600, ge=1, le=86_400)
    connect_timeout_s: int = Field(default=10, ge=1, le=600)

    @field_validator("query")
    @classmethod
    def _only_reads(cls, value: str) -> str:
        code = _NOT_CODE.sub(" ", value).strip().removesuffix(";")
        if ";" in code:
            raise ValueError("write one select, not several statements")
        if not _READS.match(code):
            raise ValueError("write a select; nothing else is sent to another database")
        found = _WRITES.search(code)
        if found:
            raise ValueError(f"{found[0]} would write; only a select is sent to another database")
        return value.strip().removesuffix(";")
