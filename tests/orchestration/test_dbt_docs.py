"""The documentation of the models: one click from the UI, behind its guard, made only when it has changed."""

import asyncio
from pathlib import Path
from typing import Any

from starlette.responses import PlainTextResponse, Response

from orchestration.dbt_docs import ADDRESS, WithDocs, ensure_page
from orchestration.web import Guard
from tests.orchestration.test_guard import HERE, SIGNED_IN, TOKEN
from warehouse.settings import Settings


def test_the_page_holds_every_model_and_is_made_once(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    page = ensure_page(settings)
    text = page.read_text()
    models = Path(settings.dbt_project).glob("models/**/*.sql")
    assert [p.stem for p in models if f"model.shopx.{p.stem}" not in text] == []
    assert "INLINE DATA" not in text, "a page that asks for other files does not open from a disk"
    made = page.stat().st_mtime_ns
    assert ensure_page(settings).stat().st_mtime_ns == made


def answered(path: str, headers: dict[str, str]) -> tuple[int, bytes]:
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def page() -> Response:
        return PlainTextResponse("the page")

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "scheme": "http",
        "server": ("127.0.0.1", 3000),
    }
    app = WithDocs(PlainTextResponse("the UI"), page=page)
    asyncio.run(Guard(app, token=TOKEN, port=3000)(scope, receive, send))
    return sent[0]["status"], sent[1]["body"]


def test_the_guard_stands_before_the_page() -> None:
    assert answered(ADDRESS, HERE)[0] == 401
    assert answered(ADDRESS, {**SIGNED_IN, "host": "evil.example"})[0] == 421
    assert answered(ADDRESS, SIGNED_IN) == (200, b"the page")
    assert answered(f"{ADDRESS}/", SIGNED_IN) == (200, b"the page")
    assert answered("/runs", SIGNED_IN) == (200, b"the UI")
