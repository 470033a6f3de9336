"""Who may see what: groups, the two graphs of rights, people.

Put here: rights in Metabase. Never here: rights in PostgreSQL (warehouse/grants.sql), which are the real
fence: the free edition of Metabase cannot hide data from a group, only keep it from asking.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from dashboards.metabase.changes import Change, Hand, deleting, posting, putting
from dashboards.metabase.client import MetabaseClient
from dashboards.metabase.reading import listed
from dashboards.metabase.site import Person, Site

ALL_USERS = 1  # the group everybody is in; 2 are the administrators, whose rights are never written


def groups(hand: Hand, site: Site) -> dict[str, int]:
    """Make the groups that are missing; returns role → group id, as far as known."""

    def find() -> dict[str, int]:
        return {str(g["name"]): int(g["id"]) for g in listed(hand.server.get("/api/permissions/group"))}

    known = find()
    for group in site.groups:
        if group.name in known:
            continue

        def found(name: str = group.name) -> dict[str, int] | None:
            number = find().get(name)
            return None if number is None else {"id": number}

        made = hand.note(
            Change("create", "group", group.name),
            posting("/api/permissions/group", {"name": group.name}, found=found),
        )
        if made is not None:
            known[group.name] = int(made["id"])
    return {group.role: known[group.name] for group in site.groups if group.name in known}


def query_rights(hand: Hand, site: Site, ids: Mapping[str, int], database: int | None) -> None:
    """Close All Users and say who may ask questions of our database; other databases are not touched."""
    if database is None:
        hand.changes.append(Change("close", "rights", "All Users", "no queries"))
        return
    wanted = {str(ALL_USERS): "no"} | {str(ids[g.role]): g.queries for g in site.groups if g.role in ids}
    names = {str(ALL_USERS): "All Users"} | {str(ids[g.role]): g.name for g in site.groups if g.role in ids}
    new = [g.name for g in site.groups if g.role not in ids]

    def read() -> Any:
        return hand.server.get("/api/permissions/graph")

    def differing(graph: Any) -> list[str]:
        return [
            group for group, word in wanted.items() if _query_right(graph, group, database) != (True, word)
        ]

    differ = differing(read())
    if not differ and not new:
        return

    def write(client: MetabaseClient, graph: Any) -> None:
        changed = {
            group: {str(database): {"view-data": "unrestricted", "create-queries": wanted[group]}}
            for group in differing(graph)
        }
        if changed:
            client.put("/api/permissions/graph", {"revision": graph["revision"], "groups": changed})

    said = ", ".join(f"{names[group]} {_word(wanted[group])}" for group in differ)
    hand.rewrite(Change("update", "rights", "to query", said), read=read, write=write)


def _query_right(graph: Mapping[str, Any], group: str, database: int) -> tuple[bool, str]:
    """Whether a group may see the data, and how it may ask; where nothing is said, not at all."""
    rights = (graph["groups"].get(group) or {}).get(str(database)) or {}
    return rights.get("view-data", "unrestricted") == "unrestricted", rights.get("create-queries") or "no"


def _word(right: str) -> str:
    return "no queries" if right == "no" else right


def collection_rights(hand: Hand, site: Site, ids: Mapping[str, int], collection: int | None) -> None:
    """Close the root collection and ours to All Users; let our groups read ours."""
    wanted: dict[tuple[str, str], str] = {(str(ALL_USERS), "root"): "none"}
    if collection is not None:
        wanted[(str(ALL_USERS), str(collection))] = "none"
        for group in site.groups:
            if group.role in ids:
                wanted[(str(ids[group.role]), str(collection))] = "read"

    def read() -> Any:
        return hand.server.get("/api/collection/graph")

    def differing(graph: Any) -> list[tuple[str, str]]:
        # since 0.56.13 a right that is not there means none
        return [
            (group, place)
            for (group, place), word in wanted.items()
            if ((graph["groups"].get(group) or {}).get(place) or "none") != word
        ]

    differ = differing(read())
    if not differ and collection is not None and len(ids) == len(site.groups):
        return

    def write(client: MetabaseClient, graph: Any) -> None:
        changed: dict[str, dict[str, str]] = {}
        for group, place in differing(graph):
            changed.setdefault(group, {})[place] = wanted[(group, place)]
        if changed:
            client.put("/api/collection/graph", {"revision": graph["revision"], "groups": changed})

    closed = any(group == str(ALL_USERS) for group, _ in differ)
    said = [*(["closed to All Users"] if closed else []), "readable for our groups"]
    hand.rewrite(Change("update", "rights", "to collections", ", ".join(said)), read=read, write=write)


def people(hand: Hand, site: Site, ids: Mapping[str, int], wanted: Iterable[Person]) -> None:
    """Make the accounts that are missing, and put people into the group of their role and no other of ours.

    Metabase invites a new person by mail where it can send mail. Who is not named is left alone.
    """
    wanted = tuple(wanted)
    if not wanted:
        return

    def find() -> dict[str, Any]:
        query = {"status": "all", "include_deactivated": "true"}
        return {str(u["email"]).lower(): u for u in listed(hand.server.get("/api/user", **query))}

    def found(email: str) -> Any:
        return find().get(email)

    known = find()
    memberships = hand.server.get("/api/permissions/membership")
    for person in wanted:
        live, group = known.get(person.email), ids.get(person.role)
        if live is None:
            hand.note(
                Change("invite", "user", person.email, person.role),
                posting("/api/user", _account(person, group), found=partial(found, person.email)),
            )
            continue
        number = int(live["id"])
        if not live.get("is_active", True):
            hand.note(
                Change("restore", "user", person.email, "the account was deactivated"),
                putting(f"/api/user/{number}/reactivate", {}),
            )
        _put_into_group(hand, person, number, group=group, ours=set(ids.values()), memberships=memberships)


def _account(person: Person, group: int | None) -> dict[str, Any]:
    first, _, last = person.name.strip().partition(" ")
    body: dict[str, Any] = {"email": person.email}
    if first:
        body["first_name"] = first
    if last:
        body["last_name"] = last
    memberships = [{"id": ALL_USERS}, *([{"id": group}] if group is not None else [])]
    return {**body, "user_group_memberships": memberships}


def _put_into_group(
    hand: Hand,
    person: Person,
    number: int,
    *,
    group: int | None,
    ours: set[int],
    memberships: Mapping[str, Any],
) -> None:
    held = {
        int(m["group_id"]): int(m["membership_id"])
        for m in memberships.get(str(number)) or []
        if int(m["group_id"]) in ours
    }
    if group is not None and group not in held:

        def join(client: MetabaseClient) -> Any:
            def find() -> Any:
                again = hand.server.get("/api/permissions/membership").get(str(number)) or []
                return next((m for m in again if int(m["group_id"]) == group), None)

            body = {"group_id": group, "user_id": number, "is_group_manager": False}
            return client.post("/api/permissions/membership", body, found=find)

        hand.note(Change("update", "user", person.email, f"role {person.role}"), join)
    for other, membership in held.items():
        if other != group:
            hand.note(
                Change("update", "user", person.email, "out of a group that is not their role's"),
                deleting(f"/api/permissions/membership/{membership}"),
            )
