"""`shopx dbt` and `shopx env`: the warehouse for other tools.

Put here: handing our environment to a program a person starts.
Never here: how a batch runs dbt (dbt_runner.py).
"""

import click


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def dbt(arguments: tuple[str, ...]) -> None:
    """Run dbt against the warehouse, as the transformer role.

    \b
    Example:  shopx dbt build --select daily_sales
    """
    import os
    import subprocess
    import sys
    from pathlib import Path

    from orchestration.cli.opening import open_warehouse
    from orchestration.dbt_runner import target_path

    with open_warehouse() as warehouse:
        settings = warehouse.settings
        environment = {
            **os.environ,
            **warehouse.environment(),
            "DBT_TARGET_PATH": str(target_path(settings)),
            "DBT_LOG_PATH": str(settings.home / "logs"),
        }
        executable = Path(sys.executable).with_name("dbt")
        done = subprocess.run(
            [str(executable), *arguments],
            cwd=settings.project_root / "dbt_project",
            env=environment,
            check=False,
        )
    raise click.exceptions.Exit(done.returncode)


@click.command()
def env() -> None:
    """Print the environment for other tools, as shell exports (holds passwords).

    \b
    Example:  eval "$(shopx env)"
    """
    import shlex

    from orchestration.cli.opening import open_warehouse
    from orchestration.instance import write_instance_config

    with open_warehouse() as warehouse:
        write_instance_config(warehouse.settings)
        for name, value in sorted(warehouse.environment().items()):
            click.echo(f"export {name}={shlex.quote(value)}")
