"""Migrations: once each, in order, whole or not at all, and never edited afterwards."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from warehouse import migrate
from warehouse.database import Warehouse
from warehouse.errors import ShopxError


def newest(sql: str) -> list[migrate.Migration]:
    known = migrate.find()
    return [*known, migrate.Migration(len(known) + 1, f"{len(known) + 1:04d}_new", sql, "f" * 64)]


def test_running_them_again_changes_nothing(warehouse: Warehouse) -> None:
    with warehouse.connect("owner", autocommit=True) as owner:
        assert migrate.migrate(owner, migrate.find()) == []


def test_an_edited_applied_file_is_refused(warehouse: Warehouse) -> None:
    edited = [replace(each, sha256="0" * 64) if each.version == 2 else each for each in migrate.find()]
    with (
        warehouse.connect("owner", autocommit=True) as owner,
        pytest.raises(ShopxError, match=r"0002_ops was edited after this database had applied it"),
    ):
        migrate.migrate(owner, edited)


def test_a_database_from_the_future_is_refused(warehouse: Warehouse) -> None:
    with (
        warehouse.connect("owner", autocommit=True) as owner,
        pytest.raises(ShopxError, match="made by a newer version"),
    ):
        migrate.migrate(owner, migrate.find()[:-1])


def test_a_failing_migration_leaves_nothing(warehouse: Warehouse) -> None:
    with warehouse.connect("owner", autocommit=True) as owner:
        with pytest.raises(ShopxError, match="_new failed and was undone"):
            migrate.migrate(owner, newest("create table core.half (x int); select 1 / 0"))
        assert owner.execute("select to_regclass('core.half')").fetchone() == (None,)
        assert migrate.migrate(owner, newest("create table core.half (x int)")) == [newest("")[-1].name]


def test_two_at_once_apply_each_once(warehouse: Warehouse) -> None:
    migrations = newest("create table core.once (x int); select pg_sleep(0.2)")

    def run(_: int) -> list[str]:
        with warehouse.connect("owner", autocommit=True) as owner:
            return migrate.migrate(owner, migrations)

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(run, range(2)))
    assert sorted(map(len, results)) == [0, 1]


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["0001_a.sql", "0003_c.sql"], "without gaps: 0002 expected"),
        (["0001_a.sql", "0001_b.sql"], "without gaps: 0002 expected"),
        (["1_a.sql"], "must be named like"),
    ],
)
def test_misnumbered_files_are_refused(tmp_path: Path, names: list[str], sentence: str) -> None:
    for name in names:
        (tmp_path / name).write_text("select 1")
    with pytest.raises(ShopxError, match=sentence):
        migrate.find(tmp_path)
