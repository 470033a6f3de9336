"""Killing a process of ours at a named step, as nobody can prevent or foresee.

Put here: what the kill benchmark and the tests of crashes share.
Never here: steps, or what must be true afterwards.
"""

from __future__ import annotations

import functools
import importlib
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Step:
    """When to kill: as soon as this is said, or before or after this function runs for the first time."""

    name: str
    said: str = ""
    function: str = ""
    after: bool = False


def die_in(delay_s: float) -> None:
    """Kill this process as nobody can prevent."""
    if not delay_s:
        os.kill(os.getpid(), signal.SIGKILL)
    threading.Timer(delay_s, os.kill, (os.getpid(), signal.SIGKILL)).start()


def arm(step: Step, delay_s: float) -> None:
    """Make a function of this process deadly."""
    module_name, _, path = step.function.partition(":")
    owner: Any = importlib.import_module(module_name)
    *classes, name = path.split(".")
    for each in classes:
        owner = getattr(owner, each)
    original = getattr(owner, name)

    @functools.wraps(original)
    def deadly(*arguments: Any, **options: Any) -> Any:
        if not step.after:
            die_in(delay_s)
        result = original(*arguments, **options)
        if step.after:
            die_in(delay_s)
        return result

    setattr(owner, name, deadly)


def in_a_child(work: Callable[[], bool], log: Path) -> int:
    """Run work in a forked process; returns its exit code, negative where a signal ended it."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            with log.open("ab") as sink:
                os.dup2(sink.fileno(), 1)
                os.dup2(sink.fileno(), 2)
            code = 0 if work() else 1
        except BaseException:
            import traceback  # noqa: PLC0415

            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
