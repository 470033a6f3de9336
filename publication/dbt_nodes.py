"""What a whole build must consist of: the models, marts and tests that dbt's manifest declares.

Put here: reading the manifest into the list the audit compares with what really ran.
Never here: running dbt, or trusting its exit code or run_results.json (a stale or partial one once read as
green).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warehouse.errors import ShopxError
from warehouse.settings import Settings

MARTS_SCHEMA = "marts_next"


@dataclass(frozen=True)
class ExpectedNodes:
    """The enabled nodes of the project.

    `models` are names as written to ops.model_builds, sources that another step of the build makes (meta
    `made_by_build`) among them; `marts` those in schema marts_next; `tests` maps the unique id of each data
    test to whether its failure forbids publication; unit tests judge the SQL and run where that changes.
    `windowed` are marts of a stretch of days (meta `windowed`), whose rows come and go with as_of.
    """

    models: frozenset[str]
    marts: tuple[str, ...]
    tests: dict[str, bool]
    windowed: frozenset[str] = frozenset()


def manifest_path(settings: Settings) -> Path:
    """The manifest of the dbt project as this installation last read it.

    Raises ShopxError when dbt has not run yet.
    """
    places = [
        settings.home / "dbt" / "project" / "manifest.json",
        settings.project_root / "dbt_project" / "target" / "manifest.json",
    ]
    found = [place for place in places if place.is_file()]
    if not found:
        raise ShopxError(
            f"dbt has left no manifest at {places[-1]}; run ./shopx run, which builds the models first."
        )
    return found[0]


def expected_nodes(manifest: Path) -> ExpectedNodes:
    """Read the manifest.

    Raises ShopxError when it cannot be read, or declares no mart or no test: an audit of nothing proves
    nothing.
    """
    try:
        content = json.loads(manifest.read_text())
        nodes: list[dict[str, Any]] = list(content["nodes"].values())
    except (OSError, ValueError, KeyError, AttributeError):
        raise ShopxError(f"{manifest} cannot be read as a dbt manifest; run ./shopx dbt parse.") from None
    enabled = [node for node in nodes if node.get("config", {}).get("enabled", True)]
    models = [
        node
        for node in enabled
        if node["resource_type"] == "model" and node["config"].get("materialized") != "ephemeral"
    ]
    marts = tuple(sorted(node["name"] for node in models if node.get("schema") == MARTS_SCHEMA))
    tests = {
        node["unique_id"]: str(node.get("config", {}).get("severity") or "error").lower() == "error"
        for node in enabled
        if node["resource_type"] == "test"
    }
    if not marts or not tests:
        raise ShopxError(
            f"{manifest} declares no {'test' if marts else 'mart'}, so nothing could be audited."
        )
    windowed = {node["name"] for node in models if node["config"].get("meta", {}).get("windowed")}
    made = {
        source["name"]
        for source in content.get("sources", {}).values()
        if source.get("config", {}).get("meta", {}).get("made_by_build")
    }
    return ExpectedNodes(
        models=frozenset(node["name"] for node in models) | made,
        marts=marts,
        tests=tests,
        windowed=frozenset(windowed),
    )
