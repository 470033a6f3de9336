"""Other ways of the same file into the same server, for load_csv.py: pandas with COPY, and dlt.

    python benchmarks/rivals.py pandas|dlt FILE BEFORE     with the address in BENCH_DSN

Loads BEFORE, a small file that is not counted, and then FILE; prints seconds and peak MB as JSON.

Put here one function per rival, each in the fastest way its documentation names. This file runs under another
interpreter for dlt, which the project does not install, so it imports nothing of the project.
"""

from __future__ import annotations

import io
import json
import os
import resource
import sys
import time
from collections.abc import Iterator

ROWS_AT_ONCE = 100_000
KINDS = {"i": "bigint", "f": "numeric", "M": "timestamp"}  # numpy's -> PostgreSQL's


def pandas_copy(path: str, dsn: str) -> float:
    """pandas reads and types the columns, writes CSV again, COPY takes it into a typed table."""
    import pandas as pd  # noqa: PLC0415 - each rival needs only its own libraries
    import psycopg  # noqa: PLC0415

    started = time.perf_counter()
    with psycopg.connect(dsn) as conn:
        for number, frame in enumerate(pd.read_csv(path, chunksize=ROWS_AT_ONCE, parse_dates=["date"])):
            if not number:
                kinds = {"i": "bigint", "f": "numeric", "M": "timestamp"}
                columns = ", ".join(
                    f'"{name}" {kinds.get(kind.kind, "text")}' for name, kind in frame.dtypes.items()
                )
                conn.execute("drop table if exists staging.with_pandas")
                conn.execute(f"create table staging.with_pandas ({columns})")
            text = io.StringIO()
            frame.to_csv(text, index=False, header=False)
            with conn.cursor().copy("copy staging.with_pandas from stdin (format csv)") as copy:
                copy.write(text.getvalue())
    return time.perf_counter() - started


def dlt_arrow(path: str, dsn: str) -> float:
    """dlt with Arrow tables from pyarrow, loaded as CSV by COPY."""
    import dlt  # noqa: PLC0415
    import pyarrow.csv  # noqa: PLC0415

    def tables() -> Iterator[object]:
        with pyarrow.csv.open_csv(path, read_options=pyarrow.csv.ReadOptions(block_size=16 << 20)) as reader:
            for batch in reader:
                yield pyarrow.Table.from_batches([batch])

    pipeline = dlt.pipeline(
        "bench", destination=dlt.destinations.postgres(credentials=dsn), dataset_name="with_dlt"
    )
    started = time.perf_counter()
    pipeline.run(
        tables(), table_name="sales", write_disposition="replace", loader_file_format="csv"
    ).raise_on_failed_jobs()
    return time.perf_counter() - started


if __name__ == "__main__":
    rival = {"pandas": pandas_copy, "dlt": dlt_arrow}[sys.argv[1]]
    rival(sys.argv[3], os.environ["BENCH_DSN"])
    seconds = rival(sys.argv[2], os.environ["BENCH_DSN"])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak_mb": peak}))
