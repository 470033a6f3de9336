"""`shopx verify`: the promises, recomputed without the pipeline's own SQL.

Put here: showing findings. Never here: how they are computed (publication/verify.py).
"""

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Findings as JSON.")
def verify(as_json: bool) -> None:
    """Recompute what the figures promise; name the first load, day or order that breaks one.

    \b
    Example:  shopx verify
    """
    from dataclasses import asdict

    from orchestration.cli.opening import open_warehouse
    from orchestration.cli.screen import Screen, console, json_text, table
    from publication.verify import verify as recompute

    screen = Screen(quiet=as_json)
    with screen.working(), open_warehouse(progress=screen.say) as warehouse:
        screen.say("recomputing every promise from the raw rows")
        findings = recompute(warehouse)
    broken = [finding for finding in findings if not finding.passed]
    if as_json:
        click.echo(json_text([asdict(finding) for finding in findings]))
    else:
        rows = [("holds" if f.passed else "BROKEN", f.promise, f.message) for f in findings]
        console().print(table(None, ["", "promise", "found"], rows))
    raise click.exceptions.Exit(1 if broken else 0)
