"""`shopx up` and `shopx down`: the database, the dashboards, Dagster's UI and its daemon, in the foreground.

Put here: what people see of a session. Never here: how its processes are started and stopped (services.py).
"""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from orchestration.cli.screen import Screen
    from orchestration.services import Session
    from warehouse.database import Warehouse


@click.command()
def up() -> None:
    """Start the database, the dashboards, Dagster (UI, daemon) and the inbox; Ctrl-C or `./shopx down` stops.

    \b
    Example:  shopx up
    """
    from orchestration.cli.opening import open_warehouse
    from orchestration.cli.screen import Screen
    from orchestration.services import read_note
    from warehouse.settings import load_settings

    running = read_note(load_settings())
    if running is not None and running.alive:
        click.echo(
            f"Already up: {running.dashboards}  dashboards · {running.url}  Dagster\nStop it: ./shopx down"
        )
        return
    screen = Screen()
    with screen.working(), open_warehouse(progress=screen.say) as warehouse:
        port = warehouse.address.port
        screen.done(f"PostgreSQL ready (port {port})")
        with session_of(warehouse) as session:
            stay_up(session, warehouse, screen)


@contextmanager
def session_of(warehouse: "Warehouse") -> Iterator["Session"]:
    """A session of this SHOPX_HOME; its processes end with the block, whatever ends it."""
    from orchestration.services import Session, read_note, stop_children

    def leave(*_: Any) -> None:
        raise KeyboardInterrupt

    old = read_note(warehouse.settings)
    if old is not None and not old.alive:
        stop_children(old.children)  # what a killed session has left behind
    before = signal.signal(signal.SIGTERM, leave)
    session = Session(warehouse)
    try:
        yield session
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        session.stop()
        signal.signal(signal.SIGTERM, before)


def stay_up(session: "Session", warehouse: "Warehouse", screen: "Screen") -> None:
    """Run a session until it is interrupted. Raises ShopxError when one of its processes ends by itself."""
    from orchestration.dbt_runner import ensure_manifest

    settings = warehouse.settings
    try:
        session.start_dashboards()
        ensure_manifest(settings, say=screen.say)
        session.start(screen.say)
        for wanted, given in (
            (settings.dashboards_port, session.dashboards_port),
            (settings.dagster_port, session.port),
        ):
            if wanted != given:
                screen.warn(f"port {wanted} belongs to another program; this is {given}")
        screen.done(f"Dashboards: {session.dashboards}")
        screen.done(f"Dagster: {session.url}")
        screen.done(f"Inbox: {settings.inbox}   files dropped here are loaded and published by themselves")
        screen.rest("up; Ctrl-C or `./shopx down` stops")
        while True:
            session.check()
            time.sleep(0.5)
    except KeyboardInterrupt:
        screen.say("stopping")
    screen.done("Stopped.")


@click.command()
def down() -> None:
    """Stop what `./shopx up` started in this SHOPX_HOME.

    \b
    Example:  shopx down
    """
    from orchestration.services import stop_session
    from warehouse.settings import load_settings

    click.echo("Stopped." if stop_session(load_settings()) else "Nothing is up.")
