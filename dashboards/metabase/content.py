"""Our collection and what is in it: cards, dashboards, and the archiving of what the files no longer name.

Put here: finding our things again, and writing those that differ.
Never here: what they should be (wanted.py).
Everything is found before it is made, so an interrupted run is finished by the next one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from dashboards.metabase.changes import Action, Change, Hand, posting, putting
from dashboards.metabase.client import MetabaseClient
from dashboards.metabase.reading import Json, card_state, dashboard_state, differences, in_order, listed
from dashboards.metabase.site import Site
from dashboards.metabase.wanted import Placed, WantedCard, WantedDashboard
from warehouse.errors import ShopxError

ARCHIVED = {"archived": True}


def collection(hand: Hand, site: Site) -> int | None:
    """Bring our collection in order; returns its id, None while there is none."""
    name, description = site.collection.name, site.collection.description

    def same(*, archived: bool) -> list[Json]:
        rows = listed(hand.server.get("/api/collection", archived="true" if archived else "false"))
        ours = [c for c in rows if c.get("name") == name and c["id"] != "root" and _is_top(c)]
        return sorted((c for c in ours if bool(c.get("archived")) == archived), key=lambda c: int(c["id"]))

    live, in_trash = same(archived=False), []
    if not live:
        in_trash = same(archived=True)
    if not live and not in_trash:

        def make(client: MetabaseClient) -> int:
            body = {"name": name, "description": description}
            made = client.post("/api/collection", body, found=lambda: next(iter(same(archived=False)), None))
            return _first(client, "collection", int(made["id"]), [int(c["id"]) for c in same(archived=False)])

        made = hand.note(Change("create", "collection", name), make)
        return None if made is None else int(made)
    found = (live or in_trash)[0]
    number = int(found["id"])
    if in_trash:
        hand.note(
            Change("restore", "collection", name),
            putting(f"/api/collection/{number}", {"archived": False}),
        )
    if found.get("description") != description:
        hand.note(
            Change("update", "collection", name, "description"),
            putting(f"/api/collection/{number}", {"description": description}),
        )
    return number


def _is_top(found: Json) -> bool:
    return found.get("location", "/") in ("/", None) or str(found.get("location", "")).startswith("/trash")


def _first(client: MetabaseClient, kind: str, made: int, same: Sequence[int]) -> int:
    """Return the oldest of one name: who made a second one at the same moment archives it again."""
    first = min([made, *same])
    if first != made:
        client.put(f"/api/{kind}/{made}", ARCHIVED)
    return first


def cards(
    hand: Hand,
    wanted: Sequence[WantedCard],
    *,
    database: int | None,
    place: int | None,
    field_ids: Mapping[str, int],
) -> dict[str, int]:
    """Bring the cards in order, wherever they were moved to; returns entity id → id, as far as known."""
    known = {
        str(card["entity_id"]): card
        for which in ("archived", "all")
        for card in listed(hand.server.get("/api/card", f=which))
        if card.get("entity_id")
    }
    ids: dict[str, int] = {}
    for card in wanted:
        body = card.body(database=database or 0, collection=place, field_ids=field_ids)
        live = known.get(card.entity_id)
        if live is not None:
            ids[card.entity_id] = number = int(live["id"])
            live = hand.server.get(f"/api/card/{number}")
        made = _card(hand, card, body, live)
        if made is not None:
            ids[card.entity_id] = made
    return ids


def _card(hand: Hand, card: WantedCard, body: dict[str, Any], live: Json | None) -> int | None:
    state = card_state(body)
    if live is None:

        def find() -> Any:
            every = listed(hand.server.get("/api/card", f="all"))
            return next((c for c in every if c.get("entity_id") == card.entity_id), None)

        made = hand.note(
            Change("create", "card", card.name),
            posting("/api/card", {**body, "entity_id": card.entity_id}, found=find),
        )
        if made is None:
            return None
        number = int(made["id"])
    else:
        number, differ = int(live["id"]), differences(card_state(live), state)
        if not differ:
            return None
        action: Action = "restore" if "archived" in differ else "update"
        hand.note(
            Change(action, "card", card.name, ", ".join(differ)),
            putting(f"/api/card/{number}", {**body, "archived": False}),
        )
    if not hand.only_plans:
        _was_kept(hand, f"/api/card/{number}", card_state, state, f"card {card.name}")
    return number


def _was_kept(hand: Hand, path: str, state_of: Any, wanted: Mapping[str, Any], what: str) -> None:
    """Read back what was written: some versions answer 200 and store something else, or nothing."""
    lost = differences(state_of(hand.server.get(path)), wanted)
    if lost:
        raise ShopxError(
            f"Metabase took {what} and did not keep its {', '.join(lost)}."
            " `shopx dashboards doctor` says whether this version is known to work."
        )


def dashboards(
    hand: Hand, wanted: Sequence[WantedDashboard], *, place: int | None, card_ids: Mapping[str, int]
) -> set[int]:
    """Bring the dashboards in order; returns the ids of ours."""
    active, archived = _dashboards_in(hand, place)
    ours: set[int] = set()
    for board in wanted:
        names = (board.name, *board.renamed_from)
        number = next((n for found in (active, archived) for name in names if (n := found.get(name))), None)
        if number is None:
            number = _new_dashboard(hand, board, place, card_ids)
        else:
            _dashboard(hand, board, number, place=place, card_ids=card_ids)
        if number is not None:
            ours.add(number)
    return ours


def _dashboards_in(hand: Hand, place: int | None) -> tuple[dict[str, int], dict[str, int]]:
    """Return name → id of the dashboards in our collection, and of those archived from it."""
    if place is None:
        return {}, {}
    items = listed(hand.server.get(f"/api/collection/{place}/items"))
    active = [(str(i["name"]), int(i["id"])) for i in items if i["model"] == "dashboard"]
    archived = [
        (str(d["name"]), int(d["id"]))
        for d in listed(hand.server.get("/api/dashboard", f="archived"))
        if d.get("collection_id") == place and d.get("archived")
    ]
    return _oldest(active), _oldest(archived)


def _oldest(named: list[tuple[str, int]]) -> dict[str, int]:
    return dict(sorted(named, key=lambda pair: -pair[1]))


def _new_dashboard(
    hand: Hand, board: WantedDashboard, place: int | None, card_ids: Mapping[str, int]
) -> int | None:
    def find() -> Any:
        number = _dashboards_in(hand, place)[0].get(board.name)
        return number and {"id": number}

    def make(client: MetabaseClient) -> int:
        body = {"name": board.name, "description": board.description, "collection_id": place}
        made = int(client.post("/api/dashboard", body, found=find)["id"])
        items = listed(client.get(f"/api/collection/{place}/items"))
        same = [int(i["id"]) for i in items if i["model"] == "dashboard" and i["name"] == board.name]
        number = _first(client, "dashboard", made, same)
        filling = Hand(server=client, client=client)  # a part of its making, so it is not named as a change
        _dashboard(filling, board, number, place=place, card_ids=card_ids)
        return number

    made = hand.note(Change("create", "dashboard", board.name), make)
    return None if made is None else int(made)


def _dashboard(
    hand: Hand, board: WantedDashboard, number: int, *, place: int | None, card_ids: Mapping[str, int]
) -> None:
    path = f"/api/dashboard/{number}"
    live = hand.server.get(path)
    body = dashboard_body(board, live, place=place, card_ids=card_ids)
    state = dashboard_state(body)
    differ = differences(dashboard_state(live), state)
    if not differ:
        return
    hand.note(
        Change("restore" if "archived" in differ else "update", "dashboard", board.name, ", ".join(differ)),
        putting(path, body),
    )
    if not hand.only_plans:
        _was_kept(hand, path, dashboard_state, state, f"dashboard {board.name}")


def dashboard_body(
    board: WantedDashboard, live: Json, *, place: int | None, card_ids: Mapping[str, int]
) -> dict[str, Any]:
    """Return the body that writes a dashboard whole.

    Tabs are found again by name, cards by tab and card, so that their ids survive, and with them the
    subscriptions; what is new gets a negative id, what is left out is removed.
    """
    tab_ids = {str(tab["name"]): int(tab["id"]) for tab in in_order(live.get("tabs") or [])}
    old = _old_ids(live)
    in_tabs = len(board.tabs) > 1
    tabs: list[dict[str, Any]] = []
    parts: list[dict[str, Any]] = []
    for place_of_tab, tab in enumerate(board.tabs):
        tab_id = tab_ids.get(tab.name, -1 - place_of_tab) if in_tabs else None
        if tab_id is not None:
            tabs.append({"id": tab_id, "name": tab.name})
        seen: Counter[str] = Counter()
        for part in sorted(tab.placed, key=lambda part: (part.at[1], part.at[0])):
            shown = str(card_ids.get(part.kind)) if part.card else part.kind
            nth, seen[shown] = seen[shown], seen[shown] + 1
            known = old.get((tab.name if in_tabs else None, shown, nth))
            parts.append(_part(board, part, known or -1 - len(parts), tab_id, card_ids))
    return {
        "name": board.name,
        "description": board.description,
        "width": "full",
        "collection_id": place,
        "archived": False,
        "parameters": [f.body(board.key) for f in board.filters],
        "tabs": tabs,
        "dashcards": parts,
    }


def _old_ids(live: Json) -> dict[tuple[str | None, str, int], int]:
    """Return (tab, card or kind of text, how many-eth on that tab) → id of the card on the dashboard."""
    tabs = {tab["id"]: str(tab["name"]) for tab in live.get("tabs") or []}
    found: dict[tuple[str | None, str, int], int] = {}
    seen: Counter[tuple[str | None, str]] = Counter()
    for part in sorted(live.get("dashcards") or [], key=lambda p: (p["row"], p["col"], p["id"])):
        virtual = (part.get("visualization_settings") or {}).get("virtual_card") or {}
        shown = str(part["card_id"]) if part.get("card_id") else str(virtual.get("display"))
        tab = tabs.get(part.get("dashboard_tab_id") or 0)
        found[(tab, shown, seen[(tab, shown)])] = int(part["id"])
        seen[(tab, shown)] += 1
    return found


def _part(
    board: WantedDashboard, part: Placed, number: int, tab: int | None, card_ids: Mapping[str, int]
) -> dict[str, Any]:
    column, row, width, height = part.at
    card = card_ids.get(part.card.entity_id) if part.card else None
    mapped = [
        {
            "parameter_id": one.body(board.key)["id"],
            "card_id": card,
            "target": ["dimension", ["template-tag", one.key]],
        }
        for one in board.filters
        if part.card and one.key in {variable.name for variable in part.card.variables}
    ]
    return {
        "id": number,
        "card_id": card,
        "dashboard_tab_id": tab,
        "col": column,
        "row": row,
        "size_x": width,
        "size_y": height,
        "parameter_mappings": mapped,
        "visualization_settings": part.settings,
        "series": [],
    }


def prune(hand: Hand, *, place: int | None, cards: set[int], dashboards: set[int]) -> None:
    """Archive what stands in our collection and not in the files; nothing outside it is touched."""
    if place is None:
        return
    kept = {"card": cards, "dashboard": dashboards}
    for item in listed(hand.server.get(f"/api/collection/{place}/items")):
        kind = {"dataset": "card", "metric": "card"}.get(item["model"], item["model"])
        if kind not in kept or int(item["id"]) in kept[kind]:
            continue
        hand.note(
            Change("archive", kind, str(item["name"]), "not in the files"),
            putting(f"/api/{kind}/{int(item['id'])}", ARCHIVED),
        )
