"""Where the pages stand in the UI, and their delivery: text is escaped, and no page runs or fetches anything.

Put addresses and headers here. Never a query (story.py).
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
import yaml
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from expectations.data_docs import FOLDER, page_of
from orchestration.gate_pages.story import build_story, load_story, overview
from warehouse.database import Warehouse, open_warehouse
from warehouse.errors import ShopxError

ADDRESS = "/gate"
HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "cache-control": "no-store",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}
_HERE = Path(__file__).parent
_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def load_address(load_id: int) -> str:
    """Where a delivery, its checks and its refused rows are shown."""
    return f"{ADDRESS}/loads/{load_id}"


def run_address(gate_run_id: int) -> str:
    """Where Great Expectations' page about a run of the gate is shown."""
    return f"{ADDRESS}/runs/{gate_run_id}"


def build_address(build_id: int) -> str:
    """Where a build and its audit are shown."""
    return f"{ADDRESS}/builds/{build_id}"


def launchpad_address(choice: dict[str, Any]) -> str:
    """Where Dagster asks once more before it takes this choice: its job, with the configuration filled in."""
    name = "withdraw" if choice["choice"] == "withdraw" else "release"
    config: dict[str, Any] = {"load": choice["load_id"]}
    if choice["choice"] not in ("withdraw", "as it is"):
        config["as_"] = choice["choice"]
    config |= {"why": "", "by": ""}
    text = yaml.safe_dump({"ops": {name: {"config": config}}}, sort_keys=False)
    return f"/locations/shopx/jobs/{name}_load/playground/setup?config={quote(text)}"


def money(cents: int | None, currency: str | None) -> str:
    """Minor units as people write them, with a sign: +1,234.50 GBP."""
    from orchestration.cli.screen import money as written

    if cents is None:
        return "not known"
    return f"{'+' if cents > 0 else ''}{written(cents, currency)}"


def prose(text: str) -> Markup:
    """A sentence with its `commands` set off; everything else stays text."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 and place < len(parts) - 1 else part
        for place, part in enumerate(parts)
    )


def plain_name(name: str) -> str:
    """What a check is called where dbt calls it test.shopx.<name>.<hash>."""
    parts = name.split(".")
    return parts[2] if parts[0] == "test" and len(parts) >= 3 else name


class GatePages:
    """ASGI middleware: answers what stands below ADDRESS; hands on the rest."""

    def __init__(
        self, app: ASGIApp, *, opened: Callable[[], AbstractContextManager[Warehouse]] = open_warehouse
    ) -> None:
        self._app = app
        self._opened = opened
        self._look = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_HERE), autoescape=True, undefined=jinja2.StrictUndefined,
            trim_blocks=True, lstrip_blocks=True,
        )  # fmt: skip
        self._look.globals |= {"launchpad": launchpad_address, "run_address": run_address}
        self._look.filters |= {
            "money": money,
            "prose": prose,
            "plain_name": plain_name,
            "number": lambda number: f"{number:,}",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a page."""
        path = scope.get("path", "").rstrip("/")
        if scope["type"] != "http" or not (path == ADDRESS or path.startswith(f"{ADDRESS}/")):
            await self._app(scope, receive, send)
            return
        try:
            answer = await run_in_threadpool(self._answer, path.removeprefix(ADDRESS))
        except ShopxError as problem:
            answer = PlainTextResponse(f"{problem.message}\n", 503)
        answer.headers.update(HEADERS)
        await answer(scope, receive, send)

    def _answer(self, path: str) -> Response:
        if path == "/style.css":
            return Response((_HERE / "style.css").read_bytes(), media_type="text/css")
        asked = re.fullmatch(r"/(loads|runs|builds)/(\d{1,18})(/to_correct\.xlsx)?", path)
        with self._opened() as warehouse:
            if path == "":
                return self._page("overview.html", **overview(warehouse))
            if asked and asked[1] == "loads" and asked[3]:
                return _workbook(warehouse, int(asked[2]))
            if asked and not asked[3]:
                found = {"loads": self._load, "runs": self._run, "builds": self._build}[asked[1]](
                    warehouse, int(asked[2])
                )
                if found is not None:
                    return found
        return PlainTextResponse("There is no such page.\n", 404)

    def _load(self, warehouse: Warehouse, load_id: int) -> Response | None:
        story = load_story(warehouse, load_id)
        return self._page("load.html", **story) if story else None

    def _build(self, warehouse: Warehouse, build_id: int) -> Response | None:
        story = build_story(warehouse, build_id)
        return self._page("build.html", **story) if story else None

    def _run(self, warehouse: Warehouse, gate_run_id: int) -> Response | None:
        page = page_of(Path(warehouse.settings.home) / FOLDER, gate_run_id)
        if not page.is_file():
            return None
        # reduced to plain elements when it was written
        return self._page(
            "run.html",
            number=gate_run_id,
            body=Markup(  # noqa: S704
                page.read_text()
            ),
        )

    def _page(self, template: str, **shown: Any) -> Response:
        return HTMLResponse(self._look.get_template(template).render(**shown))


def _workbook(warehouse: Warehouse, load_id: int) -> Response:
    from ingestion.corrections.exporting import write_corrections

    with tempfile.TemporaryDirectory(prefix="sx-") as folder:
        path = Path(folder) / "to_correct.xlsx"
        write_corrections(warehouse, path, load_id=load_id)
        named = {"content-disposition": f'attachment; filename="to_correct_{load_id}.xlsx"'}
        return Response(path.read_bytes(), media_type=_WORKBOOK, headers=named)
