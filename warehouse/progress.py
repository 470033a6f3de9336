"""What a long command says about itself, kept for those who look from elsewhere: one file per SHOPX_HOME.

Put here: writing and reading that file.
Never here: the words (the command's) or their look (a screen, a page).
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["doing", "done", "warn"]
MOST_STEPS = 60


@dataclass(frozen=True)
class Step:
    """A sentence, what it is, and the seconds since the command began."""

    kind: Kind
    sentence: str
    seconds: float


def progress_file(home: Path) -> Path:
    """Where the newest command of a home writes."""
    return home / "logs" / "progress.jsonl"


class Journal:
    """Writes the steps of one command; the file begins anew with each."""

    def __init__(self, home: Path) -> None:
        self._file = progress_file(home)
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file.write_text("")
        self._began = time.monotonic()

    def add(self, kind: Kind, sentence: str) -> None:
        """Write a step down."""
        step = Step(kind, sentence, round(time.monotonic() - self._began, 1))
        with self._file.open("a", encoding="utf-8") as sink:
            sink.write(json.dumps(asdict(step), ensure_ascii=False) + "\n")


def read_steps(home: Path) -> list[Step]:
    """The steps of the newest command, its present doing last; none where nothing was written.

    Of several doings in a row the last stands: they are one step, said in more than one sentence.
    """
    try:
        lines = progress_file(home).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    steps: list[Step] = []
    for line in lines:
        try:
            step = Step(**json.loads(line))
        except (ValueError, TypeError):
            continue  # a line that is being written
        if steps and steps[-1].kind == "doing":
            steps.pop()
        steps.append(step)
    return steps[-MOST_STEPS:]
