"""What the dbt project says about the marts: their columns' types, which add up, how far back each reaches.

Put here: reading the marts' YAML. Never here: rules about cards (checks.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

MARTS = "models/marts"
# Counted per group, so they add up within one group: an order has one day, but may hold several products.
ADDS_UP_WITHIN = {
    ("product_sales_daily", "orders"): "product_key",
    ("product_sales_monthly", "orders"): "product_key",
}


@dataclass(frozen=True)
class Mart:
    """A mart by its contract: column to type; the columns that may not be summed; days kept, None: all."""

    name: str
    types: dict[str, str]
    not_additive: frozenset[str]
    days: int | None


@cache
def marts(project: Path) -> dict[str, Mart]:
    """All marts of the dbt project in that folder."""
    variables = yaml.safe_load((project / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
    found = {}
    for file in sorted((project / MARTS).glob("*.yml")):
        for model in yaml.safe_load(file.read_text(encoding="utf-8")).get("models") or []:
            sql = file.with_suffix(".sql")
            columns = model.get("columns") or []
            if not sql.is_file() or not columns:
                continue
            found[model["name"]] = Mart(
                name=model["name"],
                types={column["name"]: column["data_type"] for column in columns},
                not_additive=frozenset(column["name"] for column in columns if not _adds_up(column)),
                days=_days_kept(sql.read_text(encoding="utf-8"), variables),
            )
    return found


def _adds_up(column: dict[str, Any]) -> bool:
    return ((column.get("config") or {}).get("meta") or {}).get("additive") is not False


def _days_kept(sql: str, variables: dict[str, Any]) -> int | None:
    """`… > as_of - var('x_days')` keeps the days after it."""
    kept = re.search(r">\s*\(?\s*select build\.as_of - \{\{ var\('(\w+)'\) \}\}", sql)
    return int(variables[kept.group(1)]) if kept else None
