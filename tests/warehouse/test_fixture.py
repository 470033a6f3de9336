"""The fixtures other folders rely on."""

from __future__ import annotations

from warehouse.database import Warehouse, open_warehouse


def test_each_test_has_a_migrated_database_that_child_processes_can_open_too(warehouse: Warehouse) -> None:
    with warehouse.connect("loader") as connection:
        assert connection.execute("select count(*) from raw.loads").fetchone() == (0,)
    with open_warehouse(warehouse.settings) as again:
        assert again.address == warehouse.address


def test_a_second_test_does_not_see_the_first(warehouse: Warehouse) -> None:
    with warehouse.connect("loader", autocommit=True) as connection:
        connection.execute("insert into ops.settings (name, value) values ('currency', 'GBP')")
        assert connection.execute("select count(*) from ops.settings where name = 'currency'").fetchone() == (
            1,
        )


def test_a_third_one_neither(warehouse: Warehouse) -> None:
    with warehouse.connect("reader") as connection:
        assert connection.execute("select count(*) from ops.loads").fetchone() == (0,)
    with warehouse.connect("dagster") as connection:
        assert connection.info.dbname == f"{warehouse.address.database}_dagster"
