"""Work on a file that somebody sent, in a process of its own: long, large or fatal, no reader waits for it.

Put here: handing such work over and coming back. Never here: the work.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import TypeVar

import anyio
import anyio.to_process

AT_ONCE = 2

Result = TypeVar("Result")
_PROCESSES = anyio.CapacityLimiter(AT_ONCE)


class Died(Exception):
    """The process ended in the middle of the work, as one does that the system ran out of memory for."""


async def aside(work: Callable[[], Result], *, limit_s: float) -> Result:
    """Do `work` in another process and return what it returns.

    `work`, its result and what it raises are pickled. Raises TimeoutError after `limit_s` seconds, and then
    ends the process; Died when the process ended by itself.
    """
    try:
        with anyio.fail_after(limit_s):
            return await anyio.to_process.run_sync(partial(_do, work), cancellable=True, limiter=_PROCESSES)
    except anyio.BrokenWorkerProcess:
        raise Died from None


def _do(work: Callable[[], Result]) -> Result:
    # DuckDB aborts a process that has no main module, and anyio leaves none where ours is no file
    sys.modules.setdefault("__main__", ModuleType("__main__"))
    return work()
