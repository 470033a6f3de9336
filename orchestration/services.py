"""The long-running processes of one SHOPX_HOME: dashboards, Dagster's web server and daemon.

Put here: starting, watching, stopping. Never here: words for people, or the database's own life (warehouse/).
"""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from orchestration.instance import is_alive, process_tag, process_tag_of, write_instance_config
from warehouse.database import Warehouse
from warehouse.errors import ShopxError
from warehouse.settings import Settings

STOP_LIMIT_S = 20.0
START_LIMIT_S = 180.0


@dataclass(frozen=True)
class Running:
    """What `shopx up` wrote down about itself: processes as pid and start time (pids are reused)."""

    owner: str
    children: dict[str, str]
    url: str
    dashboards: str = ""

    @property
    def alive(self) -> bool:
        """Whether the process that owns the session still runs."""
        return is_alive(self.owner)


def note_of(settings: Settings) -> Path:
    """Return the file in which a session writes itself down."""
    return Path(settings.home) / "up.json"


def read_note(settings: Settings) -> Running | None:
    """Return the session written down for this SHOPX_HOME, alive or not."""
    try:
        return Running(**json.loads(note_of(settings).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _write_note(settings: Settings, running: Running) -> None:
    part = note_of(settings).with_suffix(".part")
    part.touch(mode=0o600)
    part.write_text(json.dumps(running.__dict__))
    part.replace(note_of(settings))


def free_port(wanted: int) -> int:
    """Return the wanted port, or a free one where another program has it."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ShopxError("No port on 127.0.0.1 is free.")


def _program(name: str) -> Path:
    """Return a program of the running environment, whatever PATH says."""
    return Path(sys.executable).with_name(name)


class Session:
    """The children of one `shopx up`."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._settings = warehouse.settings
        self._logs = Path(self._settings.home) / "logs"
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._tags: dict[str, str] = {}
        self.port = free_port(self._settings.dagster_port)
        self.dashboards_port = free_port(self._settings.dashboards_port)
        self.token = secrets.token_urlsafe(24)

    @property
    def url(self) -> str:
        """The address of the UI, with this session's token."""
        return f"http://127.0.0.1:{self.port}/?token={self.token}"

    @property
    def dashboards(self) -> str:
        """The address of the dashboards; open to this machine only, so without a token."""
        return f"http://127.0.0.1:{self.dashboards_port}/"

    def start_dashboards(self) -> None:
        """Start the dashboards alone: they show what is happening until there are figures."""
        if "dashboards" in self._children:
            return
        self._logs.mkdir(parents=True, exist_ok=True, mode=0o700)
        served = [sys.executable, "-m", "dashboards.server", "--port", str(self.dashboards_port)]
        self._spawn("dashboards", served, {**os.environ, **self._warehouse.environment()})
        self._write_down()

    def start(self, say: Callable[[str], None]) -> None:
        """Start the children and wait until both servers answer. Raises ShopxError where one ends."""
        self.start_dashboards()
        home = write_instance_config(self._settings)
        token_file = Path(self._settings.home) / "ui.token"
        token_file.touch(mode=0o600)
        token_file.write_text(self.token)
        Path(self._settings.inbox).mkdir(parents=True, exist_ok=True)
        workspace = str(Path(self._settings.project_root) / "workspace.yaml")
        environment = {**os.environ, **self._warehouse.environment(), "DAGSTER_HOME": str(home)}
        web = [
            sys.executable,
            "-m",
            "orchestration.web",
            "--port",
            str(self.port),
            "--token-file",
            str(token_file),
        ]
        self._spawn("webserver", [*web, "--workspace", workspace], environment)
        self._spawn("daemon", [str(_program("dagster-daemon")), "run", "--workspace", workspace], environment)
        self._write_down()
        deadline = time.monotonic() + START_LIMIT_S
        for name, address in (
            ("dashboards", f"{self.dashboards}static/"),
            ("webserver", f"http://127.0.0.1:{self.port}/server_info"),
        ):
            while not _answers(address):
                self.check()
                if time.monotonic() > deadline:
                    raise ShopxError(
                        f"The {name} did not answer within {START_LIMIT_S:.0f} s; see {self._logs}/{name}.log"
                    )
                say("waiting for the UI to answer")
                time.sleep(0.3)

    def _write_down(self) -> None:
        running = Running(owner=process_tag(), children=self._tags, url=self.url, dashboards=self.dashboards)
        _write_note(self._settings, running)

    def _spawn(self, name: str, arguments: list[str], environment: dict[str, str]) -> None:
        with (self._logs / f"{name}.log").open("ab") as log:
            child = subprocess.Popen(
                arguments,
                env=environment,
                cwd=self._settings.project_root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._children[name] = child
        self._tags[name] = process_tag_of(child.pid)

    def check(self) -> None:
        """Raise ShopxError when a child has ended."""
        for name, child in self._children.items():
            if child.poll() is not None:
                raise ShopxError(
                    f"The {name} ended with code {child.returncode}; see {self._logs}/{name}.log"
                )

    def stop(self) -> None:
        """Stop every child and forget the session."""
        stop_children(self._tags)
        for child in self._children.values():
            child.wait(timeout=STOP_LIMIT_S)
        note_of(self._settings).unlink(missing_ok=True)


def _answers(address: str) -> bool:
    """Whether a server of ours answers there at all; what it answers is its business."""
    try:
        with urllib.request.urlopen(address, timeout=2):  # noqa: S310  a loopback address made here
            return True
    except urllib.error.HTTPError:
        return True
    except (urllib.error.URLError, OSError):
        return False


def stop_children(children: dict[str, str]) -> int:
    """End the process groups of these children, politely first. Returns how many were still alive."""
    living = [int(tag.partition(":")[0]) for tag in children.values() if is_alive(tag)]
    for sent in (signal.SIGTERM, signal.SIGKILL):
        for group in living:
            try:
                os.killpg(group, sent)
            except ProcessLookupError:
                continue
        deadline = time.monotonic() + STOP_LIMIT_S
        while any(map(_group_lives, living)) and time.monotonic() < deadline:
            time.sleep(0.1)
        if not any(map(_group_lives, living)):
            break
    return len(living)


def _group_lives(group: int) -> bool:
    import psutil

    for process in psutil.process_iter(["status"]):
        try:
            if os.getpgid(process.pid) == group and process.info["status"] != psutil.STATUS_ZOMBIE:
                return True
        except (ProcessLookupError, psutil.Error):
            continue
    return False


def stop_session(settings: Settings) -> bool:
    """Stop the session of this SHOPX_HOME, also one whose owner was killed. Returns whether there was one."""
    running = read_note(settings)
    if running is None:
        return False
    if running.alive:
        os.kill(int(running.owner.partition(":")[0]), signal.SIGTERM)
        deadline = time.monotonic() + 2 * STOP_LIMIT_S
        while running.alive and time.monotonic() < deadline:
            time.sleep(0.1)
    stop_children(running.children)
    note_of(settings).unlink(missing_ok=True)
    return True
