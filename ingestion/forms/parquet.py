"""A Parquet file: typed columns become text, exactly. Record n of the file is row n."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ingestion.forms.limits import Budget
from ingestion.forms.unpacked import Asked, Unpacked
from ingestion.refusals import FileRefused

if TYPE_CHECKING:
    from ingestion.reading.rows import RejectedRow

NAME = "parquet"
WRAPS = False
_BATCH_ROWS = 20_000
_PLACE = re.compile(r"^row [\d,]+ \(line [\d,]+\)")


def recognise(path: Path, head: bytes, asked: Asked) -> bool:
    """By its first bytes, locked ones included."""
    del path, asked
    return head.startswith((b"PAR1", b"PARE"))


def unpack(path: Path, asked: Asked) -> Unpacked:
    """Its records as delimited text. Raises FileRefused when it is damaged, locked or too large."""
    import duckdb  # noqa: PLC0415
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import csv  # noqa: PLC0415

    from ingestion.reading.engine import cursor, literal  # noqa: PLC0415

    with path.open("rb") as file:
        if file.read(4) == b"PARE":
            raise FileRefused(
                f"{path.name} is encrypted; write it without a key and drop it again [FILE_ENCRYPTED]"
            )
    link = asked.work.place("delivered.parquet")  # a name without the characters that are patterns
    link.symlink_to(path.resolve())
    target = link.with_name("records.csv")
    budget = Budget(path, asked.limits)
    source = f"read_parquet({literal(str(link))}, hive_partitioning = false)"
    connection = cursor()
    try:
        described = connection.sql(f"describe select * from {source}").fetchall()  # noqa: S608
        columns = ", ".join(_as_text(name, kind) for name, kind, *_ in described)
        batches = connection.sql(f"select {columns} from {source}").to_arrow_reader(_BATCH_ROWS)  # noqa: S608
        with target.open("wb") as out, csv.CSVWriter(out, batches.schema) as writer:
            written = 0
            for batch in batches:
                writer.write_batch(batch)
                budget.spend(out.tell() - written)
                written = out.tell()
    except (duckdb.Error, pa.ArrowException) as error:
        said = str(error).splitlines()[0][:120].replace(str(link), path.name)
        raise FileRefused(
            f"{path.name} is a Parquet file that cannot be read ({said}); write it again [FILE_DAMAGED]"
        ) from None
    finally:
        connection.close()
        link.unlink(missing_ok=True)
    return Unpacked(target, {"format": NAME}, (_FromRecords(),), asked.work)


def _as_text(name: str, kind: str) -> str:
    """SQL: the column as exact text. Whole numbers that float only because some are missing stay whole."""
    quoted = '"' + name.replace('"', '""') + '"'
    text = f"{quoted}::varchar"
    if kind in ("DOUBLE", "FLOAT"):
        whole = f"isfinite({quoted}) and {quoted} = trunc({quoted}) and abs({quoted}) < 1e15"
        text = f"case when {whole} then {quoted}::bigint::varchar else {quoted}::varchar end"
    elif kind == "TIMESTAMP WITH TIME ZONE":
        text = f"strftime({quoted} at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%f') || 'Z'"
    return f"{text} as {quoted}"


class _FromRecords:
    """The text has a header line that the file has not."""

    def retrace(self, row: RejectedRow) -> RejectedRow:
        """Line and row are the record's number; `byte_offset` stays that in the text."""
        number = row.sheet_row - 1
        messages = tuple(_PLACE.sub(f"row {number:,}", message) for message in row.messages)
        return replace(row, line_number=number, sheet_row=number, messages=messages)
