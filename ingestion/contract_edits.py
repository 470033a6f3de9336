"""Answers written into a feed's contract for good: one key each, comments and order of the file kept.

Put edits of the YAML files here. They change lines, not a parsed tree, because a contract is read by people;
what results is checked as a whole before it replaces the file.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ingestion.contract import FEEDS, read_contract
from warehouse.errors import ShopxError


def contract_keys(read_as: Mapping[str, str]) -> dict[str, Any]:
    """The contract's keys for a way of reading, e.g. {"date_order": "day-first"}."""
    keys: dict[str, Any] = {}
    for name, value in read_as.items():
        if name in ("date_order", "date_count"):
            keys["date_formats"] = ["iso", value]
        elif name == "decimal_mark":
            keys[name] = {"comma": ",", "point": "."}.get(value, value)
        else:
            keys[name] = value
    return keys


def write_keys(folder: Path, feed: str, keys: Mapping[str, Any]) -> None:
    """Set top-level keys of the contract of `feed`; all of them or, where the result is no contract, none.

    Raises ShopxError for a built-in contract, which serves every file, and with what is wrong otherwise.
    """
    path = folder / f"{feed}.yaml"
    contract = read_contract(path)
    if contract.builtin:
        raise ShopxError(
            f"{feed} is built in and serves files of every kind, so the answer cannot be kept in it. "
            "Make a contract of your own: `./shopx feed init FILE`; or leave out --always."
        )
    text = path.read_text(encoding="utf-8")
    for key, value in keys.items():
        text = with_key(text, key, value)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".edit-") as room:
        made = Path(room) / path.name
        made.write_text(text, encoding="utf-8")
        read_contract(made)
        made.chmod(path.stat().st_mode & 0o777)
        made.replace(path)


def with_key(text: str, key: str, value: Any) -> str:
    """The YAML with `key: value` at the top level: in place of the line that has it, its comment kept, else
    above `columns:`, else at the end."""
    said = f"{key}: {_scalar(value)}"
    lines = text.splitlines()
    at = next((n for n, line in enumerate(lines) if re.match(rf"{re.escape(key)}\s*:", line)), None)
    if at is None:
        at = next((n for n, line in enumerate(lines) if re.match(r"columns\s*:", line)), len(lines))
        lines.insert(at, said)
    else:
        end = at + 1
        while end < len(lines) and re.match(r"\s+\S|-", lines[end]):  # a value over several lines
            end += 1
        comment = re.search(r"\s+#.*$", lines[at]) if end == at + 1 else None
        lines[at:end] = [said + (comment[0] if comment else "")]
    return "\n".join(lines) + "\n"


def _scalar(value: Any) -> str:
    """A value on one line, as YAML."""
    return yaml.safe_dump(value, default_flow_style=True, width=1000).removesuffix("...\n").strip()


__all__ = ["FEEDS", "contract_keys", "with_key", "write_keys"]
