"""A connection to another database that can only read, and one question to it, answered in batches.

Put here what is particular to servers and drivers, and the sentences about their failures. Never what rows
mean. A password or an address never stands in a sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

from ingestion.sources import sql_values
from ingestion.sources.fetched import FetchFailed

if TYPE_CHECKING:
    from sqlalchemy import ColumnClause, Connection, CursorResult, TextClause
    from sqlalchemy.engine import URL

ROWS_AT_ONCE = 5_000
#: how each kind of server is told to read only, to show one state of its data, and when to give up
_ONLY_READING = {
    "postgresql": (
        "set transaction isolation level repeatable read, read only",
        "set local statement_timeout = {ms}",
        "set local time zone 'UTC'",
    ),
    "mysql": ("set session transaction read only", "set session max_execution_time = {ms}"),
    "mariadb": ("set session transaction read only", "set session max_statement_time = {s}"),
    "oracle": ("set transaction read only",),
    "sqlite": ("pragma query_only = on",),
}
_CONNECT_TIMEOUT = {"sqlite": "timeout", "postgresql": "connect_timeout", "mysql": "connect_timeout"}


class Answer:
    """What a query gives: its column names, and its rows in batches."""

    def __init__(self, result: CursorResult[Any]) -> None:
        self._result = result
        self.columns: list[str] = list(result.keys())

    def position(self, column: str) -> int:
        """Where a column stands, whatever the case of its name. Raises FetchFailed naming those there are."""
        names = [name.casefold() for name in self.columns]
        if column.casefold() not in names:
            raise FetchFailed(f"the query has no column {column}; it has {', '.join(self.columns)}.")
        return names.index(column.casefold())

    def batches(self) -> Iterator[Sequence[Sequence[Any]]]:
        """The rows, so many at a time that memory stays flat."""
        yield from self._result.partitions(ROWS_AT_ONCE)

    def texts(self, values: Sequence[Any]) -> list[str | None]:
        """One row as text. Raises FetchFailed that names the column."""
        try:
            return [sql_values.text(value) for value in values]
        except (TypeError, UnicodeDecodeError):
            for column, value in zip(self.columns, values, strict=True):
                try:
                    sql_values.text(value)
                except (TypeError, UnicodeDecodeError) as problem:
                    raise FetchFailed(
                        f"the column {column} cannot be read as text: {problem}; cast it in the query, or "
                        "leave it out."
                    ) from None
            raise


def ask(connection: Connection, query: str, *, cursor: str | None, since: object | None = None) -> Answer:
    """The query's rows; with a cursor column those at or after `since`, in its order.

    Raises FetchFailed when the query has no such column.
    """
    from sqlalchemy import DateTime, bindparam, select, text  # noqa: PLC0415 - only where one is asked

    if cursor is None:
        return Answer(connection.execute(text(_plain(query))))
    rows, key = _rows(connection, query, cursor)
    wanted = select(text("*")).select_from(rows).order_by(key)
    if since is not None:
        # a time with an offset would else be sent as one without
        zoned = isinstance(since, datetime) and since.tzinfo is not None
        wanted = wanted.where(key >= bindparam("since", since, DateTime(timezone=True) if zoned else None))
    return Answer(connection.execute(wanted))


def count_without(connection: Connection, query: str, *, cursor: str) -> int:
    """How many rows have nothing in the cursor column. Raises FetchFailed when there is no such column."""
    from sqlalchemy import func, select  # noqa: PLC0415

    rows, key = _rows(connection, query, cursor)
    return connection.scalar(select(func.count()).select_from(rows).where(key.is_(None))) or 0


def _plain(query: str) -> str:
    """The query as it is: no colon in it is a parameter of ours."""
    return query.replace(":", "\\:")


def _rows(connection: Connection, query: str, cursor: str) -> tuple[TextClause, ColumnClause[Any]]:
    """The query as a table, and its cursor column as the server writes it."""
    from sqlalchemy import column, select, text  # noqa: PLC0415

    rows = text(f"({_plain(query)}\n) delivered")
    with connection.execute(select(text("*")).select_from(rows).where(text("1 = 0"))) as result:
        names = Answer(result)
        return rows, column(names.columns[names.position(cursor)])


@contextmanager
def reading(
    address: str | None, *, name: str, timeout_s: int, connect_timeout_s: int
) -> Iterator[Connection]:
    """A connection that can only read, closed at the end. Whatever fails inside is FetchFailed.

    `name` is the environment variable that holds the `address`.
    """
    from sqlalchemy import create_engine, make_url, text  # noqa: PLC0415
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415
    from sqlalchemy.pool import NullPool  # noqa: PLC0415

    if address is None:
        raise FetchFailed(
            f"{name} is not set; set it to the address of the database, like "
            "postgresql://reader:password@host/name."
        )
    try:
        url = make_url(address)
    except SQLAlchemyError:
        raise FetchFailed(
            f"{name} is no address of a database, like postgresql://reader:…@host/name."
        ) from None
    kind = url.get_backend_name()
    wait = {_CONNECT_TIMEOUT[kind]: connect_timeout_s} if kind in _CONNECT_TIMEOUT else {}
    try:
        engine = create_engine(
            _only_existing(url), poolclass=NullPool, hide_parameters=True, connect_args=wait
        )
        with engine.connect() as connection:
            for statement in _ONLY_READING.get(kind, ()):
                connection.execute(text(statement.format(ms=timeout_s * 1000, s=timeout_s)))
            yield connection.execution_options(stream_results=True, yield_per=ROWS_AT_ONCE)
            connection.rollback()
    except ModuleNotFoundError as problem:
        raise FetchFailed(
            f"{name} names a database whose driver is not installed: pip install {problem.name}."
        ) from None
    except SQLAlchemyError as problem:
        raise FetchFailed(_sentence(problem, url, name=name, timeout_s=timeout_s)) from None


def _only_existing(url: URL) -> URL:
    """SQLite would make a missing file; so it is opened for reading only."""
    path = url.database
    if url.get_backend_name() != "sqlite" or not path or path == ":memory:" or path.startswith("file:"):
        return url
    if not Path(path).is_file():
        raise FetchFailed(f"there is no database file {path}; check the address.")
    return url.set(database=f"file:{quote(str(Path(path).absolute()))}", query={"mode": "ro", "uri": "true"})


def _sentence(problem: Exception, url: URL, *, name: str, timeout_s: int) -> str:
    """What the server said, in one line, without what nobody may read."""
    from sqlalchemy.exc import DBAPIError, NoSuchModuleError  # noqa: PLC0415

    if isinstance(problem, NoSuchModuleError):
        return f"{name} names a kind of database that is not known here ({url.drivername})."
    said = str(problem.orig if isinstance(problem, DBAPIError) else problem)
    first = next((part.strip() for part in said.splitlines() if part.strip()), type(problem).__name__)
    for secret in {url.password, quote(url.password or ""), quote_plus(url.password or "")} - {None, ""}:
        first = first.replace(str(secret), "…")
    if isinstance(problem, DBAPIError):
        code = getattr(problem.orig, "sqlstate", None) or getattr(problem.orig, "pgcode", None)
        if code == "57014":
            return f"the query took longer than {timeout_s} s; make it cheaper, or raise timeout_s ({first})."
        if code == "25006" or "readonly database" in first:
            return f"the query would write, and only reading is allowed ({first})."
        if problem.connection_invalidated:
            return f"the connection was lost midway, nothing was taken over; try again ({first})."
    return f"the database of {name} refused: {first.rstrip('.')}."
