"""The answers of a Metabase that holds nothing, so that a plan can be made before its first-run set-up.

Put here: empty answers. Never here: behaviour of a real server (tests/dashboards/metabase_server.py has it).
"""

from __future__ import annotations

from typing import Any


class Blank:
    """A server nobody has set up: every list is empty, only Metabase's own groups exist."""

    def get(self, path: str, **_query: str | int) -> Any:
        """Return the empty answer of a path."""
        if path.endswith("/graph"):
            return {"revision": 0, "groups": {}}
        if path == "/api/permissions/membership":
            return {}
        return []
