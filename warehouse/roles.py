"""The database roles: made, given their passwords, limits and rights on whole databases.

Put here: what roles exist and what fences them; rights on databases.
Never here: rights on schemas and tables (grants.sql).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import psycopg
from psycopg import sql

from warehouse.settings import ROLES, Role

GRANTS = Path(__file__).with_name("grants.sql")

PIPELINE: tuple[Role, ...] = ("owner", "loader", "transformer")

# Applied to the role itself, so they hold for every client. A reader may lift its own time limit or read-only
# default; what it may touch is fenced by rights, not by these.
# The pipeline's own roles: what a killed process had asked for ends within a second, on any server.
LIMITS: Mapping[Role, Mapping[str, str]] = {
    **{role: {"client_connection_check_interval": "1s"} for role in PIPELINE},
    "reader": {
        "default_transaction_read_only": "on",
        "statement_timeout": "30s",
        "idle_in_transaction_session_timeout": "5min",
    },
    "analyst": {
        "default_transaction_read_only": "on",
        "statement_timeout": "5min",
        "idle_in_transaction_session_timeout": "30min",
    },
}

# Public by default, yet able to hinder the pipeline (its advisory locks) or to fill the disk (large objects).
FENCED_FUNCTIONS = """
do $$
declare
    f regprocedure;
begin
    for f in
        select oid from pg_proc
        where pronamespace = 'pg_catalog'::regnamespace
            and (
                proname ~ '^pg_(try_)?advisory_'
                or proname in ('lo_create', 'lo_creat', 'lo_from_bytea', 'lowrite', 'lo_put', 'lo_open')
            )
    loop
        execute format('revoke execute on function %s from public', f);
        if f::text ~ 'advisory' then
            execute format(
                'grant execute on function %s to shopx_owner, shopx_loader, shopx_transformer, shopx_dagster',
                f
            );
        end if;
    end loop;
end
$$
"""


def name_of(role: Role) -> str:
    """The name a role has in PostgreSQL."""
    return f"shopx_{role}"


def existing(admin: psycopg.Connection) -> set[Role]:
    """Which of our roles the server has."""
    rows = admin.execute(
        "select rolname from pg_roles where rolname = any(%s)", ([name_of(r) for r in ROLES],)
    )
    names = {row[0] for row in rows}
    return {role for role in ROLES if name_of(role) in names}


def ensure_roles(admin: psycopg.Connection, passwords: Mapping[str, str], *, reset: bool) -> None:
    """Make missing roles and memberships and set limits; existing passwords change only when `reset`.

    `admin` is an autocommit connection of a user who may create roles.
    """
    found = existing(admin)
    for role in ROLES:
        name = sql.Identifier(name_of(role))
        if role not in found:
            try:
                admin.execute(sql.SQL("create role {} login").format(name))
            except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
                continue  # another process made it a moment ago
        if role not in found or reset:
            # encrypted here, so that the password itself never crosses the wire or enters a log
            secret = admin.pgconn.encrypt_password(
                passwords[role].encode(), name_of(role).encode(), b"scram-sha-256"
            )
            admin.execute(sql.SQL("alter role {} password {}").format(name, sql.Literal(secret.decode())))
        for limit, value in LIMITS.get(role, {}).items():
            admin.execute(
                sql.SQL("alter role {} set {} = {}").format(name, sql.Identifier(limit), sql.Literal(value))
            )
    admin.execute("grant shopx_loader, shopx_transformer, shopx_reader, shopx_analyst to shopx_owner")
    admin.execute("grant shopx_reader to shopx_analyst")


def ensure_database(admin: psycopg.Connection, name: str, *, owner: Role) -> bool:
    """Make a database owned by one of our roles unless it exists; returns whether it was made."""
    if admin.execute("select 1 from pg_database where datname = %s", (name,)).fetchone():
        return False
    _lend_ownership(admin, owner)
    try:
        admin.execute(
            sql.SQL("create database {} owner {}").format(
                sql.Identifier(name), sql.Identifier(name_of(owner))
            )
        )
    except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
        return False
    return True


def fence_database(admin: psycopg.Connection, name: str, rights: Mapping[Role, str]) -> None:
    """Take the public rights (connect, temporary tables) from a database and give roles what they need."""
    database = sql.Identifier(name)
    admin.execute(sql.SQL("revoke all on database {} from public").format(database))
    for role, granted in rights.items():
        admin.execute(
            sql.SQL("grant {} on database {} to {}").format(
                sql.SQL(", ").join(sql.SQL(word) for word in granted.split()),
                database,
                sql.Identifier(name_of(role)),
            )
        )


def fence_functions(admin: psycopg.Connection) -> None:
    """Inside the warehouse database: what PUBLIC may do by default and should not.

    The built-in functions can be fenced by a superuser only; on an external server they may stay as they are.
    """
    admin.execute("revoke all on schema public from public")
    if _is_superuser(admin):
        admin.execute(FENCED_FUNCTIONS)


def _is_superuser(admin: psycopg.Connection) -> bool:
    row = admin.execute("select rolsuper from pg_roles where rolname = current_user").fetchone()
    return row is not None and bool(row[0])


def _lend_ownership(admin: psycopg.Connection, owner: Role) -> None:
    """A user who is no superuser may give a database only to a role it belongs to."""
    if not _is_superuser(admin):
        admin.execute(sql.SQL("grant {} to current_user").format(sql.Identifier(name_of(owner))))
