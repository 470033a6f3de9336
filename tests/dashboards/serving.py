"""The dashboards' server as others meet it: a real one, on a port of its own, in a thread of the tests."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import uvicorn
from starlette.types import ASGIApp

from dashboards.server import create_app
from warehouse.settings import Settings


@dataclass(frozen=True)
class Served:
    """A running server: a client that reaches it by its address, and its application."""

    client: httpx.Client
    port: int
    app: ASGIApp

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def serving(app: ASGIApp, *, host: str = "127.0.0.1", forwarded: bool = True) -> Iterator[Served]:
    """Serve an application until the block ends."""
    listening = socket.create_server((host, 0))
    port = listening.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", proxy_headers=forwarded))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            yield Served(client, port, app)
    finally:
        server.should_exit = True
        thread.join(timeout=30)
        listening.close()


@contextmanager
def serving_warehouse(settings: Settings, *, host: str = "127.0.0.1") -> Iterator[Served]:
    """Serve the dashboards of a warehouse that is there."""
    app = create_app(settings, host=host)
    with serving(app, host=host) as served:
        assert app.state.readers.wait(30)
        yield served
