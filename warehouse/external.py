"""A PostgreSQL of the user's own, named by WAREHOUSE_URL.

Put here: reading that URL, finding role passwords for it, and saying in one sentence why it cannot be used.
Never here: the embedded server.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from warehouse import passwords, roles
from warehouse.errors import ShopxError
from warehouse.settings import ROLES, Role, Settings


@dataclass(frozen=True)
class Target:
    """The server, the database and the user who sets it up."""

    host: str
    port: int
    database: str
    user: str
    password: str | None = field(repr=False)
    options: Mapping[str, str]

    def connect(self, database: str) -> psycopg.Connection:
        """An autocommit connection of the user named in the URL.

        Raises ShopxError when the server cannot be reached or refuses it.
        """
        try:
            return psycopg.connect(
                make_conninfo("", **self.options),
                host=self.host,
                port=self.port,
                user=self.user,
                password=self.password,
                dbname=database,
                autocommit=True,
                connect_timeout=10,
                application_name="shopx set-up",
            )
        except psycopg.OperationalError as problem:
            raise explained(problem, role=None, address=f"{self.host}:{self.port}") from None


def parse(url: str) -> Target:
    """Read WAREHOUSE_URL (postgresql://user:password@host:port/database?sslmode=…).

    Raises ShopxError, without repeating the URL, when it is not one.
    """
    scheme, separator, rest = url.strip().partition("://")
    if not separator or scheme.split("+")[0] not in {"postgresql", "postgres"}:
        raise ShopxError(
            "WAREHOUSE_URL must look like postgresql://user:password@host:5432/database.", exit_code=2
        )
    try:
        parts = {
            key: str(value)
            for key, value in conninfo_to_dict(f"postgresql://{rest}").items()
            if value is not None
        }
    except psycopg.ProgrammingError:
        raise ShopxError(
            "WAREHOUSE_URL cannot be read; write special characters of the password as %XX.", exit_code=2
        ) from None
    missing = [name for name in ("host", "user", "dbname") if not parts.get(name)]
    if missing:
        raise ShopxError(f"WAREHOUSE_URL names no {' and no '.join(missing)}.", exit_code=2)
    try:
        port = int(parts.pop("port", "5432"))
    except ValueError:
        raise ShopxError("WAREHOUSE_URL must name one host and one port.", exit_code=2) from None
    return Target(
        host=parts.pop("host"),
        port=port,
        database=parts.pop("dbname"),
        user=parts.pop("user"),
        password=parts.pop("password", None),
        options=parts,
    )


def passwords_for(settings: Settings, target: Target) -> dict[str, str]:
    """Passwords of our roles there: from the environment, else from secrets.json, else made for new roles.

    Raises ShopxError when a role exists there and nobody told us its password.
    """
    kept = passwords.stored(settings)
    known: dict[str, str | None] = {role: settings.given_password(role) or kept.get(role) for role in ROLES}
    if unknown := [role for role in ROLES if known[role] is None]:
        with target.connect(target.database) as admin:
            existing = roles.existing(admin)
        for role in unknown:
            if role in existing:
                raise ShopxError(
                    f"The role {roles.name_of(role)} exists on the server of WAREHOUSE_URL, but its "
                    f"password is not known here: set SHOPX_PG_PASSWORD_{role.upper()}, or copy secrets.json "
                    "from the SHOPX_HOME that made it."
                )
        made: dict[str, str] = {role: secrets.token_hex(24) for role in unknown}
        passwords.store(settings, {**kept, **made})
        known.update(made)
    return {role: password for role, password in known.items() if password is not None}


def explained(problem: psycopg.OperationalError, *, role: Role | None, address: str) -> ShopxError:
    """Why a connection failed, as a sentence without the URL or the password."""
    text = str(problem)
    if "password authentication failed" in text or "no password supplied" in text:
        if role is None:
            return ShopxError(f"The server at {address} refuses the user or password in WAREHOUSE_URL.")
        return ShopxError(
            f"The server at {address} refuses the password known here for {roles.name_of(role)}: "
            f"set SHOPX_PG_PASSWORD_{role.upper()} or restore secrets.json."
        )
    if "does not exist" in text:
        return ShopxError(f"The server at {address} answers: {text.rsplit('FATAL:', 1)[-1].strip()}.")
    first = text.strip().split("\n", 1)[0].rsplit("failed: ", 1)[-1].strip().rstrip(".") or "no reason given"
    return ShopxError(f"The database server at {address} cannot be reached: {first}.")
