"""`POST /api/v1/upload/csv`: files into the inbox, each with its verdict.

Put here: taking the bytes off the wire, and saying what became of them. Never here: what a file may be called
or what it would give (ingestion/receiving.py).

Each file is looked at in another process, so that a large or damaged one takes no time from readers and can
be given up.
"""

from __future__ import annotations

import errno
from collections.abc import AsyncGenerator, Callable
from datetime import date
from functools import partial
from pathlib import Path
from shutil import copyfileobj
from tempfile import mkdtemp
from typing import Any

import anyio
import anyio.to_thread
from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from dashboards.aside import Died, aside
from dashboards.problems import MEDIA_TYPE, Problem
from dashboards.readers import readers_of
from ingestion.archive import Archive, Room
from ingestion.proposing import Check
from ingestion.receiving import Received, Verdict, facts_for_looking, look_at, take, usable_name
from ingestion.refusals import FileRefused
from warehouse.database import Warehouse

router = APIRouter(prefix="/api/v1/upload", tags=["upload"])
MOST_FILES = 20
MEGABYTE = 1_000_000
LOOK_LIMIT_S = 120.0


class RefusedRows(BaseModel):
    """Rows that the same action repairs, with the first messages."""

    action: str
    rows: int
    codes: list[str]
    examples: list[str]


class FileVerdict(BaseModel):
    """What became of one file.

    `IN`, `IN WITH REJECTS`, `HELD`: it lies in the inbox. The verdict is that of the file alone; loading also
    compares its rows with those there. `DUPLICATE`, `REFUSED`: nothing of it was kept.
    """

    name: str
    verdict: Verdict
    why: str
    in_inbox: str | None = Field(None, description="The name under which it lies in the inbox.")
    next: str = Field(description="What to do now.")
    feed: str | None = None
    holds: str | None = Field(None, description="sales, customers, products …")
    duplicate_of: int | None = Field(None, description="The load that brought the same bytes.")
    rows_delivered: int = 0
    rows_accepted: int = 0
    rows_rejected: int = 0
    rows_duplicate: int = 0
    first_date: date | None = None
    last_date: date | None = None
    orders: int | None = None
    net_cents: dict[str, int] = Field({}, description="Minor units by currency; '' where none is said.")
    refused: list[RefusedRows] = []


class Uploaded(BaseModel):
    """The verdicts, in the order of the files."""

    files: list[FileVerdict]


class NothingTaken(Problem):
    """A problem with the verdicts of the files, where there were any."""

    files: list[FileVerdict] = Field(default_factory=list)


@router.post(
    "/csv",
    response_model=Uploaded,
    status_code=202,
    responses={
        200: {"model": Uploaded, "description": "Every file was known already; nothing was done."},
        202: {"model": Uploaded, "description": "At least one file lies in the inbox."},
        413: {"model": Problem, "description": "Larger than this server takes (SHOPX_UPLOAD_MAX_MB)."},
        422: {"model": NothingTaken, "description": "No file was taken; each says why."},
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": ["file"],
                        "properties": {
                            "file": {
                                "type": "array",
                                "items": {"type": "string", "format": "binary"},
                                "minItems": 1,
                                "maxItems": MOST_FILES,
                            }
                        },
                    }
                }
            },
        }
    },
)
async def upload(request: Request) -> Response:
    """Send files of any form that `./shopx run` takes, as field `file` of a form.

    Each is looked at as `./shopx feed check` does, then moved into the inbox whole, or nothing of it is kept.
    """
    files = await take_upload(request)
    if any(one.in_inbox for one in files):
        return _answer(202, Uploaded(files=files))
    if all(one.verdict == "DUPLICATE" for one in files):
        return _answer(200, Uploaded(files=files))
    said = "; ".join(one.why for one in files if one.verdict == "REFUSED")
    path = request.url.path
    refused = NothingTaken(title="Unprocessable Content", status=422, detail=said, instance=path, files=files)
    return _answer(422, refused, media_type=MEDIA_TYPE)


def _answer(status: int, body: BaseModel, *, media_type: str = "application/json") -> Response:
    return JSONResponse(body.model_dump(mode="json", exclude_none=True), status, media_type=media_type)


async def take_upload(request: Request) -> list[FileVerdict]:
    """Read the form of a request and take its files, one after the other.

    Raises HTTPException where there is no whole form with at least one file.
    """
    warehouse = readers_of(request).warehouse
    form = await whole_form(request)
    try:
        sent = [one for one in form.getlist("file") if isinstance(one, UploadFile)]
        if not sent:
            raise HTTPException(422, "The form holds no file; send at least one as field `file`.")
        currency, this = await anyio.to_thread.run_sync(facts_for_looking, warehouse)
        return [await _take(warehouse, one, currency=currency, this=this) for one in sent]
    finally:
        await form.close()


class _WholeForm(MultiPartParser):
    """Knows whether the form came to its end: a body that was cut is no form."""

    is_whole = False

    def on_end(self) -> None:
        """The last boundary came."""
        self.is_whole = True


async def whole_form(request: Request) -> Any:
    """The form of a request; the caller closes it. Raises HTTPException where it is none or too large."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise HTTPException(415, "Send a form (multipart/form-data) with the files as field `file`.")
    largest = request.app.state.settings.upload_max_mb * MEGABYTE
    parser = _WholeForm(
        request.headers, _within(request, largest), max_files=MOST_FILES, max_fields=MOST_FILES
    )
    try:
        form = await parser.parse()
    except MultiPartException as problem:
        raise HTTPException(400, f"The form cannot be read: {problem.message}") from None
    except ClientDisconnect:
        raise HTTPException(400, "The upload was cut off; nothing was kept. Send it again.") from None
    except OSError as problem:
        raise _no_room(problem) from None
    if not parser.is_whole:
        await form.close()
        raise HTTPException(400, "The form ends before its last file does; nothing was kept. Send it again.")
    return form


async def _within(request: Request, largest: int) -> AsyncGenerator[bytes, None]:
    """The body, as long as it is not larger than `largest` bytes, whatever length it was announced with."""
    announced = request.headers.get("content-length", "")
    size = int(announced) if announced.isdecimal() else 0
    if size <= largest:
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > largest:
                break
            yield chunk
    if size > largest:
        raise HTTPException(
            413,
            f"The upload is larger than {largest // MEGABYTE:,} MB (SHOPX_UPLOAD_MAX_MB); load it with "
            "`./shopx run FILE`.",
        )


def _no_room(problem: OSError) -> HTTPException:
    if problem.errno in (errno.ENOSPC, errno.EDQUOT):
        return HTTPException(
            507, "The disk of the server is full; nothing was kept. `./shopx doctor` says more."
        )
    raise problem


async def _take(warehouse: Warehouse, sent: UploadFile, *, currency: str | None, this: str) -> FileVerdict:
    try:
        name = usable_name(sent.filename or "")
    except FileRefused as refusal:
        shown = "".join(sign if sign.isprintable() else "?" for sign in sent.filename or "")
        return _said(Received(shown[:200], "REFUSED", refusal.message))
    with _room(warehouse) as room:
        try:
            staged = await anyio.to_thread.run_sync(stage, sent, room.folder, name)
            check = await _look(warehouse, staged, room, currency=currency, this=this)
            return _said(await anyio.to_thread.run_sync(take, warehouse, staged, check))
        except OSError as problem:
            raise _no_room(problem) from None


def _room(warehouse: Warehouse) -> Any:
    return Archive(warehouse.settings.archive).room()


def stage(sent: UploadFile, folder: Path, name: str) -> Path:
    """Put the bytes under its name into a folder of their own."""
    staged = Path(mkdtemp(dir=folder)) / name
    with staged.open("xb") as file:
        staged.chmod(0o600)
        copyfileobj(sent.file, file, 1 << 20)
    return staged


async def _look(warehouse: Warehouse, staged: Path, room: Room, *, currency: str | None, this: str) -> Check:
    looking: Callable[[], Check] = partial(
        look_at,
        staged,
        inbox=warehouse.settings.inbox,
        today=date.today(),
        currency=currency,
        warehouse=this,
        work=room.folder,
    )
    try:
        return await aside(looking, limit_s=LOOK_LIMIT_S)
    except TimeoutError:
        why = "takes longer to look at than this server waits"
    except Died:
        why = "is more than this server can look at"
    return Check("REFUSED", f"{staged.name} {why}; load it with `./shopx run FILE` [FILE_TOO_LARGE]")


_NEXT = {
    "IN": "It is loaded by itself while `./shopx up` runs; else: ./shopx run",
    "IN WITH REJECTS": "Loaded by itself while `./shopx up` runs; else: ./shopx run. Then: ./shopx rejects",
    "HELD": "It will wait for a person once it is loaded: ./shopx loads shows the choices",
    "DUPLICATE": "Nothing: it is there already",
    "REFUSED": "Mend it as said and send it again",
}


def _said(received: Received) -> FileVerdict:
    check = received.check or Check("REFUSED")
    return FileVerdict(
        name=received.name,
        verdict=received.verdict,
        why=received.why,
        in_inbox=received.placed.name if received.placed else None,
        next=_NEXT[received.verdict],
        feed=check.feed or None,
        holds=check.holds if check.feed else None,
        duplicate_of=received.duplicate_of,
        rows_delivered=check.rows_delivered,
        rows_accepted=check.rows_accepted,
        rows_rejected=check.rows_rejected,
        rows_duplicate=check.rows_duplicate,
        first_date=check.first_date,
        last_date=check.last_date,
        orders=check.orders,
        net_cents=check.net_cents,
        refused=[
            RefusedRows(
                action=group.action, rows=group.rows, codes=list(group.codes), examples=list(group.examples)
            )
            for group in check.refused
        ],
    )
