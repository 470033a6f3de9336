"""`shopx dashboards`: the dashboards as code.

Put here: the group and what needs no server: lint, exposures, the schema of the files. Never here: rules
(dashboards/lint), Metabase and the viewer (a module each beside this one).
"""

import json
from pathlib import Path

import click

from orchestration.cli import dashboards_metabase, dashboards_view


@click.group()
def dashboards() -> None:
    """Dashboards as code: check the YAML, write what is made of it, look at them.

    \b
    Example:  shopx dashboards lint
    """


@dashboards.command()
def lint() -> None:
    """Check every dashboard: its YAML, and each card's SQL against the published marts.

    \b
    Example:  shopx dashboards lint
    """
    from dashboards.lint.checks import problems
    from dashboards.spec.loading import load_boards
    from warehouse.database import open_warehouse
    from warehouse.errors import ShopxError

    boards = load_boards()
    with open_warehouse() as warehouse, warehouse.connect("reader") as connection:
        found = problems(boards, connection)
    for problem in found:
        click.echo(str(problem))
    cards = sum(len(board.cards) for board in boards)
    if found:
        things = "problem" if len(found) == 1 else "problems"
        raise ShopxError(f"{len(found)} {things} in {len(boards)} dashboards with {cards} cards.")
    click.echo(f"{len(boards)} dashboards, {cards} cards: nothing to complain of.")


@dashboards.command()
@click.option("--write", is_flag=True, help="Write the file instead of showing it.")
def exposures(*, write: bool) -> None:
    """The dbt exposures that follow from the dashboards: which marts each one reads.

    \b
    Example:  shopx dashboards exposures --write
    """
    from dashboards.lint.exposures import exposures_yaml, file_of
    from dashboards.spec.loading import load_boards
    from warehouse.settings import load_settings

    text = exposures_yaml(load_boards())
    if not write:
        click.echo(text, nl=False)
        return
    file = file_of(load_settings().dbt_project)
    file.write_text(text, encoding="utf-8")
    click.echo(f"Written: {file}")


@dashboards.command()
@click.option(
    "--write", type=click.Path(dir_okay=False, path_type=Path), default=None, help="Into this file."
)
def schema(*, write: Path | None) -> None:
    """The JSON schema of a dashboard's YAML, for editors that complete and check as one types.

    \b
    Example:  shopx dashboards schema --write board.schema.json
    """
    from dashboards.spec.model import Board

    text = json.dumps(Board.model_json_schema(), indent=2, ensure_ascii=False) + "\n"
    if write is None:
        click.echo(text, nl=False)
    else:
        write.write_text(text, encoding="utf-8")
        click.echo(f"Written: {write}")


for command in (
    dashboards_metabase.plan,
    dashboards_metabase.apply,
    dashboards_metabase.export,
    dashboards_metabase.doctor,
    dashboards_view.view,
):
    dashboards.add_command(command)
