"""`shopx forget`: a person is erased, and what is published is made anew.

Put here: asking and telling. Never here: what is erased (ingestion/forgetting.py).
"""

import getpass

import click


@click.command()
@click.option("--customer-id", default=None, help="The person's customer id.")
@click.option("--email", default=None, help="The person's e-mail address.")
@click.option("--name", default=None, help="The person's name, as delivered.")
@click.option("--source", default=None, help="Only in deliveries of this source.")
@click.option("--yes", is_flag=True, help="Do it. Without: show what names the person, change nothing.")
@click.option("--later", is_flag=True, help="Erase only; the next `shopx run` publishes it.")
def forget(
    *,
    customer_id: str | None,
    email: str | None,
    name: str | None,
    source: str | None,
    yes: bool,
    later: bool,
) -> None:
    """Erase a person: from stored and refused rows, corrections and the archive. Amounts stay to the cent.

    Rows that name the person by one of the options lose id, e-mail and name. It cannot be undone. Backups,
    and files kept elsewhere, are not touched.

    \b
    Example:  shopx forget --email ann@example.com          # look
              shopx forget --email ann@example.com --yes    # erase, and publish
    """
    from ingestion.forgetting import forget as erase
    from ingestion.forgetting import told
    from orchestration.cli.opening import open_warehouse
    from orchestration.cli.run import run_files
    from orchestration.cli.screen import Screen

    screen = Screen(quiet=False)
    outcome = None
    with screen.working(), open_warehouse(progress=screen.say) as warehouse:
        done = erase(
            warehouse, customer_id=customer_id, email=email, name=name, source=source,
            by=getpass.getuser(), look_only=not yes, progress=screen.say,
        )  # fmt: skip
        if yes and not later and not done.is_nobody:
            outcome = run_files(warehouse, [], screen, by="shopx forget")
    if done.is_nobody:
        click.echo("Nothing names this person.")
    for line in told(done):
        click.echo(line)
    if not yes:
        click.echo("Nothing was changed. To erase: the same command with --yes.")
    elif outcome is None and not done.is_nobody:
        click.echo("Erased. Publish: ./shopx run")
    elif outcome is not None:
        outcome.show()
        raise click.exceptions.Exit(outcome.exit_code)
