"""A file that nobody has described: what it shows, what is asked, its contract, as `shopx feed init` does.

Put here: keeping the file while a person answers, and the pages of that talk.
Never here: what a file proves (ingestion/proposing/), how a file reaches the inbox (ingestion/receiving.py).

The answers stand in the address; nothing is written before the contract is saved. A file that nobody comes
back to is removed with the next one after a day.
"""

from __future__ import annotations

import re
import secrets
import shutil
import time
from collections.abc import Mapping
from datetime import date
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread
from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from dashboards import readers
from dashboards.api.uploading import stage, whole_form
from dashboards.aside import Died, aside
from dashboards.spec.loading import load_boards
from dashboards.viewer import markup, pages
from ingestion.contract import own_feeds
from ingestion.proposing import Proposal, agrees, propose, save
from ingestion.receiving import facts_for_looking, look_at, take, usable_name
from ingestion.refusals import FileRefused
from warehouse.database import Warehouse
from warehouse.errors import ShopxError

router = APIRouter(prefix="/upload/describe", include_in_schema=False)
KEPT_S = 24 * 3600
LOOK_LIMIT_S = 60.0
TOKEN = re.compile(r"[0-9a-f]{32}")
ANSWER = "answer."  # what the names of answers begin with, in the address and in forms
MOST_EXAMPLES = 3


@router.post("")
async def begin(request: Request) -> Response:
    """Keep the file, and go to what it shows."""
    form = await whole_form(request)
    try:
        sent = next((one for one in form.getlist("file") if isinstance(one, UploadFile)), None)
        if sent is None:
            raise HTTPException(422, "The form holds no file.")
        try:
            name = usable_name(sent.filename or "")
        except FileRefused as refusal:
            raise HTTPException(422, refusal.message) from None
        home = request.app.state.settings.home
        token = await anyio.to_thread.run_sync(_keep, home, sent, name)
    finally:
        await form.close()
    return RedirectResponse(f"/upload/describe/{token}", 303)


@router.get("/{token}")
async def talk(request: Request, token: str) -> Response:
    """What the file shows with the answers given so far: matches, questions, or what would come in."""
    file = _kept(request, token)
    answers = _answers(dict(request.query_params))
    expect = request.query_params.get("expect", "").strip()
    return await _page(request, token, file, answers, expect)


@router.post("/{token}")
async def finish(request: Request, token: str) -> Response:
    """Save the contract and put the file into the inbox, or throw the file away."""
    file = _kept(request, token)
    form = await whole_form(request)
    given = {key: value for key, value in form.multi_items() if isinstance(value, str)}
    await form.close()
    if given.get("do") == "forget":
        shutil.rmtree(file.parent, ignore_errors=True)
        return RedirectResponse("/upload", 303)
    answers, expect = _answers(given), given.get("expect", "").strip()
    try:
        proposal = await _propose(file, answers, expect)
        if proposal.check is None or proposal.check.verdict == "REFUSED":
            return await _page(request, token, file, answers, expect)
        if expect and not agrees(expect, proposal.check):
            return await _page(request, token, file, answers, expect)
        warehouse = readers.readers_of(request).warehouse
        done = await anyio.to_thread.run_sync(_save_and_take, warehouse, file, proposal)
    except ShopxError as problem:
        return await _page(request, token, file, answers, expect, said=problem.message)
    shutil.rmtree(file.parent, ignore_errors=True)
    return markup.page(
        request,
        "described.html",
        headers={"cache-control": "no-store"},
        menu=pages.menu(load_boards()),
        uploading=True,
        name=file.name,
        done=done,
        feed=proposal.feed,
        alike=proposal.alike,
    )


async def _page(
    request: Request,
    token: str,
    file: Path,
    answers: Mapping[str, str],
    expect: str,
    *,
    said: str | None = None,
) -> Response:
    proposal, differs = None, False
    try:
        proposal = await _propose(file, answers, expect)
        differs = bool(expect) and proposal.check is not None and not agrees(expect, proposal.check)
    except ShopxError as problem:
        said = said or problem.message
    return markup.page(
        request,
        "describe.html",
        headers={"cache-control": "no-store"},
        menu=pages.menu(load_boards()),
        uploading=True,
        address=f"/upload/describe/{token}",
        name=file.name,
        proposal=proposal,
        answers={f"{ANSWER}{key}": value for key, value in answers.items()},
        expect=expect,
        differs=differs,
        said=said,
        prefix=ANSWER,
        asked=[f"{ANSWER}{one.key}" for one in (*proposal.open_questions, *proposal.others)]
        if proposal
        else [],
        most_examples=MOST_EXAMPLES,
    )


async def _propose(file: Path, answers: Mapping[str, str], expect: str) -> Proposal:
    """In another process, so that a large or damaged file takes no time from readers."""
    asking = partial(propose, file, today=date.today(), answers=dict(answers), expect=expect or None)
    try:
        return await aside(asking, limit_s=LOOK_LIMIT_S)
    except (TimeoutError, Died):
        raise ShopxError(f"{file.name} is too much to look at here: ./shopx feed init FILE") from None
    except FileRefused as refusal:
        raise ShopxError(refusal.message) from None


def _save_and_take(warehouse: Warehouse, file: Path, proposal: Proposal) -> str:
    """Save the contract, then let the file in by it. Returns what became of the file."""
    if not proposal.alike:
        save(proposal, own_feeds() / f"{proposal.feed}.yaml", replace_existing=False)
    currency, this = facts_for_looking(warehouse)
    check = look_at(
        file,
        inbox=warehouse.settings.inbox,
        today=date.today(),
        currency=currency,
        warehouse=this,
        work=file.parent,
    )
    received = take(warehouse, file, check)
    return f"{received.verdict}{': ' + received.why if received.why else ''}"


def _answers(given: Mapping[str, str]) -> dict[str, str]:
    return {
        key.removeprefix(ANSWER): value.strip()
        for key, value in given.items()
        if key.startswith(ANSWER) and value.strip()
    }


def _folder(home: Path) -> Path:
    return home / "describing"


def _keep(home: Path, sent: UploadFile, name: str) -> str:
    folder = _folder(home)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for old in folder.iterdir():
        if time.time() - old.stat().st_mtime > KEPT_S:
            shutil.rmtree(old, ignore_errors=True)
    token = secrets.token_hex(16)
    staged = stage(sent, folder, name)
    staged.parent.rename(folder / token)
    return token


def _kept(request: Request, token: str) -> Path:
    folder = _folder(request.app.state.settings.home) / token
    files = list(folder.iterdir()) if TOKEN.fullmatch(token) and folder.is_dir() else []
    if len(files) != 1:
        raise HTTPException(404, "This file is no longer kept; upload it again.")
    return files[0]
