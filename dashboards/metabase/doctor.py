"""Is this Metabase one we can keep dashboards in?

Put here: what is looked at, each with what to do where it is not good. Never here: a repair.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import requests

from dashboards.metabase.client import MetabaseClient, MetabaseError
from dashboards.metabase.connecting import address, connect, is_set_up, properties, wait_until_healthy
from dashboards.metabase.site import Site
from warehouse.errors import ShopxError
from warehouse.settings import Settings

#: the oldest release of each maintained line without CVE-2026-72898; lines between them never got the repair
SAFE = {58: (58, 24)}
SAFE_SINCE = 64


@dataclass(frozen=True)
class Line:
    """One look: what was seen, and what to do where it is not good."""

    check: str
    good: bool
    seen: str
    do: str = ""


@dataclass(frozen=True)
class Operation:
    """A request we send, with every key its body may have."""

    method: str
    path: str
    keys: tuple[str, ...] = ()

    def missing(self, document: Mapping[str, Any]) -> str | None:
        """Return what a server's OpenAPI document lacks of it; None when it has all."""
        operation = (document.get("paths", {}).get(self.path) or {}).get(self.method.lower())
        if operation is None:
            return f"{self.method} {self.path}"
        body = (
            operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        )
        declared = body.get("properties")
        lost = [key for key in self.keys if declared and key not in declared]
        return f"{self.method} {self.path}: {', '.join(lost)}" if lost else None


_CARD = (
    "name",
    "description",
    "display",
    "collection_id",
    "dataset_query",
    "parameters",
    "visualization_settings",
)
OPERATIONS = (
    Operation("POST", "/api/setup", ("token", "user", "prefs")),
    Operation("POST", "/api/session", ("username", "password")),
    Operation("POST", "/api/api-key", ("name", "group_id")),
    Operation("PUT", "/api/api-key/{id}/regenerate"),
    Operation("PUT", "/api/setting/{key}", ("value",)),
    Operation("POST", "/api/database", ("name", "engine", "details")),
    Operation("PUT", "/api/database/{id}", ("details",)),
    Operation("DELETE", "/api/database/{id}"),
    Operation("POST", "/api/database/{id}/sync_schema"),
    Operation("POST", "/api/collection", ("name", "description")),
    Operation("PUT", "/api/collection/{id}", ("description", "archived")),
    Operation("PUT", "/api/collection/graph", ("revision", "groups")),
    Operation("POST", "/api/card", (*_CARD, "entity_id")),
    Operation("PUT", "/api/card/{id}", (*_CARD, "archived")),
    Operation("POST", "/api/dashboard", ("name", "description", "collection_id")),
    Operation(
        "PUT",
        "/api/dashboard/{id}",
        ("name", "description", "width", "collection_id", "archived", "parameters", "tabs", "dashcards"),
    ),
    Operation("POST", "/api/permissions/group", ("name",)),
    Operation("PUT", "/api/permissions/graph", ("revision", "groups")),
    Operation("POST", "/api/permissions/membership", ("group_id", "user_id", "is_group_manager")),
    Operation("DELETE", "/api/permissions/membership/{id}"),
    Operation("POST", "/api/user", ("email", "first_name", "last_name", "user_group_memberships")),
    Operation("PUT", "/api/user/{id}/reactivate"),
)


def version_line(tag: str) -> Line:
    """Judge a version tag like v0.64.3.5."""
    found = re.match(r"v?[01]\.(\d+)\.(\d+)", tag)
    if found is None:
        return Line("version", False, tag or "not told", "use a release: the tag in docker-compose.yml")
    line, patch = int(found[1]), int(found[2])
    good = line >= SAFE_SINCE or (line in SAFE and (line, patch) >= SAFE[line])
    newer = f"update to 0.58.{SAFE[58][1]} or newer of that line, or to 0.{SAFE_SINCE}"
    return Line("version", good, tag, "" if good else f"{newer}: older ones have CVE-2026-72898")


def doctor(settings: Settings, site: Site, *, limit_s: float = 5.0) -> list[Line]:
    """Look at a server from outside to inside; stops where nothing further can be seen."""
    return list(_looks(settings, site, limit_s))


def _looks(settings: Settings, site: Site, limit_s: float) -> Iterator[Line]:
    url = address(settings)
    try:
        wait_until_healthy(url, limit_s=limit_s)
    except MetabaseError as problem:
        yield Line("server", False, problem.message, "start it, or correct METABASE_URL")
        return
    yield Line("server", True, url)
    told = properties(url)
    yield version_line(str((told.get("version") or {}).get("tag") or ""))
    if not is_set_up(told):
        yield Line("set-up", False, "nobody has set it up", "./shopx dashboards apply")
        return
    try:
        client = connect(settings, site_name=site.site.name)
    except ShopxError as problem:
        yield Line("login", False, problem.message, "see docs/metabase.md, step 3")
        return
    yield Line("login", True, "by API key")
    quiet = told.get("anon-tracking-enabled") is False
    yield Line("telemetry", quiet, "off" if quiet else "on", "./shopx dashboards apply")
    yield _api(url)
    yield _connection(client, site)


def _api(url: str) -> Line:
    """Compare the server's own description of its API with what we send; older ones have none."""
    try:
        answer = requests.get(f"{url}/api/docs/openapi.json", timeout=60)
        document = answer.json() if answer.ok else None
    except (requests.RequestException, ValueError):
        document = None
    if not isinstance(document, dict):
        return Line("API", True, "this server does not describe it; not compared")
    lost = [said for operation in OPERATIONS if (said := operation.missing(document))]
    return Line(
        "API",
        not lost,
        f"{len(OPERATIONS) - len(lost)} of {len(OPERATIONS)} operations as we send them"
        + "".join(f"; {x}" for x in lost),
        "this Metabase differs from those known to work: use the tag in docker-compose.yml",
    )


def _connection(client: MetabaseClient, site: Site) -> Line:
    rows = [d for d in client.get("/api/database")["data"] if d["name"] == site.database.name]
    if not rows:
        return Line("warehouse", False, "not connected", "./shopx dashboards apply")
    said = client.get(f"/api/database/{rows[0]['id']}/healthcheck")
    good = said.get("status") == "ok"
    return Line(
        "warehouse",
        good,
        "connected" if good else "Metabase cannot connect to it",
        "./shopx dashboards apply",
    )
