"""How the server is to plan what it is asked about stored rows.

Put here settings that last for a few statements. Never queries.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg


@contextmanager
def joined_by_hashing(conn: psycopg.Connection[Any]) -> Iterator[None]:
    """No nested loops inside, in a transaction or savepoint of its own: rows loaded a moment ago have no
    statistics, and the planner would go through all of the past again for each of them."""
    with conn.transaction():
        conn.execute("set local enable_nestloop = off")
        yield
        conn.execute("set local enable_nestloop = on")
