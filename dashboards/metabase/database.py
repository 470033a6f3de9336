"""The warehouse as a database of Metabase: connection as shopx_reader, and the columns it has seen there.

Put here: connection, sync, field ids. Never here: questions on it (content.py).
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from dashboards.metabase.changes import Change, Hand, putting
from dashboards.metabase.client import MetabaseClient, MetabaseError
from dashboards.metabase.reading import columns, listed
from dashboards.metabase.site import Site
from warehouse.database import Warehouse
from warehouse.errors import ShopxError
from warehouse.roles import name_of

ENGINE = "postgres"
SYNC_LIMIT_S = 300.0


@dataclass(frozen=True)
class Connection:
    """How Metabase reaches the warehouse."""

    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)
    ssl: bool = False

    def details(self, schemas: Iterable[str]) -> dict[str, Any]:
        """Return the details of a PostgreSQL database as Metabase keeps them, without the password."""
        return {
            "host": self.host,
            "port": self.port,
            "dbname": self.database,
            "user": self.user,
            "ssl": self.ssl,
            "tunnel-enabled": False,
            "schema-filters-type": "inclusion",
            "schema-filters-patterns": ",".join(schemas),
        }


def connection_of(warehouse: Warehouse, site: Site) -> Connection:
    """Return the connection as role shopx_reader, at metabase.yaml's host and port or at our own."""
    address = warehouse.address
    return Connection(
        host=site.database.host or address.host,
        port=site.database.port or address.port,
        database=address.database,
        user=name_of("reader"),
        password=warehouse.passwords["reader"],
        ssl=address.options.get("sslmode") in ("require", "verify-ca", "verify-full"),
    )


def database(hand: Hand, site: Site, connection: Connection) -> int | None:
    """Bring the database's connection in order; returns its id, None while there is none.

    The password cannot be read back, so the server is asked whether it can connect with the one it has.
    Raises ShopxError when it cannot with ours either.
    """
    name, details = site.database.name, connection.details(site.database.schemas)
    place = f"{connection.host}:{connection.port}"
    with_password = {**details, "password": connection.password}

    def same() -> list[Any]:
        every = listed(hand.server.get("/api/database"))
        return sorted(
            (d for d in every if d["name"] == name and d["engine"] == ENGINE), key=lambda d: int(d["id"])
        )

    live = next(iter(same()), None)
    if live is None:

        def make(client: MetabaseClient) -> int:
            body = {"name": name, "engine": ENGINE, "details": with_password}
            made = int(client.post("/api/database", body, found=lambda: next(iter(same()), None))["id"])
            first = min([made, *(int(d["id"]) for d in same())])
            if first != made:  # another machine made one at the same moment; nothing hangs on ours yet
                client.delete(f"/api/database/{made}")
            return first

        change = Change(
            "create", "database", name, f"as {connection.user} at {connection.host}:{connection.port}"
        )
        made = hand.note(change, make)
        return None if made is None else int(made)
    number = int(live["id"])
    found = hand.server.get(f"/api/database/{number}").get("details") or {}
    what = [key for key, value in details.items() if found.get(key) != value and (value or found.get(key))]
    if not what and _can_connect(hand, number):
        return number
    hand.note(
        Change("update", "database", name, ", ".join(what) or "it cannot connect: password"),
        putting(f"/api/database/{number}", {"details": with_password}),
    )
    if not hand.only_plans and not _can_connect(hand, number):
        raise ShopxError(
            f"Metabase cannot connect to the warehouse at {place} as {connection.user}. If it reaches the"
            " warehouse under another address, say so in dashboards/metabase.yaml: database.host and port."
        )
    return number


def _can_connect(hand: Hand, number: int) -> bool:
    try:
        said = hand.server.get(f"/api/database/{number}/healthcheck")
    except MetabaseError as problem:
        if problem.status in (400, 500):
            return False
        raise
    return bool(said.get("status") == "ok")


def field_ids(
    hand: Hand,
    number: int | None,
    needed: Iterable[str],
    *,
    limit_s: float = SYNC_LIMIT_S,
    pause_s: float = 1.0,
) -> dict[str, int]:
    """Return `schema.table.column` → field id, after a sync where Metabase has not seen a needed column.

    Raises ShopxError naming the columns that are still unknown after `limit_s`.
    """
    if number is None:
        return {}  # a new database reads its tables by itself
    wanted = sorted(set(needed))

    def known() -> dict[str, int]:
        return columns(hand.server.get(f"/api/database/{number}/metadata"))

    found = known()
    missing = [name for name in wanted if name not in found]
    if not missing:
        return found

    def sync(client: MetabaseClient) -> dict[str, int]:
        client.post(f"/api/database/{number}/sync_schema", {}, found=lambda: None)
        deadline = time.monotonic() + limit_s
        while True:
            seen = known()
            still = [name for name in wanted if name not in seen]
            if not still:
                return seen
            if time.monotonic() > deadline:
                raise ShopxError(
                    f"Metabase has not found {', '.join(still[:5])} in the warehouse after {limit_s:.0f} s."
                    " Is it published (./shopx run), and may shopx_reader read it?"
                )
            hand.say(f"Waiting for Metabase to read the tables: {len(still)} columns to go")
            time.sleep(pause_s)

    synced = hand.note(Change("sync", "database", "columns", _some(missing)), sync)
    return found if synced is None else synced


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
