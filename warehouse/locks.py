"""File locks between shopx processes; the kernel drops them however a process ends.

Put here: taking and holding such a lock within a time limit.
Never here: database locks (those live in SQL).
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from warehouse.errors import ShopxError


@contextmanager
def held(
    file: Path, *, shared: bool, limit_s: float, waiting_for: str, say: Callable[[str], None]
) -> Iterator[int]:
    """Hold a lock on a file for the block; yields its descriptor. Speaks up every 2 s while it waits.

    Raises ShopxError after `limit_s`.
    """
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    deadline = time.monotonic() + limit_s
    told = time.monotonic()
    try:
        while not _taken(descriptor, kind):
            if time.monotonic() > deadline:
                raise ShopxError(f"Gave up after {limit_s:.0f} s of waiting for {waiting_for}.")
            if time.monotonic() - told > 2:
                told = time.monotonic()
                say(f"Waiting for {waiting_for}.")
            time.sleep(0.02)
        yield descriptor
    finally:
        os.close(descriptor)


def is_last_holder(descriptor: int) -> bool:
    """Turn a shared lock into an exclusive one if nobody else holds it; otherwise ours is given up."""
    return _taken(descriptor, fcntl.LOCK_EX)


def _taken(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
