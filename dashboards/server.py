"""The dashboards' server: one application for the KPI API and the viewer.

Put here: putting its parts together, and running it. Never here: a page, a query, a rule of access
(guard.py).
Run as `python -m dashboards.server --port 8080`.
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
from fastapi import FastAPI

from dashboards import api, problems
from dashboards.api.answering import FromKept, Kept
from dashboards.editions import Editions
from dashboards.guard import Access, Guard, is_loopback, names_from
from dashboards.readers import Readers
from warehouse.errors import ShopxError
from warehouse.settings import Settings, load_settings

if TYPE_CHECKING:
    from starlette.types import ASGIApp


def create_app(settings: Settings, *, host: str = "127.0.0.1") -> FastAPI:
    """The application for a server that listens on `host`.

    Raises ShopxError where others could reach it and no token is set.
    """
    token = settings.api_token.get_secret_value() if settings.api_token else None
    if not is_loopback(host) and not token:
        raise ShopxError(
            f"Others could reach {host}, so a token is needed: set SHOPX_API_TOKEN (make one with "
            "`openssl rand -hex 24`), or listen on 127.0.0.1.",
            exit_code=2,
        )

    readers = Readers(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        readers.start()
        try:
            yield
        finally:
            await anyio.to_thread.run_sync(readers.stop)

    app = FastAPI(
        title="ShopX Warehouse",
        version="1",
        description="Published figures of the shop, and a way in for its files.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.settings = settings
    app.state.readers = readers
    app.state.editions = Editions(readers)
    app.state.kept = Kept()
    problems.install(app)
    app.include_router(api.router)
    if importlib.util.find_spec("dashboards.viewer") is not None:
        importlib.import_module("dashboards.viewer").mount(app)
    app.add_middleware(FromKept, editions=app.state.editions, kept=app.state.kept)
    access = Access(on_loopback=is_loopback(host), token=token, names=names_from(settings.dashboards_hosts))
    app.add_middleware(Guard, access=access)
    return app


def serve(settings: Settings, *, host: str = "127.0.0.1", port: int = 8080) -> None:
    """Serve until interrupted."""
    import uvicorn  # noqa: PLC0415

    app: ASGIApp = create_app(settings, host=host)
    uvicorn.run(app, host=host, port=port, access_log=False, server_header=False, log_level="warning")


def main() -> None:
    """Serve as the environment says."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--port", type=int)
    given = options.parse_args()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s", level=logging.INFO)
    try:
        settings = load_settings()
        serve(settings, host=given.host, port=given.port or settings.dashboards_port)
    except ShopxError as problem:
        raise SystemExit(problem.message) from None


if __name__ == "__main__":
    main()
