"""Brings a database to the newest schema: numbered SQL files, each once, in one transaction, by the owner.

Put here: finding, checking and applying the files in warehouse/migrations/.
Never here: the schema itself (the SQL files) or who may use it (grants.sql, roles.py).
The ledger is the table shopx_setup.migrations; a file that was edited after it was applied is refused.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from warehouse.errors import ShopxError

FOLDER = Path(__file__).parent / "migrations"
LOCK_KEY = 7236017504252  # beside ops.driver_lock_key(); any fixed number does
NAME = re.compile(r"^(\d{4})_[a-z0-9_]+\.sql$")

LEDGER = """
create schema if not exists shopx_setup;
revoke all on schema shopx_setup from public;
create table if not exists shopx_setup.migrations (
    version integer primary key,
    name text not null,
    sha256 text not null,
    applied_at timestamptz not null default now(),
    applied_by text not null default session_user
);
create table if not exists shopx_setup.state (name text primary key, value text not null);
"""


@dataclass(frozen=True)
class Migration:
    """One numbered file."""

    version: int
    name: str
    sql: str
    sha256: str


def find(folder: Path = FOLDER) -> list[Migration]:
    """All migrations by number.

    Raises ShopxError for a file named otherwise and for a number that is missing or used twice.
    """
    found = []
    for path in sorted(folder.glob("*.sql")):
        match = NAME.match(path.name)
        if match is None:
            raise ShopxError(f"The migration {path.name} must be named like 0004_what_it_does.sql.")
        content = path.read_bytes()
        found.append(
            Migration(int(match[1]), path.stem, content.decode("utf-8"), hashlib.sha256(content).hexdigest())
        )
    for expected, migration in enumerate(found, start=1):
        if migration.version != expected:
            raise ShopxError(
                f"Migrations must be numbered without gaps: {expected:04d} expected, {migration.name} found."
            )
    return found


def migrate(connection: psycopg.Connection, migrations: Sequence[Migration]) -> list[str]:
    """Apply what is missing, over an autocommit connection of the owner; returns the names applied.

    Two at once: the second waits and then finds nothing to do. Raises ShopxError when an applied file was
    edited, when the database is newer than this program, or when a file fails (it leaves nothing).
    """
    applied = []
    with connection.transaction():
        connection.execute("select pg_catalog.pg_advisory_xact_lock(%s)", (LOCK_KEY,))
        connection.execute(LEDGER)
        rows = connection.execute("select version, sha256 from shopx_setup.migrations").fetchall()
    known: dict[int, str] = dict(rows)
    _check(migrations, known)
    for migration in migrations:
        if migration.version not in known and _apply(connection, migration):
            applied.append(migration.name)
    return applied


def _check(migrations: Sequence[Migration], known: dict[int, str]) -> None:
    for migration in migrations:
        if known.get(migration.version, migration.sha256) != migration.sha256:
            raise ShopxError(
                f"The migration {migration.name} was edited after this database had applied it; "
                "restore the file and write the change as a new migration."
            )
    newest = max(known, default=0)
    if newest > len(migrations):
        raise ShopxError(
            f"This database has migration {newest:04d}, this program knows only {len(migrations):04d}: "
            "it was made by a newer version; update this program."
        )


def _apply(connection: psycopg.Connection, migration: Migration) -> bool:
    """Apply one file in one transaction; False when another process has done so meanwhile."""
    try:
        with connection.transaction():
            connection.execute("select pg_catalog.pg_advisory_xact_lock(%s)", (LOCK_KEY,))
            done = connection.execute(
                "select 1 from shopx_setup.migrations where version = %s", (migration.version,)
            ).fetchone()
            if done:
                return False
            connection.execute(migration.sql.encode())
            connection.execute(
                "insert into shopx_setup.migrations (version, name, sha256) values (%s, %s, %s)",
                (migration.version, migration.name, migration.sha256),
            )
            return True
    except psycopg.Error as problem:
        raise ShopxError(f"The migration {migration.name} failed and was undone: {problem}") from problem
