"""Ctrl-C is never lost: where a library caught and dropped it, the run still stops before its next step.

Put here: remembering that somebody asked to stop. Never here: what stopping means, or how a step is ended.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

# dbt tells of its nodes also while it cancels them; another interrupt there would leave its queries running
_NOT_BETWEEN_STEPS = "dbt: "


class Interrupts:
    """What was asked of this process while it was `watched`."""

    def __init__(self, pipe: int | None) -> None:
        self._pipe = pipe
        self._asked = False

    def asked_to_stop(self) -> bool:
        """Whether Ctrl-C was pressed, whatever became of it since."""
        if self._pipe is not None and not self._asked:
            with suppress(BlockingIOError):
                self._asked = signal.SIGINT in os.read(self._pipe, 4096)
        return self._asked

    def heeded(self, say: Callable[[str], None]) -> Callable[[str], None]:
        """Wrap `say`: once Ctrl-C was pressed, the next step to announce itself raises KeyboardInterrupt."""

        def announce(sentence: str) -> None:
            in_main = threading.current_thread() is threading.main_thread()
            if in_main and not sentence.startswith(_NOT_BETWEEN_STEPS) and self.asked_to_stop():
                raise KeyboardInterrupt
            say(sentence)

        return announce


@contextmanager
def watched() -> Iterator[Interrupts]:
    """Note each signal beside the handlers that libraries put in and out (Dagster and dbt both do).

    Outside the main thread nothing is noted: Python delivers signals to the main thread only.
    """
    if threading.current_thread() is not threading.main_thread():
        yield Interrupts(None)
        return
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.set_blocking(write, False)
    before = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    try:
        yield Interrupts(read)
    finally:
        signal.set_wakeup_fd(before)
        os.close(read)
        os.close(write)
