"""The dbt exposures of the dashboards: dbt's lineage then ends where the reader looks.

Put here: the text of dashboards.yml in the dbt project. Never here: rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dashboards.lint.checks import relations_of
from dashboards.spec.model import Board

HEAD = """\
# Made of dashboards/boards/*.yaml: change those, then `./shopx dashboards exposures --write`.
version: 2

exposures:
"""


def file_of(project: Path) -> Path:
    """Where the exposures stand in the dbt project."""
    return project / "models" / "marts" / "dashboards.yml"


def exposures_yaml(boards: Sequence[Board]) -> str:
    """One exposure per dashboard that reads marts, in the order of the menu."""
    return HEAD + "".join(_exposure(board) for board in boards if _marts(board))


def _exposure(board: Board) -> str:
    question = board.question.replace("'", "''")
    lines = [
        f"  - name: dashboard_{board.key}",
        f"    label: {board.name}",
        "    type: dashboard",
        "    maturity: high",
        f"    description: '{question}'",
        "    owner: {name: Data team, email: data@shop.invalid}",
        "    depends_on:",
        *(f"      - ref('{mart}')" for mart in _marts(board)),
    ]
    return "\n".join(lines) + "\n"


def _marts(board: Board) -> list[str]:
    """Marts that dbt makes; publication writes marts.publication itself."""
    read = {name for card in board.cards.values() for name in relations_of(card)}
    return sorted(
        name.removeprefix("marts.")
        for name in read
        if name.startswith("marts.") and name != "marts.publication"
    )
