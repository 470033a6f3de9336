"""Errors as RFC 9457 problem documents: a title, a status, and a sentence that says what to do.

Put here: turning exceptions into answers. Never here: deciding that something is wrong, and never an
exception's own text where it may hold names of the inside.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from warehouse.errors import ShopxError

log = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
USAGE = 2  # exit code of a ShopxError that is about what was asked


class Wrong(BaseModel):
    """One input that cannot be used: where it stands, and what is wrong with it."""

    where: str
    said: str


class Problem(BaseModel):
    """What every answer that is no success holds (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = Field(description="One sentence: what is wrong, and what to do.")
    instance: str | None = Field(None, description="The path that was asked.")
    errors: list[Wrong] | None = Field(None, description="The inputs that cannot be used.")


class NotReady(ShopxError):
    """The database cannot be reached yet, or nothing is published: try again later."""


def problem(
    status: int,
    detail: str,
    *,
    path: str | None = None,
    errors: Sequence[Wrong] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The answer itself."""
    body = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance=path,
        errors=list(errors) or None,
    )
    return JSONResponse(
        body.model_dump(exclude_none=True), status, headers=dict(headers or {}), media_type=MEDIA_TYPE
    )


def install(app: FastAPI) -> None:
    """Let every exception of this application end as a problem, or as the page that `app.state.error_page`
    makes of it where a browser asked for one.
    """
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(NotReady, _not_ready)
    app.add_exception_handler(ShopxError, _said)
    app.add_exception_handler(psycopg.errors.QueryCanceled, _too_long)
    app.add_exception_handler(psycopg.DataError, _no_value)
    app.add_exception_handler(psycopg.OperationalError, _unreachable)
    app.add_exception_handler(Exception, _fault)


def _answer(
    request: Request,
    status: int,
    detail: str,
    *,
    errors: Sequence[Wrong] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    page = getattr(request.app.state, "error_page", None)
    path = request.url.path
    for_programs = path.startswith("/api/") or path == "/health"
    if page is not None and not for_programs and "text/html" in request.headers.get("accept", ""):
        shown: Response = page(request, status, HTTPStatus(status).phrase, detail)
        return shown
    return problem(status, detail, path=path, errors=errors, headers=headers)


_SAID = {
    404: "There is nothing at this address; /api lists what can be asked.",
    405: "This address does not answer to that method; /api says what it answers to.",
}


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - how it is installed
    said = str(error.detail)
    if said == HTTPStatus(error.status_code).phrase:
        said = _SAID.get(error.status_code, said)
    return _answer(request, error.status_code, said, headers=error.headers)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - how it is installed
    wrong = [_wrong(one) for one in error.errors()]
    said = "; ".join(f"{one.where}: {one.said}" for one in wrong[:3])
    return _answer(request, 422, f"{said}. /api says what is taken.", errors=wrong)


def _wrong(error: Mapping[str, Any]) -> Wrong:
    place, *rest = error["loc"]
    where = ".".join(map(str, rest)) or str(place)
    return Wrong(where=where, said=str(error["msg"])[:1].lower() + str(error["msg"])[1:])


async def _not_ready(request: Request, error: Exception) -> Response:
    assert isinstance(error, NotReady)  # noqa: S101 - how it is installed
    return _answer(request, 503, error.message, headers={"retry-after": "2"})


async def _said(request: Request, error: Exception) -> Response:
    assert isinstance(error, ShopxError)  # noqa: S101 - how it is installed
    return _answer(request, 422 if error.exit_code == USAGE else 503, error.message)


async def _no_value(request: Request, _: Exception) -> Response:
    return _answer(request, 422, "A value in the address cannot be compared with what is stored; check it.")


async def _too_long(request: Request, _: Exception) -> Response:
    said = (
        "This took too long and was stopped. Ask for a shorter period; if it stays so, see `./shopx doctor`."
    )
    return _answer(request, 503, said, headers={"retry-after": "5"})


async def _unreachable(request: Request, error: Exception) -> Response:
    log.warning("the database cannot be reached: %s", str(error).splitlines()[0] if str(error) else error)
    said = "The database cannot be reached; `./shopx doctor` says why. It is tried again with each request."
    return _answer(request, 503, said, headers={"retry-after": "2"})


async def _fault(request: Request, error: Exception) -> Response:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return _answer(request, 500, "A fault of this server, written to its log. Report it with what you asked.")
