"""People from a CSV file: username,email,role,initial_password.

Put here: reading that file. Never here: accounts (access.py).
"""

from __future__ import annotations

import csv
from pathlib import Path

from pydantic import ValidationError

from dashboards.metabase.site import Person, Site
from warehouse.errors import ShopxError

FILE_NAME = "users.csv"
COLUMNS = ("username", "email", "role")
PASSWORD = "initial_password"  # noqa: S105 - the name of a column that must stay empty


def read_people(file: Path, site: Site) -> tuple[Person, ...]:
    """Return the people of a CSV file, in its order; roles are those of metabase.yaml's groups.

    Raises ShopxError naming file, line and column: for a missing column, an address or role that cannot be,
    the same address twice, and for any password, because a file is no place for one.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as source:
            rows = csv.DictReader(source)
            missing = [column for column in COLUMNS if column not in (rows.fieldnames or [])]
            if missing:
                raise _refused(
                    file, 1, f"column {', '.join(missing)} is missing; expected {','.join(COLUMNS)}"
                )
            people: dict[str, Person] = {}
            for row in rows:
                person = _person(file, rows.line_num, row, site)
                if person.email in people:
                    raise _refused(file, rows.line_num, f"{person.email} stands twice")
                people[person.email] = person
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise ShopxError(f"{file} cannot be read: {problem}.", exit_code=2) from None
    return tuple(people.values())


def _person(file: Path, line: int, row: dict[str, str | None], site: Site) -> Person:
    if (row.get(PASSWORD) or "").strip():
        raise _refused(
            file,
            line,
            f"{PASSWORD} is filled. Passwords do not stand in files: empty the column, and change that"
            " password where it is in use. People are invited and choose their own",
        )
    email, role = (row.get("email") or "").strip(), (row.get("role") or "").strip().lower()
    known = [group.role for group in site.groups]
    if role not in known:
        raise _refused(file, line, f"role is {role!r}; expected {' or '.join(known)}")
    try:
        return Person(email=email, role=role, name=(row.get("username") or "").strip())
    except ValidationError:
        raise _refused(file, line, f"email is {email!r}; expected an address like ada@shop.example") from None


def _refused(file: Path, line: int, sentence: str) -> ShopxError:
    return ShopxError(f"{file.name}, line {line}: {sentence}.", exit_code=2)
