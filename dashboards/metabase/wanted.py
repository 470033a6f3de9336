"""What Metabase should hold, before any of its ids is known.

Put here: the shape, and the identities our things have there. Never here: where it comes from
(compiling.py), or what is there now (reading.py).
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_NAMESPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")  # RFC 4122, names that are URLs


def entity_id(key: str) -> str:
    """Return a card's identity in Metabase: 21 characters of NanoID's alphabet, from SHA-256 of its key."""
    digest = hashlib.sha256(f"shopx/card/{key}".encode()).digest()
    return base64.urlsafe_b64encode(digest).decode()[:21]


def stable_id(kind: str, key: str) -> str:
    """Return the id of a filter or of a variable: the same on every server and every day."""
    return str(uuid.uuid5(_NAMESPACE, f"https://shopx.invalid/{kind}/{key}"))


@dataclass(frozen=True)
class Variable:
    """A variable of a card's SQL: a condition on one column."""

    name: str
    title: str
    type: str
    column: str  # schema.table.column


@dataclass(frozen=True)
class WantedCard:
    """A question."""

    key: str
    name: str
    description: str
    display: str
    sql: str
    variables: tuple[Variable, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def entity_id(self) -> str:
        """Its identity in Metabase."""
        return entity_id(self.key)

    def body(self, *, database: int, collection: int | None, field_ids: Mapping[str, int]) -> dict[str, Any]:
        """Return the body that writes it; the query in classic form, the only one all versions keep."""
        return {
            "name": self.name,
            "description": self.description,
            "display": self.display,
            "collection_id": collection,
            "dataset_query": {
                "database": database,
                "type": "native",
                "native": {
                    "query": self.sql,
                    "template-tags": {v.name: self._tag(v, field_ids) for v in self.variables},
                },
            },
            "parameters": [
                {
                    "id": stable_id("variable", f"{self.key}/{v.name}"),
                    "type": v.type,
                    "target": ["dimension", ["template-tag", v.name]],
                    "name": v.title,
                    "slug": v.name,
                }
                for v in self.variables
            ],
            "visualization_settings": dict(self.settings),
        }

    def _tag(self, variable: Variable, field_ids: Mapping[str, int]) -> dict[str, Any]:
        return {
            "id": stable_id("variable", f"{self.key}/{variable.name}"),
            "name": variable.name,
            "display-name": variable.title,
            "type": "dimension",
            "dimension": ["field", field_ids.get(variable.column, 0), None],
            "widget-type": variable.type,
        }


@dataclass(frozen=True)
class WantedFilter:
    """A filter of a dashboard."""

    key: str
    name: str
    type: str
    default: str | None = None

    def body(self, dashboard: str) -> dict[str, Any]:
        """Return it as Metabase writes parameters."""
        made: dict[str, Any] = {
            "id": stable_id("filter", f"{dashboard}/{self.key}"),
            "name": self.name,
            "slug": self.key,
            "type": self.type,
            "sectionId": self.type.split("/", maxsplit=1)[0],
        }
        return made if self.default is None else {**made, "default": self.default}


@dataclass(frozen=True)
class Placed:
    """A card or a text on the grid of 24 columns: `at` is column, row, width, height."""

    at: tuple[int, int, int, int]
    card: WantedCard | None = None
    text: str | None = None
    is_heading: bool = False

    @property
    def kind(self) -> str:
        """What it is, for finding it again: the card's identity, or text or heading."""
        return self.card.entity_id if self.card else "heading" if self.is_heading else "text"

    @property
    def settings(self) -> dict[str, Any]:
        """Its visualization settings: none of a card, which has its own; the text of a text."""
        if self.card is not None:
            return {}
        display = "heading" if self.is_heading else "text"
        return {
            "virtual_card": {
                "name": None,
                "display": display,
                "visualization_settings": {},
                "dataset_query": {},
                "archived": False,
            },
            "text": self.text or "",
        }


@dataclass(frozen=True)
class WantedTab:
    """A page of a dashboard."""

    name: str
    placed: tuple[Placed, ...]


@dataclass(frozen=True)
class WantedDashboard:
    """A dashboard; it is found by its name in our collection, then by a former one."""

    key: str
    name: str
    description: str
    tabs: tuple[WantedTab, ...]
    filters: tuple[WantedFilter, ...] = ()
    renamed_from: tuple[str, ...] = ()

    @property
    def cards(self) -> tuple[WantedCard, ...]:
        """The cards on it, each once."""
        placed = [part.card for tab in self.tabs for part in tab.placed if part.card is not None]
        return tuple({card.key: card for card in placed}.values())
