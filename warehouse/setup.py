"""Makes a server ready for the pipeline: roles, both databases, migrations, rights; quick when all is there.

Put here: the order of those steps and the fingerprint that lets them be skipped.
Never here: the steps themselves (roles.py, migrate.py, grants.sql).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

import psycopg

from warehouse import migrate, roles
from warehouse.errors import ShopxError
from warehouse.settings import Role

OLDEST_SUPPORTED = 160000
LOCK_KEY = migrate.LOCK_KEY + 1
WAREHOUSE_RIGHTS: Mapping[Role, str] = {
    "owner": "connect create temporary",
    "loader": "connect temporary",
    "transformer": "connect temporary",
    "reader": "connect",
    "analyst": "connect",
}
DAGSTER_RIGHTS: Mapping[Role, str] = {"dagster": "connect create temporary"}

Connect = Callable[[str], psycopg.Connection]


def is_ready(owner: psycopg.Connection, migrations: list[migrate.Migration]) -> bool:
    """Whether this very database was set up by this very version."""
    try:
        row = owner.execute("select value from shopx_setup.state where name = 'fingerprint'").fetchone()
    except (
        psycopg.errors.UndefinedTable,
        psycopg.errors.InvalidSchemaName,
        psycopg.errors.InsufficientPrivilege,
    ):
        return False
    return row is not None and row[0] == fingerprint(owner, migrations)


def fingerprint(owner: psycopg.Connection, migrations: list[migrate.Migration]) -> str:
    """What set-up depends on: this version's files, and which database it is (a copy lacks rights)."""
    row = owner.execute("select oid::text from pg_database where datname = current_database()").fetchone()
    digest = hashlib.sha256(row[0].encode() if row else b"")
    for migration in migrations:
        digest.update(migration.sha256.encode())
    for part in (roles.GRANTS, Path(roles.__file__), Path(__file__)):
        digest.update(part.read_bytes())
    return digest.hexdigest()


def set_up(
    *,
    as_admin: Connect,
    as_owner: Callable[[], psycopg.Connection],
    admin_database: str,
    database: str,
    dagster_database: str,
    passwords: Mapping[str, str],
    embedded: bool,
    say: Callable[[str], None],
) -> None:
    """Bring roles, databases, migrations and rights up to date; safe to repeat and to run twice at once.

    Raises ShopxError when the server is too old or its user lacks a right.
    """
    migrations = migrate.find()
    try:
        # the lock lasts as long as this connection, which is kept open to the end
        with as_admin(admin_database) as admin:
            if admin.info.server_version < OLDEST_SUPPORTED:
                raise ShopxError(
                    f"The server is PostgreSQL {admin.info.server_version // 10000}; 16 or newer is needed."
                )
            admin.execute("select pg_catalog.pg_advisory_lock(%s)", (LOCK_KEY,))
            # embedded: ours alone, so a password changed in secrets.json is simply set
            roles.ensure_roles(admin, passwords, reset=embedded)
            roles.ensure_database(admin, database, owner="owner")
            roles.ensure_database(admin, dagster_database, owner="dagster")
            roles.fence_database(admin, database, WAREHOUSE_RIGHTS)
            roles.fence_database(admin, dagster_database, DAGSTER_RIGHTS)
            if embedded:
                for other in ("postgres", "template1"):
                    roles.fence_database(admin, other, {})
            with as_admin(database) as inside:
                roles.fence_functions(inside)
            with as_owner() as owner:
                applied = migrate.migrate(owner, migrations)
                _apply_grants(owner, migrations)
            if applied:
                say(f"Migrated the database: {', '.join(applied)}.")
    except psycopg.errors.InsufficientPrivilege as problem:
        raise ShopxError(
            f"The user of WAREHOUSE_URL lacks a right that setting up needs (create roles and databases, "
            f"own the database): {problem.diag.message_primary}."
        ) from None


def _apply_grants(owner: psycopg.Connection, migrations: list[migrate.Migration]) -> None:
    with owner.transaction():
        owner.execute(roles.GRANTS.read_bytes())
        owner.execute(
            "insert into shopx_setup.state (name, value) values ('fingerprint', %s) "
            "on conflict (name) do update set value = excluded.value",
            (fingerprint(owner, migrations),),
        )
