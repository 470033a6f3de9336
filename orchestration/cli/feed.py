"""`shopx feed`: propose a contract for a file nobody has described, and check a file without loading it.

Put here: asking and telling. Never here: what a file proves (ingestion/proposing/).
"""

import shlex
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ingestion.proposing import Check, Proposal, Question

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def feed() -> None:
    """Describe files: propose a contract (init), or check a file without loading it (check).

    \b
    Example:  shopx feed init my_sales.csv
    """


@feed.command()
@click.argument("file", type=_FILE)
@click.option("--name", default=None, help="Name of the feed; else made from the file's name.")
@click.option(
    "--answer", "answers", multiple=True, metavar="KEY=VALUE", help="Answer a question; may be repeated."
)
@click.option(
    "--expect", default=None, metavar="AMOUNT", help="Net sales by your own report; must agree to the cent."
)
@click.option(
    "--out", type=click.Path(path_type=Path), default=None, help="Save as FOLDER or FOLDER/NAME.yaml."
)
@click.option("--replace", "replace_existing", is_flag=True, help="Save over a contract of that name.")
@click.option("--dry-run", is_flag=True, help="Show the contract, save nothing.")
def init(
    *,
    file: Path,
    name: str | None,
    answers: tuple[str, ...],
    expect: str | None,
    out: Path | None,
    replace_existing: bool,
    dry_run: bool,
) -> None:
    """Look at an unknown file, propose its contract, check and save it.

    \b
    Example:  shopx feed init my_sales.csv --answer currency=EUR
    Exit code 0: saved · 3: saved, but this file would be held · 1: not saved · 2: questions are open
    """
    from ingestion.proposing import agrees

    if out is not None and out.suffix == ".yaml":
        name = name or out.stem
    proposal = _dialogue(file, dict(_answer(text) for text in answers), name=name, expect=expect)
    if proposal.open_questions:
        _show_open(proposal)
        raise click.exceptions.Exit(2)
    check = proposal.check
    assert check is not None  # noqa: S101 - no question is open
    show_check(check)
    if expect is not None and not agrees(expect, check):
        click.echo(f"\nYour report says {expect}; the file gives {_money(check)}. Nothing was saved.")
        click.echo(_what_may_differ(check))
        raise click.exceptions.Exit(1)
    if expect is not None:
        click.echo(f"Your report says {expect} too.")
    click.echo(f"\n{proposal.yaml}")
    for question in proposal.others:
        click.echo(f"Left open: {question.text} ({question.options})")
    if check.verdict == "REFUSED":
        click.echo("Nothing was saved, because the file could not be read.")
        raise click.exceptions.Exit(1)
    if not dry_run:
        _save(proposal, out, replace_existing=replace_existing)
    raise click.exceptions.Exit(3 if check.verdict == "HELD" else 0)


def _what_may_differ(check: "Check") -> str:
    """The next step where the file and the shop's own report disagree."""
    if check.rows_rejected:
        rows = _rows(check.rows_rejected, "refused row")
        return (
            f"The {rows} above may be the difference. If so, repeat it without --expect, `./shopx run` the "
            "file and correct them in `./shopx rejects N --xlsx FILE`; else look at the columns above."
        )
    return "Look at the columns above: is the amount before or after tax and discount, are returns below 0?"


def _rows(count: int, one: str = "row") -> str:
    return f"{count:,} {one}{'' if count == 1 else 's'}"


def _dialogue(file: Path, given: dict[str, str], *, name: str | None, expect: str | None) -> "Proposal":
    """Propose, and on a terminal ask until nothing needed is open; then show what was seen and matched."""
    from ingestion.proposing import propose
    from orchestration.cli.screen import Screen

    interactive = sys.stdin.isatty() and sys.stdout.isatty()
    asked: set[str] = set()
    screen = Screen()
    while True:
        with screen.working():
            screen.say(f"reading {file.name}")
            proposal = propose(file, today=date.today(), answers=given, feed=name, expect=expect)
        if not asked:
            _show_look(proposal)
        questions = proposal.open_questions or [one for one in proposal.others if one.key not in asked]
        if not interactive or not questions:
            _show_columns(proposal)
            return proposal
        for question in questions:
            asked.add(question.key)
            if (answer := _ask(question)) is not None:
                given[question.key] = answer


def _save(proposal: "Proposal", out: Path | None, *, replace_existing: bool) -> None:
    """Save where the running product looks, or where a person said, and name the next command."""
    from ingestion.contract import folder_of, load_contracts, own_feeds
    from ingestion.proposing import save

    there = None if out is not None or replace_existing else load_contracts().get(proposal.feed)
    if there is not None:
        kept = "is built in" if there.builtin else f"lies in {folder_of(proposal.feed)}"
        raise click.UsageError(f"a feed {proposal.feed} {kept} already; --name another one, or --replace it.")
    named_file = out is not None and out.suffix == ".yaml"
    target = out if out is not None and named_file else (out or own_feeds()) / f"{proposal.feed}.yaml"
    saved = save(proposal, target, replace_existing=replace_existing)
    click.echo(f"Saved {saved}")
    if proposal.alike:
        click.echo(f"Name the feed when you load: {proposal.alike}")
    file = shlex.quote(str(proposal.look.path)) + (f" --feed {proposal.feed}" if proposal.alike else "")
    click.echo(f"Check: ./shopx feed check {file}   Load: ./shopx run {file}")


@feed.command()
@click.argument("file", type=_FILE)
@click.option("--feed", "name", default=None, help="Read it by this contract instead of by its header.")
@click.option("--json", "as_json", is_flag=True, help="The outcome as JSON.")
def check(*, file: Path, name: str | None, as_json: bool) -> None:
    """Read a file as it would be loaded, and write nothing: verdict, days, orders, money, refused rows.

    \b
    Example:  shopx feed check my_sales.csv
    Exit code 0: it would come in · 3: it would be held · 1: it would be refused
    """
    from dataclasses import asdict

    from ingestion.proposing import check_file
    from orchestration.cli.screen import Screen, json_text
    from warehouse.settings import load_settings

    screen = Screen(quiet=as_json)
    with screen.working():
        screen.say(f"reading {file.name}")
        found = check_file(file, today=date.today(), feed=name, currency=load_settings().currency)
    if as_json:
        click.echo(json_text(asdict(found)))
    else:
        show_check(found)
    raise click.exceptions.Exit({"HELD": 3, "REFUSED": 1}.get(found.verdict, 0))


def show_check(check: "Check") -> None:
    """Print what a file would give."""
    feed_ = f" (feed {check.feed})" if check.feed else ""
    click.echo(f"\nCheck{feed_}, nothing written: {check.verdict}{': ' + check.why if check.why else ''}")
    if not check.facts:
        return
    days = f" · {check.first_date} to {check.last_date}" if check.first_date else ""
    orders = f" · {check.orders:,} orders" if check.orders is not None else ""
    net = f" · net {_money(check)}" if check.holds == "sales" else ""
    repeats = f", {check.rows_duplicate:,} repeats" if check.rows_duplicate else ""
    gaps = _gaps(check)
    click.echo(
        f"{_rows(check.rows_delivered)}: {check.rows_accepted:,} accepted, {check.rows_rejected:,} refused"
        f"{repeats}{gaps}{days}{orders}{net}"
    )
    for group in check.refused:
        click.echo(f"  {_rows(group.rows)}: {group.action} ({', '.join(group.codes)})")
        for example in group.examples:
            click.echo(f"      {example}")


#: What a record that is no row is: one, and several.
_NO_ROWS = {
    "preamble": ("line before the header", "lines before the header"),
    "blank": ("blank line", "blank lines"),
    "repeated_header": ("repeated header", "repeated headers"),
    "total": ("total that agrees", "totals that agree"),
    "note": ("note", "notes"),
    "end_mark": ("end mark", "end marks"),
}


def _gaps(check: "Check") -> str:
    """What is no row, by kind."""
    kinds = check.facts.get("gaps")
    if not isinstance(kinds, dict):
        return ""
    return "".join(f", {count:,} {_NO_ROWS[kind][count != 1]}" for kind, count in kinds.items())


def _money(check: "Check") -> str:
    from orchestration.cli.screen import money

    return " + ".join(money(cents, currency or None) for currency, cents in check.net_cents.items()) or "0"


def _show_look(proposal: "Proposal") -> None:
    click.echo(
        f"{proposal.look.path.name}: {proposal.look.sentence}"
        if proposal.look.header
        else proposal.look.path.name
    )
    if proposal.export:
        note = f" ({proposal.export.note})" if proposal.export.note else ""
        click.echo(f"It is an export of {proposal.export.export_of}{note}.")
    if proposal.matched.holds != "sales":
        click.echo(f"It holds {proposal.matched.holds.replace('_', ' ')}.")


def _show_columns(proposal: "Proposal") -> None:
    from orchestration.cli.screen import console, table

    matched = proposal.matched
    if matched.columns:
        rows = [
            (one.theirs, one.ours, one.sureness, " · ".join(one.examples)[:60])
            for one in matched.columns.values()
        ]
        console().print(table(None, ["their column", "ours", "why", "values"], rows))
    if matched.ignored:
        click.echo(f"Not used: {', '.join(matched.ignored)}")
        if matched.unfilled:
            said = shlex.quote("column.OURS=THEIRS")
            click.echo(
                f"  To use one of them: --answer {said}; not found of ours: {', '.join(matched.unfilled)}"
            )
    for theirs, why in matched.doubts.items():
        click.echo(f"Left out: {theirs}, {why}")


def _show_open(proposal: "Proposal") -> None:
    click.echo("\nThe file does not prove the following; say it and run the command again:")
    for question in proposal.open_questions:
        click.echo(f"  {question.text}")
        for choice, means in question.choices.items():
            click.echo(f"      --answer {_argument(question.key, choice)}{'   ' + means if means else ''}")
        if not question.choices:
            click.echo(f"      {question.options}")
    _show_optional(proposal.others)


def _show_optional(questions: "Sequence[Question]") -> None:
    for question in questions:
        click.echo(f"  (may stay open) {question.text} {question.options}")


def _argument(key: str, value: str) -> str:
    return shlex.quote(f"{key}={value}")


def _ask(question: "Question") -> str | None:
    """Ask on the terminal; None where it may stay open and nothing was said."""
    click.echo(f"\n{question.text}")
    names = list(question.choices)
    for number, choice in enumerate(names, start=1):
        means = question.choices[choice]
        click.echo(f"  {number}  {choice}{'   ' + means if means else ''}")
    while True:
        leave = "" if question.needed else " (Enter leaves it open)"
        said = str(click.prompt(f"Your answer{leave}", default="", show_default=False)).strip()
        if not said and not question.needed:
            return None
        if said.isdigit() and 1 <= int(said) <= len(names):
            return names[int(said) - 1]
        if said and (not names or said in names):
            return said


def _answer(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise click.UsageError(f'--answer "{text}": write it as KEY=VALUE, e.g. currency=EUR.')
    return key.strip(), value.strip()
