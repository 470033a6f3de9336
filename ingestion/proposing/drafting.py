"""A contract in the making: its keys, each with the evidence for it, and the YAML that results.

Put the form of a proposed contract here. Never where an answer comes from (proposal.py, columns.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml
from pydantic import ValidationError

from ingestion.contract import Contract
from warehouse.errors import ShopxError

_COMMENT_AT = 40
_LONGEST = 130


@dataclass
class Draft:
    """`keys`: key -> value and why; `columns`: our column -> what the contract says of it and why."""

    heading: list[str]
    keys: dict[str, tuple[Any, str]] = field(default_factory=dict)
    columns: dict[str, tuple[dict[str, Any], str]] = field(default_factory=dict)

    def say(self, key: str, value: Any, why: str = "") -> None:
        """Set a key, with the evidence for it."""
        self.keys[key] = (value, why)

    @property
    def contract(self) -> Contract:
        """The contract as it stands. Raises ShopxError with what is wrong with an answer."""
        data = {key: value for key, (value, _) in self.keys.items()}
        data["columns"] = {ours: said for ours, (said, _) in self.columns.items()}
        try:
            return Contract.model_validate(data)
        except ValidationError as error:
            found = "; ".join(
                f"{'.'.join(map(str, item['loc']))}: {item['msg']}".removeprefix(": ")
                for item in error.errors()
            )
            raise ShopxError(f"these answers make no contract: {found}", exit_code=2) from error

    def yaml(self) -> str:
        """The contract as text, evidence as comments."""
        lines = [f"# {line}"[:_LONGEST] for line in self.heading]
        lines += [_line(f"{key}: {scalar(value)}", why) for key, (value, why) in self.keys.items()]
        lines.append("columns:")
        lines += [_line(f"  {ours}: {scalar(said)}", why) for ours, (said, why) in self.columns.items()]
        return "\n".join(lines) + "\n"


def scalar(value: Any) -> str:
    """A value on one line, as YAML."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, allow_unicode=True, sort_keys=False)
    return text.removesuffix("...\n").strip()


def _line(said: str, why: str) -> str:
    if not why:
        return said
    comment = " ".join(f"# {why}".split())
    whole = f"{said.ljust(_COMMENT_AT)}  {comment}"
    return whole if len(whole) <= _LONGEST else whole[: _LONGEST - 1] + "…"
