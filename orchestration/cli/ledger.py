"""`shopx loads`, `rejects`, `release`, `withdraw`: the ledger of deliveries, and decisions about them.

Put here: showing the ledger and passing on a decision.
Never here: what a decision does (ingestion/ledger.py).
"""

import getpass
from typing import Any

import click

LOADS = """
    select load_id, delivery_no, feed, delivered_name, status, mode, rows_delivered, rows_accepted,
           rows_rejected, amount_cents, currency, first_date, last_date, duplicate_of, held_reason,
           held_message, landed_at
    from raw.loads
    where %(every)s or status <> 'duplicate'
    order by delivery_no desc, load_id desc
    limit %(limit)s
"""
REJECTS = """
    select r.load_id, l.delivered_name, r.sheet_row, r.line_number, r.columns, r.reasons, r.messages,
           r.raw_bytes
    from raw.rejected_rows as r
    inner join raw.loads as l using (load_id)
    where (%(load)s::bigint is null or r.load_id = %(load)s)
    order by r.load_id, r.line_number
    limit %(limit)s
"""
SUMMARY = """
    select r.load_id, l.delivered_name, reason, count(*)::int as rows, min(message) as example
    from raw.rejected_rows as r
    inner join raw.loads as l using (load_id), unnest(r.reasons, r.messages) as each (reason, message)
    where (%(load)s::bigint is null or r.load_id = %(load)s)
    group by r.load_id, l.delivered_name, reason
    order by r.load_id, rows desc, reason
"""


def _rows(query: str, **parameters: Any) -> list[dict[str, Any]]:
    from psycopg.rows import dict_row

    from warehouse.database import open_warehouse

    with open_warehouse() as warehouse, warehouse.connect("loader", autocommit=True) as conn:
        return conn.cursor(row_factory=dict_row).execute(query, parameters).fetchall()


def _show(*tables: Any) -> None:
    from orchestration.cli.screen import console

    out = console()
    for each in tables:
        out.print(each)


@click.command()
@click.option("--all", "every", is_flag=True, help="Duplicates too.")
@click.option("--limit", default=200, show_default=True, help="At most so many, newest first.")
@click.option("--json", "as_json", is_flag=True, help="Every field as JSON.")
def loads(every: bool, limit: int, as_json: bool) -> None:
    """List deliveries: what came, what was accepted, what is held and why.

    \b
    Example:  shopx loads --json
    """
    from orchestration.cli.screen import json_text, money, table

    found = _rows(LOADS, every=every, limit=limit)
    if as_json:
        click.echo(json_text(found))
        return
    shown = [
        (
            str(load["load_id"]),
            load["delivered_name"],
            load["feed"],
            load["status"],
            load["rows_delivered"],
            load["rows_accepted"],
            load["rows_rejected"],
            money(load["amount_cents"], load["currency"]),
            f"{load['first_date']} – {load['last_date']}" if load["first_date"] else "",
            load["held_reason"] or (f"same as load {load['duplicate_of']}" if load["duplicate_of"] else ""),
        )
        for load in found
    ]
    head = ["load", "delivery", "feed", "status", "rows", "accepted", "rejected", "net", "days", "why"]
    _show(table(None, head, shown))
    for load in found:
        if load["status"] == "held" and load["held_message"]:
            click.echo(f"\nload {load['load_id']}, {load['delivered_name']}: {load['held_message']}")
    if not found:
        click.echo("No delivery yet. Load one: shopx run FILE")


@click.command()
@click.argument("load", type=int, required=False)
@click.option("--limit", default=None, type=int, help="At most so many rows.")
@click.option("--json", "as_json", is_flag=True, help="Every refused row as JSON, with its original text.")
def rejects(load: int | None, limit: int | None, as_json: bool) -> None:
    """Show refused rows: file, spreadsheet row, line, every reason, and what to do.

    \b
    Example:  shopx rejects 4
    """
    from orchestration.cli.screen import json_text, table

    found = _rows(REJECTS, load=load, limit=limit if limit is not None else (None if as_json else 50))
    if as_json:
        click.echo(json_text(found))
        return
    if not found:
        click.echo("No refused rows.")
        return
    summary = _rows(SUMMARY, load=load)
    by_reason = [(str(s["load_id"]), s["delivered_name"], s["reason"], s["rows"]) for s in summary]
    rows = [
        (
            str(r["load_id"]),
            r["delivered_name"],
            str(r["sheet_row"]),
            str(r["line_number"]),
            "\n".join(r["messages"]),
        )
        for r in found
    ]
    _show(
        table("By reason", ["load", "delivery", "reason", "rows"], by_reason),
        "",
        table("Rows" if limit else "First rows", ["load", "delivery", "row", "line", "what to do"], rows),
    )


@click.command()
@click.argument("load", type=int)
@click.option(
    "--as", "as_", default=None, metavar="CHOICE", help="A choice the hold offers, e.g. day-first or orders."
)
@click.option("--why", default=None, help="Kept beside the decision.")
def release(load: int, as_: str | None, why: str | None) -> None:
    """Let a held delivery count. The next `shopx run` publishes it.

    \b
    Example:  shopx release 14 --as day-first
    """
    from ingestion.ledger import release as let_count
    from warehouse.database import open_warehouse

    with open_warehouse() as warehouse:
        let_count(warehouse, load, as_=as_, by=getpass.getuser(), why=why or "released from the command line")
    click.echo(f"Load {load} is released. Publish it: shopx run   Undo: shopx withdraw {load}")


@click.command()
@click.argument("load", type=int)
@click.option("--why", default=None, help="Kept beside the decision.")
def withdraw(load: int, why: str | None) -> None:
    """Take a delivery out again; what it had replaced counts once more. The next `shopx run` publishes it.

    \b
    Example:  shopx withdraw 4 --why "wrong till"
    """
    from ingestion.ledger import withdraw as take_out
    from warehouse.database import open_warehouse

    with open_warehouse() as warehouse:
        take_out(warehouse, load, by=getpass.getuser(), why=why or "withdrawn from the command line")
    click.echo(f"Load {load} is withdrawn. Publish without it: shopx run")
