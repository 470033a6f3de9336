"""Connections of the server: a pool as shopx_reader, opened when the database is there.

Put here: how the server reaches the warehouse and hands out reading transactions. Never here: a query.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from dashboards.answers.page import Page, reading
from dashboards.problems import NotReady
from warehouse.database import Warehouse, open_warehouse
from warehouse.errors import ShopxError

if TYPE_CHECKING:
    import psycopg
    from fastapi import Request
    from psycopg_pool import ConnectionPool

    from warehouse.settings import Settings

log = logging.getLogger(__name__)
CONNECTIONS = 8
STATEMENT_LIMIT_S = 15
RETRY_S = 2.0


class Readers:
    """The warehouse while the server runs. Opening happens in a thread of its own, so that the port answers
    while the database still starts; it is tried until it succeeds.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stopping = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._hold, name="warehouse", daemon=True)
        self._warehouse: Warehouse | None = None
        self._pool: ConnectionPool | None = None
        self.trouble = "The database is being started."

    def start(self) -> None:
        """Begin to open the warehouse."""
        self._thread.start()

    def stop(self) -> None:
        """Give up all connections, and the embedded server if nobody else uses it."""
        self._stopping.set()
        self._thread.join(timeout=30)

    def wait(self, timeout: float) -> bool:
        """Wait until the warehouse is open; returns whether it is."""
        return self._ready.wait(timeout)

    @property
    def warehouse(self) -> Warehouse:
        """The open warehouse. Raises NotReady before it is."""
        if self._warehouse is None:
            raise NotReady(self.trouble)
        return self._warehouse

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection as shopx_reader, outside any transaction. Raises NotReady."""
        from psycopg_pool import PoolTimeout  # noqa: PLC0415

        if self._pool is None:
            raise NotReady(self.trouble)
        with ExitStack() as held:
            try:
                connection = held.enter_context(self._pool.connection())
            except PoolTimeout:
                raise NotReady("All connections to the database are busy; ask again in a moment.") from None
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Page]:
        """The reading transaction of one page: everything asked in it belongs to one publication."""
        with self.connection() as connection, reading(connection, time_zone=self._settings.time_zone) as page:
            yield page

    def _hold(self) -> None:
        while not self._stopping.is_set():
            try:
                with open_warehouse(self._settings) as warehouse, _pool(warehouse) as pool:
                    self._warehouse, self._pool = warehouse, pool
                    self._ready.set()
                    self._stopping.wait()
                    self._pool = None
                return
            except ShopxError as problem:
                self.trouble = problem.message
                log.warning("the warehouse cannot be opened: %s", problem.message)
            except Exception:
                self.trouble = "The database cannot be reached; `./shopx doctor` says why."
                log.exception("the warehouse cannot be opened")
            self._stopping.wait(RETRY_S)


@contextmanager
def _pool(warehouse: Warehouse) -> Iterator[ConnectionPool]:
    from psycopg_pool import ConnectionPool  # noqa: PLC0415

    limit = f"-c statement_timeout={STATEMENT_LIMIT_S * 1000} -c default_transaction_read_only=on"
    pool = ConnectionPool(
        warehouse.conninfo("reader"),
        kwargs={"autocommit": True, "application_name": "shopx dashboards", "options": limit},
        min_size=1,
        max_size=CONNECTIONS,
        timeout=10,
        check=ConnectionPool.check_connection,
        open=False,
        name="readers",
    )
    with pool:
        pool.wait(timeout=30)
        yield pool


def readers_of(request: Request) -> Readers:
    """The readers of the application that a request reached."""
    found: Readers = request.app.state.readers
    return found


@contextmanager
def page(request: Request) -> Iterator[Page]:
    """The reading transaction of the page that was asked for. Raises NotReady."""
    with readers_of(request).reading() as page_:
        yield page_
