"""Fetching a feed: find out what to ask for, ask, write it down, land it. One process per feed at a time.

Put the order of steps here, the same for every kind of source. Never how a source is asked (rest.py, …).
A process killed before the delivery is entered leaves nothing, and the next one asks for the same again; one
killed later leaves a delivery that the next landing finishes from the archive.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ingestion import ledger
from ingestion.archive import Archive
from ingestion.contract import load_contracts
from ingestion.landed import Landed
from ingestion.landing import land
from ingestion.sources.asking import next_cursor, next_windows, past_of, split
from ingestion.sources.fetched import FetchFailed, Request, Source, Window
from warehouse.alerts import raise_alert, resolve_alerts
from warehouse.errors import ShopxError
from warehouse.settings import load_settings, named_secret

if TYPE_CHECKING:
    import psycopg

    from ingestion.contract import Contract
    from warehouse.database import Warehouse

log = logging.getLogger(__name__)
FETCHING_LOCK = 723601  # the first half of the lock; the other is the feed


@dataclass(frozen=True)
class FetchResult:
    """What came of the feeds asked: their deliveries, and one sentence for each feed that failed."""

    landed: list[Landed] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)


def fetched_feeds() -> list[Contract]:
    """The contracts of all feeds that are asked for, by name."""
    return [contract for _, contract in sorted(load_contracts().items()) if contract.is_fetched]


def is_configured(contract: Contract) -> bool:
    """Whether the feed is asked when all are: an API once the environment says where and with which key,
    since one comes with this program; a sheet or a database always, so that what it lacks is said.
    """
    return contract.kind != "api" or not missing_variables(contract)


def missing_variables(contract: Contract) -> list[str]:
    """The environment variables that its contract names and that are not set."""
    names: list[str] = []
    if contract.api is not None:
        names = [contract.api.url_env, *([contract.api.auth.key_env] if contract.api.auth else [])]
    elif contract.sheet is not None:
        names = ["GOOGLE_CREDENTIALS_FILE"]
    elif contract.database is not None:
        names = [contract.database.url_env]
    return [name for name in names if named_secret(name) is None]


def fetch_feeds(
    warehouse: Warehouse,
    feeds: Sequence[str],
    *,
    window: Window | None = None,
    today: date | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> FetchResult:
    """Fetch and land each feed; one that fails gets an alert and harms no other. `window`: days of a feed
    that is asked by days, instead of those that are due."""
    result = FetchResult()
    for feed in feeds:
        try:
            result.landed.extend(fetch_feed(warehouse, feed, window=window, today=today, progress=progress))
        except ShopxError as failure:
            result.failures[feed] = failure.message
        except Exception as error:
            # what it says may hold an address or a key, so only the log of this machine gets it
            log.exception("fetching %s failed", feed)
            result.failures[feed] = f"Feed {feed} could not be fetched: {type(error).__name__}."
    return result


def fetch_feed(
    warehouse: Warehouse,
    feed: str,
    *,
    window: Window | None = None,
    today: date | None = None,
    progress: Callable[[str], None] = lambda _: None,
    source: Source | None = None,
) -> list[Landed]:
    """Ask for what is due (or for `window`), and land it; returns the deliveries.

    `today` is the day it is in the feed's time zone. Raises ShopxError with one sentence when the source
    cannot be asked or its answer not be trusted; an alert then says the same until the feed succeeds.
    """
    contract = _contract(feed)
    with (
        warehouse.connect("loader", autocommit=True, application_name="shopx fetch") as conn,
        _alone(conn, feed),
    ):
        try:
            landed = _fetch(
                warehouse,
                conn,
                contract,
                source=source or source_of(contract),
                window=window,
                today=today,
                progress=progress,
            )
        except ShopxError as failure:
            said = failure.message.rstrip(".")
            with conn.transaction():
                raise_alert(
                    conn, kind="fetch", subject=feed, message=f"{said}. Ask again: `./shopx sync {feed}`."
                )
            raise
        with conn.transaction():
            resolve_alerts(conn, kind="fetch", subject=feed)
    return landed


def source_of(contract: Contract) -> Source:
    """The way to ask for a feed of this kind."""
    # each kind brings a library of its own: import its module here, not above
    if contract.kind == "api":
        from ingestion.sources.rest import fetch  # noqa: PLC0415

        return fetch
    if contract.kind == "sheet":
        from ingestion.sources.google import Google  # noqa: PLC0415
        from ingestion.sources.spreadsheet import SheetReader  # noqa: PLC0415

        return SheetReader(lambda: Google(load_settings().google_credentials_file))
    if contract.kind == "database":
        from ingestion.sources.querying import DatabaseReader  # noqa: PLC0415

        return DatabaseReader(named_secret)
    raise ShopxError(f"Feed {contract.feed}: kind: {contract.kind} cannot be fetched.")


def _fetch(
    warehouse: Warehouse,
    conn: psycopg.Connection[Any],
    contract: Contract,
    *,
    source: Source,
    window: Window | None,
    today: date | None,
    progress: Callable[[str], None],
) -> list[Landed]:
    if ledger.loads_in(conn, "landing"):  # what an interrupted call left may be what would be asked for
        land(warehouse, [], today=today, progress=progress)
    here = today or datetime.now(UTC).astimezone(ZoneInfo(contract.timezone)).date()
    landed: list[Landed] = []
    with Archive(warehouse.settings.archive).room() as room:
        for number, request in enumerate(_requests(conn, contract, window, here)):
            folder = room.folder / f"fetched-{number}"
            folder.mkdir(mode=0o700)
            fetched = source(
                Request(contract, folder, window=request.window, cursor=request.cursor, progress=progress)
            )
            if fetched is None:
                progress(f"{contract.feed}: nothing new")
                continue
            result = land(warehouse, [], fetched=[fetched], today=today, progress=progress)
            if result.refused:
                raise FetchFailed(f"Feed {contract.feed}: {result.refused[0].sentence}")
            landed += [load for load in result.landed if load.delivered_name == fetched.name]
            fetched.path.unlink(missing_ok=True)
    return landed


@dataclass(frozen=True)
class _Due:
    window: Window | None = None
    cursor: Any = None


def _requests(
    conn: psycopg.Connection[Any], contract: Contract, window: Window | None, today: date
) -> list[_Due]:
    """What is asked for now, oldest first."""
    asked = contract.api.window if contract.api else None
    if asked is None:
        if window is not None:
            raise ShopxError(f"Feed {contract.feed} is not asked by days; leave --from and --to out.")
        past = past_of(conn, contract.feed)
        return [_Due(cursor=next_cursor(past, every_row_is_new=contract.delivers == "events"))]
    if window is not None:
        return [_Due(window=part) for part in split(window, asked.at_most_days)]
    last = today - timedelta(days=1) if asked.through == "yesterday" else today
    windows = next_windows(
        past_of(conn, contract.feed),
        last=last,
        days_back=asked.days_back,
        since=asked.since,
        at_most_days=asked.at_most_days,
    )
    return [_Due(window=part) for part in windows]


def _contract(feed: str) -> Contract:
    contracts = load_contracts()
    contract = contracts.get(feed)
    fetched = [name for name, known in sorted(contracts.items()) if known.is_fetched]
    if contract is None or not contract.is_fetched:
        raise ShopxError(
            f"There is no feed {feed} that can be fetched; known: {', '.join(fetched) or 'none'}.",
            exit_code=2,
        )
    return contract


@contextmanager
def _alone(conn: psycopg.Connection[Any], feed: str) -> Iterator[None]:
    """One process per feed: two would go on from the same place and deliver the same twice."""
    taken = conn.execute("select pg_try_advisory_lock(%s, hashtext(%s))", [FETCHING_LOCK, feed]).fetchone()
    if not taken or not taken[0]:
        raise ShopxError(f"Feed {feed} is being fetched by another process; wait until it is done.")
    try:
        yield
    finally:
        if not conn.closed:
            conn.execute("select pg_advisory_unlock(%s, hashtext(%s))", [FETCHING_LOCK, feed])
