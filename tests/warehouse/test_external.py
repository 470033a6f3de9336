"""A server of the user's own by WAREHOUSE_URL; a second embedded one stands in for it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import sql
from pydantic import SecretStr

from warehouse import embedded, external, passwords
from warehouse.database import Warehouse, open_warehouse
from warehouse.errors import ShopxError
from warehouse.settings import Settings


def settings_for(home: Path, url: str) -> Settings:
    return Settings(home=home, warehouse_url=SecretStr(url))


@pytest.fixture
def bare(own_server: Settings) -> Iterator[embedded.Server]:
    """A server that knows nothing of this product, with a plain administrator who is no superuser."""
    with embedded.running_server(own_server) as running:
        with running.connect_as_superuser() as connection:
            connection.execute("create role admin login createrole createdb password 'pw'")
            connection.execute("create database shop owner admin")
        yield running


def test_an_administrator_who_is_no_superuser_is_enough(bare: embedded.Server, tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "h", f"postgresql://admin:pw@127.0.0.1:{bare.port}/shop")
    for _ in range(2):
        with open_warehouse(settings) as warehouse:
            with warehouse.connect("loader") as connection:
                assert connection.execute("select count(*) from raw.loads").fetchone() == (0,)
            with warehouse.connect("dagster") as connection:
                assert connection.info.dbname == "shop_dagster"
    stranger = settings_for(tmp_path / "other", f"postgresql://admin:pw@127.0.0.1:{bare.port}/shop")
    with (
        pytest.raises(ShopxError, match=r"role shopx_owner exists .* set SHOPX_PG_PASSWORD_OWNER"),
        open_warehouse(stranger),
    ):
        pass
    assert "superuser" not in passwords.stored(settings)


def test_a_user_without_rights_is_told_so(bare: embedded.Server, tmp_path: Path) -> None:
    with bare.connect_as_superuser() as connection:
        connection.execute("create role guest login password 'pw'")
    settings = settings_for(tmp_path, f"postgresql://guest:pw@127.0.0.1:{bare.port}/shop")
    with pytest.raises(ShopxError, match="lacks a right that setting up needs"), open_warehouse(settings):
        pass


def test_passwords_may_come_from_the_environment(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for role, password in warehouse.passwords.items():
        monkeypatch.setenv(f"SHOPX_PG_PASSWORD_{role.upper()}", password)
    assert warehouse.settings.warehouse_url is not None
    with open_warehouse(
        settings_for(tmp_path, warehouse.settings.warehouse_url.get_secret_value())
    ) as opened:
        assert opened.passwords == dict(warehouse.passwords)
        assert passwords.stored(opened.settings) == {}


def test_a_wrong_role_password_names_the_role_and_the_remedy(warehouse: Warehouse, tmp_path: Path) -> None:
    assert warehouse.settings.warehouse_url is not None
    settings = settings_for(tmp_path, warehouse.settings.warehouse_url.get_secret_value())
    passwords.store(settings, {**warehouse.passwords, "reader": "wrong"})
    with (
        open_warehouse(settings) as opened,
        pytest.raises(ShopxError, match="for shopx_reader: set SHOPX_PG_PASSWORD_READER"),
    ):
        opened.connect("reader")


def test_a_missing_database_and_a_wrong_password_are_one_sentence_each(
    server: embedded.Server, tmp_path: Path
) -> None:
    good = server.superuser_password
    for url, sentence in (
        (
            f"postgresql://postgres:{good}@127.0.0.1:{server.port}/nowhere",
            'database "nowhere" does not exist',
        ),
        (
            f"postgresql://postgres:wrong@127.0.0.1:{server.port}/warehouse",
            "refuses the user or password in WAREHOUSE_URL",
        ),
    ):
        with pytest.raises(ShopxError, match=sentence) as caught, open_warehouse(settings_for(tmp_path, url)):
            pass
        assert good not in caught.value.message
        assert "\n" not in caught.value.message


def test_a_server_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        with (
            pytest.raises(
                ShopxError, match=rf"server at 127\.0\.0\.1:{port} cannot be reached: Connection refused\."
            ),
            open_warehouse(settings_for(tmp_path, f"postgresql://a:b@127.0.0.1:{port}/c")),
        ):
            pass


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://a:secret@h/d", "must look like postgresql://"),
        ("h:5432", "must look like postgresql://"),
        ("postgresql://a:secret@h", "names no dbname"),
        ("postgresql:///d", "names no host and no user"),
        ("postgresql://a:se%zzcret@h/d", "cannot be read"),
        ("postgresql://a:secret@h1,h2:1,2/d", "one host and one port"),
    ],
)
def test_an_unusable_url_is_named_without_being_repeated(url: str, sentence: str) -> None:
    with pytest.raises(ShopxError, match=sentence) as caught:
        external.parse(url)
    assert "secret" not in caught.value.message
    assert caught.value.exit_code == 2


def test_options_of_the_url_are_kept_and_drivers_ignored() -> None:
    target = external.parse("postgresql+psycopg://a:p%40w@h:6543/d?sslmode=require")
    assert (target.host, target.port, target.user, target.password, target.database) == (
        "h",
        6543,
        "a",
        "p@w",
        "d",
    )
    assert target.options == {"sslmode": "require"}
    assert "p@w" not in repr(target)


def test_the_copied_database_of_a_test_has_its_own_rights(warehouse: Warehouse) -> None:
    with warehouse.connect("owner") as connection:
        row = connection.execute(
            sql.SQL("select has_database_privilege('shopx_reader', current_database(), 'temp')")
        ).fetchone()
    assert row == (False,)
