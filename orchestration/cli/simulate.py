"""`shopx simulate`: years of a shop that does not exist, as files to load, with the true totals beside them.

Put here: what is asked for and what is told. Never here: how a shop is made up (ingestion/simulating/).
"""

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from datetime import datetime

MILLION = 1_000_000


class Share(click.ParamType):  # type: ignore[type-arg]
    """A decimal such as 0.01, taken exactly and kept in millionths."""

    name = "share"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Millionths of a text; a number is millionths already."""
        if isinstance(value, int):
            return value
        try:
            return int(Decimal(str(value)) * MILLION)
        except (ArithmeticError, ValueError):
            self.fail(f"{value} is no number like 0.01", param, ctx)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default="simulation")
@click.option("--years", type=click.IntRange(1, 50), default=5, show_default=True)
@click.option("--customers-per-year", type=int, default=2_000, show_default=True, help="New ones each year.")
@click.option("--products-per-year", type=int, default=200, show_default=True, help="Launches each year.")
@click.option("--stores", type=int, default=6, show_default=True, help="Of which one is the web shop.")
@click.option(
    "--lines", type=int, default=0, help="Sales lines in all, about; else 40 a new customer and year."
)
@click.option("--growth", type=Share(), default=120_000, help="Sales against the year before. [0.12]")
@click.option("--mess", type=Share(), default=10_000, help="Share of damaged rows in daily files. [0.01]")
@click.option("--late", type=Share(), default=20_000, help="Share of lines up to 400 days late. [0.02]")
@click.option(
    "--start", type=click.DateTime(["%Y-%m-%d"]), default="2021-01-01", help="First day. [2021-01-01]"
)
@click.option("--seed", type=int, default=7, show_default=True, help="The same seed, the same bytes.")
@click.option("--one-file", is_flag=True, help="All sales in one file, without mess, for benchmarks.")
@click.option(
    "--days", type=click.IntRange(1, 3660), help="Go on with the simulation in FOLDER for so many days."
)
@click.option("--lines-per-day", type=int, default=0, help="With --days: sales lines of each of them, about.")
def simulate(
    *,
    folder: Path,
    years: int,
    customers_per_year: int,
    products_per_year: int,
    stores: int,
    lines: int,
    growth: int,
    mess: int,
    late: int,
    start: "datetime",
    seed: int,
    one_file: bool,
    days: int | None,
    lines_per_day: int,
) -> None:
    """Make up a shop: years of its files into FOLDER, and the true totals beside them. Loads nothing.

    \b
    Example:  shopx simulate shop --years 5 --customers-per-year 2000 --products-per-year 200 --seed 7
    Go on:    shopx simulate shop --days 30
    """
    import time
    from datetime import date

    from ingestion.contract import own_feeds
    from ingestion.simulating import simulation
    from ingestion.simulating.feeds import write_contracts
    from ingestion.simulating.shop import Shop
    from orchestration.cli.screen import Screen, money

    _refuse_what_has_no_effect(going_on=days is not None)
    screen = Screen()
    begun = time.monotonic()
    with screen.working():
        if days is None:
            shop = Shop(
                seed=seed, first_day=start.date(), years=years, customers_per_year=customers_per_year,
                products_per_year=products_per_year, stores=stores, lines=lines, growth=growth, mess=mess,
                late=late,
            )  # fmt: skip
            made = simulation.simulate(folder, shop, one_file=one_file, progress=screen.say)
        else:
            made = simulation.go_on(
                folder, days=days, lines_a_day=lines_per_day, one_file=one_file, progress=screen.say
            )
        shop, parts = simulation.read_manifest(folder)
        write_contracts(shop, own_feeds())
        seconds = time.monotonic() - begun
        screen.done(
            f"{made.lines:,} sales lines in {len(made.files):,} files: {made.deliveries}   {seconds:.1f} s, "
            f"{made.lines / seconds:,.0f} lines a second"
        )
        bad = sum(file.rejected for file in made.files)
        twice = sum(file.repeated for file in made.files)
        copies = sum(bool(file.copy_of) for file in made.files)
        screen.done(f"Mess on purpose: {bad:,} damaged rows, {twice:,} rows twice, {copies:,} files twice")
        screen.done(
            f"True net sales of all that was delivered so far: "
            f"{money(simulation.net_sales(folder), 'GBP')}   {folder / 'truth'}"
        )
        screen.done(f"Contracts of its files: {own_feeds()}")
        if parts[-1].last > date.today():
            screen.warn(
                f"Days after today are refused when they are loaded; this shop lives to {parts[-1].last}"
            )
        screen.note(f"Load it   ./shopx run {made.deliveries}")


def _refuse_what_has_no_effect(*, going_on: bool) -> None:
    """A shop is what it was made as; only its days may follow. Raises click.UsageError."""
    context = click.get_current_context()
    for name in context.params:
        is_given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        option = f"--{name.replace('_', '-')}"
        if is_given and going_on and name not in ("folder", "days", "lines_per_day", "one_file"):
            raise click.UsageError(f"{option} is for a new shop; --days goes on with one as it was made.")
        if is_given and not going_on and name == "lines_per_day":
            raise click.UsageError(f"{option} is for --days; --lines says how much the years bring.")
