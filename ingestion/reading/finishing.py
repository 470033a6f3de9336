"""From the query's answer to batches: clocks to UTC, business days, accepted rows apart from flagged ones.

Shared by both readers. Never parsing, never files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ingestion import reasons
from ingestion.contract import Contract
from ingestion.entities import Entity
from ingestion.reading import messages, views
from ingestion.reading.entity_rules import version_schema
from ingestion.reading.identities import Identities
from ingestion.reading.order_cells import OrderCells
from ingestion.reading.order_keys import order_keys
from ingestion.reading.plan import TEXTS, Plan
from ingestion.reading.rows import BATCH_ROWS, RejectedRow, accepted_schema
from ingestion.reading.validation import WORD_BITS, word_name
from ingestion.reading.zones import zone

if TYPE_CHECKING:
    import pyarrow as pa

_DAY = 86_400_000_000
_MINUTE = 60_000_000
_MANY_RUNS = 400


@dataclass(frozen=True)
class Answer:
    """One batch of the query with its clocks resolved; `words` hold every check, late ones included;
    `repeats` marks rows that came before; `twice` counts clock times that the day had twice."""

    rows: pa.RecordBatch
    source: str
    order_text: str
    words: tuple[NDArray[np.int64], ...]
    sale_date: NDArray[np.int64]
    sold_at: NDArray[np.int64]
    has_sold_at: NDArray[np.bool_]
    entity: Entity | None = None
    twice: int = 0
    repeats: NDArray[np.bool_] | None = None

    @property
    def failed(self) -> NDArray[np.bool_]:
        """Where at least one check failed."""
        failed: NDArray[np.bool_] = self.words[0] != 0
        for word in self.words[1:]:
            failed |= word != 0
        return failed

    @property
    def flagged(self) -> NDArray[np.int64]:
        """Positions of rows with at least one failed check."""
        return np.flatnonzero(self.failed)

    @property
    def repeated(self) -> int:
        """How many rows are repeats."""
        return 0 if self.repeats is None else int(self.repeats.sum())

    def up_to(self, end: int) -> Answer:
        """The same answer where the rows from position `end` on are neither accepted nor repeats."""
        first = self.words[0].copy()
        first[end:] |= 1
        repeats = None if self.repeats is None else self.repeats & (np.arange(len(self.repeats)) < end)
        return replace(self, words=(first, *self.words[1:]), repeats=repeats)

    def bits(self, position: int) -> int:
        """Every failed check of one row, the check's place in the plan being its bit."""
        return sum(int(word[position]) << WORD_BITS * number for number, word in enumerate(self.words))


@dataclass(frozen=True)
class Place:
    """Where a flagged row stands in the file, and its cells as cut."""

    line: int
    sheet_row: int
    offset: int
    raw: bytes
    cells: Sequence[str]


_schema = lru_cache(maxsize=1)(accepted_schema)


def answer(
    rows: pa.RecordBatch,
    *,
    plan: Plan,
    contract: Contract,
    today: date,
    order_cells: OrderCells,
    identities: Identities | None = None,
) -> Answer:
    """Resolve cells written once per order, local times, business days, repeats, and the checks that need
    them."""
    if contract.entity is None:
        rows = _with_nulls(rows)
    rows = order_cells.fill(rows)
    if contract.entity is not None:
        bits = views.values(rows.column("bits"), np.int64)
        none = np.zeros(0, np.int64)
        return Answer(
            rows, contract.source_name, "", (bits,), none, none, none.astype(bool), entity=contract.entity
        )
    known = views.known(rows.column("ts"))
    local = np.where(known, views.values(rows.column("ts"), np.int64), 0)
    has_clock = views.values(rows.column("has_clock"), np.int8).astype(bool) & known
    place = zone(contract.timezone)
    utc, skipped, twice = place.to_utc(local)
    offsets = rows.column("offset_minutes")
    if offsets.null_count < len(offsets):
        stated = views.known(offsets) & known
        minutes = np.where(stated, views.values(offsets, np.int32), 0).astype(np.int64)
        utc = np.where(stated, local - minutes * _MINUTE, utc)
        local = np.where(stated, place.to_local(utc), local)
        skipped &= ~stated
        twice &= ~stated
    hours, minutes_past = (int(part) for part in contract.day_starts_at.split(":"))
    starts = (hours * 60 + minutes_past) * _MINUTE
    day = np.where(has_clock, local - starts, local) // _DAY
    words = [views.values(rows.column(word_name(number)), np.int64) for number in range(plan.words)]
    bits = words[0] = words[0].copy()
    tomorrow = (today - date(1970, 1, 1)).days + 1
    for code, fails in (
        ("DATE_TOO_OLD", known & (day < 0)),
        ("DATE_IN_FUTURE", known & (day > tomorrow)),
        ("TIME_DOES_NOT_EXIST", has_clock & skipped),
    ):
        if fails.any():
            bits[fails] |= 1 << plan.late_checks[code]
    order_text = "order_id" if contract.order_id_scope == "source" else "order_text"
    found = Answer(
        rows,
        contract.source_name,
        order_text,
        tuple(words),
        day,
        utc,
        has_clock,
        twice=int((twice & has_clock).sum()),
    )
    if plan.refused_orders:
        keys = order_keys(rows.column(order_text), source=contract.source_name)
        refused = np.isin(views.values(keys, np.int64), list(plan.refused_orders)) & views.known(keys)
        bits[refused & ~found.failed] |= 1 << plan.late_checks["ORDER_INCOMPLETE"]
    if identities is None or not plan.has_identity:
        return found
    own, whole = (views.values(rows.column(name), np.uint64) for name in ("identity_hash", "content_hash"))
    repeats, contradicts = identities.judge(own, whole, sound=~found.failed)
    bits[contradicts] |= 1 << plan.late_checks["IDENTITY_CONTRADICTS"]
    return replace(found, repeats=repeats)


def _with_nulls(rows: pa.RecordBatch) -> pa.RecordBatch:
    """The query's answer with the columns it leaves out, null in every row."""
    import pyarrow as pa  # noqa: PLC0415

    has = set(rows.schema.names)
    columns = {name: rows.column(name) for name in rows.schema.names}
    for name in ("order_text", *TEXTS, "currency", "line_kind"):
        if name not in has:
            columns[name] = _nulls(pa.string(), rows.num_rows)
    for name in ("tax_cents", "cost_cents"):
        if name not in has:
            columns[name] = _nulls(pa.int64(), rows.num_rows)
    return pa.RecordBatch.from_pydict(columns)


def _nulls(kind: pa.DataType, count: int) -> pa.Array:
    return _many_nulls(kind, -(-count // BATCH_ROWS) * BATCH_ROWS).slice(0, count)


@lru_cache(maxsize=4)
def _many_nulls(kind: pa.DataType, count: int) -> pa.Array:
    import pyarrow as pa  # noqa: PLC0415

    return pa.nulls(count, kind)


def refused_orders(found: Answer, *, up_to: int) -> frozenset[int]:
    """Keys of the orders that have a flagged row before position `up_to`, as far as it could be cut into
    cells."""
    flagged = found.flagged
    flagged = flagged[: np.searchsorted(flagged, up_to)]
    if found.entity is not None or not len(flagged):
        return frozenset()

    texts = found.rows.column(found.order_text).take(views.positions(flagged))
    return frozenset(order_keys(texts, source=found.source).drop_null().to_pylist())


def accepted(found: Answer, *, row_numbers: NDArray[np.int64]) -> pa.RecordBatch:
    """The rows without a failed check, as Batch.accepted; `row_numbers` is for every row of the answer."""
    import pyarrow as pa  # noqa: PLC0415

    schema = _schema() if found.entity is None else version_schema(found.entity)
    made = {"row_number": views.array(row_numbers.astype(np.int32), pa.int32())}
    if found.entity is None:
        made |= _of_sales(found)
    whole = pa.RecordBatch.from_arrays(
        [made[name] if (name := field.name) in made else found.rows.column(name) for field in schema],
        schema=schema,
    )
    good = ~found.failed
    if found.repeats is not None:
        good &= ~found.repeats
    if good.all():
        return whole
    edges = np.flatnonzero(np.diff(np.concatenate(([False], good, [False])).astype(np.int8)))
    if len(edges) // 2 > _MANY_RUNS:
        return whole.filter(views.flags(good))
    runs = [whole.slice(int(a), int(b - a)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    joined = pa.Table.from_batches(runs, schema=schema).combine_chunks().to_batches()
    return joined[0] if joined else whole.slice(0, 0)


def _of_sales(found: Answer) -> dict[str, pa.Array]:
    """The columns of sales that are worked out from the whole batch."""
    import pyarrow as pa  # noqa: PLC0415

    return {
        "sale_date": views.array(found.sale_date.astype(np.int32), pa.date32()),
        "sold_at": views.array(found.sold_at, pa.timestamp("us", tz="UTC"), known=found.has_sold_at),
        "quantity_thousandths": views.unscaled(found.rows.column("quantity")),
        "unit_price_millionths": views.unscaled(found.rows.column("unit_price")),
        "order_key": order_keys(found.rows.column(found.order_text), source=found.source),
    }


def rejected(place: Place, bits: int, *, plan: Plan, header: Sequence[str]) -> RejectedRow:
    """One flagged row with every reason that its bits name."""
    columns, codes, texts = [], [], []
    for bit, check in enumerate(plan.checks):
        if bits >> bit & 1:
            columns.append(header[plan.columns[check.column]] if check.column in plan.columns else "")
            codes.append(messages.code_of(check, place.cells, columns=plan.columns))
            texts.append(
                messages.for_check(
                    check,
                    place.cells,
                    columns=plan.columns,
                    given=plan.given,
                    header=header,
                    row=place.sheet_row,
                    line=place.line,
                )
            )
    return RejectedRow(
        place.line, place.sheet_row, place.offset, tuple(columns), tuple(codes), tuple(texts), place.raw
    )


def wrong_total(row: RejectedRow, said: tuple[int | None, str, str], *, header: Sequence[str]) -> RejectedRow:
    """The same row refused for one reason: it is a total, and not that of the rows above."""
    position, saw, expected = said
    column = "" if position is None else header[position]
    text = reasons.message(
        "TOTAL_ROW_DISAGREES",
        row=row.sheet_row,
        line=row.line_number,
        column=column,
        saw=saw,
        expected=expected,
    )
    return replace(row, columns=(column,), reasons=("TOTAL_ROW_DISAGREES",), messages=(text,))
