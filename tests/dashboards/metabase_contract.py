"""Metabase's own OpenAPI document as a contract for what is sent, after mending what its generator gets
wrong.

Put here: normalising the document and judging one request. Never here: the document, which is Metabase's
(AGPL).
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

# keys the document does not declare and the server honours
HONOURED = {"dashcards": {"card_id", "dashboard_tab_id", "visualization_settings"}}


class Contract:
    """What each operation's body may be."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.schemas = {"components": {"schemas": normalised(document["components"]["schemas"])}}
        self.operations = [
            (method.upper(), re.compile("^" + re.sub(r"\{[^}]+\}", "[^/]+", path) + "$"), path)
            for path, methods in sorted(document["paths"].items(), key=lambda item: "{" in item[0])
            for method in methods
        ]

        self.checkers: dict[tuple[str, str], jsonschema.Draft202012Validator] = {}

    def checker(self, method: str, path: str) -> jsonschema.Draft202012Validator | None:
        """Return the checker of bodies of the operation that a request would meet."""
        for verb, pattern, template in self.operations:
            if verb == method and pattern.match(path):
                if (verb, template) not in self.checkers:
                    operation = self.document["paths"][template][method.lower()]
                    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
                    schema = normalised(body.get("schema") or {"type": "object", "properties": {}})
                    self.checkers[(verb, template)] = jsonschema.Draft202012Validator(
                        {**schema, **self.schemas}
                    )
                return self.checkers[(verb, template)]
        return None

    def problems(self, method: str, path: str, body: Any) -> list[str]:
        """Return what the document says against a request; empty when it may be sent."""
        checker = self.checker(method, path)
        if checker is None:
            return [f"{method} {path}: no such operation"]
        if body is None:
            return []
        found = [f"{method} {path}: {e.json_path}: {e.message[:200]}" for e in checker.iter_errors(body)]
        return found + [f"{method} {path}: {key} is not declared" for key in undeclared(checker.schema, body)]


def normalised(node: Any) -> Any:
    """Return a schema as it is meant: alternatives may overlap, and keys with a default need not be sent."""
    if isinstance(node, list):
        return [normalised(item) for item in node]
    if not isinstance(node, dict):
        return node
    made = {key: normalised(value) for key, value in node.items() if key != "oneOf"}
    if "oneOf" in node:
        made["anyOf"] = [*made.get("anyOf", []), *normalised(node["oneOf"])]
    if isinstance(made.get("required"), list) and isinstance(made.get("properties"), dict):
        made["required"] = [k for k in made["required"] if "default" not in made["properties"].get(k, {})]
    return made


def undeclared(schema: dict[str, Any], body: Any, at: str = "") -> list[str]:
    """Return the keys, at any depth the document describes, that it does not name."""
    for branch in schema.get("anyOf", []):
        if branch.get("type") == ("array" if isinstance(body, list) else "object"):
            return undeclared(branch, body, at)
    if isinstance(body, list):
        inner = schema.get("items", {})
        return sorted({key for item in body for key in undeclared(inner, item, at)})
    properties = schema.get("properties")
    if not isinstance(body, dict) or not properties:
        return []  # any map
    honoured = HONOURED.get(at, set())
    found = [f"{at}.{key}".strip(".") for key in body if key not in properties and key not in honoured]
    for key, value in body.items():
        found += undeclared(properties.get(key, {}), value, key)
    return found


@cache
def contract_of(file: Path) -> Contract:
    """Read the document once."""
    return Contract(json.loads(file.read_text(encoding="utf-8")))


def judge(file: Path) -> Callable[[str, str, Any], list[str]]:
    """Return a judge of requests for the stand-in."""
    return lambda method, path, body: contract_of(file).problems(method, path, copy.deepcopy(body))
