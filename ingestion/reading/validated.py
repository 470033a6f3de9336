"""The stretches of a damaged file, each with the query's answer for its rows; it is planned once a file.

DuckDB pulls the stretches from a thread of its own, a few ahead of the reader, and gives rows back in their
order. Put the pairing of both here. Never what an answer means (finishing.py, careful.py).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ingestion.reading import views
from ingestion.reading.delivery import Delivery
from ingestion.reading.engine import cursor, literal
from ingestion.reading.stretches import Flags, Stretch
from ingestion.reading.tokens import UNIT

if TYPE_CHECKING:
    import pyarrow as pa

    from ingestion.reading.stretches import Numbers

#: How many answers are fetched at once; many fewer than BATCH_ROWS, as they are held beside their stretches.
_ANSWER_ROWS = 16_384
#: How much of its answer the engine holds ahead of the reader, beside what its threads work on.
_BUFFER = "1MB"


class Answered(NamedTuple):
    """One stretch, the positions of its records that have cells, and the query's row for each of those."""

    stretch: Stretch
    whole: Numbers
    rows: pa.RecordBatch


class Validated:
    """Iterate once: every stretch in file order with its answer.

    Raises what reading the file raises, as itself. Stopping early ends the reading too.
    """

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery
        #: pulled by the engine, not yet handed out
        self._pending: deque[tuple[Stretch, Numbers]] = deque()
        self._failure: Exception | None = None
        self._is_closed = False

    def __iter__(self) -> Iterator[Answered]:
        import duckdb  # noqa: PLC0415
        import pyarrow as pa  # noqa: PLC0415

        connection = cursor()
        try:
            connection.execute(f"set session streaming_buffer_size = '{_BUFFER}'")
            stream = pa.RecordBatchReader.from_batches(pa.schema([("text", pa.string())]), self._texts())
            connection.register("texts", stream)
            answers = connection.sql(self._query()).to_arrow_reader(_ANSWER_ROWS)
            yield from self._paired(answers)
        except (duckdb.Error, pa.ArrowException, OSError):
            if self._failure is not None:
                raise self._failure from None
            raise
        finally:
            self._is_closed = True
            connection.close()

    def _query(self) -> str:
        """The plan's query over records whose cells are joined by UNIT."""
        used = sorted(set(self._delivery.plan.columns.values()))
        cells = ", ".join(f"cells[{position + 1}] as c{position}" for position in used)
        split = f"select string_split(text, {literal(UNIT)}) as cells from texts"  # noqa: S608
        return f"with src as (select {cells} from ({split})) {self._delivery.plan.query}"  # noqa: S608

    def _texts(self) -> Iterator[pa.RecordBatch]:
        """What the engine reads. Runs in its threads, never in two at once."""
        import pyarrow as pa  # noqa: PLC0415

        try:
            for stretch in self._delivery.stretches():
                if self._is_closed:
                    return
                has_cells: Flags = views.byte_lengths(stretch.texts) > 0
                whole = np.flatnonzero(has_cells)
                texts = stretch.texts
                if len(whole) < len(stretch):
                    texts = texts.take(views.positions(whole))
                self._pending.append((stretch, whole))
                if len(whole):
                    yield pa.record_batch([texts], names=["text"])
        except Exception as error:  # the engine would hand on its text only
            self._failure = error
            raise

    def _paired(self, answers: pa.RecordBatchReader) -> Iterator[Answered]:
        """Each stretch as soon as its last answer is there."""
        import pyarrow as pa  # noqa: PLC0415

        parts: deque[pa.RecordBatch] = deque()
        held = 0
        is_over = False
        while True:
            while self._pending and held >= (wanted := len(self._pending[0][1])):
                stretch, whole = self._pending.popleft()
                held -= wanted
                yield Answered(stretch, whole, _joined(_taken(parts, wanted), answers.schema))
            if is_over:
                break
            part = next(answers, None)
            if part is None:
                is_over = True
            else:
                parts.append(part)
                held += part.num_rows
        if held or self._pending:
            raise pa.ArrowInvalid(f"{held} answers too many, {len(self._pending)} stretches without theirs")


def _taken(parts: deque[pa.RecordBatch], wanted: int) -> list[pa.RecordBatch]:
    """The first `wanted` rows, taken away from `parts`."""
    taken = []
    while wanted:
        part = parts.popleft()
        if part.num_rows > wanted:
            parts.appendleft(part.slice(wanted))
            part = part.slice(0, wanted)
        taken.append(part)
        wanted -= part.num_rows
    return taken


def _joined(parts: list[pa.RecordBatch], schema: pa.Schema) -> pa.RecordBatch:
    """The parts as one batch."""
    import pyarrow as pa  # noqa: PLC0415

    if len(parts) == 1:
        return parts[0]
    whole = pa.Table.from_batches(parts, schema=schema).combine_chunks().to_batches()
    if whole:
        return whole[0]
    return pa.RecordBatch.from_arrays([pa.nulls(0, field.type) for field in schema], schema=schema)
