"""`shopx demo`: a sample year through the whole pipeline, under the eyes of who has opened the dashboards.

Put here: the first run as a newcomer sees it.
Never here: the sample itself (ingestion/sample/) or any step.
"""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from orchestration.cli.screen import Screen
    from warehouse.database import Warehouse

SEED = 7


@click.command()
@click.option("--no-up", is_flag=True, help="Load and publish only; start no server.")
def demo(no_up: bool) -> None:
    """Load one year of sales of a small sample shop, publish it, and show the dashboards.

    \b
    Example:  shopx demo --no-up
    """
    import time

    from orchestration.cli.screen import Screen
    from warehouse.progress import Journal
    from warehouse.settings import load_settings

    home = load_settings().home
    screen = Screen(journal=Journal(home))
    started = time.monotonic()
    screen.title(
        f"ShopX demo: one year of sales of a small shop (seed {SEED}) → {home}   Ctrl-C is safe at any moment"
    )
    with screen.working():
        from orchestration.cli.opening import open_warehouse
        from orchestration.cli.up import session_of, stay_up

        with open_warehouse(progress=screen.say) as warehouse:
            version = _server_version(warehouse)
            kind = "embedded, " if warehouse.settings.warehouse_url is None else ""
            screen.done(f"PostgreSQL {version} ready ({kind}port {warehouse.address.port})", since=started)
            if no_up:
                _publish_sample(warehouse, screen)
                return
            with session_of(warehouse) as session:
                session.start_dashboards()
                screen.done(f"Dashboards: {session.dashboards}   (opens now and fills as data arrives)")
                _publish_sample(warehouse, screen)
                stay_up(session, warehouse, screen)


def _server_version(warehouse: "Warehouse") -> int:
    with warehouse.connect("owner") as conn:
        return conn.info.server_version // 10000


def _publish_sample(warehouse: "Warehouse", screen: "Screen") -> None:
    """Write, load and publish the sample. Raises Exit(1) when nothing could be published."""
    from ingestion.sample import write_sample
    from orchestration.cli.run import headline_sentence, run_files

    folder = warehouse.settings.home / "demo"
    screen.say("making the sample year")
    files = write_sample(folder, seed=SEED)
    already = _already_there(warehouse, [path.name for path in files])
    if already is not None:
        screen.done(
            f"Already there: publication #{already}. To start afresh remove {warehouse.settings.home}"
        )
        return
    outcome = run_files(warehouse, files, screen, by="shopx demo")
    if outcome.failures or outcome.publication_id is None:
        for failure in outcome.failures or ["nothing was published"]:
            screen.warn(failure)
        screen.warn(
            f"The demo did not publish. Look: {warehouse.settings.home}/logs/run.log   Again: ./shopx demo"
        )
        raise click.exceptions.Exit(1)
    screen.done(
        f"Published #{outcome.publication_id}.  {headline_sentence(outcome.headline, outcome.currency)}"
    )
    held = next((verdict for verdict in outcome.verdicts if verdict.verdict == "HELD"), None)
    tries = [("./shopx rejects", "the refused rows, and how to fix them")]
    if held is not None:
        tries.append((f"./shopx release {held.load_id} --as day-first", "let the file held on purpose count"))
    tries += [
        ('./shopx sql "select * from marts.daily_sales order by 1 desc limit 7"', "the last seven days"),
        ("SHOPX_HOME=~/my-shop ./shopx run your_sales.csv", "your own data, apart from the sample"),
    ]
    width = max(len(command) for command, _ in tries)
    for number, (command, why) in enumerate(tries):
        screen.note(f"{'' if number else 'Try next':10}{command:{width}}   {why}")


def _already_there(warehouse: "Warehouse", names: list[str]) -> int | None:
    """Return the newest publication if every sample file is in the ledger and nothing is pending."""
    from orchestration.running import pending

    with warehouse.connect("owner", autocommit=True) as conn:
        known = conn.execute(
            "select count(distinct delivered_name) from raw.loads where delivered_name = any(%s)", (names,)
        ).fetchone()
        last = conn.execute("select max(publication_id) from ops.publications").fetchone()
    if known == (len(names),) and last is not None and last[0] is not None and pending(warehouse) == 0:
        return int(last[0])
    return None
