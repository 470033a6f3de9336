"""Values of another database as text, exactly; and the value a query goes on from, kept as JSON.

Put here what a Python value of a driver becomes. Never a connection (database.py).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any


def text(value: object) -> str | None:  # noqa: PLR0911 - one line for each type
    """One cell: numbers in plain decimals, times as ISO with the offset they have, nothing for NULL.

    Raises TypeError for what is no value of a table of sales, such as an array or a picture.
    """
    if value is None:
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, float):
        return plain(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8")
    raise TypeError(f"{type(value).__name__} is no number, text or date")


def plain(value: float) -> str:
    """The shortest decimal that is this float, without an exponent; nan and inf stay words."""
    found = Decimal(repr(value))
    return format(found, "f") if found.is_finite() else str(value)


_KINDS: Mapping[str, tuple[type, Callable[[Any], str], Callable[[str], object]]] = {
    # datetime before date and bool nowhere: isinstance is asked in this order
    "datetime": (datetime, datetime.isoformat, datetime.fromisoformat),
    "date": (date, date.isoformat, date.fromisoformat),
    "decimal": (Decimal, str, Decimal),
    "integer": (int, str, int),
    "float": (float, repr, float),
    "text": (str, str, str),
    "uuid": (uuid.UUID, str, uuid.UUID),
}


def kept(value: object) -> dict[str, str]:
    """A value that orders rows, for the ledger. Raises TypeError for one that orders nothing."""
    for kind, (type_, write, _) in _KINDS.items():
        if isinstance(value, type_) and not isinstance(value, bool):
            return {"kind": kind, "value": write(value)}
    raise TypeError(f"{type(value).__name__} orders nothing")


def restored(found: Mapping[str, object]) -> object:
    """What `kept` was given, to be bound to a query again. Raises KeyError or ValueError."""
    return _KINDS[str(found["kind"])][2](str(found["value"]))
