"""`shopx loads N`: one delivery, why it is held, and what each answer would change.

Put here: how one delivery looks in a terminal. Never here: a query (gate_pages/story.py) or a decision.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.table import Table


def show_load(load_id: int, *, as_json: bool) -> None:
    """Print one delivery. Raises ShopxError where there is none of this number."""
    from orchestration.cli.screen import console, json_text, table
    from orchestration.gate_pages.story import load_story
    from warehouse.database import open_warehouse
    from warehouse.errors import ShopxError

    with open_warehouse() as warehouse:
        story = load_story(warehouse, load_id)
    if story is None:
        raise ShopxError(f"There is no load {load_id}. What there is: ./shopx loads --all")
    if as_json:
        click.echo(json_text({name: told for name, told in story.items() if name != "refused"}))
        return
    out, load = console(), story["load"]
    out.print(_headline(load))
    if load["held_message"]:
        out.print(f"\n{'Held' if load['status'] == 'held' else 'Failed'}: {load['held_message']}")
    if story["choices"]:
        out.print("", choices_table(story["choices"]))
    if load["warnings"]:
        out.print(f"\nWarnings: {load['warnings']}")
    if story["reasons"]:
        refused = [(each["reason"], each["rows_rejected"], each["example_1"]) for each in story["reasons"]]
        out.print("", table("Refused rows", ["reason", "rows", "for example"], refused))
        out.print(f"Correct them in a workbook: ./shopx rejects {load_id} --xlsx to_correct.xlsx")
    if story["checks"]:
        out.print("", *_checks(story["checks"]))
    if story["decisions"]:
        told = [
            (
                f"{each['changed_at']:%Y-%m-%d %H:%M}",
                each["kind"],
                each["changed_by"],
                each["why"],
                str(each["publication_id"] or "not yet"),
            )
            for each in story["decisions"]
        ]
        out.print("", table("Decisions", ["when (UTC)", "what", "who", "why", "publication"], told))


def choices_table(choices: Sequence[dict[str, Any]]) -> "Table":
    """Each answer to a hold with its command and its effect in rows and money."""
    from orchestration.cli.screen import money, table

    rows = [
        (
            f"./{each['command']}",
            each["says"],
            _signed(each["rows_change"]),
            each["rows_taken"] or "",
            each["rows_rejected"] or "",
            "not known"
            if each["cents_change"] is None
            else ("+" if each["cents_change"] > 0 else "") + money(each["cents_change"], each["currency"]),
            f"{each['first_date']} – {each['last_date']}" if each["first_date"] else "",
        )
        for each in choices
    ]
    head = ["what you can do", "it says", "rows", "older out", "refused", "net sales", "days"]
    return table(None, head, rows)


def _signed(rows: int | None) -> str:
    return "not known" if rows is None else f"{rows:+,}" if rows else "0"


def _headline(load: dict[str, Any]) -> str:
    from orchestration.cli.screen import money

    said = [
        f"Load {load['load_id']} ({load['delivered_name']}) of {load['feed']}: {load['verdict']}",
        f"{load['rows_delivered']:,} rows, {load['rows_accepted']:,} accepted, "
        f"{load['rows_rejected']:,} refused, {load['rows_duplicate']:,} repeats",
    ]
    if load["holds"] == "sales" and load["rows_accepted"]:
        said.append(money(load["amount_cents"], load["currency"]))
    if load["first_date"]:
        said.append(f"{load['first_date']} – {load['last_date']}")
    if load["status"] == "approved":
        said.append("published" if load["is_published"] else "not published yet: ./shopx run")
    return " · ".join(said)


def _checks(checks: Sequence[dict[str, Any]]) -> "list[str | Table]":
    """How many passed, and those that did not."""
    from orchestration.cli.screen import table

    failed = [
        (
            check["reason"],
            check["observed"],
            check["limit_value"],
            "holds it" if check["severity"] == "hold" else "warns",
        )
        for check in checks
        if not check["passed"]
    ]
    said = f"Checks of the gate: {len(checks) - len(failed)} of {len(checks)} passed"
    return [said, table(None, ["failed", "value", "limit", ""], failed)] if failed else [said]
