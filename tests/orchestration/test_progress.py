"""Nobody waits before a silent screen."""

import time
from typing import Any

LONGEST_SILENCE_S = 10.0  # meant are 2; a busy test machine gets the rest, a missing heartbeat does not


def test_a_run_over_a_larger_file_says_something_every_few_seconds(shopx: Any, orders_file: Any) -> None:
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
