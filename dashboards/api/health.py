"""`GET /health`: is the server up, what is published, what waits in the inbox. For load balancers and people.

Put here: the shape of the answer, and who reads which part: whoever brings no token reads one word.
Never here: a check (publication/health.py holds those of `shopx doctor` too), or anything secret.
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from dashboards.problems import NotReady
from dashboards.readers import readers_of
from ingestion.given import REFUSED, files_below
from publication.health import Line, look
from warehouse.database import Warehouse
from warehouse.errors import ShopxError

router = APIRouter(tags=["health"])


class Published(BaseModel):
    """The current publication."""

    publication_id: int
    published_at: datetime
    as_of: date = Field(description="The last complete business day of the figures.")


class Inbox(BaseModel):
    """Files that were dropped in and not yet taken, and those set aside because they cannot be read."""

    waiting: int
    refused: int


class Checked(BaseModel):
    """One check of `shopx doctor`: what was seen, and what to do where it is not good."""

    check: str
    good: bool
    seen: str
    do: str | None = None


class Health(BaseModel):
    """`ok`: figures can be read. `empty`: nothing is published yet. `down`: no database."""

    status: Literal["ok", "empty", "down"]
    detail: str | None = None
    server: str | None = Field(None, description="The database's version.")
    publication: Published | None = None
    paused: str | None = Field(None, description="Why nothing newer is published, where that is so.")
    held_loads: int | None = Field(None, description="Deliveries that wait for a person.")
    inbox: Inbox | None = None
    checks: list[Checked] | None = None


@router.get("/health", responses={503: {"model": Health, "description": "The database cannot be reached."}})
def health(request: Request) -> Response:
    """How the server is: 200 where figures can be read or nothing is published yet, else 503."""
    found = _look(request)
    if not request.state.trusted:
        found = Health(status=found.status)
    elif found.status != "down":
        found = found.model_copy(update={"checks": _checks(readers_of(request).warehouse)})
    return Response(
        found.model_dump_json(exclude_none=True),
        status_code=503 if found.status == "down" else 200,
        media_type="application/json",
        headers={"cache-control": "no-store"},
    )


_PUBLICATION = "select publication_id, published_at, as_of from marts.publication"
_PAUSE = "select why from ops.publication_pause"
_HELD = "select count(distinct load_id) from ops.held_loads"


def _look(request: Request) -> Health:
    import psycopg  # noqa: PLC0415

    inbox = _inbox(request.app.state.settings.inbox)
    try:
        with readers_of(request).connection() as connection:
            row = connection.execute(_PUBLICATION).fetchone()
            pause = connection.execute(_PAUSE).fetchone()
            held = connection.execute(_HELD).fetchone()
            number = connection.info.server_version
    except NotReady as problem:
        return Health(status="down", detail=problem.message, inbox=inbox)
    except psycopg.OperationalError:
        said = "The database cannot be reached; `./shopx doctor` says why."
        return Health(status="down", detail=said, inbox=inbox)
    return Health(
        status="ok" if row else "empty",
        server=f"PostgreSQL {number // 10000}.{number % 10000}",
        publication=Published(publication_id=row[0], published_at=row[1], as_of=row[2]) if row else None,
        paused=pause[0] if pause else None,
        held_loads=held[0] if held else 0,
        inbox=inbox,
    )


def _checks(warehouse: Warehouse) -> list[Checked]:
    try:
        lines = look(warehouse)
    except ShopxError as problem:
        lines = [Line("server", good=False, seen=problem.message, do="./shopx doctor")]
    return [
        Checked(check=one.check, good=one.good, seen=one.seen, do=None if one.good else one.do or None)
        for one in lines
    ]


def _inbox(folder: Path) -> Inbox:
    try:
        waiting = len(files_below(folder)) if folder.is_dir() else 0
        aside = folder / REFUSED
        refused = sum(1 for path in aside.iterdir() if path.suffix != ".txt") if aside.is_dir() else 0
    except OSError:
        return Inbox(waiting=0, refused=0)
    return Inbox(waiting=waiting, refused=refused)
