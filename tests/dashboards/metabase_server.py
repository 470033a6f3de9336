"""A stand-in for Metabase: real HTTP, state, and the behaviour that changed between versions.

Put here: what a server does with the requests of the provisioner and of the tools that check this stand-in,
as read in Metabase's source and changelogs. Never here: expectations of a test.
`python tests/dashboards/metabase_server.py --release 62 --port 3000 --sample` runs it for other people's
tools.
"""

from __future__ import annotations

import argparse
import copy
import json
import random
import re
import secrets
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

ALL_USERS, ADMINISTRATORS = 1, 2
TAGS = {
    55: "v0.55.3",
    58: "v0.58.24",
    60: "v0.60.9",
    61: "v0.61.19",
    62: "v0.62.4",
    63: "v0.63.2",
    64: "v0.64.3.5",
}
NANO = re.compile(r"^[A-Za-z0-9_-]{21}$")

# what a body may say; since 63 anything else is dropped without a word
CARD_KEYS = {
    "name",
    "description",
    "display",
    "dataset_query",
    "visualization_settings",
    "parameters",
    "collection_id",
    "parameter_mappings",
    "type",
    "cache_ttl",
    "result_metadata",
    "collection_position",
    "dashboard_id",
    "enable_embedding",
    "embedding_params",
    "archived",
}
DASHBOARD_KEYS = {
    "name",
    "description",
    "collection_id",
    "parameters",
    "archived",
    "width",
    "tabs",
    "dashcards",
    "cache_ttl",
    "enable_embedding",
    "embedding_params",
    "position",
    "collection_position",
    "auto_apply_filters",
}
DASHCARD_KEYS = {
    "id",
    "card_id",
    "dashboard_tab_id",
    "row",
    "col",
    "size_x",
    "size_y",
    "parameter_mappings",
    "series",
    "visualization_settings",
    "inline_parameters",
}


class Refused(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status, body)
        self.status, self.body = status, body


@dataclass
class Request:
    """One request as it was answered."""

    method: str
    path: str
    body: Any
    status: int = 0


@dataclass
class Fault:
    """What goes wrong: from the `nth` write on for `times` writes, before or after it took effect."""

    nth: int
    status: int = 500
    after: bool = False
    times: int = 1
    retry_after: str | None = None


def nano_id() -> str:
    return secrets.token_urlsafe(16)[:21]


@dataclass
class Metabase:
    """The state of one server."""

    release: int = 64
    sample: bool = False
    shuffles: bool = True  # no order is promised; tools that compare two answers want the same one twice
    # schema → table → columns that a sync finds once the database is connected
    tables: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    can_connect: Callable[[dict[str, Any]], bool] = lambda _details: True
    syncs_after: int = 0  # how many looks at the metadata a sync takes
    environment: dict[str, Any] = field(default_factory=dict)  # settings fixed by the server's environment
    contract: Callable[[str, str, Any], list[str]] | None = None

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self.ids: dict[str, int] = {}
        self.requests: list[Request] = []
        self.violations: list[str] = []
        self.dropped: list[str] = []
        self.mails: list[str] = []
        self.fault: Fault | None = None
        self.writes_seen = 0
        self.clock = 0
        self.random = random.Random(self.release)  # noqa: S311 - an order, no secret
        self.setup_token: str | None = str(uuid.uuid4())
        self.sessions: set[str] = set()
        self.keys: dict[int, dict[str, Any]] = {}
        self.settings: dict[str, Any] = {
            "site-name": None,
            "anon-tracking-enabled": None,
            "check-for-updates": None,
        }
        self.users: dict[int, dict[str, Any]] = {}
        self.passwords: dict[str, str] = {}
        self.databases: dict[int, dict[str, Any]] = {}
        self.fields: dict[int, dict[str, Any]] = {}  # table id → table with fields
        self.sync_left: dict[int, int] = {}
        self.collections: dict[int, dict[str, Any]] = {}
        self.cards: dict[int, dict[str, Any]] = {}
        self.dashboards: dict[int, dict[str, Any]] = {}
        self.snippets: dict[int, dict[str, Any]] = {}
        self.pulses: dict[int, dict[str, Any]] = {}
        self.groups: dict[int, str] = {ALL_USERS: "All Users", ADMINISTRATORS: "Administrators"}
        self.ids["group"] = 2
        self.memberships: dict[int, dict[str, int]] = {}
        self.collection_rights: dict[tuple[int, str], str] = {(ALL_USERS, "root"): "write"}
        self.data_rights: dict[tuple[int, int], dict[str, Any]] = {}
        self.revisions = {"collection": 0, "data": 0}
        if self.sample:
            self._add_database(
                {"name": "Sample Database", "engine": "h2", "details": {}},
                {"PUBLIC": {"ORDERS": ["ID", "CREATED_AT", "TOTAL"]}},
            )

    # --- small things ---

    def next_id(self, kind: str) -> int:
        self.ids[kind] = self.ids.get(kind, 0) + 1
        return self.ids[kind]

    def now(self) -> str:
        self.clock += 1
        return f"2026-01-01T00:{self.clock // 60 % 60:02d}:{self.clock % 60:02d}.{self.clock:06d}Z"

    def writes(self) -> list[Request]:
        """The requests that changed something, without those by which one gets in."""
        own = ("/api/session", "/api/setup", "/api/api-key")
        return [
            r for r in self.requests if r.method != "GET" and r.status < 400 and not r.path.startswith(own)
        ]

    def _add_database(self, body: dict[str, Any], tables: dict[str, dict[str, list[str]]]) -> dict[str, Any]:
        number = self.next_id("database")
        made = {"id": number, "auto_run_queries": True, "entity_id": nano_id(), **copy.deepcopy(body)}
        self.databases[number] = made
        for group in (ALL_USERS, *[g for g in self.groups if g > ADMINISTRATORS]):
            self.data_rights[(group, number)] = {
                "view-data": "unrestricted",
                "create-queries": "query-builder-and-native" if group == ALL_USERS else "no",
                "download": {"schemas": "full"},
            }
        self._see(number, tables)
        return made

    def _see(self, database: int, tables: dict[str, dict[str, list[str]]]) -> None:
        known = {(t["schema"], t["name"]): t for t in self.fields.values() if t["db_id"] == database}
        for schema, named in tables.items():
            for name, columns in named.items():
                table = known.get((schema, name))
                if table is None:
                    number = self.next_id("table")
                    table = {"id": number, "db_id": database, "schema": schema, "name": name, "fields": []}
                    self.fields[number] = table
                have = {f["name"] for f in table["fields"]}
                for column in columns:
                    if column not in have:
                        kind = "type/DateTime" if column.endswith(("_AT", "_date")) else "type/Text"
                        table["fields"].append(
                            {"id": self.next_id("field"), "name": column, "base_type": kind, "active": True}
                        )

    def drop_undeclared(self, body: dict[str, Any], keys: set[str], where: str) -> dict[str, Any]:
        strange = sorted(set(body) - keys)
        self.dropped += [f"{where}: {key}" for key in strange]
        return {key: value for key, value in body.items() if key in keys}

    # --- queries: classic inside, what the version says outside ---

    def take_query(self, query: dict[str, Any]) -> dict[str, Any]:  # noqa: PLR0912
        """Normalise a query that was sent to the classic form this server keeps inside."""
        query = copy.deepcopy(query)
        if "stages" in query:
            stage = query["stages"][0]
            if stage.get("lib/type") != "mbql.stage/native":
                return query
            tags = stage.get("template-tags") or {}
            tags = {t["name"]: t for t in tags} if isinstance(tags, list) else tags
            for tag in tags.values():
                if "dimension" in tag:
                    tag["dimension"] = ["field", tag["dimension"][2], None]
            return {
                "database": query["database"],
                "type": "native",
                "native": {"query": stage["native"], "template-tags": tags},
            }
        if query.get("type") == "native":
            tags = query["native"].get("template-tags") or {}
            if isinstance(tags, list):
                raise Refused(400, {"specific-errors": {"dataset_query": "template-tags must be a map"}})
            if any(isinstance((t.get("dimension") or [0, 0])[1], dict) for t in tags.values()):
                if self.release == 61:
                    return {}  # taken with 200, and stored empty
                if self.release >= 62:
                    raise Refused(400, "Error normalizing query: invalid :field clause")
                for tag in tags.values():
                    if "dimension" in tag:
                        tag["dimension"] = ["field", tag["dimension"][2], None]
            for tag in tags.values():
                number = (tag.get("dimension") or [0, None])[1]
                if tag.get("type") == "dimension" and number not in self._field_ids():
                    raise Refused(400, f"Field {number} does not exist.")
        return query

    def _field_ids(self) -> set[int]:
        return {f["id"] for table in self.fields.values() for f in table["fields"]}

    def give_query(self, query: dict[str, Any]) -> dict[str, Any]:
        """Return a kept query in the form this version answers with."""
        query = copy.deepcopy(query)
        if self.release < 57 or not query or "stages" in query:
            return query
        mark = {"lib/uuid": str(uuid.uuid4())}
        if query.get("type") == "query":
            inner = dict(query["query"])
            stage: dict[str, Any] = {"lib/type": "mbql.stage/mbql", **mark, **inner}
        else:
            tags = query["native"].get("template-tags") or {}
            for tag in tags.values():
                if tag.get("dimension"):
                    tag["dimension"] = ["field", {"lib/uuid": str(uuid.uuid4())}, tag["dimension"][1]]
            stage = {"lib/type": "mbql.stage/native", **mark, "native": query["native"]["query"]}
            if tags:
                stage["template-tags"] = list(tags.values()) if self.release >= 64 else tags
        return {"lib/type": "mbql/query", "database": query["database"], "stages": [stage]}

    def give_card(self, card: dict[str, Any]) -> dict[str, Any]:
        kept = card["dataset_query"]
        legacy = None
        if self.release < 62:
            # the projection lags one write behind
            legacy = json.dumps(card["before"] or kept)
        elif kept.get("type") == "query":
            legacy = json.dumps(self.give_query(kept))
        return {
            **{k: copy.deepcopy(v) for k, v in card.items() if k not in ("dataset_query", "before")},
            "dataset_query": self.give_query(kept),
            "legacy_query": legacy,
            "query_type": kept.get("type") or ("native" if "stages" in kept else None),
            "database_id": kept.get("database"),
            "can_write": True,
        }

    # --- getting in ---

    def get_properties(self) -> Any:
        return {
            "version": {"tag": TAGS[self.release]},
            "setup-token": self.setup_token,
            "has-user-setup": self.setup_token is None,
            "site-name": self.settings["site-name"],
            "anon-tracking-enabled": self.settings["anon-tracking-enabled"],
            "email-configured?": bool(self.mails),
            "token-features": {},
        }

    def post_setup(self, body: Any) -> Any:
        if self.setup_token is None:
            raise Refused(403, "The /api/setup route can only be used to create the first user.")
        if body["token"] != self.setup_token:
            raise Refused(400, {"errors": {"token": "Token does not match the setup token."}})
        self.setup_token = None
        user = self._add_user(
            body["user"]["email"], body["user"].get("first_name"), body["user"].get("last_name")
        )
        user["is_superuser"] = True
        self.passwords[user["email"]] = body["user"]["password"]
        self._join(user["id"], ADMINISTRATORS)
        self.settings["site-name"] = body["prefs"]["site_name"]
        self.settings["anon-tracking-enabled"] = self.environment.get("anon-tracking-enabled", True)
        return {"id": self._session()}

    def _session(self) -> str:
        session = str(uuid.uuid4())
        self.sessions.add(session)
        return session

    def post_session(self, body: Any) -> Any:
        if self.passwords.get(body["username"].lower()) != body["password"]:
            raise Refused(401, {"errors": {"password": "did not match stored password"}})
        return {"id": self._session()}

    def _add_user(self, email: str, first: str | None, last: str | None) -> dict[str, Any]:
        email = email.lower()
        if any(u["email"] == email for u in self.users.values()):
            raise Refused(400, {"errors": {"email": "Email address already in use."}})
        number = self.next_id("user")
        self.users[number] = {
            "id": number,
            "email": email,
            "first_name": first,
            "last_name": last,
            "is_active": True,
            "is_superuser": False,
            "common_name": " ".join(filter(None, (first, last))) or email,
        }
        self._join(number, ALL_USERS)
        return self.users[number]

    def _join(self, user: int, group: int) -> dict[str, int]:
        number = self.next_id("membership")
        self.memberships[number] = {"membership_id": number, "user_id": user, "group_id": group}
        return self.memberships[number]

    def mint(self, name: str, group: int = ADMINISTRATORS) -> str:
        """Make an API key as an administrator would."""
        if any(k["name"] == name for k in self.keys.values()):
            raise Refused(400, {"errors": {"name": "An API key with this name already exists."}})
        number = self.next_id("api-key")
        self.keys[number] = {
            "id": number,
            "name": name,
            "group": group,
            "key": f"mb_{secrets.token_urlsafe(24)}",
        }
        return str(self.keys[number]["key"])

    # --- the rest: one method per operation, found by name in `route` ---

    def put_setting(self, key: str, body: Any) -> Any:
        if key in self.environment:
            raise Refused(400, f"You cannot update {key} because it is set by an environment variable.")
        self.settings[key] = body["value"]
        return None

    def give_database(self, made: dict[str, Any]) -> dict[str, Any]:
        details = {k: "**MetabasePass**" if k == "password" else v for k, v in made["details"].items()}
        return {**made, "details": details}

    def post_database(self, body: Any) -> Any:
        if not self.can_connect(body["details"]):
            raise Refused(400, {"message": "Looks like the username or password is incorrect."})
        made = self._add_database(body, {})
        self.sync_left[made["id"]] = self.syncs_after
        return self.give_database(made)

    def put_database(self, number: int, body: Any) -> Any:
        made = self._one(self.databases, number)
        details = body.get("details")
        if details:
            if details.get("password") == "**MetabasePass**":
                details = {**details, "password": made["details"].get("password")}
            if not self.can_connect(details):
                raise Refused(400, {"message": "Looks like the username or password is incorrect."})
        made.update({**body, **({"details": details} if details else {})})
        return self.give_database(made)

    def delete_database(self, number: int) -> None:
        self._one(self.databases, number)
        del self.databases[number]
        self.data_rights = {at: right for at, right in self.data_rights.items() if at[1] != number}
        self.cards = {n: c for n, c in self.cards.items() if c["dataset_query"].get("database") != number}

    def metadata(self, number: int) -> Any:
        made = self._one(self.databases, number)
        if self.sync_left.get(number, -1) == 0:
            self._see(number, self.tables)
        if self.sync_left.get(number, 0) > 0:
            self.sync_left[number] -= 1
        tables = [t for t in self.fields.values() if t["db_id"] == number]
        return {"id": number, "name": made["name"], "tables": copy.deepcopy(tables)}

    def _one(self, store: dict[int, dict[str, Any]], number: int | str) -> dict[str, Any]:
        if isinstance(number, str) and NANO.match(number) and not number.isdigit():
            found = next((x for x in store.values() if x.get("entity_id") == number), None)
        else:
            found = store.get(int(number))
        if found is None:
            raise Refused(404, "Not found.")
        return found

    def give_collection(self, made: dict[str, Any]) -> dict[str, Any]:
        location = made["location"]
        shown = {**made, "can_write": True, "effective_location": location}
        if self.release >= 56:
            shown["parent_id"] = int(location.split("/")[-2]) if location != "/" else None
        return shown

    def post_collection(self, body: Any) -> Any:
        body = self.drop_undeclared(
            body, {"name", "description", "parent_id", "authority_level", "namespace"}, "POST collection"
        )
        parent = body.get("parent_id")
        location = "/" if parent is None else f"{self._one(self.collections, parent)['location']}{parent}/"
        number = self.next_id("collection")
        self.collections[number] = {
            "id": number,
            "entity_id": nano_id(),
            "name": body["name"],
            "description": body.get("description"),
            "location": location,
            "archived": False,
            "personal_owner_id": None,
            "authority_level": None,
            "slug": body["name"].lower().replace(" ", "_"),
            "namespace": None,
            "type": None,
            "is_personal": False,
        }
        above = "root" if parent is None else str(parent)
        for (group, place), right in list(self.collection_rights.items()):
            if place == above:
                self.collection_rights[(group, str(number))] = right
        return self.give_collection(self.collections[number])

    def put_collection(self, number: int, body: Any) -> Any:
        made = self._one(self.collections, number)
        made.update(
            {k: v for k, v in body.items() if k in ("name", "description", "archived", "authority_level")}
        )
        if "archived" in body:
            for store in (self.cards, self.dashboards):
                for item in store.values():
                    if item["collection_id"] == number:
                        item["archived"] = body["archived"]
        return self.give_collection(made)

    def items(self, place: str, *, archived: bool, models: list[str]) -> Any:
        number = None if place == "root" else int(self._one(self.collections, place)["id"])
        rows = [
            {
                "id": i["id"],
                "entity_id": i["entity_id"],
                "name": i["name"],
                "model": model,
                "collection_id": i.get("collection_id"),
                "archived": i["archived"],
                "description": i["description"],
                "collection_position": None,
                "fully_parameterized": True,
            }
            for model, store in (("card", self.cards), ("dashboard", self.dashboards))
            for i in store.values()
            if i["collection_id"] == number and i["archived"] == archived
        ]
        rows += [
            {
                "id": c["id"],
                "entity_id": c["entity_id"],
                "name": c["name"],
                "model": "collection",
                "archived": False,
                "description": c["description"],
            }
            for c in self.collections.values()
            if c["archived"] == archived and c["location"] == ("/" if number is None else self._below(number))
        ]
        rows = [r for r in rows if not models or r["model"] in models]
        if self.shuffles:
            self.random.shuffle(rows)
        # no limit asked: no limit and no offset in the answer
        return {"data": rows, "total": len(rows), "models": sorted({r["model"] for r in rows})}

    def _below(self, number: int) -> str:
        return f"{self.collections[number]['location']}{number}/"

    def post_card(self, body: Any) -> Any:
        body = self.drop_undeclared(body, CARD_KEYS | {"entity_id", "dashboard_tab_id"}, "POST card")
        for key in ("name", "dataset_query", "display", "visualization_settings"):
            if key not in body:
                raise Refused(400, {"errors": {key: "missing required key"}})
        identity = body.get("entity_id") or nano_id()
        if any(c["entity_id"] == identity for c in self.cards.values()):
            raise Refused(400, 'duplicate key value violates unique constraint "report_card_entity_id_key"')
        if body.get("collection_id") is not None:
            self._one(self.collections, body["collection_id"])
        number = self.next_id("card")
        now = self.now()
        self.cards[number] = {
            "id": number,
            "entity_id": identity,
            "description": None,
            "type": "question",
            "parameters": [],
            "parameter_mappings": [],
            "collection_id": None,
            "dashboard_id": None,
            "archived": False,
            "enable_embedding": False,
            "embedding_params": None,
            "cache_ttl": None,
            "result_metadata": [],
            "collection_position": None,
            "collection_preview": True,
            "table_id": None,
            "public_uuid": None,
            "creator_id": 1,
            "created_at": now,
            "updated_at": now,
            "before": None,
            "archived_directly": False,
            **{k: v for k, v in body.items() if k != "entity_id"},
            "dataset_query": self.take_query(body["dataset_query"]),
        }
        return self.give_card(self.cards[number])

    def put_card(self, number: int, body: Any) -> Any:
        card = self._one(self.cards, number)
        body = self.drop_undeclared(body, CARD_KEYS | {"collection_preview", "embedding_type"}, "PUT card")
        if "dataset_query" in body:
            taken = self.take_query(body["dataset_query"])
            if taken != card["dataset_query"]:
                card["before"] = card["dataset_query"]
            body["dataset_query"] = taken
        card.update(body)
        card["updated_at"] = self.now()
        if body.get("archived"):
            for dashboard in self.dashboards.values():
                dashboard["dashcards"] = [d for d in dashboard["dashcards"] if d["card_id"] != number]
        return self.give_card(card)

    def post_dashboard(self, body: Any) -> Any:
        body = self.drop_undeclared(
            body,
            {"name", "description", "collection_id", "parameters", "cache_ttl", "collection_position"},
            "POST dashboard",
        )
        number, now = self.next_id("dashboard"), self.now()
        self.dashboards[number] = {
            "id": number,
            "entity_id": nano_id(),
            "description": None,
            "collection_id": None,
            "parameters": [],
            "archived": False,
            "width": "fixed",
            "tabs": [],
            "dashcards": [],
            "auto_apply_filters": True,
            "cache_ttl": None,
            "enable_embedding": False,
            "embedding_params": None,
            "position": None,
            "collection_position": None,
            "creator_id": 1,
            "created_at": now,
            "updated_at": now,
            "public_uuid": None,
            **body,
        }
        return self.give_dashboard(self.dashboards[number])

    def put_dashboard(self, number: int, body: Any) -> Any:
        dashboard = self._one(self.dashboards, number)
        body = self.drop_undeclared(body, DASHBOARD_KEYS, "PUT dashboard")
        new = copy.deepcopy(dashboard)
        new.update({k: v for k, v in body.items() if k not in ("tabs", "dashcards")})
        tab_ids: dict[int, int] = {}
        if body.get("tabs") is not None:
            old = {t["id"]: t for t in dashboard["tabs"]}
            new["tabs"] = []
            for position, tab in enumerate(body["tabs"]):
                known = old.get(tab["id"])
                identity = known["id"] if known else self.next_id("tab")
                tab_ids[tab["id"]] = identity
                new["tabs"].append(
                    {
                        "id": identity,
                        "name": tab["name"],
                        "position": position,
                        "dashboard_id": number,
                        "entity_id": known["entity_id"] if known else nano_id(),
                    }
                )
        if body.get("dashcards") is not None:
            new["dashcards"] = self._dashcards(dashboard, new, body["dashcards"], tab_ids)
        if "parameters" in body:
            gone = {p["id"] for p in dashboard["parameters"]} - {p["id"] for p in body["parameters"] or []}
            for pulse in self.pulses.values():
                if pulse["dashboard_id"] == number and gone & {p["id"] for p in pulse["parameters"]}:
                    pulse["archived"] = True
                    self.mails.append(f"subscription {pulse['name']} was archived")
        new["updated_at"] = self.now()
        self.dashboards[number] = new
        return self.give_dashboard(new)

    def _dashcards(self, old: Any, new: Any, sent: list[Any], tab_ids: dict[int, int]) -> list[Any]:
        if len({part["id"] for part in sent}) != len(sent):
            raise Refused(400, {"errors": {"dashcards": "value must be seq of maps in which ids are unique"}})
        known = {part["id"]: part for part in old["dashcards"]}
        made = []
        for given in sent:
            part = self.drop_undeclared(
                given,
                DASHCARD_KEYS
                | set(known.get(given["id"], {}))
                | {"entity_id", "card", "action_id", "dashboard_id", "created_at", "updated_at"},
                "dashcard",
            )
            if new["tabs"] and part.get("dashboard_tab_id") is None:
                raise Refused(400, {"errors": {"dashcards": "each dashcard needs a tab"}})
            card = part.get("card_id")
            if card is not None and self._one(self.cards, card)["archived"]:
                raise Refused(400, "Cannot add an archived card to a dashboard.")
            before = known.get(part["id"])
            identity = before["id"] if before else self.next_id("dashcard")
            tab = part.get("dashboard_tab_id")
            made.append(
                {
                    "id": identity,
                    "entity_id": before["entity_id"] if before else nano_id(),
                    "dashboard_id": old["id"],
                    "card_id": card,
                    "dashboard_tab_id": tab_ids.get(tab, tab),
                    "row": part["row"],
                    "col": part["col"],
                    "size_x": part["size_x"],
                    "size_y": part["size_y"],
                    "action_id": None,
                    "parameter_mappings": part.get("parameter_mappings") or [],
                    "series": part.get("series") or [],
                    "visualization_settings": part.get("visualization_settings") or {},
                    "inline_parameters": [],
                    "created_at": "2026-01-01T00:00:00Z",
                    "updated_at": "2026-01-01T00:00:00Z",
                }
            )
        return made

    def give_dashboard(self, dashboard: dict[str, Any]) -> dict[str, Any]:
        shown = copy.deepcopy(dashboard)
        for part in shown["dashcards"]:
            part["card"] = self.give_card(self.cards[part["card_id"]]) if part["card_id"] else None
        if self.shuffles:
            self.random.shuffle(shown["dashcards"])
        return shown

    def rights_graph(self) -> Any:
        groups: dict[str, Any] = {}
        for (group, database), rights in self.data_rights.items():
            groups.setdefault(str(group), {})[str(database)] = copy.deepcopy(rights)
        return {"revision": self.revisions["data"], "groups": groups}

    def put_rights_graph(self, body: Any) -> Any:
        if body.get("revision") != self.revisions["data"]:
            raise Refused(409, "Looks like someone else edited the permissions and your data is out of date.")
        for group, databases in body["groups"].items():
            for database, rights in databases.items():
                if self.release >= 63 and set(rights) - {
                    "view-data",
                    "create-queries",
                    "download",
                    "data-model",
                    "details",
                }:
                    raise Refused(400, "unknown keys in the permissions graph")
                if rights.get("view-data") == "blocked":
                    raise Refused(400, "blocked needs the advanced permissions feature")
                kept = self.data_rights.setdefault((int(group), int(database)), {})
                kept.update(rights)
        self.revisions["data"] += 1
        return self.rights_graph()

    def collection_graph(self) -> Any:
        groups: dict[str, Any] = {str(g): {} for g in self.groups}
        groups[str(ADMINISTRATORS)] = dict.fromkeys(("root", *map(str, self.collections)), "write")
        for (group, place), right in self.collection_rights.items():
            groups.setdefault(str(group), {})[place] = right
        if self.release < 56:
            for rights in groups.values():
                for place in ("root", *map(str, self.collections)):
                    rights.setdefault(place, "none")
        return {"revision": self.revisions["collection"], "groups": groups}

    def put_collection_graph(self, body: Any) -> Any:
        if body.get("revision") != self.revisions["collection"]:
            raise Refused(409, "Looks like someone else edited the permissions and your data is out of date.")
        for group, places in body["groups"].items():
            for place, right in places.items():
                if right == "none":
                    self.collection_rights.pop((int(group), place), None)
                else:
                    self.collection_rights[(int(group), place)] = right
        self.revisions["collection"] += 1
        return self.collection_graph()

    def post_group(self, body: Any) -> Any:
        if body["name"] in self.groups.values():
            raise Refused(400, {"errors": {"name": "A group with that name already exists."}})
        number = self.next_id("group")
        self.groups[number] = body["name"]
        for database in self.databases:
            self.data_rights[(number, database)] = {"view-data": "unrestricted", "create-queries": "no"}
        return {"id": number, "name": body["name"]}

    def post_user(self, body: Any) -> Any:
        user = self._add_user(body["email"], body.get("first_name"), body.get("last_name"))
        for membership in body.get("user_group_memberships") or []:
            if membership["id"] != ALL_USERS:
                self._join(user["id"], membership["id"])
        self.mails.append(f"invitation to {user['email']}")
        return user

    def membership_map(self) -> Any:
        found: dict[str, list[Any]] = {}
        for m in self.memberships.values():
            found.setdefault(str(m["user_id"]), []).append({**m, "is_group_manager": False})
        return found

    def post_snippet(self, body: Any) -> Any:
        number = self.next_id("snippet")
        self.snippets[number] = {
            "id": number,
            "entity_id": nano_id(),
            "description": None,
            "collection_id": None,
            "archived": False,
            "template_tags": {},
            "updated_at": self.now(),
            **body,
        }
        return self.snippets[number]

    def post_pulse(self, body: Any) -> Any:
        number = self.next_id("pulse")
        pulse = {
            "id": number,
            "entity_id": nano_id(),
            "archived": False,
            "disable_links": False,
            "updated_at": self.now(),
            **copy.deepcopy(body),
        }
        self.pulses[number] = pulse
        return self.give_pulse(pulse)

    def give_pulse(self, pulse: dict[str, Any]) -> Any:
        shown = copy.deepcopy(pulse)
        for card in shown["cards"]:
            kept = self.cards[card["id"]]
            card.update(
                {
                    "name": kept["name"],
                    "display": kept["display"],
                    "format_rows": True,
                    "pivot_results": False,
                    "parameter_mappings": None,
                    "collection_id": kept["collection_id"],
                }
            )
        for number, channel in enumerate(shown["channels"], 1):
            channel.update({"id": number, "entity_id": None, "channel_id": None})
        return shown

    def update(self, store: dict[int, dict[str, Any]], number: int, body: Any) -> Any:
        made = self._one(store, number)
        made.update(copy.deepcopy(body))
        made["updated_at"] = self.now()
        return made


Route = tuple[str, re.Pattern[str], Callable[..., Any]]


def routes(m: Metabase) -> Iterator[Route]:
    """Method, path, and what answers: called with the parts of the path, the query and the body."""

    def at(method: str, path: str, answer: Callable[..., Any]) -> Route:
        return method, re.compile("^" + re.sub(r"\{\w+\}", r"([^/]+)", path) + "/?$"), answer

    def flag(query: dict[str, list[str]], name: str) -> bool:
        return query.get(name, ["false"])[0].lower() == "true"

    yield at("GET", "/api/health", lambda q, b: {"status": "ok"})
    yield at("GET", "/api/session/properties", lambda q, b: m.get_properties())
    yield at("POST", "/api/setup", lambda q, b: m.post_setup(b))
    yield at("POST", "/api/session", lambda q, b: m.post_session(b))
    yield at(
        "GET", "/api/user/current", lambda q, b: next(iter(m.users.values()), {"id": 1, "is_superuser": True})
    )
    yield at(
        "GET", "/api/api-key", lambda q, b: [{"id": k["id"], "name": k["name"]} for k in m.keys.values()]
    )
    yield at(
        "POST",
        "/api/api-key",
        lambda q, b: {"name": b["name"], "unmasked_key": m.mint(b["name"], b["group_id"])},
    )

    def regenerate(n: str, q: Any, b: Any) -> Any:
        m.keys[int(n)]["key"] = f"mb_{secrets.token_urlsafe(24)}"
        return {"unmasked_key": m.keys[int(n)]["key"]}

    yield at("PUT", "/api/api-key/{n}/regenerate", regenerate)
    yield at(
        "GET",
        "/api/setting",
        lambda q, b: [
            {"key": k, "value": None if k in m.environment else v, "is_env_setting": k in m.environment}
            for k, v in m.settings.items()
        ],
    )
    yield at("PUT", "/api/setting/{key}", lambda k, q, b: m.put_setting(k, b))
    yield at(
        "GET",
        "/api/database",
        lambda q, b: {"data": [m.give_database(d) for d in m.databases.values()], "total": len(m.databases)},
    )
    yield at("POST", "/api/database", lambda q, b: m.post_database(b))
    yield at("GET", "/api/database/{n}", lambda n, q, b: m.give_database(m._one(m.databases, n)))
    yield at("PUT", "/api/database/{n}", lambda n, q, b: m.put_database(int(n), b))
    yield at("DELETE", "/api/database/{n}", lambda n, q, b: m.delete_database(int(n)))
    yield at(
        "GET",
        "/api/database/{n}/healthcheck",
        lambda n, q, b: {"status": "ok" if m.can_connect(m._one(m.databases, n)["details"]) else "error"},
    )
    yield at("GET", "/api/database/{n}/metadata", lambda n, q, b: m.metadata(int(n)))

    def sync(n: str, q: Any, b: Any) -> Any:
        m.sync_left[int(n)] = m.syncs_after
        return {"status": "ok"}

    yield at("POST", "/api/database/{n}/sync_schema", sync)
    yield at(
        "GET",
        "/api/table",
        lambda q, b: [{k: v for k, v in t.items() if k != "fields"} for t in m.fields.values()],
    )
    yield at(
        "GET",
        "/api/collection",
        lambda q, b: [
            {
                "id": "root",
                "name": "Our analytics",
                "authority_level": None,
                "is_personal": False,
                "can_write": True,
            },
            *[m.give_collection(c) for c in m.collections.values() if c["archived"] == flag(q, "archived")],
        ],
    )
    yield at("POST", "/api/collection", lambda q, b: m.post_collection(b))
    yield at("GET", "/api/collection/graph", lambda q, b: m.collection_graph())
    yield at("PUT", "/api/collection/graph", lambda q, b: m.put_collection_graph(b))
    yield at(
        "GET",
        "/api/collection/{n}/items",
        lambda n, q, b: m.items(n, archived=flag(q, "archived"), models=q.get("models", [])),
    )
    yield at(
        "GET",
        "/api/collection/{n}",
        lambda n, q, b: (
            {"id": "root", "name": "Our analytics"}
            if n == "root"
            else m.give_collection(m._one(m.collections, n))
        ),
    )
    yield at("PUT", "/api/collection/{n}", lambda n, q, b: m.put_collection(int(n), b))
    yield at(
        "GET",
        "/api/card",
        lambda q, b: [
            m.give_card(c)
            for c in m.cards.values()
            if c["archived"] == (q.get("f", ["all"])[0] == "archived")
        ],
    )
    yield at("POST", "/api/card", lambda q, b: m.post_card(b))
    yield at(
        "POST",
        "/api/card/{n}/query",
        lambda n, q, b: {
            "id": m._one(m.cards, n)["id"],
            "status": "completed",
            "data": {"rows": [], "cols": []},
        },
    )
    yield at("GET", "/api/card/{n}", lambda n, q, b: m.give_card(m._one(m.cards, n)))
    yield at("PUT", "/api/card/{n}", lambda n, q, b: m.put_card(int(n), b))
    yield at(
        "GET",
        "/api/dashboard",
        lambda q, b: [
            {k: v for k, v in d.items() if k not in ("dashcards", "tabs")}
            for d in m.dashboards.values()
            if d["archived"] == (q.get("f", ["all"])[0] == "archived")
        ],
    )
    yield at("POST", "/api/dashboard", lambda q, b: m.post_dashboard(b))
    yield at("GET", "/api/dashboard/{n}", lambda n, q, b: m.give_dashboard(m._one(m.dashboards, n)))
    yield at("PUT", "/api/dashboard/{n}", lambda n, q, b: m.put_dashboard(int(n), b))
    yield at(
        "GET", "/api/permissions/group", lambda q, b: [{"id": n, "name": s} for n, s in m.groups.items()]
    )
    yield at("POST", "/api/permissions/group", lambda q, b: m.post_group(b))
    yield at("GET", "/api/permissions/membership", lambda q, b: m.membership_map())
    yield at("POST", "/api/permissions/membership", lambda q, b: [m._join(b["user_id"], b["group_id"])])

    def leave(n: str, q: Any, b: Any) -> None:
        m._one(m.memberships, int(n))
        del m.memberships[int(n)]

    yield at("DELETE", "/api/permissions/membership/{n}", leave)
    yield at("GET", "/api/permissions/graph", lambda q, b: m.rights_graph())
    yield at("PUT", "/api/permissions/graph", lambda q, b: m.put_rights_graph(b))
    yield at(
        "GET",
        "/api/user",
        lambda q, b: {
            "data": [u for u in m.users.values() if u["is_active"] or q.get("status") == ["all"]],
            "total": len(m.users),
        },
    )
    yield at("POST", "/api/user", lambda q, b: m.post_user(b))
    yield at("PUT", "/api/user/{n}/reactivate", lambda n, q, b: m.users[int(n)].update(is_active=True))
    yield at("GET", "/api/native-query-snippet", lambda q, b: list(m.snippets.values()))
    yield at("GET", "/api/native-query-snippet/{n}", lambda n, q, b: m._one(m.snippets, n))
    yield at("POST", "/api/native-query-snippet", lambda q, b: m.post_snippet(b))
    yield at("PUT", "/api/native-query-snippet/{n}", lambda n, q, b: m.update(m.snippets, int(n), b))
    yield at(
        "GET", "/api/pulse", lambda q, b: [m.give_pulse(p) for p in m.pulses.values() if not p["archived"]]
    )
    yield at("GET", "/api/pulse/{n}", lambda n, q, b: m.give_pulse(m._one(m.pulses, n)))
    yield at("POST", "/api/pulse", lambda q, b: m.post_pulse(b))
    yield at("PUT", "/api/pulse/{n}", lambda n, q, b: m.give_pulse(m.update(m.pulses, int(n), b)))
    yield at("GET", "/api/alert", lambda q, b: [])
    yield at("GET", "/api/segment", lambda q, b: [])


OPEN = {"/api/health", "/api/session/properties", "/api/setup", "/api/session"}


def handler(m: Metabase) -> type[BaseHTTPRequestHandler]:
    table = list(routes(m))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def _answer(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
            data = b"" if status == 204 else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"null")
            address = urlsplit(self.path)
            path = address.path.rstrip("/")
            with m.lock:
                record = Request(self.command, path, copy.deepcopy(body))
                m.requests.append(record)
                try:
                    status, answer, headers = self._act(path, parse_qs(address.query), body)
                except Refused as refused:
                    status, answer, headers = refused.status, refused.body, {}
                except (KeyError, TypeError, ValueError) as problem:
                    status, answer, headers = 400, {"errors": {"_error": repr(problem)}}, {}
                record.status = status
            if status == 0:  # the line goes dead
                self.close_connection = True
                return
            self._answer(status, answer, headers)

        def _act(self, path: str, query: Any, body: Any) -> tuple[int, Any, dict[str, str]]:
            fault = self._fault(path)
            if fault is not None and not fault.after:
                return fault.status, "something went wrong", self._headers(fault)
            if path not in OPEN and not self._is_known():
                return 401, "Unauthenticated", {}
            for method, pattern, answer in table:
                match = pattern.match(path)
                if method == self.command and match:
                    if m.contract is not None and method != "GET":
                        m.violations += m.contract(method, path, body)
                    made = answer(*match.groups(), query, body)
                    if fault is not None:
                        return fault.status, "something went wrong", self._headers(fault)
                    return (204 if made is None else 200), made, {}
            return 404, "API endpoint does not exist.", {}

        def _headers(self, fault: Fault) -> dict[str, str]:
            return {"Retry-After": fault.retry_after} if fault.retry_after else {}

        def _fault(self, path: str) -> Fault | None:
            if self.command == "GET" or m.fault is None:
                return None
            m.writes_seen += 1
            return m.fault if m.fault.nth <= m.writes_seen < m.fault.nth + m.fault.times else None

        def _is_known(self) -> bool:
            key = self.headers.get("X-API-KEY")
            return key in {k["key"] for k in m.keys.values()} or (
                self.headers.get("X-Metabase-Session") in m.sessions
            )

        do_GET = do_POST = do_PUT = do_DELETE = _serve

    return Handler


@contextmanager
def serving(m: Metabase, *, port: int = 0) -> Iterator[str]:
    """Serve a state for the block; yields the address."""
    server = ThreadingHTTPServer(("127.0.0.1", port), handler(m))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--release", type=int, default=64, choices=sorted(TAGS))
    parser.add_argument("--port", type=int, default=3000)
    parser.add_argument("--sample", action="store_true", help="with a sample database, set up, and a key")
    given = parser.parse_args()
    state = Metabase(release=given.release, sample=given.sample, shuffles=not given.sample)
    if given.sample:
        state.post_setup(
            {
                "token": state.setup_token,
                "prefs": {"site_name": "test"},
                "user": {"email": "admin@example.com", "password": "tester-password-123"},
            }
        )
        sys.stdout.write(f"METABASE_API_KEY={state.mint('tools')}\n")
    with serving(state, port=given.port) as url:
        sys.stdout.write(f"METABASE_URL={url}\n")
        sys.stdout.flush()
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    main()
