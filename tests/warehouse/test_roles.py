"""What each role can and cannot touch."""

from __future__ import annotations

import psycopg
import pytest

from warehouse.database import Warehouse
from warehouse.settings import Role

REFUSED_TO_READER = [
    "select * from raw.loads",
    "select * from raw.rejected_rows",
    "select * from core.secret_fact",
    "select * from marts_next.draft",
    "select * from ops.changes",
    "select * from ops.alerts",
    "select * from shopx_setup.migrations",
    "select * from marts_previous.publication",
    "insert into marts.publication values (1, now(), '2026-01-01', '2026-01-01', 1, 0, 0)",
    "delete from marts.publication",
    "drop table marts.publication",
    "create table marts.mine (x int)",
    "create table public.mine (x int)",
    "create temporary table mine (x int)",
    "create schema mine",
    "set role shopx_owner",
    "set session authorization shopx_owner",
    "select ops.open_build('reader', '2026-01-01')",
    "select raw.create_months('2026-01-01', '2026-02-01')",
    "select pg_advisory_lock(7236017504251)",
    "select lo_create(0)",
    "select pg_read_file('/etc/passwd')",
    "copy marts.publication to program 'id'",
    "select pg_reload_conf()",
    "alter system set fsync = off",
]


def try_as(warehouse: Warehouse, role: Role, statement: str, *, writable: bool = False) -> None:
    with warehouse.connect(role, autocommit=True) as connection:
        if writable:
            connection.execute("set default_transaction_read_only = off")
        connection.execute(statement.encode())


@pytest.fixture
def built(warehouse: Warehouse) -> Warehouse:
    """A warehouse in which dbt and publication have made tables after the rights were given."""
    with warehouse.connect("transformer", autocommit=True) as connection:
        connection.execute("create table core.secret_fact as select 1 as x")
        connection.execute("create table marts_next.draft as select 1 as x")
    with warehouse.connect("owner", autocommit=True) as connection:
        connection.execute("create table marts.new_mart as select 1 as x")
    return warehouse


def test_the_reader_can_do_nothing_but_read_marts_and_two_views(built: Warehouse) -> None:
    reached = []
    for statement in REFUSED_TO_READER:
        try:
            # a reader can lift its read-only default, so rights alone must hold
            try_as(built, "reader", statement, writable=True)
            reached.append(statement)
        except psycopg.errors.InsufficientPrivilege:
            continue
    assert reached == []


def test_the_reader_reads_marts_made_later_and_its_views(built: Warehouse) -> None:
    for table in ("marts.new_mart", "marts.publication", "ops.loads", "ops.pipeline_health"):
        try_as(built, "reader", f"select * from {table}")


def test_the_reader_is_read_only_and_limited_in_time_by_default(warehouse: Warehouse) -> None:
    with warehouse.connect("reader") as connection:
        assert connection.execute("show statement_timeout").fetchone() == ("30s",)
        assert connection.execute("show transaction_read_only").fetchone() == ("on",)


@pytest.mark.parametrize("role", ["loader", "transformer", "reader", "analyst"])
def test_no_pipeline_role_enters_the_databases_of_others(warehouse: Warehouse, role: Role) -> None:
    for database in ("postgres", "template1", warehouse.address.dagster_database):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(
                host=warehouse.address.host,
                port=warehouse.address.port,
                user=f"shopx_{role}",
                password=warehouse.passwords[role],
                dbname=database,
            )


def test_the_analyst_also_reads_core_but_writes_nothing(built: Warehouse) -> None:
    try_as(built, "analyst", "select * from core.secret_fact")
    try_as(built, "analyst", "select * from marts.new_mart")
    for statement in (
        "delete from core.secret_fact",
        "select * from raw.loads",
        "create temporary table t (x int)",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            try_as(built, "analyst", statement, writable=True)


@pytest.mark.parametrize(
    "statement",
    [
        "delete from raw.loads",
        "truncate raw.sales_lines",
        "drop table raw.loads",
        "insert into ops.publications default values",
        "create table core.mine (x int)",
        "select ops.open_build('loader', '2026-01-01')",
    ],
)
def test_the_loader_appends_and_never_deletes(warehouse: Warehouse, statement: str) -> None:
    try_as(warehouse, "loader", "select raw.create_months('2026-01-01', '2026-02-01')")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        try_as(warehouse, "loader", statement)


@pytest.mark.parametrize(
    "statement",
    [
        "update raw.loads set status = 'approved'",
        "insert into ops.gate_results default values",
        "insert into ops.publications default values",
        "update ops.builds set status = 'published'",
        "create table marts.mine (x int)",
        "select * from marts.publication",
    ],
)
def test_the_transformer_builds_and_neither_approves_nor_publishes(
    warehouse: Warehouse, statement: str
) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        try_as(warehouse, "transformer", statement)


def test_dagster_owns_its_own_database_and_cannot_enter_the_warehouse(warehouse: Warehouse) -> None:
    try_as(warehouse, "dagster", "create table runs (x int)")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(
            host=warehouse.address.host,
            port=warehouse.address.port,
            user="shopx_dagster",
            password=warehouse.passwords["dagster"],
            dbname=warehouse.address.database,
        )


def test_urls_and_child_environments_carry_what_a_client_needs(warehouse: Warehouse) -> None:
    with psycopg.connect(warehouse.url("reader", driver="postgresql")) as connection:
        assert connection.info.user == "shopx_reader"
    environment = warehouse.environment()
    with psycopg.connect(
        host=environment["SHOPX_PG_HOST"],
        port=environment["SHOPX_PG_PORT"],
        dbname=environment["SHOPX_PG_DATABASE"],
        user=environment["SHOPX_PG_USER_TRANSFORMER"],
        password=environment["SHOPX_PG_PASSWORD_TRANSFORMER"],
    ) as connection:
        assert connection.execute("select current_user").fetchone() == ("shopx_transformer",)
