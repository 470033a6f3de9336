"""Who drives a build: one process at a time, from opening the build to publishing it or giving up.

Put here: the session lock, opening a build, waiting visibly for another run, closing what was left open.
Never here: what a build contains (dbt) and whether it is good (audit.py).

The lock lives on a connection of its own, so the server frees it the moment the process dies.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import psycopg

from publication.sweeping import sweep
from warehouse.errors import ShopxError

if TYPE_CHECKING:
    from warehouse.database import Warehouse

POLL_S = 0.5
SAY_EVERY_S = 2.0

HOLDER = """
    select a.pid, a.application_name, age(clock_timestamp(), a.backend_start)
    from pg_locks as l
    inner join pg_stat_activity as a on a.pid = l.pid
    where l.locktype = 'advisory' and l.granted and l.objsubid = 1
        and l.database = (select d.oid from pg_database as d where d.datname = current_database())
        and (l.classid::bigint << 32) | l.objid::bigint = ops.driver_lock_key()
"""


@dataclass(frozen=True)
class Build:
    """An open build. `driver_pid` is the server process that holds the driver's lock for it."""

    build_id: int
    as_of: date
    full_refresh: bool
    driver_pid: int


class Driver:
    """The holder of the driver's lock."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._opened: list[int] = []

    @property
    def pid(self) -> int:
        """The server process that holds the lock."""
        return self._connection.info.backend_pid

    def pending_changes(self) -> int:
        """How many decisions are in no publication yet; after 0 a build would change nothing."""
        return int(_one(self._connection, "select count(*) from ops.changes where publication_id is null"))

    def open_build(
        self, *, as_of: date | None = None, full_refresh: bool = False, opened_by: str = "shopx"
    ) -> Build:
        """Open a build over every approved load; an unfinished build is abandoned, its leftovers are dropped.

        Raises ShopxError when no delivery has been approved.
        """
        sweep(self._connection)
        try:
            build_id = _one(
                self._connection, "select ops.open_build(%s, %s, %s)", opened_by, as_of, full_refresh
            )
        except psycopg.errors.NoDataFound:
            raise ShopxError(
                "There is nothing to build: no delivery counts yet. Load one with ./shopx run FILE; "
                "./shopx loads shows what was held and why."
            ) from None
        self._opened.append(build_id)
        found = self._connection.execute(
            "select as_of, full_refresh from ops.builds where build_id = %s", [build_id]
        ).fetchone()
        assert found is not None  # noqa: S101  just inserted on this connection
        return Build(build_id=build_id, as_of=found[0], full_refresh=found[1], driver_pid=self.pid)

    def fail(self, build: Build) -> None:
        """Close the build as failed; its changes stay pending for the next one."""
        self._close(build.build_id, "failed")

    def close_unfinished(self, *, status: str) -> None:
        """Close every build this driver opened that was neither published nor failed."""
        for build_id in self._opened:
            self._close(build_id, status)

    def _close(self, build_id: int, status: str) -> None:
        self._connection.execute(
            "update ops.builds set status = %s, closed_at = now() where build_id = %s and status = 'open'",
            [status, build_id],
        )


@contextmanager
def drive(
    warehouse: Warehouse, *, wait_s: float = 600, progress: Callable[[str], None] | None = None
) -> Iterator[Driver]:
    """Hold the driver's lock, waiting up to `wait_s` seconds for another run and saying so every two seconds.

    A build left open by an exception is closed as failed, else as abandoned. Raises ShopxError when the
    other run takes longer than `wait_s`.
    """
    with warehouse.connect("owner", autocommit=True, application_name="shopx driver") as connection:
        _take_lock(connection, wait_s=wait_s, progress=progress or _silent)
        driver = Driver(connection)
        try:
            yield driver
        except BaseException:
            with suppress(
                psycopg.Error
            ):  # the connection may be what broke; the server frees the lock with it
                driver.close_unfinished(status="failed")
            raise
        driver.close_unfinished(status="abandoned")


def _take_lock(
    connection: psycopg.Connection[Any], *, wait_s: float, progress: Callable[[str], None]
) -> None:
    deadline = time.monotonic() + wait_s
    next_word = time.monotonic()
    while not _one(connection, "select pg_try_advisory_lock(ops.driver_lock_key())"):
        now = time.monotonic()
        if now >= deadline:
            raise ShopxError(
                f"Another run is still building ({_holder(connection)}) after {wait_s:.0f} s of waiting; "
                "nothing was changed. Try again when it is done: ./shopx doctor shows it."
            )
        if now >= next_word:
            progress(f"waiting for another run to finish ({_holder(connection)})")
            next_word = now + SAY_EVERY_S
        time.sleep(min(POLL_S, max(deadline - now, 0.01)))


def _holder(connection: psycopg.Connection[Any]) -> str:
    row = connection.execute(HOLDER).fetchone()
    return "just ending" if row is None else f"{row[1] or 'unnamed'}, server process {row[0]}, for {row[2]}"


def _one(connection: psycopg.Connection[Any], query: Any, *parameters: object) -> Any:
    row = connection.execute(query, parameters).fetchone()
    assert row is not None  # noqa: S101  callers ask for exactly one row
    return row[0]


def _silent(_: str) -> None:
    """Nobody is listening."""
