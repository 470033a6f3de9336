"""What people see: progress that is never silent for two seconds, tables, verdict lines.

Put here: how words and numbers are shown. Never here: what they mean, or any access to the warehouse.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table

from warehouse.progress import Journal

SILENCE_S = 2.0
_SYMBOLS = {"GBP": "£", "EUR": "€", "USD": "$", "JPY": "¥"}
_NO_MINOR_UNITS = {"JPY", "KRW", "CLP", "ISK", "VND"}


def money(cents: int, currency: str | None) -> str:
    """Write minor units as people write the amount: £48,217.35."""
    digits = 0 if currency in _NO_MINOR_UNITS else 2
    sign, amount = ("-" if cents < 0 else ""), f"{abs(cents) / 10**digits:,.{digits}f}"
    symbol = _SYMBOLS.get(currency or "")
    return f"{sign}{symbol}{amount}" if symbol else f"{sign}{amount}{f' {currency}' if currency else ''}"


def minor_units(amount: Decimal, currency: str | None) -> int:
    """The amount that `money` would write, in minor units. Raises ValueError where it is finer than those."""
    scaled = amount.scaleb(0 if currency in _NO_MINOR_UNITS else 2)
    if scaled != scaled.to_integral_value():
        raise ValueError(amount)
    return int(scaled)


def json_text(value: object) -> str:
    """Return stable JSON: dates as ISO text, bytes as readable text."""

    def plain(item: object) -> str:
        return item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item)

    return json.dumps(value, default=plain, ensure_ascii=False, indent=2)


def table(title: str | None, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """Make a table whose numbers stand right."""
    rows = [list(row) for row in rows]
    made = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for index, column in enumerate(columns):
        numbers = bool(rows) and all(
            isinstance(row[index], int | float) or row[index] in (None, "") for row in rows
        )
        made.add_column(column, justify="right" if numbers else "left", overflow="fold")
    for row in rows:
        made.add_row(
            *("" if cell is None else f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row)
        )
    return made


def console() -> Console:
    """Return the console for results: as wide as the terminal, or wide enough for a pipe."""
    return Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 200)


class Screen:
    """Progress and results on one terminal; plain lines where there is none."""

    def __init__(self, *, quiet: bool = False, journal: Journal | None = None) -> None:
        self._journal = journal
        # steps may redirect the process's own output, so the screen keeps a way of its own
        self._stream: TextIO = os.fdopen(os.dup(sys.stderr.fileno()), "w", buffering=1)
        self._console = Console(
            file=self._stream, highlight=False, width=None if self._stream.isatty() else 400
        )
        self._quiet = quiet
        self._started = time.monotonic()
        self._spoke = self._started
        self._doing = ""
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._status = self._console.status("") if self._console.is_terminal and not quiet else None

    @contextmanager
    def working(self) -> Iterator["Screen"]:
        """Keep the screen alive until the block ends."""
        heart = threading.Thread(target=self._beat, name="progress", daemon=True)
        self._started = self._spoke = time.monotonic()
        self._stop.clear()
        if self._status:
            self._status.start()
        heart.start()
        try:
            yield self
        finally:
            self._stop.set()
            heart.join(timeout=1)
            if self._status:
                self._status.stop()

    def say(self, sentence: str) -> None:
        """Tell what is being done now."""
        if self._quiet or sentence == self._doing:
            return
        self._doing = sentence
        if self._journal:
            self._journal.add("doing", sentence)
        if self._status:
            self._status.update(f"[dim]{time.monotonic() - self._started:5.1f} s[/]  {sentence}")
        elif time.monotonic() - self._spoke >= 1.0 or not sentence.startswith("dbt: "):
            self._line(f"  … {sentence}")

    def rest(self, sentence: str) -> None:
        """Say the last word of a command that now only waits; from here on silence is fine."""
        self._doing = sentence
        self._stop.set()
        if self._status:
            self._status.update(f"[dim]{sentence}[/]")
        else:
            self._line(f"  {sentence}")

    def title(self, sentence: str) -> None:
        """Say the first line of a command."""
        self._line(sentence)

    def note(self, sentence: str) -> None:
        """Print a line without a time, set off like the words of the lines above."""
        with self._lock:
            self._console.print(f"          {sentence}", markup=False)

    def done(self, sentence: str, *, since: float | None = None) -> None:
        """Tell what was finished, and how long it took; the line stays."""
        if self._journal:
            self._journal.add("done", sentence)
        if not self._quiet:
            took = f"   {time.monotonic() - since:.1f} s" if since is not None else ""
            self._line(f"  ✓ {sentence}{took}", style="green" if self._console.is_terminal else None)

    def warn(self, sentence: str) -> None:
        """Tell what needs a person; the line stays."""
        if self._journal:
            self._journal.add("warn", sentence)
        self._line(f"  ! {sentence}", style="yellow" if self._console.is_terminal else None)

    def _line(self, sentence: str, style: str | None = None) -> None:
        with self._lock:
            self._spoke = time.monotonic()
            self._console.print(f"{self._spoke - self._started:5.1f} s {sentence}", style=style, markup=False)

    def _beat(self) -> None:
        while not self._stop.wait(0.25):
            if self._status:
                self._status.update(f"[dim]{time.monotonic() - self._started:5.1f} s[/]  {self._doing}")
            elif not self._quiet and time.monotonic() - self._spoke >= SILENCE_S - 0.4:
                self._line(f"  … {self._doing or 'working'}")


@contextmanager
def noise_into(log: Path) -> Iterator[None]:
    """Send everything that libraries write to standard output and error into a log file."""
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    with log.open("ab") as sink:
        os.dup2(sink.fileno(), 1)
        os.dup2(sink.fileno(), 2)
        try:
            yield
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for target, source in zip((1, 2), kept, strict=True):
                os.dup2(source, target)
                os.close(source)
