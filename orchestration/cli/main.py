"""The command `shopx`: which commands there are, and what happens when one fails.

Put here: the list of commands and the handling of errors. Never here: what a command does.
"""

import sys
import traceback

import click

from orchestration.cli import (
    dashboards,
    dbt,
    demo,
    doctor,
    explain,
    feed,
    forget,
    ledger,
    publish,
    run,
    simulate,
    sql,
    sync,
    up,
    verify,
)
from warehouse.errors import ShopxError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="shopx-warehouse")
def cli() -> None:
    """ShopX Warehouse: sales files in any form → checked rows → published figures, exact to the cent.

    \b
    Start here:   shopx demo
    Your file:    shopx feed init my_sales.csv   then   shopx run my_sales.csv
    """


for command in (
    demo.demo,
    up.up,
    up.down,
    run.run,
    sync.sync,
    feed.feed,
    ledger.loads,
    ledger.rejects,
    ledger.release,
    ledger.withdraw,
    ledger.replay,
    publish.publish,
    forget.forget,
    simulate.simulate,
    dashboards.dashboards,
    sql.sql,
    verify.verify,
    explain.explain,
    doctor.doctor,
    dbt.dbt,
    dbt.env,
):
    cli.add_command(command)


def main() -> None:
    """Run the command line: a sentence and an exit code for every failure a person can cause."""
    try:
        code = cli.main(standalone_mode=False, prog_name="shopx")
    except click.ClickException as problem:
        problem.show()
        code = problem.exit_code
    except ShopxError as problem:
        click.echo(f"shopx: {problem}", err=True)
        code = problem.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("shopx: stopped. Nothing is half done; the same command goes on from here.", err=True)
        code = 130
    except BrokenPipeError:
        code = 141
    except Exception as problem:
        code = 1
        click.echo(f"shopx: {_unexpected(problem)}", err=True)
    sys.exit(code if isinstance(code, int) else 0)


def _unexpected(problem: Exception) -> str:
    """Keep the traceback in a log file and return one sentence about the failure."""
    from warehouse.settings import load_settings

    first = (str(problem).strip().splitlines() or [type(problem).__name__])[0]
    try:
        log = load_settings().home / "logs" / "errors.log"
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with log.open("a", encoding="utf-8") as sink:
            sink.write("".join(traceback.format_exception(problem)))
    except (OSError, ShopxError):
        return f"{type(problem).__name__}: {first}"
    return f"{type(problem).__name__}: {first} (details in {log}). `shopx doctor` looks at the installation."


if __name__ == "__main__":
    main()
