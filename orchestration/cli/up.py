"""`shopx up` and `shopx down`: the database, Dagster's UI and its daemon, in the foreground.

Put here: what people see of a session. Never here: how its processes are started and stopped (services.py).
"""

import signal
import time
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from orchestration.cli.screen import Screen
    from warehouse.database import Warehouse


@click.command()
def up() -> None:
    """Start the database, Dagster (UI and daemon) and the inbox; Ctrl-C or `./shopx down` stops them.

    \b
    Example:  shopx up
    """
    from orchestration.cli.opening import open_warehouse
    from orchestration.cli.screen import Screen
    from orchestration.services import read_note
    from warehouse.settings import load_settings

    running = read_note(load_settings())
    if running is not None and running.alive:
        click.echo(f"Already up: {running.url}\nStop it: ./shopx down")
        return
    screen = Screen()
    with screen.working(), open_warehouse(progress=screen.say) as warehouse:
        port = warehouse.address.port
        screen.done(f"PostgreSQL ready (port {port})")
        stay_up(warehouse, screen)


def stay_up(warehouse: "Warehouse", screen: "Screen") -> None:
    """Run a session until it is interrupted. Raises ShopxError when one of its processes ends by itself."""
    from orchestration.dbt_runner import ensure_manifest
    from orchestration.services import Session, read_note, stop_children

    def leave(*_: Any) -> None:
        raise KeyboardInterrupt

    old = read_note(warehouse.settings)
    if old is not None and not old.alive:
        stop_children(old.children)  # what a killed session has left behind
    before = signal.signal(signal.SIGTERM, leave)
    session = Session(warehouse)
    try:
        ensure_manifest(warehouse.settings, say=screen.say)
        session.start(screen.say)
        if session.port != warehouse.settings.dagster_port:
            screen.warn(
                f"port {warehouse.settings.dagster_port} belongs to another program; this is {session.port}"
            )
        screen.done(f"Dagster: {session.url}")
        screen.done(
            f"Inbox:   {warehouse.settings.inbox}   files dropped here are loaded and published by themselves"
        )
        screen.rest("up; Ctrl-C or `./shopx down` stops")
        while True:
            session.check()
            time.sleep(0.5)
    except KeyboardInterrupt:
        screen.say("stopping")
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        session.stop()
        signal.signal(signal.SIGTERM, before)
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
