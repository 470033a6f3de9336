"""The embedded PostgreSQL server: started by the first shopx process, shared by all, stopped by the last.

Put here: the life of the server process and the locks that decide who starts and who stops it.
Never here: what is inside the databases (setup.py, migrate.py, roles.py).

Each process that uses the server holds a shared flock on `users.lock`; the kernel drops it however the process
ends. Whoever can take that lock exclusively is the last one, and stops the server unless other programs are still
connected. Starting is serialised by `start.lock`.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg

from warehouse import cluster, passwords, places, ports
from warehouse.errors import ShopxError
from warehouse.places import Place
from warehouse.settings import Settings

OLDEST_ACCEPTED = 180004  # 18.4 holds the fixes for CVE-2026-6473, -6475, -6477 and -6637
START_LIMIT_S = 120.0
STOP_LIMIT_S = 60.0
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Server:
    """A server that accepts connections now."""

    place: Place
    port: int
    superuser_password: str

    def connect_as_superuser(
        self, database: str = "postgres", *, connect_timeout: int = 10
    ) -> psycopg.Connection:
        """An autocommit connection over the private socket; for set-up, never for the pipeline's own work."""
        return psycopg.connect(
            host=str(self.place.socket_dir),
            port=self.port,
            user=cluster.SUPERUSER_NAME,
            password=self.superuser_password,
            dbname=database,
            autocommit=True,
            connect_timeout=connect_timeout,
            application_name="shopx supervisor",
        )


@contextmanager
def running_server(settings: Settings, *, progress: Progress | None = None) -> Iterator[Server]:
    """Start or join the server of this SHOPX_HOME, and hold a share in it while the block runs.

    Raises ShopxError when it cannot be started.
    """
    say = progress or (lambda _: None)
    place = places.place_of(settings)
    places.make_folders(place)
    users = os.open(place.lock_dir / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        # waits only while a last user is stopping the server
        _lock(
            users,
            fcntl.LOCK_SH,
            limit_s=STOP_LIMIT_S + 30,
            waiting_for="the database to finish stopping",
            say=say,
        )
        server = _join(settings, place) or _start_alone(settings, place, say)
        try:
            yield server
        finally:
            _stop_if_last(server, users)
    finally:
        os.close(users)


def is_running(settings: Settings) -> bool:
    """Whether a server process of this SHOPX_HOME lives; starts nothing, makes nothing."""
    return _postmaster(places.place_of(settings).data) is not None


def stop_now(settings: Settings) -> bool:
    """Stop the server of this SHOPX_HOME even under others; returns whether one was running."""
    place = places.place_of(settings)
    if _postmaster(place.data) is None:
        return False
    _stop(place)
    return True


def _join(settings: Settings, place: Place) -> Server | None:
    """The running server, if it accepts us now."""
    port = ports.remembered(place.lock_dir)
    password = passwords.stored(settings).get(passwords.SUPERUSER)
    if port is None or password is None or not (place.socket_dir / f".s.PGSQL.{port}").exists():
        return None
    server = Server(place=place, port=port, superuser_password=password)
    return server if _accepts(server) else None


def _start_alone(settings: Settings, place: Place, say: Progress) -> Server:
    """Under the start lock: join what another process has started meanwhile, else start."""
    lock = os.open(place.lock_dir / "start.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(
            lock,
            fcntl.LOCK_EX,
            limit_s=START_LIMIT_S + 60,
            waiting_for="another shopx to start the database",
            say=say,
        )
        return _join(settings, place) or _start(settings, place, say)
    finally:
        os.close(lock)


def _start(settings: Settings, place: Place, say: Progress) -> Server:
    binaries = places.binaries(place)
    known = passwords.SUPERUSER in passwords.stored(settings)
    if place.data.exists() and not known:
        aside = place.data.with_name(f"{place.data.name}.left-{int(time.time())}")
        if _postmaster(place.data) is not None:
            _stop(place)
        place.data.rename(aside)
        say(
            f"{settings.home} is new, but a database of an earlier one was found; it was set aside as {aside}."
        )
    password = passwords.generated(settings)[passwords.SUPERUSER]
    if not place.data.exists():
        say("Creating the database.")
        cluster.initialise(place, binaries, superuser_password=password)
    running = _postmaster(place.data)
    if running is None:
        _clear_debris(place, say)
        port, process = _launch(place, binaries, say)
    else:  # alive but not answering yet: recovering, or its socket file was removed
        port, process = ports.remembered(place.lock_dir) or _port_of(place), None
    server = Server(place=place, port=port, superuser_password=password)
    _await_ready(server, process, say)
    _check_version(server)
    return server


def _launch(place: Place, binaries: Path, say: Progress) -> tuple[int, subprocess.Popen[bytes]]:
    """Start the postmaster in a session of its own, so that Ctrl-C in a terminal is not for it."""
    _rotate(place.log)
    port = ports.choose(place.lock_dir)
    cluster.configure(place, port=port)
    say("Starting the database.")
    with place.log.open("ab") as log:
        place.log.chmod(0o600)
        process = subprocess.Popen(
            [str(binaries / "postgres"), "-D", str(place.data)],
            env=cluster.environment(),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            **cluster.as_user(place),
        )
    return port, process


def _await_ready(server: Server, process: subprocess.Popen[bytes] | None, say: Progress) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    told = time.monotonic()
    while time.monotonic() < deadline:
        if _accepts(server):
            return
        if process is not None and process.poll() is not None:
            raise ShopxError(
                f"The database did not start; its log {server.place.log} ends with: {_tail(server.place.log)}"
            )
        if time.monotonic() - told > 2:
            told = time.monotonic()
            say("Waiting for the database to finish its recovery.")
        time.sleep(0.02)
    raise ShopxError(
        f"The database was not ready after {START_LIMIT_S:.0f} s; its log {server.place.log} ends with: "
        f"{_tail(server.place.log)}"
    )


def _accepts(server: Server) -> bool:
    """Whether the server takes our password now; a wrong password is an error, anything else means not yet."""
    try:
        with server.connect_as_superuser():
            return True
    except psycopg.OperationalError as problem:
        if "password authentication failed" in str(problem):
            raise ShopxError(
                f"The database in {server.place.data} does not take the password in secrets.json of this SHOPX_HOME; "
                "restore the secrets.json that belongs to it."
            ) from None
        return False


def _check_version(server: Server) -> None:
    with server.connect_as_superuser() as connection:
        version = connection.info.server_version
    if version < OLDEST_ACCEPTED:
        raise ShopxError(
            f"The embedded PostgreSQL is version {version}, older than {OLDEST_ACCEPTED} with its security fixes; "
            "install the environment again from requirements.lock."
        )


def _stop_if_last(server: Server, users: int) -> None:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    try:
        with server.connect_as_superuser() as connection:
            row = connection.execute(
                "select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()"
            ).fetchone()
        if row is not None and row[0] > 0:
            return
    except psycopg.OperationalError:
        pass  # it is down or going down already; make sure of it
    _stop(server.place)


def _stop(place: Place) -> None:
    """Fast shutdown; immediate when that does not end within its limit."""
    for how in (signal.SIGINT, signal.SIGQUIT):
        postmaster = _postmaster(place.data)
        if postmaster is None:
            return
        try:
            postmaster.send_signal(how)
            postmaster.wait(timeout=STOP_LIMIT_S)
        except psutil.NoSuchProcess:
            return
        except psutil.TimeoutExpired:
            continue


def _postmaster(data: Path) -> psutil.Process | None:
    """The live server process of this data folder, judged by what it is and not by its number alone.

    A truncated postmaster.pid, a number reused by another program and a dead process not yet reaped all mean none.
    """
    try:
        process = psutil.Process(int((data / "postmaster.pid").read_text().split("\n", 1)[0]))
        if process.status() == psutil.STATUS_ZOMBIE or process.name() != "postgres":
            return None
        return process if Path(process.cwd()).resolve() == data.resolve() else None
    except (OSError, ValueError, psutil.NoSuchProcess, psutil.AccessDenied):
        return None


def _clear_debris(place: Place, say: Progress) -> None:
    """After a crash: wait for processes of the dead server, then remove its pid and socket files.

    PostgreSQL itself trusts a pid file whose number another process has by now, and would never start again.
    """
    deadline = time.monotonic() + 30
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
    """Live server processes whose working folder is this data folder."""
    found = []
    for process in psutil.process_iter(["name"]):
        if process.info["name"] == "postgres":
            try:
                if process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()) == data:
                    found.append(process)
            except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
                continue
    return found


def _port_of(place: Place) -> int:
    try:
        return int((place.data / "postmaster.pid").read_text().splitlines()[3])
    except (OSError, ValueError, IndexError):
        raise ShopxError(
            f"A database runs in {place.data}, but its port is unknown; stop it and start again."
        ) from None


def _lock(descriptor: int, kind: int, *, limit_s: float, waiting_for: str, say: Progress) -> None:
    deadline = time.monotonic() + limit_s
    told = time.monotonic()
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise ShopxError(f"Gave up after {limit_s:.0f} s of waiting for {waiting_for}.") from None
            if time.monotonic() - told > 2:
                told = time.monotonic()
                say(f"Waiting for {waiting_for}.")
            time.sleep(0.02)


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > 10_000_000:
        log.replace(log.with_suffix(".log.1"))


def _tail(log: Path) -> str:
    try:
        return " / ".join(log.read_text(errors="replace").splitlines()[-3:]) or "(nothing)"
    except OSError:
        return "(unreadable)"
