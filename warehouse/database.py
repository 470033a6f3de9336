"""Opening the warehouse: the one way in for every other folder.

Put here: `open_warehouse` and the connections, URLs and child environment it hands out.
Never here: how a server is started (embedded.py) or what is in it (migrations/, grants.sql).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

import psycopg
from psycopg.conninfo import make_conninfo

from warehouse import embedded, external, migrate, passwords, roles, setup
from warehouse.errors import ShopxError
from warehouse.settings import Role, Settings, load_settings

DATABASE = "warehouse"
DAGSTER_DATABASE = "dagster"


@dataclass(frozen=True)
class Address:
    """Where the databases are: TCP host and port, the private socket folder if embedded, libpq options."""

    host: str
    port: int
    database: str
    dagster_database: str
    socket_dir: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)

    def database_of(self, role: Role) -> str:
        """The database a role works in."""
        return self.dagster_database if role == "dagster" else self.database


@dataclass(frozen=True)
class Warehouse:
    """A ready warehouse; valid while the `open_warehouse` block that made it runs."""

    settings: Settings
    address: Address
    passwords: Mapping[str, str] = field(repr=False)

    def connect(
        self, role: Role = "loader", *, autocommit: bool = False, application_name: str = "shopx"
    ) -> psycopg.Connection:
        """A new connection as one of our roles; dagster's goes to Dagster's own database.

        Raises ShopxError when the server cannot be reached or does not know the password.
        """
        try:
            return psycopg.connect(
                self.conninfo(role), autocommit=autocommit, application_name=application_name
            )
        except psycopg.OperationalError as problem:
            raise external.explained(
                problem, role=role, address=f"{self.address.host}:{self.address.port}"
            ) from None

    def conninfo(self, role: Role) -> str:
        """What libpq needs to connect as one of our roles, with the password in it: never log it."""
        return make_conninfo(
            "",
            **self.address.options,
            host=self.address.socket_dir or self.address.host,
            port=self.address.port,
            user=roles.name_of(role),
            password=self.passwords[role],
            dbname=self.address.database_of(role),
            connect_timeout=10,
        )

    def url(self, role: Role, *, driver: str = "postgresql+psycopg") -> str:
        """A SQLAlchemy URL over TCP, with the password in it: never log it, never pass it as an argument."""
        database = quote(self.address.database_of(role), safe="")
        query = f"?{urlencode(self.address.options)}" if self.address.options else ""
        return (
            f"{driver}://{roles.name_of(role)}:{quote(self.passwords[role], safe='')}"
            f"@{self.address.host}:{self.address.port}/{database}{query}"
        )

    def environment(self) -> dict[str, str]:
        """Variables for child processes (dbt, Dagster), passwords included: for `env=`, never to print."""
        url = self.settings.warehouse_url
        return {
            "SHOPX_HOME": str(self.settings.home),
            "WAREHOUSE_URL": "" if url is None else url.get_secret_value(),
            "SHOPX_PG_HOST": self.address.host,
            "SHOPX_PG_PORT": str(self.address.port),
            "SHOPX_PG_DATABASE": self.address.database,
            "SHOPX_PG_USER_TRANSFORMER": roles.name_of("transformer"),
            "SHOPX_PG_PASSWORD_TRANSFORMER": self.passwords["transformer"],
            "SHOPX_DAGSTER_PG_HOST": self.address.host,
            "SHOPX_DAGSTER_PG_PORT": str(self.address.port),
            "SHOPX_DAGSTER_PG_DATABASE": self.address.dagster_database,
            "SHOPX_DAGSTER_PG_USER": roles.name_of("dagster"),
            "SHOPX_DAGSTER_PG_PASSWORD": self.passwords["dagster"],
            "DAGSTER_HOME": str(self.settings.dagster_home),
            "DBT_PROFILES_DIR": str(self.settings.dbt_project),
            "DO_NOT_TRACK": "1",
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "GX_ANALYTICS_ENABLED": "false",
        }


@contextmanager
def open_warehouse(
    settings: Settings | None = None, *, progress: Callable[[str], None] | None = None
) -> Iterator[Warehouse]:
    """Start or join the embedded server (or use WAREHOUSE_URL), bring it up to date, hold it for the block.

    The server is left running for others and stopped when the last process that uses it leaves.
    Raises ShopxError with one sentence when any of that is not possible.
    """
    settings = settings or load_settings()
    say = progress or (lambda _: None)
    try:
        settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as problem:
        raise ShopxError(f"SHOPX_HOME {settings.home} cannot be made: {problem.strerror}.") from None
    if settings.warehouse_url is not None:
        target = external.parse(settings.warehouse_url.get_secret_value())
        address = Address(
            host=target.host,
            port=target.port,
            database=target.database,
            dagster_database=f"{target.database}_{DAGSTER_DATABASE}",
            options=target.options,
        )
        known = external.passwords_for(settings, target)
        warehouse = Warehouse(settings=settings, address=address, passwords=known)
        _bring_up_to_date(warehouse, target.connect, admin_database=target.database, say=say)
        yield warehouse
        return
    with embedded.running_server(settings, progress=progress) as server:
        address = Address(
            host="127.0.0.1",
            port=server.port,
            database=DATABASE,
            dagster_database=DAGSTER_DATABASE,
            socket_dir=str(server.place.socket_dir),
        )
        warehouse = Warehouse(settings=settings, address=address, passwords=passwords.generated(settings))
        _bring_up_to_date(warehouse, server.connect_as_superuser, admin_database="postgres", say=say)
        yield warehouse


def _bring_up_to_date(
    warehouse: Warehouse, as_admin: setup.Connect, *, admin_database: str, say: Callable[[str], None]
) -> None:
    def as_owner() -> psycopg.Connection:
        return warehouse.connect("owner", autocommit=True, application_name="shopx set-up")

    try:
        with as_owner() as owner:
            if setup.is_ready(owner, migrate.find()):
                return
    except ShopxError:
        pass  # no such role or database yet; the admin connection below says why if it cannot be made
    setup.set_up(
        as_admin=as_admin,
        as_owner=as_owner,
        admin_database=admin_database,
        database=warehouse.address.database,
        dagster_database=warehouse.address.dagster_database,
        passwords=warehouse.passwords,
        embedded=warehouse.settings.warehouse_url is None,
        say=say,
    )
