"""The passwords of this installation's database roles: made once, kept in SHOPX_HOME/secrets.json (0600).

Put here: how they are made, stored and read.
Never here: who may do what with them (roles.py). They never go into logs, arguments or error messages.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from warehouse.errors import ShopxError
from warehouse.settings import ROLES, Settings

FILE_NAME = "secrets.json"
SUPERUSER = "superuser"


def stored(settings: Settings) -> dict[str, str]:
    """What secrets.json holds, by role name; empty when there is none yet."""
    path = settings.home / FILE_NAME
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        raise ShopxError(f"{path} cannot be read as JSON; restore it from a backup.") from None
    if not isinstance(content, dict):
        raise ShopxError(f"{path} does not hold an object of role names and passwords.")
    return {str(name): str(password) for name, password in content.items()}


def store(settings: Settings, passwords: Mapping[str, str]) -> None:
    """Write secrets.json so that a crash leaves either the old or the new one, never readable by others."""
    path = settings.home / FILE_NAME
    write_private(path, json.dumps(dict(passwords), indent=1, sort_keys=True))


def generated(settings: Settings) -> dict[str, str]:
    """The stored passwords, with new ones made and stored for every role that has none."""
    passwords = stored(settings)
    missing = [name for name in (SUPERUSER, *ROLES) if name not in passwords]
    if missing:
        # letters and digits only: no reader of URLs, YAML or `$` templates can trip over them
        passwords.update({name: secrets.token_hex(24) for name in missing})
        store(settings, passwords)
    return passwords


def write_private(path: Path, text: str, *, owner: tuple[int, int] | None = None) -> None:
    """Replace a file in one step, mode 0600, optionally for another (uid, gid); never follows a link."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "w") as out:
            if owner is not None:
                os.fchown(out.fileno(), *owner)
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
