"""`shopx doctor`: is everything in order, and if not, what to do.

Put here: one check per function, each with the sentence that says what to do. Never here: repairing anything.
"""

import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from warehouse.database import Warehouse

LEAST_FREE_GB = 2.0
PACKAGES = ("dagster", "dbt-core", "great-expectations", "duckdb", "psycopg")


@dataclass(frozen=True)
class Line:
    """One check: what was seen, and what to do where it is not good."""

    check: str
    good: bool
    seen: str
    do: str = ""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Lines as JSON.")
def doctor(as_json: bool) -> None:
    """Check the installation; each red line says what to do.

    \b
    Example:  shopx doctor
    """
    from orchestration.cli.opening import open_warehouse
    from orchestration.cli.screen import Screen, console, json_text, table

    screen = Screen(quiet=True)
    lines = [*_machine(), *_sources()]
    with screen.working(), open_warehouse() as warehouse:
        lines += _database(warehouse)
        lines += _pipeline(warehouse)
    if as_json:
        click.echo(json_text([asdict(line) for line in lines]))
    else:
        rows = [
            ("ok" if line.good else "RED", line.check, line.seen, "" if line.good else line.do)
            for line in lines
        ]
        console().print(table(None, ["", "check", "seen", "what to do"], rows))
    raise click.exceptions.Exit(0 if all(line.good for line in lines) else 1)


def _machine() -> Iterator[Line]:
    from importlib.metadata import version

    from warehouse.settings import load_settings

    home = load_settings().home
    existing = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(existing).free / 1e9
    yield Line(
        "disk",
        free >= LEAST_FREE_GB,
        f"{free:,.1f} GB free at {home}",
        "make room, or set SHOPX_HOME elsewhere",
    )
    yield Line("python", sys.version_info >= (3, 11), sys.version.split()[0], "install Python 3.11 or newer")
    yield Line("packages", True, ", ".join(f"{name} {version(name)}" for name in PACKAGES))


def _sources() -> Iterator[Line]:
    """What feeds need that are asked for their rows. An API that nobody uses is no fault."""
    from ingestion.sources.fetched import FetchFailed
    from ingestion.sources.fetching import fetched_feeds, is_configured, missing_variables
    from ingestion.sources.google import whom_to_share_with
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


def _database(warehouse: "Warehouse") -> Iterator[Line]:
    from pathlib import Path

    with warehouse.connect("owner", autocommit=True) as conn:
        number = conn.info.server_version
        place = f"{conn.info.host or 'socket'}:{conn.info.port}"
        yield Line(
            "server",
            number >= 160000,
            f"PostgreSQL {number // 10000}.{number % 10000} at {place}",
            "use 16 or newer",
        )
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


def _pipeline(warehouse: "Warehouse") -> Iterator[Line]:
    from publication.debris import DRIVEN

    with warehouse.connect("owner", autocommit=True) as conn:
        last = conn.execute(
            "select publication_id, published_at::timestamp(0)::text, as_of from ops.publications"
            " order by publication_id desc limit 1"
        ).fetchone()
        held = conn.execute("select count(*) from raw.loads where status = 'held'").fetchone() or (0,)
        waiting = conn.execute(
            "select count(*) from raw.loads where status in ('landing', 'landed')"
        ).fetchone() or (0,)
        changes = conn.execute(
            "select count(*) from ops.changes where publication_id is null"
        ).fetchone() or (0,)
        open_builds = conn.execute(
            f"select count(*) from ops.builds where status = 'open' and not {DRIVEN}"  # noqa: S608
        ).fetchone() or (0,)
        build = conn.execute(
            "select build_id, status from ops.builds order by build_id desc limit 1"
        ).fetchone()
        # a held load has its own line, and each hold its own message in `./shopx loads`
        alerts = conn.execute(
            "select subject, message from ops.alerts where resolved_at is null and kind <> 'held'"
            " order by raised_at, alert_id"
        ).fetchall()
    published = f"#{last[0]} at {last[1]} UTC, figures to {last[2]}" if last else "none yet"
    yield Line("publication", last is not None, published, "publish: ./shopx run FILE, or ./shopx demo")
    yield Line(
        "held",
        held[0] == 0,
        f"{held[0]} held",
        "./shopx loads shows the choices; ./shopx release or withdraw",
    )
    yield Line(
        "pending",
        waiting[0] + changes[0] == 0,
        f"{waiting[0]} loads, {changes[0]} decisions unpublished",
        "finish: ./shopx run",
    )
    yield Line(
        "builds", open_builds[0] == 0, f"{open_builds[0]} left open by a killed run", "finish: ./shopx run"
    )
    if build is not None:
        good = build[1] in ("published", "open", "abandoned")
        yield Line(
            "last build", good, f"#{build[0]} {build[1]}", "./shopx up shows its run; try again: ./shopx run"
        )
    yield Line("alerts", not alerts, f"{len(alerts)} open")
    for subject, message in alerts[:10]:
        yield Line("alert", False, subject, message)
