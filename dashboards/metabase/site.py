"""metabase.yaml: the site, its database, the collection, who may see what.

Put here: its fields and what they mean. Never here: dashboards (dashboards/spec), people's file (people.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from warehouse.errors import ShopxError

FILE = Path(__file__).resolve().parents[1] / "metabase.yaml"

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Role = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]*$")]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", to_lower=True)]


class Strict(BaseModel):
    """Frozen; a key that is not known is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SiteName(Strict):
    """Metabase's own settings."""

    name: Text


class Database(Strict):
    """The warehouse as Metabase knows it; it logs in as shopx_reader."""

    name: Text
    schemas: tuple[Text, ...] = Field(min_length=1)
    host: Text | None = None
    port: int | None = Field(default=None, ge=1, le=65535)


class Collection(Strict):
    """The folder that is ours."""

    name: Text
    description: Text


class Group(Strict):
    """A group of people: they see our collection, and may ask their own questions or not."""

    name: Text
    role: Role
    queries: Literal["no", "query-builder", "query-builder-and-native"] = "no"


class Person(Strict):
    """Somebody with an account."""

    email: Email
    role: Role
    name: str = ""


class Site(Strict):
    """All of metabase.yaml."""

    site: SiteName
    database: Database
    collection: Collection
    groups: tuple[Group, ...] = Field(min_length=1)
    users: tuple[Person, ...] = ()

    @model_validator(mode="after")
    def _names_are_told_apart(self) -> Site:
        for what, names in (
            ("groups: name", [group.name for group in self.groups]),
            ("groups: role", [group.role for group in self.groups]),
            ("users: email", [person.email for person in self.users]),
        ):
            if twice := sorted({name for name in names if names.count(name) > 1}):
                raise ValueError(f"{what} {', '.join(twice)} stands twice")
        if taken := {"All Users", "Administrators"} & {group.name for group in self.groups}:
            raise ValueError(f"groups: {', '.join(sorted(taken))} is Metabase's own group")
        known = {group.role for group in self.groups}
        if strange := sorted({person.role for person in self.users} - known):
            raise ValueError(
                f"users: no group has role {', '.join(strange)}; there are {', '.join(sorted(known))}"
            )
        return self


def load_site(file: Path = FILE) -> Site:
    """Read metabase.yaml. Raises ShopxError naming file and key."""
    try:
        return Site.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise ShopxError(f"There is no {file}.", exit_code=2) from None
    except yaml.YAMLError as problem:
        raise ShopxError(f"{file} is no YAML: {problem}", exit_code=2) from None
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        key = ".".join(map(str, first["loc"]))
        raise ShopxError(f"{file.name}: {f'{key}: ' if key else ''}{first['msg']}", exit_code=2) from None
