"""The one DuckDB of this process: small, in memory, no extensions from outside, nothing kept between files.

Put its settings here. Never a query.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

THREADS = 2
MEMORY = "160MB"


@lru_cache(maxsize=1)
def _root() -> duckdb.DuckDBPyConnection:
    import duckdb  # noqa: PLC0415

    connection = duckdb.connect(
        ":memory:",
        config={
            "threads": THREADS,
            "memory_limit": MEMORY,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "temp_directory": "",
        },
    )
    connection.execute("set TimeZone = 'UTC'")
    return connection


def cursor() -> duckdb.DuckDBPyConnection:
    """A connection of its own to the shared in-memory engine; close it after use. Safe to call from any
    thread."""
    connection = _root().cursor()
    connection.execute("set TimeZone = 'UTC'")
    return connection


def literal(text: str) -> str:
    """`text` as a DuckDB string literal. Raises ValueError for NUL, which no literal can hold."""
    if "\0" in text:
        raise ValueError("a NUL cannot stand in SQL text")
    return "'" + text.replace("'", "''") + "'"
