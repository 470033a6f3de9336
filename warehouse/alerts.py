"""Alerts: what needs a person, one open row per cause in ops.alerts.

Put here: raising and resolving them in the caller's transaction. Never here: what is worth an alert.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import psycopg

#: held, failed: a delivery · refused: a file of the inbox · fetch: a feed that could not be asked
#: audit, batch: a build that was not published · paused: a publication was taken back
Kind = Literal["held", "failed", "refused", "fetch", "audit", "batch", "paused"]


def raise_alert(conn: psycopg.Connection[Any], *, kind: Kind, subject: str, message: str) -> None:
    """Raise an alert, or renew the message of the open one of this kind and subject.

    `message` says what happened and which command comes next.
    """
    conn.execute(
        """
        insert into ops.alerts (kind, subject, message) values (%s, %s, %s)
        on conflict (kind, subject) where resolved_at is null do update set message = excluded.message
        """,
        [kind, subject, message],
    )


def resolve_alerts(conn: psycopg.Connection[Any], *, kind: Kind, subject: str | None = None) -> None:
    """Close the open alert of this kind and subject, or all of the kind."""
    conn.execute(
        """
        update ops.alerts set resolved_at = now()
        where resolved_at is null and kind = %s and (%s::text is null or subject = %s)
        """,
        [kind, subject, subject],
    )


def resolve_each(conn: psycopg.Connection[Any], *, kind: Kind, subjects: Sequence[str]) -> None:
    """Close the open alerts of this kind about any of these subjects."""
    conn.execute(
        """
        update ops.alerts set resolved_at = now()
        where resolved_at is null and kind = %s and subject = any(%s)
        """,
        [kind, list(subjects)],
    )
