"""The operating system's processes of the embedded server: found by what they are, launched, ended.

Put here: anything that looks at or signals a server process, and the debris one leaves when it is killed.
Never here: when that should happen (embedded.py).
"""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from warehouse import cluster
from warehouse.errors import ShopxError
from warehouse.places import Place

STOP_LIMIT_S = 60.0
ORPHAN_LIMIT_S = 30.0


def postmaster(data: Path) -> psutil.Process | None:
    """The live server process of this data folder.

    A truncated postmaster.pid, a number reused by another program and a dead process not reaped yet all mean
    none.
    """
    try:
        process = psutil.Process(int((data / "postmaster.pid").read_text().split("\n", 1)[0]))
    except (OSError, ValueError, OverflowError, psutil.NoSuchProcess):
        return None
    return process if _serves(process, data) else None


def launch(place: Place, binaries: Path) -> subprocess.Popen[bytes]:
    """Start the postmaster in a session of its own, so that Ctrl-C in a terminal is not for it."""
    if place.log.exists() and place.log.stat().st_size > 10_000_000:
        place.log.replace(place.log.with_suffix(".log.1"))
    with place.log.open("ab") as log:
        place.log.chmod(0o600)
        return subprocess.Popen(
            [str(binaries / "postgres"), "-D", str(place.data)],
            env=cluster.environment(),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            **cluster.as_user(place),
        )


def stop(data: Path) -> None:
    """Fast shutdown of the server of this data folder; immediate when that does not end within its limit."""
    for how in (signal.SIGINT, signal.SIGQUIT):
        running = postmaster(data)
        if running is None:
            return
        try:
            running.send_signal(how)
            running.wait(timeout=STOP_LIMIT_S)
        except psutil.NoSuchProcess:
            return
        except psutil.TimeoutExpired:
            continue


def clear_debris(place: Place, say: Callable[[str], None]) -> None:
    """After a crash: wait for processes of the dead server, then remove its pid and socket files.

    PostgreSQL itself trusts a pid file whose number another process has by now, and would never start again;
    and it must not start while a process of its predecessor can still write.
    Raises ShopxError when one does not end.
    """
    deadline = time.monotonic() + ORPHAN_LIMIT_S
    while orphans := _processes_in(place.data):
        if time.monotonic() > deadline:
            for orphan in orphans:
                orphan.kill()
        say("Waiting for processes of a killed database to end.")
        psutil.wait_procs(orphans, timeout=2)
        if time.monotonic() > deadline + 10:
            raise ShopxError(
                f"Processes of a killed database do not end: {[orphan.pid for orphan in orphans]}."
            )
    (place.data / "postmaster.pid").unlink(missing_ok=True)
    for stale in place.socket_dir.glob(".s.PGSQL.*"):
        stale.unlink(missing_ok=True)


def _processes_in(data: Path) -> list[psutil.Process]:
    return [process for process in psutil.process_iter() if _serves(process, data)]


def _serves(process: psutil.Process, data: Path) -> bool:
    """Whether this is a live PostgreSQL process working in this data folder."""
    try:
        return (
            process.name() == "postgres"
            and process.status() != psutil.STATUS_ZOMBIE
            and Path(process.cwd()) == data.resolve()
        )
    except (psutil.Error, OSError):
        return False
