"""The hand that changes Metabase, or only says what it would change.

Put here: what a change is, and doing it or not. Never here: finding out what must change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from dashboards.metabase.client import Answers, MetabaseClient, MetabaseError
from warehouse.errors import ShopxError

Action = Literal["set up", "create", "update", "restore", "archive", "close", "invite", "sync"]


@dataclass(frozen=True)
class Change:
    """One thing that differs from the files; `what` names the parts, never a secret."""

    action: Action
    kind: str
    name: str
    what: str = ""

    def __str__(self) -> str:
        return f"{self.action} {self.kind} {self.name}{f': {self.what}' if self.what else ''}"


def putting(path: str, body: Mapping[str, Any]) -> Callable[[MetabaseClient], Any]:
    """Return the making of a change that is one PUT."""
    return lambda client: client.put(path, body)


def deleting(path: str) -> Callable[[MetabaseClient], Any]:
    """Return the making of a change that is one DELETE."""
    return lambda client: client.delete(path)


def posting(
    path: str, body: Mapping[str, Any], *, found: Callable[[], Any | None]
) -> Callable[[MetabaseClient], Any]:
    """Return the making of a change that is one POST; `found` as in MetabaseClient.post."""
    return lambda client: client.post(path, body, found=found)


@dataclass
class Hand:
    """Notes changes and, with a client to write by, makes them.

    With `client` None nothing is written: what a write would have answered is None, and what depends on it is
    noted as far as it can be known.
    """

    server: Answers
    client: MetabaseClient | None = None
    say: Callable[[str], None] = lambda _: None
    changes: list[Change] = field(default_factory=list)

    @property
    def only_plans(self) -> bool:
        """Whether nothing may be written."""
        return self.client is None

    def note(self, change: Change, make: Callable[[MetabaseClient], Any]) -> Any:
        """Note a change and make it; returns what `make` returns, None where nothing is written."""
        self.changes.append(change)
        if self.client is None:
            return None
        self.say(str(change))
        return make(self.client)

    def rewrite(
        self, change: Change, *, read: Callable[[], Any], write: Callable[[MetabaseClient, Any], Any]
    ) -> None:
        """Note a change of what has a revision: read, write, and again where somebody was faster."""

        def make(client: MetabaseClient) -> None:
            for _ in range(5):
                try:
                    write(client, read())
                except MetabaseError as problem:
                    if problem.status != 409:
                        raise
                else:
                    return
            raise ShopxError(
                f"Somebody else keeps changing {change.kind} {change.name} in Metabase; try again."
            )

        self.note(change, make)
