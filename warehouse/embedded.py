"""The embedded PostgreSQL server: started by the first shopx process, shared by all, stopped by the last.

Put here: the life of the server and the locks that decide who starts and who stops it.
Never here: what is inside the databases (setup.py, migrate.py, roles.py).

Each process that uses the server holds a shared lock on `users.lock`, dropped by the kernel however it ends.
Whoever can take that lock exclusively is the last one, and stops the server unless other programs are still
connected. Starting is serialised by `start.lock`.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from warehouse import cluster, locks, passwords, places, ports, processes
from warehouse.errors import ShopxError
from warehouse.places import Place
from warehouse.settings import Settings

OLDEST_ACCEPTED = 180004  # 18.4 holds the fixes for CVE-2026-6473, -6475, -6477 and -6637
START_LIMIT_S = 120.0
LAUNCHES = 3
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Server:
    """A server that accepts connections now."""

    place: Place
    port: int
    superuser_password: str = field(repr=False)

    def connect_as_superuser(self, database: str = "postgres") -> psycopg.Connection:
        """An autocommit connection over the private socket; for set-up, never for the pipeline's own work."""
        return psycopg.connect(
            host=str(self.place.socket_dir),
            port=self.port,
            user=cluster.SUPERUSER_NAME,
            password=self.superuser_password,
            dbname=database,
            autocommit=True,
            connect_timeout=10,
            application_name="shopx supervisor",
        )


@contextmanager
def running_server(settings: Settings, *, progress: Progress | None = None) -> Iterator[Server]:
    """Start or join the server of this SHOPX_HOME, and hold a share in it while the block runs.

    Raises ShopxError when it cannot be started.
    """
    say = progress or (lambda _: None)
    place = places.place_of(settings)
    places.make_lock_folder(place)
    with locks.held(
        place.lock_dir / "users.lock",
        shared=True,
        # waits only while a last user is stopping the server
        limit_s=processes.STOP_LIMIT_S * 2 + 30,
        waiting_for="the database to finish stopping",
        say=say,
    ) as share:
        server = _join(settings, place) or _start_alone(settings, place, say)
        try:
            yield server
        finally:
            if locks.is_last_holder(share) and not _others_connected(server):
                processes.stop(place.data)


def is_running(settings: Settings) -> bool:
    """Whether a server process of this SHOPX_HOME lives; starts nothing, makes nothing."""
    return processes.postmaster(places.place_of(settings).data) is not None


def stop_now(settings: Settings) -> bool:
    """Stop the server of this SHOPX_HOME even under others; returns whether one was running."""
    place = places.place_of(settings)
    if processes.postmaster(place.data) is None:
        return False
    processes.stop(place.data)
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
    with locks.held(
        place.lock_dir / "start.lock",
        shared=False,
        limit_s=START_LIMIT_S + 60,
        waiting_for="another shopx to start the database",
        say=say,
    ):
        return _join(settings, place) or _start(settings, place, say)


def _start(settings: Settings, place: Place, say: Progress) -> Server:
    places.make_folders(place)
    binaries = places.binaries(place)
    if not place.data.exists() and ports.remembered(place.lock_dir) is not None:
        raise ShopxError(
            f"The database of {settings.home} is gone: {place.data} is not there. Bring it back; or, "
            f"to begin again without it, move {settings.home} away and load its archive/ anew."
        )
    if place.data.exists() and passwords.SUPERUSER not in passwords.stored(settings):
        _set_aside(settings, place, say)
    password = passwords.generated(settings)[passwords.SUPERUSER]
    if not place.data.exists():
        say("Creating the database.")
        cluster.initialise(place, binaries, superuser_password=password)
    for attempt in range(1, LAUNCHES + 1):
        process = None
        if processes.postmaster(place.data) is None:
            processes.clear_debris(place, say)
            cluster.configure(place, port=ports.choose(place.lock_dir))
            say("Starting the database.")
            process = processes.launch(place, binaries)
        # else alive but not answering yet: it recovers from a crash
        server = Server(place=place, port=_remembered_port(place), superuser_password=password)
        if _becomes_ready(server, process, say):
            _check_version(server)
            return server
        if attempt < LAUNCHES:  # e.g. the port was taken in between
            say("The database did not start; trying again.")
    raise ShopxError(f"The database did not start; its log {place.log} ends with: {_tail(place.log)}")


def _set_aside(settings: Settings, place: Place, say: Progress) -> None:
    """Keep, but do not use, the database of a SHOPX_HOME that was deleted: its passwords are gone."""
    processes.stop(place.data)
    aside = place.data.with_name(f"{place.data.name}.left-{time.time_ns()}")
    place.data.rename(aside)
    say(f"{settings.home} is new, but an earlier one left a database behind; it was set aside as {aside}.")


def _remembered_port(place: Place) -> int:
    port = ports.remembered(place.lock_dir)
    if port is None:
        raise ShopxError(
            f"A database runs in {place.data}, but its port is not known here; stop it and start again."
        )
    return port


def _becomes_ready(server: Server, process: subprocess.Popen[bytes] | None, say: Progress) -> bool:
    """Wait for it, recovery included; False when the process we launched ended instead."""
    deadline = time.monotonic() + START_LIMIT_S
    told = time.monotonic()
    while time.monotonic() < deadline:
        if _accepts(server):
            return True
        if process is None:
            if processes.postmaster(server.place.data) is None:
                return False
        elif process.poll() is not None:
            return False
        if time.monotonic() - told > 2:
            told = time.monotonic()
            say("Waiting for the database to finish its recovery.")
        time.sleep(0.02)
    raise ShopxError(
        f"The database was not ready after {START_LIMIT_S:.0f} s and goes on trying; start again in a while. "
        f"Its log {server.place.log} ends with: {_tail(server.place.log)}"
    )


def _accepts(server: Server) -> bool:
    """Whether the server takes our password now; a wrong password raises, anything else means not yet."""
    try:
        with server.connect_as_superuser():
            return True
    except psycopg.OperationalError as problem:
        if "password authentication failed" in str(problem):
            raise ShopxError(
                f"The database in {server.place.data} does not take the password in secrets.json of this "
                "SHOPX_HOME; restore the secrets.json that belongs to it."
            ) from None
        return False


def _check_version(server: Server) -> None:
    with server.connect_as_superuser() as connection:
        version = connection.info.server_version
    if version < OLDEST_ACCEPTED:
        raise ShopxError(
            f"The embedded PostgreSQL is version {version}, older than {OLDEST_ACCEPTED} with its security "
            "fixes; install the environment again from requirements.lock."
        )


def _others_connected(server: Server) -> bool:
    """Whether a program that holds no lock (psql, a BI tool) is connected."""
    try:
        with server.connect_as_superuser() as connection:
            others = connection.execute(
                "select 1 from pg_stat_activity "
                "where backend_type = 'client backend' and pid <> pg_backend_pid() limit 1"
            ).fetchone()
    except psycopg.OperationalError:
        return False  # it is down or going down already
    return others is not None


def _tail(log: Path) -> str:
    try:
        return " / ".join(log.read_text(errors="replace").splitlines()[-3:]) or "(nothing)"
    except OSError:
        return "(unreadable)"
