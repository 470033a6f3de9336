"""The embedded server's life: who starts it, who shares it, who stops it, and what it survives."""

from __future__ import annotations

import os
import pwd
import signal
import socket
import stat
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from warehouse import embedded, passwords, places, ports, processes
from warehouse.database import open_warehouse
from warehouse.errors import ShopxError
from warehouse.settings import Settings

HOLD = """
import sys
from warehouse.database import open_warehouse
with open_warehouse() as warehouse:
    print("open", flush=True)
    sys.stdin.readline()
"""


@contextmanager
def another_process(settings: Settings) -> Iterator[subprocess.Popen[str]]:
    """A second shopx process that has the warehouse open until it is told to leave or killed."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        env={**os.environ, "SHOPX_HOME": str(settings.home), "WAREHOUSE_URL": ""},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def is_open(child: subprocess.Popen[str]) -> bool:
    assert child.stdout is not None
    return child.stdout.readline() == "open\n"


def leave(child: subprocess.Popen[str]) -> None:
    child.communicate("leave\n", timeout=60)


def server_pid(settings: Settings) -> int:
    running = processes.postmaster(places.place_of(settings).data)
    assert running is not None
    return running.pid


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def currency_of(connection: psycopg.Connection[Any]) -> str:
    row = connection.execute("select value from ops.settings where name = 'currency'").fetchone()
    return "" if row is None else str(row[0])


def test_it_lives_exactly_as_long_as_it_is_used_and_keeps_its_data(own_server: Settings) -> None:
    said: list[str] = []
    with open_warehouse(own_server, progress=said.append) as warehouse:
        assert embedded.is_running(own_server)
        with warehouse.connect("loader") as connection:
            connection.execute("insert into ops.settings values ('currency', 'GBP')")
    assert not embedded.is_running(own_server)
    assert said[:2] == ["Creating the database.", "Starting the database."]
    with open_warehouse(own_server) as warehouse, warehouse.connect("loader") as connection:
        assert currency_of(connection) == "GBP"


def test_only_its_own_user_can_enter_its_folders_and_passwords_stay_in_one_private_file(
    own_server: Settings,
) -> None:
    with open_warehouse(own_server) as warehouse:
        place = places.place_of(own_server)
        secrets_file = own_server.home / passwords.FILE_NAME
        assert mode(place.socket_dir) == mode(place.data) == 0o700
        assert mode(secrets_file) == mode(place.log) == 0o600
        assert len(os.fsencode(place.socket_dir)) < 90
        secret_words = set(passwords.stored(own_server).values())
        seen = place.log.read_text() + repr(warehouse)
        for process in psutil.process_iter(["cmdline"]):
            seen += " ".join(process.info["cmdline"] or [])
        assert not [word for word in secret_words if word in seen]
        with warehouse.connect("owner") as connection:
            settings = dict(
                connection.execute(
                    "select name, setting from pg_settings where name in "
                    "('TimeZone', 'password_encryption', 'data_checksums', 'jit', 'synchronous_commit')"
                ).fetchall()
            )
        assert settings == {
            "TimeZone": "UTC",
            "password_encryption": "scram-sha-256",
            "data_checksums": "on",
            "jit": "off",
            "synchronous_commit": "on",
        }


@pytest.mark.parametrize("user", ["postgres", "shopx_owner", "shopx_reader"])
def test_nobody_gets_in_without_the_right_password(server: embedded.Server, user: str) -> None:
    for host in ("127.0.0.1", str(server.place.socket_dir)):
        for password, refusal in ((None, "no password supplied"), ("wrong", "authentication failed")):
            with pytest.raises(psycopg.OperationalError, match=refusal):
                psycopg.connect(
                    host=host,
                    port=server.port,
                    user=user,
                    password=password,
                    dbname="warehouse",
                    passfile="/x",
                )


def test_a_second_process_shares_the_server_and_does_not_stop_it(own_server: Settings) -> None:
    with open_warehouse(own_server) as warehouse:
        pid = server_pid(own_server)
        with another_process(own_server) as child:
            assert is_open(child)
            leave(child)
        assert server_pid(own_server) == pid
        with warehouse.connect("reader") as connection:
            assert connection.execute("select 1").fetchone() == (1,)


def test_the_process_that_started_it_may_leave_before_the_others(own_server: Settings) -> None:
    with another_process(own_server) as first:
        assert is_open(first)
        with open_warehouse(own_server) as warehouse:
            leave(first)
            with warehouse.connect("reader") as connection:
                assert connection.execute("select 1").fetchone() == (1,)
    assert not embedded.is_running(own_server)


def test_a_program_that_is_still_connected_keeps_it_running(own_server: Settings) -> None:
    with open_warehouse(own_server) as warehouse:
        outsider = warehouse.connect("reader")
    with outsider:
        assert outsider.execute("select 1").fetchone() == (1,)
    with open_warehouse(own_server):
        pass
    assert not embedded.is_running(own_server)


def test_two_first_starts_at_once_make_one_server(own_server: Settings) -> None:
    with another_process(own_server) as first, another_process(own_server) as second:
        assert is_open(first)
        assert is_open(second)
        leave(first)
        leave(second)
        assert first.returncode == second.returncode == 0
    assert not embedded.is_running(own_server)


def test_killing_the_process_that_started_it_leaves_nothing_in_the_way(own_server: Settings) -> None:
    with another_process(own_server) as owner:
        assert is_open(owner)
        owner.kill()
        owner.wait()
        assert embedded.is_running(own_server)
        with open_warehouse(own_server):
            pass
    assert not embedded.is_running(own_server)


@pytest.mark.parametrize(
    "left_behind",
    [
        None,
        "",
        "123",
        "4194304999\n/nowhere\n1\n1\n",
        f"{os.getpid()}\n/nowhere\n1\n15432\n/tmp\n127.0.0.1\n1 1\nready\n",
    ],
    ids=["as the kill left it", "empty", "truncated", "no such process", "number reused by another program"],
)
def test_it_starts_again_after_it_was_killed(own_server: Settings, left_behind: str | None) -> None:
    place = places.place_of(own_server)
    with open_warehouse(own_server) as warehouse:
        with warehouse.connect("loader") as connection:
            connection.execute("insert into ops.settings values ('currency', 'GBP')")
        os.kill(server_pid(own_server), signal.SIGKILL)
        with open_warehouse(own_server) as again, again.connect("loader") as connection:
            assert currency_of(connection) == "GBP"
    if left_behind is not None:
        (place.data / "postmaster.pid").write_text(left_behind)
        with open_warehouse(own_server) as again, again.connect("loader") as connection:
            assert currency_of(connection) == "GBP"
    assert not embedded.is_running(own_server)


def test_a_taken_port_is_replaced_and_the_new_one_remembered(own_server: Settings) -> None:
    with open_warehouse(own_server) as warehouse:
        before = warehouse.address.port
    with open_warehouse(own_server) as warehouse:
        assert warehouse.address.port == before
    with socket.socket() as taker:
        taker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taker.bind(("127.0.0.1", before))
        taker.listen()
        with open_warehouse(own_server) as warehouse:
            after = warehouse.address.port
            assert after != before
    assert ports.remembered(places.place_of(own_server).lock_dir) == after


def test_a_long_home_does_not_matter(short_dir: Path, own_server: Settings) -> None:
    deep = Settings(home=own_server.home / ("d" * 120) / ("e" * 120), warehouse_url=None)
    try:
        with open_warehouse(deep) as warehouse, warehouse.connect("reader") as connection:
            assert connection.execute("select 1").fetchone() == (1,)
            assert mode(places.place_of(deep).socket_dir) == 0o700
    finally:
        embedded.stop_now(deep)
        place = places.place_of(deep)
        subprocess.run(["rm", "-rf", str(place.data), str(place.socket_dir)], check=True)


def test_an_interrupted_creation_is_started_over(own_server: Settings) -> None:
    place = places.place_of(own_server)
    places.make_lock_folder(place)
    places.make_folders(place)
    half = place.data.with_name(f"{place.data.name}.making-dead")
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    with open_warehouse(own_server):
        assert not half.exists()


def test_a_deleted_home_starts_fresh_and_the_old_database_is_kept_aside(own_server: Settings) -> None:
    place = places.place_of(own_server)
    with open_warehouse(own_server):
        pass
    (own_server.home / passwords.FILE_NAME).unlink()
    said: list[str] = []
    with open_warehouse(own_server, progress=said.append) as warehouse:
        assert warehouse.connect("reader").execute("select count(*) from ops.loads").fetchone() == (0,)
    assert "set aside" in said[0]
    assert len(list(place.data.parent.glob(f"{place.data.name}.left-*"))) == 1


def test_a_database_that_is_gone_is_not_replaced_by_an_empty_one(own_server: Settings) -> None:
    place = places.place_of(own_server)
    with open_warehouse(own_server):
        pass
    lost = place.data.rename(place.data.with_name(f"{place.data.name}.lost"))
    with pytest.raises(ShopxError, match=r"is gone: .* is not there"), open_warehouse(own_server):
        pass
    assert not place.data.exists()
    lost.rename(place.data)
    with open_warehouse(own_server) as warehouse:
        assert warehouse.connect("reader").execute("select count(*) from ops.loads").fetchone() == (0,)


def test_foreign_passwords_are_one_clear_sentence(own_server: Settings) -> None:
    with open_warehouse(own_server):
        pass
    known = passwords.stored(own_server)
    passwords.store(own_server, {**known, passwords.SUPERUSER: "another"})
    with (
        pytest.raises(ShopxError, match=r"does not take the password in secrets\.json"),
        open_warehouse(own_server),
    ):
        pass
    embedded.stop_now(own_server)


def test_a_role_password_changed_in_the_file_is_set_in_the_database(own_server: Settings) -> None:
    with open_warehouse(own_server):
        pass
    passwords.store(own_server, {**passwords.stored(own_server), "owner": "a1", "reader": "b2"})
    with open_warehouse(own_server) as warehouse, warehouse.connect("reader") as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_joining_a_running_server_is_quick(own_server: Settings) -> None:
    with open_warehouse(own_server):
        took = []
        for _ in range(5):
            began = time.perf_counter()
            with open_warehouse(own_server):
                took.append(time.perf_counter() - began)
    assert min(took) < 1.0  # starting a server takes longer


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server over to another user")
def test_as_root_it_runs_as_another_user_from_a_copy_when_the_environment_is_closed_to_that_user(
    own_server: Settings, monkeypatch: pytest.MonkeyPatch, short_dir: Path
) -> None:
    monkeypatch.setattr(places, "_reachable", lambda file, user: False)
    before = {folder: folder.stat().st_mode for folder in short_dir.parents}
    with open_warehouse(own_server):
        process = psutil.Process(server_pid(own_server))
        assert process.username() == own_server.pg_user
        assert Path(process.exe()).is_relative_to(places.ROOT_DATA)
    assert before == {folder: folder.stat().st_mode for folder in short_dir.parents}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root keeps the database outside SHOPX_HOME")
def test_as_root_a_moved_home_is_told_where_its_database_stands(
    own_server: Settings, short_dir: Path
) -> None:
    with open_warehouse(own_server):
        pass
    moved = own_server.home.rename(short_dir / "moved")
    with (
        pytest.raises(ShopxError, match="its database still stands in /var/lib/shopx/"),
        open_warehouse(Settings(home=moved, warehouse_url=None)),
    ):
        pass


@pytest.mark.parametrize(
    ("name", "sentence"), [("nosuchuser", "does not exist"), ("root", "must not be root")]
)
@pytest.mark.skipif(os.geteuid() != 0, reason="SHOPX_PG_USER is for root only")
def test_as_root_an_unusable_server_user_is_refused(own_server: Settings, name: str, sentence: str) -> None:
    settings = Settings(home=own_server.home, warehouse_url=None, pg_user=name)
    with pytest.raises(ShopxError, match=sentence), open_warehouse(settings):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="the whole run is by an ordinary user already")
def test_it_runs_for_an_ordinary_user(short_dir: Path) -> None:
    try:
        uid = pwd.getpwnam("daemon").pw_uid  # PostgreSQL wants a user the system knows
    except KeyError:
        pytest.skip("this system has no ordinary user to try it as")
    short_dir.chmod(0o755)
    home = short_dir / "home"
    home.mkdir()
    os.chown(home, uid, uid)

    def as_user() -> None:
        settings = Settings(home=home, warehouse_url=None)
        place = places.place_of(settings)
        assert place.user is None
        with open_warehouse(settings) as warehouse, warehouse.connect("reader") as connection:
            assert connection.execute("select 1").fetchone() == (1,)
            assert psutil.Process(server_pid(settings)).uids().real == uid
            assert mode(place.socket_dir) == mode(place.data) == 0o700
            assert place.data.is_relative_to(home)
        assert not embedded.is_running(settings)
        place.socket_dir.rmdir()
        place.socket_dir.parent.rmdir()

    assert _in_child_as(uid, as_user) == 0


def _in_child_as(uid: int, work: Callable[[], None]) -> int:
    """Run `work` as another user. Forked: that user may be shut out of the interpreter's folder."""
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            work()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
