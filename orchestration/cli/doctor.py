"""`shopx doctor`: is everything in order, and if not, what to do.

Put here: what concerns the installation and this machine, and showing the lines. Never here: repairing
anything, or what is asked of the database each hour (publication/health.py).
"""

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from publication.health import Line
    from warehouse.database import Warehouse

PACKAGES = ("dagster", "dbt-core", "great-expectations", "duckdb", "psycopg")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Lines as JSON.")
def doctor(as_json: bool) -> None:
    """Check the installation; each red line says what to do.

    \b
    Example:  shopx doctor
    """
    from orchestration.cli.opening import open_warehouse
    from orchestration.cli.screen import Screen, console, json_text, table
    from publication.health import look

    screen = Screen(quiet=True)
    lines = [*_machine(), *_sources()]
    with screen.working(), open_warehouse() as warehouse:
        lines += _installation(warehouse)
        lines += look(warehouse)
    if as_json:
        click.echo(json_text([asdict(line) for line in lines]))
    else:
        rows = [
            ("ok" if line.good else "RED", line.check, line.seen, "" if line.good else line.do)
            for line in lines
        ]
        console().print(table(None, ["", "check", "seen", "what to do"], rows))
    raise click.exceptions.Exit(0 if all(line.good for line in lines) else 1)


def _machine() -> "Iterator[Line]":
    from importlib.metadata import version

    from publication.health import Line

    yield Line("python", sys.version_info >= (3, 11), sys.version.split()[0], "install Python 3.11 or newer")
    yield Line("packages", True, ", ".join(f"{name} {version(name)}" for name in PACKAGES))


def _sources() -> "Iterator[Line]":
    """What feeds need that are asked for their rows. An API that nobody uses is no fault."""
    from ingestion.sources.fetched import FetchFailed
    from ingestion.sources.fetching import fetched_feeds, is_configured, missing_variables
    from ingestion.sources.google import whom_to_share_with
    from publication.health import Line
    from warehouse.settings import load_settings

    for contract in fetched_feeds():
        missing = missing_variables(contract)
        if not is_configured(contract):
            continue
        name = f"feed {contract.feed}"
        if missing:
            yield Line(name, False, f"{' and '.join(missing)} not set", "set it in .env, see docs/feeds.md")
        elif contract.kind == "sheet":
            try:
                email = whom_to_share_with(load_settings().google_credentials_file)
                yield Line(name, True, f"its sheet must be shared with {email}")
            except FetchFailed as problem:
                yield Line(name, False, "its sheet cannot be read", problem.message)
        else:
            yield Line(name, True, f"asked as kind: {contract.kind}")


def _installation(warehouse: "Warehouse") -> "Iterator[Line]":
    from pathlib import Path

    from publication.health import Line

    with warehouse.connect("owner", autocommit=True) as conn:
        roles = {
            row[0]
            for row in conn.execute("select rolname from pg_roles where rolname like 'shopx%%'").fetchall()
        }
    files = sorted((Path(warehouse.settings.project_root) / "warehouse" / "migrations").glob("*.sql"))
    yield Line(
        "migrations", bool(files), f"{len(files)}, newest {files[-1].stem}", "the installation is incomplete"
    )
    wanted = {f"shopx_{role}" for role in ("owner", "loader", "transformer", "reader", "analyst")}
    missing = sorted(wanted - roles)
    yield Line(
        "roles",
        not missing,
        f"{len(wanted) - len(missing)} of {len(wanted)}",
        f"missing: {', '.join(missing)}",
    )
    for role in ("owner", "loader", "transformer", "reader", "analyst"):
        try:
            warehouse.connect(role).close()
        except Exception as problem:
            yield Line(
                f"login {role}",
                False,
                str(problem).splitlines()[0],
                "remove the password file and start again",
            )
