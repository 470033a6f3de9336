"""The page for files: give some, and read what became of each.

Put here: the form and its answer. Never here: what a file may be or would give (dashboards/api/uploading.py,
ingestion/).
"""

from __future__ import annotations

from functools import partial

import anyio.to_thread
from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from dashboards.problems import NotReady
from dashboards.spec.loading import load_boards
from dashboards.viewer import markup, pages

router = APIRouter(include_in_schema=False)


@router.get("/upload")
def form(request: Request) -> Response:
    """The form."""
    return _page(request)


@router.post("/upload")
async def take(request: Request) -> Response:
    """Take the files of the form, and say of each what became of it."""
    from dashboards.api.uploading import take_upload  # noqa: PLC0415  readers of files come with it

    try:
        verdicts = await take_upload(request)
    except HTTPException as refused:
        answer = partial(_page, request, said=str(refused.detail), status=refused.status_code)
    else:
        answer = partial(_page, request, verdicts=verdicts)
    return await anyio.to_thread.run_sync(answer)


def _page(request: Request, *, verdicts: object = (), said: str | None = None, status: int = 200) -> Response:
    trust = None
    try:
        with pages.reading_page(request) as asked:
            trust = pages.strip(asked.page.trust()) if asked.page.publication else None
    except NotReady:
        trust = None  # files are taken also while there is no figure
    return markup.page(
        request,
        "upload.html",
        status=status,
        headers={"cache-control": "no-store"},
        menu=pages.menu(load_boards()),
        uploading=True,
        trust=trust,
        verdicts=verdicts,
        said=said,
    )
