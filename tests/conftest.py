"""Fixtures every folder's tests share: one embedded server per run, a fresh migrated database per test."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import settings as hypothesis_settings
from psycopg import sql
from pydantic import SecretStr

from warehouse import cluster, embedded, migrate, passwords, places, ports, processes, roles, setup
from warehouse.database import Warehouse, open_warehouse
from warehouse.settings import Settings

TEMPLATE = "shopx_template"

# no example has a deadline: a busy machine is no fault of the code
hypothesis_settings.register_profile("default", deadline=None)
hypothesis_settings.load_profile("default")
# more examples of every property: pytest --hypothesis-profile=thorough
hypothesis_settings.register_profile("thorough", max_examples=500, deadline=None)


@pytest.fixture(scope="session", autouse=True)
def _no_settings_from_outside() -> Iterator[None]:
    """Neither the developer's variables nor a .env file reach the tests: no test meets a real warehouse."""
    kept = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("SHOPX_")]:
        del os.environ[name]
    home = Path(tempfile.mkdtemp(prefix="sx-none-"))
    elsewhere = ("WAREHOUSE_URL", "GOOGLE_CREDENTIALS_FILE", "METABASE_URL", "METABASE_API_KEY")
    os.environ.update({**dict.fromkeys(elsewhere, ""), "SHOPX_HOME": str(home / "unset")})
    yield
    os.environ.clear()
    os.environ.update(kept)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def short_dir() -> Iterator[Path]:
    """A temporary folder with a short path, for what has sockets below it; removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="sx-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def discard(settings: Settings) -> None:
    """Stop an embedded server a test has used, whoever else uses it, and remove all it has left."""
    place = places.place_of(settings)
    embedded.stop_now(settings)
    shutil.rmtree(place.data, ignore_errors=True)
    for folder in place.data.parent.glob(f"{place.data.name}.*"):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(place.socket_dir, ignore_errors=True)
    shutil.rmtree(settings.home, ignore_errors=True)


@pytest.fixture
def own_server(short_dir: Path) -> Iterator[Settings]:
    """Settings of a SHOPX_HOME with an embedded server of its own, not started yet; all of it is removed."""
    settings = Settings(home=short_dir / "home", warehouse_url=None)
    yield settings
    discard(settings)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--postgres", choices=["16", "18"], default="18", help="the PostgreSQL whose server all tests share"
    )
    parser.addoption(
        "--publications", type=int, default=5, help="how many publications pass under polling readers"
    )
    parser.addoption(
        "--metabase-tools", action="store_true", help="fetch other people's tools for Metabase and run them"
    )


LONG = ("shopx", "dbt")  # fixtures: whole runs of the product, builds of the dbt project


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests that fetch something run only where they are asked for; the long ones begin first, so that no
    process works alone at the end.
    """
    items.sort(
        key=lambda item: next(
            (n for n, name in enumerate(LONG) if name in getattr(item, "fixturenames", ())), 9
        )
    )
    if not config.getoption("--metabase-tools"):
        skip = pytest.mark.skip(reason="fetches other people's tools: give --metabase-tools")
        for item in items:
            if item.get_closest_marker("metabase_tools"):
                item.add_marker(skip)


@contextmanager
def postgres_16(settings: Settings) -> Iterator[tuple[embedded.Server, Settings]]:
    """The oldest PostgreSQL we run on, from the same package, and settings that name it as a server of the
    user's own.
    """
    place = places.place_of(settings)
    places.make_lock_folder(place)
    places.make_folders(place)
    binaries = places.binaries(place).parents[1] / "pginstall" / "bin"
    if not (binaries / "postgres").is_file():
        pytest.skip(f"no PostgreSQL 16 beside {places.binaries(place)}")
    password = passwords.generated(settings)[passwords.SUPERUSER]
    password_file = place.socket_dir / "password"
    password_file.write_text(password)
    password_file.chmod(0o644)
    place.data.mkdir(mode=0o700)
    if place.user is not None:
        os.chown(place.data, *place.user)
    subprocess.run(
        [
            str(binaries / "initdb"), f"--pgdata={place.data}", f"--username={cluster.SUPERUSER_NAME}",
            f"--pwfile={password_file}", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C",
        ],
        env=cluster.environment(), cwd="/", check=True, capture_output=True, **cluster.as_user(place),
    )  # fmt: skip
    port = ports.choose(place.lock_dir)
    cluster.configure(place, port=port)
    processes.launch(place, binaries)
    running = embedded.Server(place=place, port=port, superuser_password=password)
    for _ in range(300):
        try:
            with running.connect_as_superuser() as admin:
                admin.execute("create database warehouse")
            break
        except psycopg.OperationalError:
            time.sleep(0.1)
    try:
        url = f"postgresql://{cluster.SUPERUSER_NAME}:{password}@127.0.0.1:{port}/warehouse"
        yield running, settings.model_copy(update={"warehouse_url": SecretStr(url)})
    finally:
        processes.stop(place.data)


@contextmanager
def server_of(settings: Settings, *, release: str) -> Iterator[embedded.Server]:
    """A server with a migrated database `warehouse`."""
    if release == "16":
        with postgres_16(settings) as (running, named), open_warehouse(named):
            yield running
    else:
        with open_warehouse(settings), embedded.running_server(settings) as running:
            yield running


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Iterator[embedded.Server]:
    """One embedded server for the whole run, with a migrated template database that nobody connects to."""
    home = Path(tempfile.mkdtemp(prefix="sx-server-"))
    settings = Settings(home=home, warehouse_url=None)
    try:
        with server_of(settings, release=request.config.getoption("--postgres")) as running:
            with running.connect_as_superuser() as admin:
                admin.execute(
                    sql.SQL("create database {} template warehouse owner shopx_owner").format(
                        sql.Identifier(TEMPLATE)
                    )
                )
                # what a test writes need not survive a power cut
                admin.execute("alter system set fsync = off")
                admin.execute("select pg_reload_conf()")
            yield running
    finally:
        discard(settings)


@contextmanager
def fresh_warehouse(server: embedded.Server, **more: Any) -> Iterator[Warehouse]:
    """A fresh migrated warehouse of its own: its own database on the shared server, its own SHOPX_HOME.

    Its settings name the database by WAREHOUSE_URL, so `open_warehouse(warehouse.settings)` and children
    started with `warehouse.environment()` meet the same database. `more` are further settings.
    """
    home = Path(tempfile.mkdtemp(prefix="sx-"))
    name = f"t_{secrets.token_hex(6)}"
    superuser = server.superuser_password
    settings = Settings(
        home=home,
        warehouse_url=SecretStr(f"postgresql://postgres:{superuser}@127.0.0.1:{server.port}/{name}"),
        **more,
    )
    server_home = server.place.lock_dir.parent
    shutil.copy(server_home / passwords.FILE_NAME, home / passwords.FILE_NAME)
    with server.connect_as_superuser() as admin:
        admin.execute(
            sql.SQL("create database {} template {} owner shopx_owner").format(
                sql.Identifier(name), sql.Identifier(TEMPLATE)
            )
        )
        # what a copy lacks of a set-up warehouse; with it, opening finds nothing to do and stays short
        roles.ensure_database(admin, f"{name}_dagster", owner="dagster")
        roles.fence_database(admin, name, setup.WAREHOUSE_RIGHTS)
        roles.fence_database(admin, f"{name}_dagster", setup.DAGSTER_RIGHTS)
    with server.connect_as_superuser(name) as inside:
        inside.execute(
            "update shopx_setup.state set value = %s where name = 'fingerprint'",
            [setup.fingerprint(inside, migrate.find())],
        )
    try:
        with open_warehouse(settings) as opened:
            yield opened
    finally:
        with server.connect_as_superuser() as admin:
            for database in (name, f"{name}_dagster"):
                admin.execute(
                    sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(database))
                )
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def warehouse(server: embedded.Server) -> Iterator[Warehouse]:
    """A fresh warehouse for one test."""
    with fresh_warehouse(server) as opened:
        yield opened


@pytest.fixture(scope="module")
def euro_warehouse(server: embedded.Server) -> Iterator[Warehouse]:
    """One warehouse in EUR for all tests of a module that do not mind each other."""
    with fresh_warehouse(server, currency="EUR") as opened:
        yield opened
