"""Whether all is well right now: one question per function, each with what to do where the answer is no.

Put here: questions that take milliseconds; `shopx doctor` and `GET /health` both ask all of CHECKS.
Never here: repairing anything, or recomputing promises (verify.py).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from publication.debris import DRIVEN

if TYPE_CHECKING:
    import psycopg

    from warehouse.database import Warehouse
    from warehouse.settings import Settings

LEAST_FREE_GB = 2.0
LONGEST_WAIT_S = 60
MOST_ALERTS = 10
OPEN_BUILDS = f"select count(*) from ops.builds where status = 'open' and not {DRIVEN}"  # noqa: S608
INVALID_INDEXES = f"""
    select count(*)
    from pg_index as i
    inner join pg_class as c on c.oid = i.indexrelid
    inner join pg_namespace as n on n.oid = c.relnamespace
    where not (i.indisvalid and i.indisready) and n.nspname !~ '^pg_' and not {DRIVEN}
"""  # noqa: S608


@dataclass(frozen=True)
class Line:
    """One check: what was seen, and what to do where it is not good."""

    check: str
    good: bool
    seen: str
    do: str = ""


def disk(settings: Settings) -> Iterator[Line]:
    """Room where everything local lives."""
    home = settings.home
    existing = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(existing).free / 1e9
    yield Line(
        "disk",
        free >= LEAST_FREE_GB,
        f"{free:,.1f} GB free at {home}",
        "make room, or set SHOPX_HOME elsewhere",
    )


def server(conn: psycopg.Connection[Any]) -> Iterator[Line]:
    """The database's version."""
    number = conn.info.server_version
    place = f"{conn.info.host or 'socket'}:{conn.info.port}"
    seen = f"PostgreSQL {number // 10000}.{number % 10000} at {place}"
    yield Line("server", number >= 160000, seen, "use 16 or newer")


def publication(conn: psycopg.Connection[Any]) -> Iterator[Line]:
    """What is published, and whether that goes on."""
    last = conn.execute(
        "select publication_id, published_at::timestamp(0)::text, as_of from ops.publications"
        " order by publication_id desc limit 1"
    ).fetchone()
    published = f"#{last[0]} at {last[1]} UTC, figures to {last[2]}" if last else "none yet"
    yield Line("publication", last is not None, published, "publish: ./shopx run FILE, or ./shopx demo")
    pause = conn.execute("select why, figures_of from ops.publication_pause").fetchone()
    if pause is not None:
        yield Line(
            "paused",
            False,
            f"figures of publication {pause[1]} are shown: {pause[0]}",
            "when the cause is mended: ./shopx publish --resume",
        )


def deliveries(conn: psycopg.Connection[Any]) -> Iterator[Line]:
    """What waits for a person, and what for a run."""
    held = _count(conn, "select count(*) from raw.loads where status = 'held'")
    choices = "./shopx loads shows the choices; ./shopx release or withdraw"
    yield Line("held", held == 0, f"{held} held", choices)
    waiting = _count(conn, "select count(*) from raw.loads where status in ('landing', 'landed')")
    changes = _count(conn, "select count(*) from ops.changes where publication_id is null")
    seen = f"{waiting} loads, {changes} decisions unpublished"
    yield Line("pending", waiting + changes == 0, seen, "finish: ./shopx run")


def feeds(conn: psycopg.Connection[Any]) -> Iterator[Line]:
    """How far each feed of sales reaches, by its own rhythm."""
    for feed, last, expected, is_behind in conn.execute(
        "select feed, last_date, expected_date, is_behind from ops.pipeline_health"
        " where holds = 'sales' and last_date is not null order by feed"
    ).fetchall():
        due = f", next expected {expected}" if expected else ""
        yield Line(
            f"feed {feed}",
            not is_behind,
            f"sales to {last}{due}",
            "other feeds are further: deliver its next file, or ask whoever delivers it",
        )


def builds(conn: psycopg.Connection[Any]) -> Iterator[Line]:
    """The last build, and builds that nobody drives any more."""
    left = _count(conn, OPEN_BUILDS)
    yield Line("builds", left == 0, f"{left} left open by a killed run", "finish: ./shopx run")
    last = conn.execute("select build_id, status from ops.builds order by build_id desc limit 1").fetchone()
    if last is not None:
        good = last[1] in ("published", "open", "abandoned")
        again = "./shopx up shows its run; try again: ./shopx run"
        yield Line("last build", good, f"#{last[0]} {last[1]}", again)


def locks(conn: psycopg.Connection[Any]) -> Iterator[Line]:
    """Sessions that have waited long for another one."""
    row = conn.execute(
        "select count(*), coalesce(extract(epoch from max(clock_timestamp() - waitstart)), 0)::bigint"
        " from pg_locks where not granted and waitstart < clock_timestamp() - make_interval(secs => %s)",
        [LONGEST_WAIT_S],
    ).fetchone()
    waiting, seconds = row or (0, 0)
    longest = f", one for {seconds:,} s" if waiting else ""
    yield Line(
        "locks",
        waiting == 0,
        f"{waiting} waiting for more than {LONGEST_WAIT_S} s{longest}",
        "another session holds what they need: end it, or let it finish (pg_blocking_pids tells which)",
    )


def partitions(conn: psycopg.Connection[Any]) -> Iterator[Line]:
    """Months that are half taken away (their rows are hidden), and indexes that protect nothing."""
    months = _count(conn, "select count(*) from pg_inherits where inhdetachpending")
    yield Line(
        "partitions",
        months == 0,
        f"{months} half detached",
        "alter table … detach partition … finalize; until then its rows are hidden",
    )
    invalid = _count(conn, INVALID_INDEXES)
    mend = "./shopx verify names them; reindex or drop them"
    yield Line("indexes", invalid == 0, f"{invalid} invalid", mend)


def alerts(conn: psycopg.Connection[Any]) -> Iterator[Line]:
    """What raised an alarm and is not resolved."""
    # a held load and a pause have their own lines
    found = conn.execute(
        "select subject, message from ops.alerts where resolved_at is null and kind not in ('held', 'paused')"
        " order by raised_at, alert_id"
    ).fetchall()
    yield Line("alerts", not found, f"{len(found)} open")
    for subject, message in found[:MOST_ALERTS]:
        yield Line("alert", False, subject, message)


def _count(conn: psycopg.Connection[Any], query: str) -> int:
    row = conn.execute(query).fetchone()
    return int(row[0]) if row else 0


#: Every question to the database, in the order in which a person reads the answers.
CHECKS: tuple[Callable[[psycopg.Connection[Any]], Iterator[Line]], ...] = (
    server,
    publication,
    deliveries,
    feeds,
    builds,
    locks,
    partitions,
    alerts,
)


def look(warehouse: Warehouse) -> list[Line]:
    """Ask everything. Nothing is changed."""
    lines = list(disk(warehouse.settings))
    with warehouse.connect("transformer", autocommit=True, application_name="shopx health") as conn:
        conn.execute("set default_transaction_read_only = on")
        for check in CHECKS:
            lines += check(conn)
    return lines
