"""`shopx explain`: from the number somebody expects of a day to ours, cent by cent.

Put here: how the walk is shown. Never here: what its steps are (publication/explaining.py).
"""

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from datetime import datetime

    from publication.explaining import Explanation, Step


@click.command()
@click.argument("day", metavar="DATE", type=click.DateTime(["%Y-%m-%d"]))
@click.option(
    "--expect", metavar="AMOUNT", default=None, help="What the shop system or till says, e.g. 1234.50."
)
@click.option("--json", "as_json", is_flag=True, help="Every step as JSON, in minor units.")
def explain(day: "datetime", expect: str | None, as_json: bool) -> None:
    """Say why a day's net sales are not what another system shows.

    Lists everything that could be counted otherwise, each in cents; with --expect also which of it together
    gives exactly that amount. Exit code 1: nothing does.

    \b
    Example:  shopx explain 2026-03-28 --expect 1234.50
    """
    from dataclasses import asdict

    from orchestration.cli.opening import open_warehouse
    from orchestration.cli.screen import json_text
    from publication.explaining import explain as walk

    with open_warehouse() as warehouse, warehouse.connect("owner", autocommit=True) as conn:
        row = conn.execute("select value from ops.settings where name = 'currency'").fetchone()
        currency = row[0] if row else None
        expected = None if expect is None else _minor_units(expect, currency)
        found = walk(warehouse, day.date(), expected_cents=expected)
    if as_json:
        click.echo(json_text(asdict(found)))
    else:
        _show(found, currency)
    raise click.exceptions.Exit(0 if expected is None or found.answers else 1)


def _minor_units(text: str, currency: str | None) -> int:
    from orchestration.cli.screen import minor_units

    try:
        return minor_units(Decimal(text.replace(",", "")), currency)
    except (InvalidOperation, ValueError):
        raise click.UsageError(f"--expect {text} is no amount like 1234.50.") from None


def _show(found: "Explanation", currency: str | None) -> None:
    from orchestration.cli.screen import console, money, table

    out = console()
    rows = [("", "our net sales as published", money(found.net_sales_cents, currency), "")]
    rows += [
        (
            "" if step.amount_cents else "·",
            step.says,
            f"{'+' if step.amount_cents > 0 else ''}{money(step.amount_cents, currency)}",
            f"{step.lines_that_cannot_say:,} lines cannot say" if step.lines_that_cannot_say else "",
        )
        for step in found.steps
    ]
    out.print(
        table(f"{found.day}, publication #{found.publication_id}", ["", "if counted", "adds", ""], rows)
    )
    for sentence in found.unknown:
        out.print(f"? {sentence}")
    if found.expected_cents is None:
        out.print(f"What does the other system say?  ./shopx explain {found.day} --expect AMOUNT")
        return
    said = money(found.expected_cents, currency)
    for number, answer in enumerate(found.answers):
        out.print(f"{said} is explained exactly{'' if not number else ', or so'}:")
        _walk(found, list(answer.steps), currency)
    if found.nearest is not None:
        left = found.expected_cents - found.sum_of(found.nearest)
        out.print(
            f"No combination of these gives {said}. The nearest leaves {money(left, currency)} unexplained:"
        )
        _walk(found, list(found.nearest.steps), currency)


def _walk(found: "Explanation", steps: "list[Step]", currency: str | None) -> None:
    """From the expected number down to ours."""
    from orchestration.cli.screen import console, money, table

    running = found.net_sales_cents + sum(step.amount_cents for step in steps)
    rows = [("counted as the other system does", "", money(running, currency))]
    for step in reversed(steps):
        running -= step.amount_cents
        rows.append((f"without: {step.says}", money(-step.amount_cents, currency), money(running, currency)))
    rows.append(("our net sales", "", money(running, currency)))
    console().print(table(None, ["", "changes by", "leaves"], rows))
