"""What somebody changed in Metabase, as the files would say it, to be adopted or not.

Put here: from a live dashboard back to a board's file. Never here: writing to Metabase or over our own files.
What Metabase knows nothing of (definitions, comparisons) is taken from the file as it is.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from dashboards.metabase.client import MetabaseClient
from dashboards.metabase.compiling import DEFINITIONS
from dashboards.metabase.looks import display_of
from dashboards.metabase.provisioning import Wanted
from dashboards.metabase.reading import Json, in_order, listed, native_query
from dashboards.metabase.trust import KEY, TRUST_HEIGHT
from dashboards.metabase.wanted import WantedDashboard, entity_id
from dashboards.spec.loading import FOLDER
from dashboards.spec.model import Board
from warehouse.errors import ShopxError


def export(
    client: MetabaseClient, wanted: Wanted, boards: Sequence[Board], folder: Path, *, source: Path = FOLDER
) -> list[Path]:
    """Write each dashboard of our collection that Metabase has to `folder`, in the form of boards/*.yaml.

    Returns the files. Raises ShopxError where `folder` is that of our own boards.
    """
    if folder.resolve() == source.resolve():
        raise ShopxError(f"{folder} holds the boards themselves; export beside it and compare.", exit_code=2)
    folder.mkdir(parents=True, exist_ok=True)
    places = [c for c in listed(client.get("/api/collection")) if c["name"] == wanted.site.collection.name]
    if not places:
        raise ShopxError("Metabase has no collection of ours yet: ./shopx dashboards apply", exit_code=2)
    items = listed(client.get(f"/api/collection/{places[0]['id']}/items"))
    live = {str(i["name"]): int(i["id"]) for i in items if i["model"] == "dashboard"}
    written = []
    for board in boards:
        [one] = [d for d in wanted.dashboards if d.key == board.key]
        number = next((live[name] for name in (one.name, *one.renamed_from) if name in live), None)
        if number is None:
            continue
        content = yaml.safe_load((source / f"{board.key}.yaml").read_text(encoding="utf-8"))
        adopted = _adopted(content, board, one, client.get(f"/api/dashboard/{number}"), client)
        file = folder / f"{board.key}.yaml"
        text = yaml.safe_dump(adopted, sort_keys=False, allow_unicode=True, width=110)
        file.write_text(text, encoding="utf-8")
        written.append(file)
    return written


def _adopted(
    content: dict[str, Any], board: Board, one: WantedDashboard, live: Json, client: MetabaseClient
) -> dict[str, Any]:
    """Return the file's content with what the live dashboard says instead."""
    made = copy.deepcopy(content)
    made["name"] = live["name"]
    made["question"] = live.get("description") or made["question"]
    keys = {entity_id(card.key): card.key for card in one.cards}
    shown: dict[str, Json] = {}
    tabs = in_order(live.get("tabs") or [])
    names = {tab["id"]: str(tab["name"]) for tab in tabs} or {None: one.tabs[0].name}
    layouts: dict[str, list[dict[str, Any]]] = {name: [] for name in names.values()}
    for part in sorted(live.get("dashcards") or [], key=lambda p: (p["row"], p["col"])):
        placed = _placed(part, keys, shown, client)
        if placed is not None:
            layouts[names[part.get("dashboard_tab_id") if tabs else None]].append(placed)
    made["tabs"] = [{"name": name, "layout": layout} for name, layout in layouts.items() if layout]
    for key, card in shown.items():
        made["cards"][key] = _card(made["cards"].get(key), board, key, card)
    placed_keys = {p["card"] for tab in made["tabs"] for p in tab["layout"] if "card" in p}
    made["cards"] = {key: card for key, card in made["cards"].items() if key in placed_keys}
    return made


def _placed(
    part: Json, keys: Mapping[str, str], shown: dict[str, Json], client: MetabaseClient
) -> dict[str, Any] | None:
    """Return a thing on the grid as a file says it; None for the strip and the definitions, which we add."""
    at = [part["col"], part["row"] - TRUST_HEIGHT, part["size_x"], part["size_y"]]
    if part.get("card_id"):
        card = client.get(f"/api/card/{part['card_id']}")
        if card.get("entity_id") == entity_id(KEY):
            return None
        key = keys.get(str(card.get("entity_id"))) or _key_of(str(card["name"]), taken=shown)
        shown[key] = card
        return {"card": key, "at": at}
    settings = part.get("visualization_settings") or {}
    text = str(settings.get("text") or "")
    if text.startswith(DEFINITIONS):
        return None
    kind = "heading" if (settings.get("virtual_card") or {}).get("display") == "heading" else "text"
    return {kind: text, "at": at}


def _key_of(name: str, *, taken: Mapping[str, Any]) -> str:
    key = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "card"
    key = key if key[0].isalpha() else f"card_{key}"
    return key if key not in taken else f"{key}_{len(taken)}"


def _card(known: dict[str, Any] | None, board: Board, key: str, live: Json) -> dict[str, Any]:
    """Return a card as a file says it; a new one says what is still to be written."""
    sql, _ = native_query(live)
    if known is None:
        todo = "TODO: say what the figure is, in at most 25 words"
        return {
            "name": live["name"],
            "display": live["display"],
            "sql": sql,
            "definition": todo,
            "source": "marts.todo.todo",
        }
    made = {**known, "name": live["name"]}
    if sql.strip() != board.cards[key].sql:
        made["sql"] = sql
    if live["display"] != display_of(board.cards[key]):
        made["display"] = live["display"]
    return made
