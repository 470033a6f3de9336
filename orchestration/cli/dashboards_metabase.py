"""`shopx dashboards plan | apply | export | doctor`: the dashboards in Metabase.

Put here: passing on what is wanted and showing what came of it.
Never here: what is done (dashboards/metabase/).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from dashboards.metabase.provisioning import Wanted
    from orchestration.cli.screen import Screen
    from warehouse.settings import Settings

CHANGES = 2  # exit code of a plan that names a change, as a job that watches for drift wants it

_users = click.option(
    "--users",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="People as CSV: username,email,role,initial_password (left empty); else users.csv in SHOPX_HOME.",
)
_no_prune = click.option("--no-prune", is_flag=True, help="Leave what the files no longer name.")


@contextmanager
def _wanted(screen: "Screen", *, users: Path | None, no_prune: bool) -> "Iterator[tuple[Settings, Wanted]]":
    from dashboards.metabase.connecting import address
    from dashboards.metabase.gathering import wanted_of
    from warehouse.database import open_warehouse
    from warehouse.settings import load_settings

    address(load_settings())  # says what is missing before anything is started
    with screen.working(), open_warehouse(progress=screen.say) as warehouse:
        screen.say("reading boards and warehouse")
        yield warehouse.settings, wanted_of(warehouse, users=users, prune=not no_prune)


@click.command()
@_users
@_no_prune
@click.option("--json", "as_json", is_flag=True, help="Changes as JSON.")
def plan(*, users: Path | None, no_prune: bool, as_json: bool) -> None:
    """Say what differs in Metabase; write nothing. Exit code 2 when something does.

    \b
    Example:  shopx dashboards plan
    """
    from dataclasses import asdict

    from dashboards.metabase.provisioning import plan as what_differs
    from orchestration.cli.screen import Screen, json_text

    screen = Screen(quiet=as_json)
    with _wanted(screen, users=users, no_prune=no_prune) as (settings, wanted):
        changes = what_differs(settings, wanted, say=screen.say)
    if as_json:
        click.echo(json_text([asdict(change) for change in changes]))
    else:
        for change in changes:
            click.echo(str(change))
        click.echo(f"{len(changes)} to change: ./shopx dashboards apply" if changes else "Nothing differs.")
    raise click.exceptions.Exit(CHANGES if changes else 0)


@click.command()
@_users
@_no_prune
@click.option("--json", "as_json", is_flag=True, help="Changes as JSON.")
def apply(*, users: Path | None, no_prune: bool, as_json: bool) -> None:
    """Bring Metabase to what the files say: set it up, connect it, make, mend and archive.

    \b
    Example:  shopx dashboards apply
    """
    from dataclasses import asdict

    from dashboards.metabase.provisioning import apply as bring
    from orchestration.cli.screen import Screen, json_text

    screen = Screen(quiet=as_json)
    with _wanted(screen, users=users, no_prune=no_prune) as (settings, wanted):
        changes = bring(settings, wanted, say=screen.say)
    if as_json:
        click.echo(json_text([asdict(change) for change in changes]))
        return
    for change in changes:
        click.echo(str(change))
    done = f"{len(changes)} changed." if changes else "Nothing to change."
    click.echo(f"{done}  Look: {settings.metabase_url}")


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def export(folder: Path) -> None:
    """Write the dashboards as Metabase has them to FOLDER, to adopt what somebody changed there.

    \b
    Example:  shopx dashboards export /tmp/boards && diff -ru dashboards/boards /tmp/boards
    """
    from dashboards.metabase.connecting import connect
    from dashboards.metabase.exporting import export as write
    from dashboards.spec.loading import load_boards
    from orchestration.cli.screen import Screen

    with _wanted(Screen(), users=None, no_prune=True) as (settings, wanted):
        client = connect(settings, site_name=wanted.site.site.name)
        files = write(client, wanted, load_boards(), folder)
    for file in files:
        click.echo(str(file))
    click.echo("Compare with dashboards/boards, take over what you want, then: ./shopx dashboards apply")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Lines as JSON.")
def doctor(as_json: bool) -> None:
    """Look at the Metabase: version, login, its API against what we send, the warehouse behind it.

    \b
    Example:  shopx dashboards doctor
    """
    from dataclasses import asdict

    from dashboards.metabase.doctor import doctor as look
    from dashboards.metabase.site import load_site
    from orchestration.cli.screen import console, json_text, table
    from warehouse.settings import load_settings

    lines = look(load_settings(), load_site())
    if as_json:
        click.echo(json_text([asdict(line) for line in lines]))
    else:
        rows = [
            ("ok" if line.good else "RED", line.check, line.seen, "" if line.good else line.do)
            for line in lines
        ]
        console().print(table(None, ["", "check", "seen", "what to do"], rows))
    raise click.exceptions.Exit(0 if all(line.good for line in lines) else 1)
