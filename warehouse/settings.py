"""Everything that can be set from outside, read from the environment (and a `.env` file in the project root).

Put here: each environment variable of the product, with its default and meaning; the paths that follow.
Never here: anything that opens, creates or connects to what the settings point at. No other module reads the
environment.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dotenv import dotenv_values
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from warehouse.errors import ShopxError

PREFIX = "SHOPX_"
PROJECT_ROOT = Path(__file__).resolve().parents[1]

Role = Literal["owner", "loader", "transformer", "reader", "analyst", "dagster"]
ROLES: tuple[Role, ...] = get_args(Role)


def _empty_is_unset(value: object) -> object:
    """An empty variable counts as not set, so that `WAREHOUSE_URL= shopx …` overrides a `.env` file."""
    return None if isinstance(value, str) and not value.strip() else value


def _absolute(path: Path) -> Path:
    return path.expanduser().resolve()


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{name!r} is no time zone; write one like Europe/London") from None
    return name


OptionalSecret = Annotated[SecretStr | None, BeforeValidator(_empty_is_unset)]


class Settings(BaseSettings):
    """One frozen reading of the environment: SHOPX_ and the field's name, and WAREHOUSE_URL."""

    # The prefix, not an alias for each field: with aliases a field is also read by its bare name, and $HOME
    # would be our home.
    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_prefix=PREFIX, populate_by_name=True, env_file=PROJECT_ROOT / ".env"
    )

    home: Annotated[Path, AfterValidator(_absolute)] = Field(
        default=PROJECT_ROOT / ".shopx",
        description="Where everything local lives: database, Dagster home, inbox, archive.",
    )
    warehouse_url: OptionalSecret = Field(
        default=None,
        validation_alias="WAREHOUSE_URL",
        description="A PostgreSQL 16+ to use instead of the embedded server; its user may create roles.",
    )
    pg_user: str = Field(
        default="nobody",
        description="As root only: the existing OS user the embedded server runs as.",
    )
    currency: Annotated[str | None, BeforeValidator(_empty_is_unset)] = Field(
        default=None,
        pattern=r"^[A-Z]{3}$",
        description="Reporting currency, ISO 4217; set by the first approved load when not given.",
    )
    google_credentials_file: Annotated[
        Path | None, BeforeValidator(_empty_is_unset), AfterValidator(lambda path: path and _absolute(path))
    ] = Field(
        default=None,
        validation_alias="GOOGLE_CREDENTIALS_FILE",
        description="JSON key file of the Google service account that sheets are shared with.",
    )
    metabase_url: Annotated[str | None, BeforeValidator(_empty_is_unset)] = Field(
        default=None,
        validation_alias="METABASE_URL",
        pattern=r"^https?://[^\s/?#@]+[^\s?#@]*$",
        description="Address of a Metabase that gets the dashboards, e.g. http://localhost:3001.",
    )
    metabase_api_key: OptionalSecret = Field(
        default=None,
        validation_alias="METABASE_API_KEY",
        description="An API key of Metabase's group Administrators; without it user and password make one.",
    )
    metabase_user: Annotated[str | None, BeforeValidator(_empty_is_unset)] = Field(
        default=None,
        validation_alias="METABASE_USER",
        description="E-mail address of Metabase's administrator; a new Metabase is set up with it.",
    )
    metabase_password: OptionalSecret = Field(
        default=None,
        validation_alias="METABASE_PASSWORD",
        description="The administrator's password.",
    )
    dagster_port: int = Field(
        default=3000,
        ge=1,
        le=65535,
        description="Port of the Dagster UI.",
    )
    dashboards_port: int = Field(
        default=8080,
        ge=1,
        le=65535,
        description="Port of the dashboards and the KPI API.",
    )
    dashboards_hosts: str = Field(
        default="",
        description="Names under which others reach the dashboards, commas between; addresses always work.",
    )
    api_token: OptionalSecret = Field(
        default=None,
        description="Opens dashboards and KPI API to whoever brings it; needed to listen beyond 127.0.0.1.",
    )
    upload_max_mb: int = Field(
        default=512,
        ge=1,
        le=20_000,
        description="The largest upload the dashboards' server takes, in MB.",
    )
    time_zone: Annotated[str, AfterValidator(_known_zone)] = Field(
        default="UTC",
        description="The shop's time zone, e.g. Europe/London: when its night is. Feeds have their own.",
    )
    pg_password_owner: OptionalSecret = None
    pg_password_loader: OptionalSecret = None
    pg_password_transformer: OptionalSecret = None
    pg_password_reader: OptionalSecret = None
    pg_password_analyst: OptionalSecret = None
    pg_password_dagster: OptionalSecret = None

    @property
    def project_root(self) -> Path:
        """Folder of pyproject.toml, dbt_project/ and workspace.yaml."""
        return PROJECT_ROOT

    @property
    def inbox(self) -> Path:
        """Folder the inbox sensor watches."""
        return self.home / "inbox"

    @property
    def archive(self) -> Path:
        """Folder that keeps the bytes of every delivery."""
        return self.home / "archive"

    @property
    def dagster_home(self) -> Path:
        """DAGSTER_HOME of this installation."""
        return self.home / "dagster"

    @property
    def dbt_project(self) -> Path:
        """Folder of dbt_project.yml and profiles.yml."""
        return PROJECT_ROOT / "dbt_project"

    def given_password(self, role: Role) -> str | None:
        """The password of a role on an external server, when the environment gives one."""
        secret: SecretStr | None = getattr(self, f"pg_password_{role}")
        return None if secret is None else secret.get_secret_value()


def named_secret(variable: str) -> str | None:
    """The value of a variable that a feed's contract names, e.g. SALES_API_KEY; None where it is unset or
    empty."""
    given = os.environ.get(variable)
    if given is None and (PROJECT_ROOT / ".env").is_file():
        given = dotenv_values(PROJECT_ROOT / ".env").get(variable)
    return given.strip() or None if given else None


def load_settings() -> Settings:
    """Read the environment afresh.

    Raises ShopxError naming the variable when a value cannot be used.
    """
    try:
        return Settings()
    except ValidationError as problem:
        first = problem.errors(include_input=False)[0]
        field = str(first["loc"][0])
        variable = field if field.isupper() else f"{PREFIX}{field.upper()}"
        raise ShopxError(f"{variable} cannot be used: {first['msg']}.", exit_code=2) from None


def current_home() -> Path:
    """SHOPX_HOME, for what asks for it once per file: the environment is read afresh only when the variable
    changed."""
    return _home_of(os.environ.get(f"{PREFIX}HOME"))


@lru_cache(maxsize=8)
def _home_of(_variable: str | None) -> Path:
    return load_settings().home
