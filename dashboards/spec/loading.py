"""Reading boards/*.yaml; an error names file, card and key.

Put here: files to models, and the words of what is wrong in a file. Never here: rules (model.py,
dashboards/lint).
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from dashboards.spec.model import Board, Card
from warehouse.errors import ShopxError

FOLDER = Path(__file__).resolve().parents[1] / "boards"


class _Loader(yaml.SafeLoader):
    """YAML that refuses a key given twice: the first of two cards of one name would silently be gone."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key!r} is given twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def load_boards(folder: Path | None = None) -> list[Board]:
    """All boards in the order of the menu. Read once per folder and state of its files.

    Raises ShopxError naming file, card and key of the first thing that is wrong.
    """
    folder = folder or FOLDER
    files = sorted(folder.glob("*.yaml"))
    return list(_loaded(tuple((file, file.stat().st_mtime_ns) for file in files)))


def card_of(boards: list[Board], key: str) -> Card:
    """The card of that key on whichever board. Raises ShopxError when there is none."""
    for board in boards:
        if key in board.cards:
            return board.cards[key]
    raise ShopxError(f"There is no card {key}.", exit_code=2)


def read_board(file: Path) -> Board:
    """One file. Raises ShopxError naming file, card and key."""
    try:
        content = yaml.load(file.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506  a SafeLoader
    except yaml.YAMLError as problem:
        raise ShopxError(f"{file.name} is not YAML: {' '.join(str(problem).split())}") from None
    if not isinstance(content, dict):
        raise ShopxError(f"{file.name} holds no dashboard: it must be a map with key, name, tabs, cards.")
    try:
        board = Board.model_validate(content)
    except ValidationError as problem:
        raise ShopxError("\n".join(_said(file, error) for error in problem.errors())) from None
    if board.key != file.stem:
        raise ShopxError(f"{file.name}, key: {board.key!r} is not the name of the file.")
    return board


@lru_cache(maxsize=16)
def _loaded(files: tuple[tuple[Path, int], ...]) -> tuple[Board, ...]:
    boards = [read_board(file) for file, _ in files]
    at: dict[str, str] = {}
    for board in boards:
        for key in board.cards:
            if key in at:
                raise ShopxError(
                    f"{board.key}.yaml, card {key}: {at[key]}.yaml has a card of that key too, "
                    "and keys are unique."
                )
            at[key] = board.key
    return tuple(sorted(boards, key=lambda board: (board.place, board.key)))


def _said(file: Path, error: Any) -> str:
    where = [str(part) for part in error["loc"]]
    message = str(error["msg"]).removeprefix("Value error, ")
    if where[:1] == ["cards"] and len(where) > 1:
        key = f", {'.'.join(where[2:])}" if where[2:] else ""
        return f"{file.name}, card {where[1]}{key}: {message}"
    return f"{file.name}{', ' + '.'.join(where) if where else ''}: {message}"
