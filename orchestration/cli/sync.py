"""`shopx sync`: ask the feeds that are not dropped as files, then one batch.

Put here: what a person asks for and what a person is told.
Never here: how a source is asked (ingestion/sources/) or what a batch is (run.py).
"""

from datetime import date, timedelta
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ingestion.sources.fetched import Window
    from ingestion.sources.fetching import FetchResult
    from orchestration.cli.run import Outcome
    from warehouse.database import Warehouse


@click.command()
@click.argument("feeds", nargs=-1, metavar="[FEED]...")
@click.option(
    "--from", "first", type=click.DateTime(["%Y-%m-%d"]), default=None, help="First day to ask for again."
)
@click.option(
    "--to", "last", type=click.DateTime(["%Y-%m-%d"]), default=None, help="Last day; default: yesterday."
)
@click.option("--json", "as_json", is_flag=True, help="The outcome as JSON.")
def sync(*, feeds: tuple[str, ...], first: "datetime | None", last: "datetime | None", as_json: bool) -> None:
    """Ask APIs, sheets and databases for what is new, then load and publish it. Without FEED: all that are
    set up.

    \b
    Example:  shopx sync sales_api --from 2026-02-01 --to 2026-02-07
    Exit code 0: everything is published · 3: a feed failed, or something was held · 1: nothing published
    """
    from orchestration.cli.opening import open_warehouse
    from orchestration.cli.run import run_files
    from orchestration.cli.screen import Screen, json_text

    window = _window(first.date() if first else None, last.date() if last else None)
    asked = list(feeds) or _set_up()
    screen = Screen(quiet=as_json)
    with screen.working(), open_warehouse(progress=screen.say) as warehouse:
        fetched = _fetch(warehouse, asked, window, screen.say)
        for sentence in fetched.failures.values():
            screen.warn(sentence)
        outcome = _with_fetched(warehouse, run_files(warehouse, [], screen, by="shopx sync"), fetched)
    if as_json:
        click.echo(json_text(outcome.as_dict()))
    else:
        outcome.show()
    raise click.exceptions.Exit(outcome.exit_code)


def _window(first: date | None, last: date | None) -> "Window | None":
    from ingestion.sources.fetched import Window

    if first is None and last is None:
        return None
    if first is None:
        raise click.UsageError("--to needs --from: the first day to ask for.")
    last = last or max(first, date.today() - timedelta(days=1))
    if last < first:
        raise click.UsageError(f"--to {last} lies before --from {first}.")
    return Window(first, last)


def _set_up() -> list[str]:
    """The feeds that are asked; a usage error that says what to set where there is none."""
    from ingestion.sources.fetching import fetched_feeds, is_configured, missing_variables

    ready = [contract.feed for contract in fetched_feeds() if is_configured(contract)]
    if not ready:
        missing = {contract.feed: missing_variables(contract) for contract in fetched_feeds()}
        wants = "; ".join(f"{feed} needs {' and '.join(names)}" for feed, names in missing.items())
        raise click.UsageError(f"No feed can be asked yet: {wants}, in the environment or in .env.")
    return ready


def _fetch(
    warehouse: "Warehouse", feeds: list[str], window: "Window | None", say: "Callable[[str], None]"
) -> "FetchResult":
    from ingestion.sources.fetching import fetch_feeds

    return fetch_feeds(warehouse, feeds, window=window, progress=say)


def _with_fetched(warehouse: "Warehouse", outcome: "Outcome", fetched: "FetchResult") -> "Outcome":
    """The outcome of the batch, and what became of each feed that was asked."""
    from dataclasses import replace

    from orchestration.cli.run import Verdict, verdicts_of

    known = {verdict.load_id for verdict in outcome.verdicts}
    others = [load.load_id for load in fetched.landed if load.load_id not in known]
    verdicts = [*outcome.verdicts, *verdicts_of(warehouse, others)]
    verdicts += [
        Verdict(feed, "FAILED", None, feed, 0, 0, 0, 0, sentence)
        for feed, sentence in fetched.failures.items()
    ]
    trouble = any(verdict.verdict in ("HELD", "FAILED") for verdict in verdicts)
    code = outcome.exit_code
    if code == 0 and trouble:
        code = 3 if fetched.landed or outcome.publication_id else 1
    return replace(outcome, verdicts=verdicts, exit_code=code)
