"""What Metabase holds, in a form in which two versions and two days can be compared.

Put here: normal forms of its answers. Never here: what should be there (wanted.py) or writing.
Its answers vary: queries in classic form or as stages, variables as a map or a list, cards of a dashboard
in any order, keys with defaults that come and go.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]


def native_query(card: Json) -> tuple[str, dict[str, Json]]:
    """Return the SQL and the variables of a card, from whichever form the server gives; ("", {}) if it has
    none.

    `legacy_query` may lag behind `dataset_query` after a write, so it is only the last resort.
    """
    for query in (card.get("dataset_query"), _parsed(card.get("legacy_query"))):
        found = _native(query)
        if found is not None and found[0]:
            return found
    return "", {}


def _parsed(text: object) -> object:
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return None


def _native(query: object) -> tuple[str, dict[str, Json]] | None:
    if not isinstance(query, Mapping):
        return None
    native = query.get("native")
    if isinstance(native, Mapping):
        return str(native.get("query") or ""), _by_name(native.get("template-tags"))
    stages = query.get("stages")
    if isinstance(stages, Sequence) and stages and isinstance(stages[0], Mapping):
        return str(stages[0].get("native") or ""), _by_name(stages[0].get("template-tags"))
    return None


def _by_name(tags: object) -> dict[str, Json]:
    if isinstance(tags, Mapping):
        return {str(name): tag for name, tag in tags.items()}
    if isinstance(tags, Sequence):
        return {str(tag["name"]): tag for tag in tags}
    return {}


def field_of(reference: object) -> int | None:
    """Return the field's id out of `["field", id, options]` or `["field", options, id]`."""
    if isinstance(reference, Sequence) and len(reference) >= 2 and reference[0] == "field":
        for part in reference[1:]:
            if isinstance(part, int) and not isinstance(part, bool):
                return part
    return None


def card_state(card: Json) -> dict[str, Any]:
    """Return what we decide about a card, comparable between a body we would send and an answer."""
    sql, tags = native_query(card)
    query = card.get("dataset_query") or {}
    return {
        "name": card.get("name"),
        "description": card.get("description") or None,
        "chart": card.get("display"),
        "collection": card.get("collection_id"),
        "database": query.get("database") or card.get("database_id"),
        "sql": sql.strip(),
        "filters": {
            name: {
                "id": tag.get("id"),
                "title": tag.get("display-name"),
                "type": tag.get("type"),
                "widget": tag.get("widget-type"),
                "field": field_of(tag.get("dimension")),
            }
            for name, tag in sorted(tags.items())
        },
        "settings": without_nulls(card.get("visualization_settings") or {}),
        "archived": bool(card.get("archived")),
    }


def without_nulls(value: Any) -> Any:
    """Return the value without keys that say nothing, at every depth."""
    if isinstance(value, Mapping):
        return {str(k): without_nulls(v) for k, v in sorted(value.items()) if v is not None}
    if isinstance(value, list | tuple):
        return [without_nulls(item) for item in value]
    return value


def dashboard_state(dashboard: Json) -> dict[str, Any]:
    """Return what we decide about a dashboard; its tabs by name, its cards in the order of the page."""
    tabs = {tab["id"]: str(tab["name"]) for tab in dashboard.get("tabs") or []}
    return {
        "name": dashboard.get("name"),
        "description": dashboard.get("description") or None,
        "width": dashboard.get("width") or "fixed",
        "collection": dashboard.get("collection_id"),
        "filters": [
            {key: parameter.get(key) for key in ("id", "name", "slug", "type", "default")}
            for parameter in dashboard.get("parameters") or []
        ],
        "tabs": [str(tab["name"]) for tab in in_order(dashboard.get("tabs") or [])],
        "cards": sorted((dashcard_state(part, tabs) for part in dashboard.get("dashcards") or []), key=repr),
        "archived": bool(dashboard.get("archived")),
    }


def in_order(tabs: Sequence[Json]) -> list[Json]:
    """Return tabs as they stand: by position where they have one."""
    return sorted(tabs, key=lambda tab: tab.get("position", 0))


def dashcard_state(part: Json, tabs: Mapping[int, str]) -> dict[str, Any]:
    """Return one card of a dashboard: where it stands, what it shows, which filters reach it."""
    return {
        "tab": tabs.get(part.get("dashboard_tab_id") or 0),
        "at": [part.get("row"), part.get("col"), part.get("size_x"), part.get("size_y")],
        "card": part.get("card_id"),
        "filters": sorted(
            [m.get("parameter_id"), m.get("card_id"), variable_of(m.get("target"))]
            for m in part.get("parameter_mappings") or []
        ),
        "settings": without_nulls(_said(part.get("visualization_settings") or {})),
    }


def _said(settings: Json) -> dict[str, Any]:
    """Of a text, its text and kind; the rest of a virtual card is the server's bookkeeping."""
    virtual = settings.get("virtual_card")
    if not isinstance(virtual, Mapping):
        return dict(settings)
    return {"display": virtual.get("display"), "text": settings.get("text")}


def variable_of(target: object) -> str:
    """Return the variable in `["dimension", ["template-tag", name], …]`; "" if it is something else."""
    if isinstance(target, Sequence) and len(target) >= 2 and isinstance(target[1], Sequence):
        inner = target[1]
        if len(inner) == 2 and inner[0] == "template-tag" and isinstance(inner[1], str):
            return inner[1]
    return ""


def differences(live: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Return the names of what differs, in a fixed order."""
    return [name for name in wanted if live.get(name) != wanted[name]]


def columns(metadata: Json) -> dict[str, int]:
    """Return `schema.table.column` → field id, of `/api/database/:id/metadata`."""
    return {
        f"{table.get('schema')}.{table['name']}.{field['name']}": int(field["id"])
        for table in metadata.get("tables") or []
        for field in table.get("fields") or []
        if field.get("active", True)
    }


def listed(answer: Any) -> list[Json]:
    """Return the rows of an answer that is a list, or a page with `data`."""
    rows = answer.get("data") if isinstance(answer, Mapping) else answer
    return list(rows or [])
