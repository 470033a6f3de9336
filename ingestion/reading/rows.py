"""What a reader hands over: typed batches, rejected rows, and the opened delivery itself.

Put the shapes of the seam between reading and landing here. Never parsing, never SQL, never Postgres.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ingestion.contract import Contract

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 50_000

#: The columns of `Batch.accepted`, in order, with their Arrow types as text.
ACCEPTED_COLUMNS: tuple[tuple[str, str], ...] = (
    ("row_number", "int32"),
    ("order_key", "int64"),
    ("order_id", "string"),
    ("line_number", "string"),
    ("sale_date", "date32"),
    ("sold_at", "timestamp[us, UTC]"),
    ("line_type", "string"),
    ("order_status", "string"),
    ("product_id", "string"),
    ("product_name", "string"),
    ("category", "string"),
    ("customer_id", "string"),
    ("customer_name", "string"),
    ("customer_email", "string"),
    ("store", "string"),
    ("region", "string"),
    ("country", "string"),
    ("sales_rep", "string"),
    ("channel", "string"),
    ("line_kind", "string"),
    ("quantity_thousandths", "int64"),
    ("unit_price_millionths", "int64"),
    ("gross_cents", "int64"),
    ("discount_cents", "int64"),
    ("tax_cents", "int64"),
    ("cost_cents", "int64"),
    ("net_cents", "int64"),
    ("currency", "string"),
)


def accepted_schema() -> pa.Schema:
    """The Arrow schema of `Batch.accepted`."""
    import pyarrow as pa  # noqa: PLC0415

    types: dict[str, Any] = {
        "int32": pa.int32(),
        "int64": pa.int64(),
        "string": pa.string(),
        "date32": pa.date32(),
        "timestamp[us, UTC]": pa.timestamp("us", tz="UTC"),
    }
    return pa.schema([(name, types[type_name]) for name, type_name in ACCEPTED_COLUMNS])


@dataclass(frozen=True)
class RejectedRow:
    """One refused record. `columns`, `reasons` and `messages` run in parallel; a column is '' for the whole
    row.

    `line_number`: physical line from 1; `sheet_row`: records counted from 1 with the header; `byte_offset`:
    where `raw_bytes` (the record without its line end) starts in the file.
    """

    line_number: int
    sheet_row: int
    byte_offset: int
    columns: tuple[str, ...]
    reasons: tuple[str, ...]
    messages: tuple[str, ...]
    raw_bytes: bytes


@dataclass(frozen=True)
class Batch:
    """At most BATCH_ROWS records of the file, in file order: each is in `accepted`, in `rejected`, or one of
    `repeats`, the rows that came before in the same delivery. `refused_orders`: keys of orders
    that have a rejected row."""

    accepted: pa.RecordBatch
    rejected: list[RejectedRow]
    repeats: int = 0
    refused_orders: frozenset[int] = frozenset()


class Reading(ABC):
    """An opened delivery. Iterate `batches()` once; afterwards `rows_gap` counts its blank records.

    `facts` is JSON-ready and goes to raw.loads.reading: delimiter, encoding, date_order, timezone, currency,
    reader ('fast' or 'careful'), columns used (ours -> theirs), columns ignored.
    """

    contract: Contract
    facts: dict[str, object]
    rows_gap: int = 0
    #: its rows are there without waiting for a parser
    in_memory: bool = False

    def note_repeated_hour(self, rows: int) -> None:
        """Keep how many clock times came twice in the night the clocks went back; the first pass was
        taken."""
        if rows:
            before = self.facts.get("rows_in_repeated_hour", 0)
            self.facts["rows_in_repeated_hour"] = rows + (before if isinstance(before, int) else 0)

    @abstractmethod
    def batches(self) -> Iterator[Batch]:
        """Yield the delivery in batches. The fast reader may raise DamagedFile after batches were handed
        out."""

    @abstractmethod
    def careful(self) -> Reading:
        """The same delivery through the careful reader, from its first byte."""

    @abstractmethod
    def refusing(self, orders: frozenset[int]) -> Reading:
        """The same delivery from its first byte, with every row of these orders rejected
        (ORDER_INCOMPLETE)."""
