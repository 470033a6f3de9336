"""`shopx publish`: taking the newest publication back, and going on.

Put here: passing on the decision and saying what came of it.
Never here: what it does (publication/stepping_back.py).
"""

import getpass

import click


@click.command()
@click.option("--rollback", is_flag=True, help="Show the figures of the publication before; publish no more.")
@click.option("--resume", is_flag=True, help="End the pause, and publish what waits.")
@click.option("--why", default=None, help="Kept beside the decision, and told to everybody while it lasts.")
@click.option("--later", is_flag=True, help="With --resume: the next `shopx run` publishes.")
@click.option("--json", "as_json", is_flag=True, help="The outcome as JSON.")
def publish(*, rollback: bool, resume: bool, why: str | None, later: bool, as_json: bool) -> None:
    """Take the newest publication back, or go on publishing.

    Stepping back shows readers the figures of the publication before, under a new number, and pauses
    publication. Deliveries are still taken in and checked meanwhile. Put right what was wrong (withdraw or
    replay a delivery, mend a model), then resume.

    \b
    Example:  shopx publish --rollback --why "till 3 counted twice"
              shopx publish --resume
    """
    if rollback == resume:
        raise click.UsageError("Say --rollback or --resume. A batch publishes by itself: ./shopx run.")
    if rollback:
        _step_back(why or "stepped back from the command line", as_json=as_json)
    else:
        _resume(later=later, as_json=as_json)


def _step_back(why: str, *, as_json: bool) -> None:
    from dataclasses import asdict

    from orchestration.cli.screen import Screen, json_text
    from publication.stepping_back import step_back
    from warehouse.database import open_warehouse

    screen = Screen(quiet=as_json)
    with screen.working(), open_warehouse(progress=screen.say) as warehouse:
        screen.say("stepping back")
        pause = step_back(warehouse, by=getpass.getuser(), why=why, progress=screen.say)
    if as_json:
        click.echo(json_text(asdict(pause)))
    else:
        click.echo(pause.sentence())
        click.echo("Put right what was wrong first: ./shopx loads, ./shopx withdraw N, ./shopx replay N.")


def _resume(*, later: bool, as_json: bool) -> None:
    from orchestration.cli.run import run_files
    from orchestration.cli.screen import Screen, json_text
    from publication.stepping_back import resume
    from warehouse.database import open_warehouse

    screen = Screen(quiet=as_json)
    with screen.working(), open_warehouse(progress=screen.say) as warehouse:
        resume(warehouse, by=getpass.getuser())
        screen.done("Publication goes on")
        outcome = None if later else run_files(warehouse, [], screen)
    if outcome is None:
        click.echo("Publication goes on. Publish: ./shopx run")
        return
    if as_json:
        click.echo(json_text(outcome.as_dict()))
    else:
        outcome.show()
    raise click.exceptions.Exit(outcome.exit_code)
