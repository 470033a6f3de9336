"""Nobody waits before a silent screen."""

import os
import time
from typing import Any

import pytest

from orchestration.cli.screen import Screen

LONGEST_SILENCE_S = 45.0  # meant are 2, held below; here a step outside the screen would show


def test_a_step_that_says_nothing_is_repeated_until_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestration.cli.screen.SILENCE_S", 0.5)
    read, write = os.pipe()
    with os.fdopen(write, "w") as stderr:
        monkeypatch.setattr("sys.stderr", stderr)
        screen = Screen()
    with os.fdopen(read, buffering=1) as lines, screen.working():
        screen.say("adding it up")
        spoken = [next(lines) for _ in range(4)]  # the block does nothing more: only the heart speaks
    assert all(line.strip().endswith("s   … adding it up") for line in spoken), spoken
    assert len(set(spoken)) == len(spoken), "each says its own second"


def test_a_run_over_a_larger_file_is_never_silent_for_long(shopx: Any, orders_file: Any) -> None:
    file = orders_file("large.csv", rows=150_000)
    process = shopx.start("run", file)
    spoke, gaps = time.monotonic(), []
    for line in process.stderr:
        now = time.monotonic()
        gaps.append((round(now - spoke, 1), line.strip()))
        spoke = now
    process.stderr.close()
    assert process.wait(timeout=60) == 0
    assert max(gaps)[0] <= LONGEST_SILENCE_S, f"{max(gaps)[0]} s of silence before: {max(gaps)[1]}"
