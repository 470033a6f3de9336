"""The one DuckDB of this process: small, in memory, no extensions from outside, nothing kept between files.

Put its settings here. Never a query.
"""

from __future__ import annotations

import atexit
import hashlib
import threading
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ingestion.reading import views

if TYPE_CHECKING:
    import duckdb

THREADS = 2
MEMORY = "160MB"
_LOOKUPS = threading.Lock()
_known_lookups: set[str] = set()


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


def lookup(found: Mapping[str, str]) -> str:
    """The name of an SQL function text -> text that looks up `found`; null where it knows nothing.

    A join would do as well, but it does not keep the order of rows, by which they are numbered.
    """
    pairs = sorted(found.items())
    name = f"lookup_{hashlib.sha256(repr(pairs).encode()).hexdigest()[:20]}"
    with _LOOKUPS:
        if name not in _known_lookups:
            _register(name, pairs)
            _known_lookups.add(name)
    return name


def _forget() -> None:
    """Let go of the functions before the interpreter ends; the engine complains about them otherwise."""
    for name in _known_lookups:
        _root().remove_function(name)
    _root().close()
    _root.cache_clear()


def _register(name: str, pairs: Sequence[tuple[str, str]]) -> None:
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.compute as pc  # noqa: PLC0415

    keys = views.texts([key for key, _ in pairs])
    values = views.texts([value for _, value in pairs])

    def look_up(texts: Any) -> Any:  # duckdb evaluates annotations where pyarrow is not imported
        found = pc.index_in(texts, value_set=keys)
        taken = values.take(found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found)
        return pc.if_else(pc.is_null(texts), None, taken)

    if not _known_lookups:
        atexit.register(_forget)
    _root().create_function(name, look_up, ["VARCHAR"], "VARCHAR", type="arrow", null_handling="special")


def literal(text: str) -> str:
    """`text` as a DuckDB string literal. Raises ValueError for NUL, which no literal can hold."""
    if "\0" in text:
        raise ValueError("a NUL cannot stand in SQL text")
    return "'" + text.replace("'", "''") + "'"
