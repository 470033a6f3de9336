"""The documentation of the models as one page, made when somebody asks for it and the project has changed.

Put here: making the page, and its address in the UI. Never here: who may see it (web.py), or its words.
Made without the database: types and descriptions stand in the contracts.
Run as `python -m orchestration.dbt_docs`; it prints the file.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from orchestration.dbt_runner import made_of, run_dbt, unconnected
from warehouse.errors import ShopxError
from warehouse.locks import held
from warehouse.settings import Settings, load_settings

ADDRESS = "/dbt-docs"
WAIT_S = 180.0


def address_of(unique_id: str) -> str:
    """Return where the UI shows a model, e.g. `model.shopx.daily_sales`."""
    return f"{ADDRESS}#!/model/{unique_id}"


def ensure_page(settings: Settings) -> Path:
    """Return the page of the dbt project as it stands, made only where a file has changed. Seconds then.

    Raises ShopxError when dbt cannot read the project.
    """
    folder = Path(settings.home) / "dbt" / "docs"
    folder.mkdir(parents=True, exist_ok=True)
    page, stamp = folder / "static_index.html", folder / "made.of"
    with held(
        folder / "page.lock",
        shared=False,
        limit_s=WAIT_S,
        waiting_for="the page to be made",
        say=lambda _: None,
    ):
        wanted = made_of(settings)
        if not (page.exists() and stamp.exists() and stamp.read_text() == wanted):
            # parsing writes the manifest that the page is made of
            for command in ("parse", "docs generate --static --empty-catalog --no-compile"):
                done, _ = run_dbt(command, settings=settings, environment=unconnected(), target=folder)
                if not done:
                    raise ShopxError(f"dbt {command} failed. Details: {settings.home}/logs/dbt.log")
            stamp.write_text(wanted)
    return page


async def _made_apart() -> Response:
    """Make the page in a process of its own: dbt would hold up the web server's one."""
    maker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "orchestration.dbt_docs"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await maker.communicate()
    if maker.returncode:
        return PlainTextResponse(f"The page could not be made.\n{err.decode()[-2000:]}", 500)
    return FileResponse(out.decode().strip(), headers={"cache-control": "no-cache"})


class WithDocs:
    """ASGI middleware: answers ADDRESS with the page; hands on the rest."""

    def __init__(self, app: ASGIApp, *, page: Callable[[], Awaitable[Response]] = _made_apart) -> None:
        self._app = app
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the page's address."""
        if scope["type"] == "http" and scope["path"].rstrip("/") == ADDRESS:
            await (await self._page())(scope, receive, send)
        else:
            await self._app(scope, receive, send)


if __name__ == "__main__":
    sys.stdout.write(str(ensure_page(load_settings())))
