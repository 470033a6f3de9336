"""What a case of the corpus is, and the tables its cases are made of.

Put the shape of a case and builders of bytes here; the cases stand in one module per topic.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import xlsxwriter

HEADER = "Order ID,Date,Product,Quantity,Unit Price,Amount"
#: three sound sales, together 13.50
ROWS = ("A1,2026-01-05,Mug,1,2.50,2.50", "A2,2026-01-05,Tea,2,3.00,6.00", "A3,2026-01-06,Pot,1,5.00,5.00")
SUM = 1350


@dataclass(frozen=True)
class Case:
    """One delivery and what must become of it.

    `content`: its bytes, or what makes it in an empty folder and returns the path to give; `contract`:
    changes to the built-in contract, read as the feed `till`; `earlier`: deliveries that count before it;
    `accepted`, `cents`, `rejected` (code -> rows): what the ledger must say; `reason`: why it is held or
    refused; `kept`: Σ cents of what counts in the end over all deliveries of the case;
    `in_inbox`: it lies in the inbox, where links are not followed.
    """

    name: str
    content: bytes | Callable[[Path], Path]
    verdict: Literal["load", "hold", "duplicate", "refused"] = "load"
    accepted: int = 0
    cents: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)
    reason: str = ""
    contract: Mapping[str, Any] = field(default_factory=dict)
    file: str = "sales.csv"
    earlier: Sequence[bytes] = ()
    kept: int | None = None
    in_inbox: bool = False


def lines(*rows: str, header: str = HEADER, end: str = "\n") -> bytes:
    """A file of these records."""
    return (end.join((header, *rows)) + end).encode()


def sound(name: str, content: bytes | Callable[[Path], Path], **more: Any) -> Case:
    """The three rows of ROWS in some disguise."""
    return Case(name, content, accepted=3, cents=SUM, **more)


def held(name: str, content: bytes | Callable[[Path], Path], reason: str, **more: Any) -> Case:
    return Case(name, content, "hold", reason=reason, **more)


def refused(name: str, content: bytes | Callable[[Path], Path], reason: str, **more: Any) -> Case:
    return Case(name, content, "refused", reason=reason, **more)


def bad_row(name: str, row: str | bytes, code: str, **more: Any) -> Case:
    """ROWS and one row that must be refused with this reason and no other."""
    given = row.encode() if isinstance(row, str) else row
    return Case(name, lines(*ROWS) + given + b"\n", accepted=3, cents=SUM, rejected={code: 1}, **more)


def good_row(name: str, row: str, cents: int, **more: Any) -> Case:
    """ROWS and one row that must be taken with this amount."""
    return Case(name, lines(*ROWS, row), accepted=4, cents=SUM + cents, **more)


def book(*rows: Sequence[Any], sheets: Sequence[str] = ("Sales",), **options: Any) -> bytes:
    """A workbook with these rows in each worksheet."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "remove_timezone": True, **options}) as workbook:
        day = workbook.add_format({"num_format": "dd/mm/yyyy"})
        for name in sheets:
            sheet = workbook.add_worksheet(name)
            for r, row in enumerate(rows):
                for c, value in enumerate(row):
                    if hasattr(value, "isoformat"):
                        sheet.write_datetime(r, c, value, day)
                    elif isinstance(value, str) and value.startswith("="):
                        sheet.write_formula(r, c, value, None, "#REF!" if "REF" in value else 2.5)
                    else:
                        sheet.write(r, c, value)
    return out.getvalue()
