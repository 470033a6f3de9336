"""`shopx loads`, `rejects`, `release`, `withdraw`, `replay`: the ledger of deliveries and its decisions.

Put here: showing the ledger and passing on a decision.
Never here: what a decision does (ingestion/deciding.py).
"""

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.cli.run import Outcome
    from warehouse.database import Warehouse

LOADS = """
    select load_id, delivery_no, feed, delivered_name, status, mode, rows_delivered, rows_accepted,
           rows_rejected, amount_cents,
           coalesce(currency, (select value from ops.settings where name = 'currency')) as currency,
           first_date, last_date, duplicate_of, held_reason,
           held_message, landed_at, holds
    from raw.loads
    order by delivery_no, load_id
"""
CHOICES = "select * from ops.held_loads where load_id = %(load)s order by choice_number"
NEWEST = 30
REJECTS = """
    select r.load_id, l.delivered_name, r.sheet_row, r.line_number, r.columns, r.reasons, r.messages,
           r.raw_bytes
    from raw.rejected_rows as r
    inner join raw.loads as l using (load_id)
    where (%(load)s::bigint is null and l.status <> 'withdrawn') or r.load_id = %(load)s
    order by r.load_id, r.line_number
    limit %(limit)s
"""
SUMMARY = """
    select r.load_id, l.delivered_name, reason, count(*)::int as rows, min(message) as example
    from raw.rejected_rows as r
    inner join raw.loads as l using (load_id), unnest(r.reasons, r.messages) as each (reason, message)
    where (%(load)s::bigint is null and l.status <> 'withdrawn') or r.load_id = %(load)s
    group by r.load_id, l.delivered_name, reason
    order by r.load_id, rows desc, reason
"""


def _rows(query: str, **parameters: Any) -> list[dict[str, Any]]:
    from psycopg.rows import dict_row

    from orchestration.cli.opening import open_warehouse

    with open_warehouse() as warehouse, warehouse.connect("loader", autocommit=True) as conn:
        return conn.cursor(row_factory=dict_row).execute(query, parameters).fetchall()


def _show(*tables: Any) -> None:
    from orchestration.cli.screen import console

    out = console()
    for each in tables:
        out.print(each)


@click.command()
@click.argument("load", type=int, required=False)
@click.option("--all", "every", is_flag=True, help=f"Every delivery, not the {NEWEST} newest.")
@click.option("--json", "as_json", is_flag=True, help="Every delivery with every field, as JSON.")
def loads(load: int | None, every: bool, as_json: bool) -> None:
    """List deliveries, the newest last: what was accepted, what is held and why; or show one of them.

    Repeats of bytes that were delivered before are counted, and listed with --all. With the number of a LOAD:
    its checks, who decided about it and why, and, where it is held, what each answer would change.

    \b
    Example:  shopx loads
              shopx loads 1
    """
    from orchestration.cli.one_load import choices_table, show_load
    from orchestration.cli.screen import json_text, money, table

    if load is not None:
        show_load(load, as_json=as_json)
        return
    found = _rows(LOADS)
    if as_json:
        click.echo(json_text(found))
        return
    if not found:
        click.echo("No delivery yet. Load one: ./shopx run FILE")
        return
    own = [row for row in found if every or row["status"] != "duplicate"]
    newest = own if every else own[-NEWEST:]
    undecided = [row for row in own if row["status"] == "held" and row not in newest]
    shown = [
        (
            str(row["load_id"]),
            row["delivered_name"],
            row["feed"],
            row["status"],
            row["rows_delivered"],
            row["rows_accepted"],
            row["rows_rejected"],
            money(row["amount_cents"], row["currency"]) if row["holds"] == "sales" else "",
            f"{row['first_date']} – {row['last_date']}" if row["first_date"] else "",
            row["held_reason"] or (f"same as load {row['duplicate_of']}" if row["duplicate_of"] else ""),
        )
        for row in (*undecided, *newest)
    ]
    left_out = {
        "earlier": len(own) - len(newest) - len(undecided),
        "repeated": len(found) - len(own),
    }
    if any(left_out.values()):
        said = " and ".join(
            f"{n:,} {what} {'delivery' if n == 1 else 'deliveries'}" for what, n in left_out.items() if n
        )
        click.echo(f"Not listed: {said}. All: ./shopx loads --all")
    head = ["load", "delivery", "feed", "status", "rows", "accepted", "rejected", "net", "days", "why"]
    _show(table(None, head, shown))
    for held in (row for row in found if row["status"] == "held"):
        said = held["held_message"] or held["held_reason"]
        click.echo(f"\nload {held['load_id']}, {held['delivered_name']}: {said}")
        _show(choices_table(_rows(CHOICES, load=held["load_id"])))


@click.command()
@click.argument("load", type=int, required=False)
@click.option("--limit", default=None, type=int, help="At most so many rows.")
@click.option("--json", "as_json", is_flag=True, help="Every refused row as JSON, with its original text.")
@click.option(
    "--xlsx",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    metavar="FILE",
    help="Write them as a workbook to be corrected, of one load, a feed, or all.",
)
@click.option("--feed", default=None, help="With --xlsx: the refused rows of every delivery of this feed.")
def rejects(
    *, load: int | None, limit: int | None, as_json: bool, xlsx: Path | None, feed: str | None
) -> None:
    """Show refused rows: file, spreadsheet row, line, every reason, and what to do.

    Those of a withdrawn load, or of one read again since, only where the load is named.

    To correct them: write the workbook, change cells in its "correct here" columns, save it, and drop it
    into the inbox or give it to `shopx run`. The loads are then replayed with the corrected rows.

    \b
    Example:  shopx rejects 4
              shopx rejects 4 --xlsx to_correct.xlsx
    """
    from orchestration.cli.screen import json_text, table

    if xlsx is not None:
        _write_workbook(xlsx, load=load, feed=feed)
        return
    if feed is not None:
        raise click.UsageError("--feed goes with --xlsx FILE.")

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
    one = f" {load}" if load is not None else ""
    click.echo(f"\nCorrect them in a workbook: ./shopx rejects{one} --xlsx to_correct.xlsx")


def _write_workbook(path: Path, *, load: int | None, feed: str | None) -> None:
    from ingestion.corrections.exporting import write_corrections
    from orchestration.batch import counted
    from orchestration.cli.opening import open_warehouse
    from warehouse.errors import ShopxError

    if load is not None and feed is not None:
        raise click.UsageError("Name a load or --feed, not both.")
    with open_warehouse() as warehouse:
        try:
            written = write_corrections(warehouse, path, load_id=load, feed=feed)
        except OSError as error:
            raise ShopxError(f"{path} cannot be written: {error.strerror or error}") from None
    click.echo(f"{counted(written, 'row')} to correct in {path}. When it is saved: ./shopx run {path}")


_WHY = click.option("--why", default=None, help="Kept beside the decision.")
_BY = click.option(
    "--by", default=getpass.getuser, show_default="the user of this machine", help="Who decides, kept too."
)
_LATER = click.option("--later", is_flag=True, help="Decide only; the next `shopx run` publishes it.")
_JSON = click.option("--json", "as_json", is_flag=True, help="The outcome as JSON.")


@click.command()
@click.argument("load", type=int)
@click.option(
    "--as",
    "as_",
    default=None,
    metavar="CHOICE",
    help="What it means (days, orders, lines, events, match), or how it is read, e.g. day-first.",
)
@click.option("--always", is_flag=True, help="Write the answer into the feed's contract too.")
@_WHY
@_BY
@_LATER
@_JSON
def release(
    *, load: int, as_: str | None, always: bool, why: str | None, by: str, later: bool, as_json: bool
) -> None:
    """Let a held delivery count, and publish.

    \b
    Example:  shopx release 14 --as day-first
    """
    from ingestion.deciding import release as let_count

    def decide(warehouse: "Warehouse") -> str:
        why_ = why or "released from the command line"
        let_count(warehouse, load, as_=as_, always=always, by=by, why=why_)
        return f"Load {load} is released"

    _decide_and_publish(decide, load=load, undo=f"./shopx withdraw {load}", later=later, as_json=as_json)


@click.command()
@click.argument("load", type=int)
@_WHY
@_BY
@_LATER
@_JSON
def withdraw(*, load: int, why: str | None, by: str, later: bool, as_json: bool) -> None:
    """Take a delivery out again, and publish; what it had replaced counts once more.

    \b
    Example:  shopx withdraw 4 --why "wrong till"
    """
    from ingestion.deciding import withdraw as take_out

    def decide(warehouse: "Warehouse") -> str:
        take_out(warehouse, load, by=by, why=why or "withdrawn from the command line")
        return f"Load {load} is withdrawn"

    _decide_and_publish(decide, load=load, undo=f"./shopx release {load}", later=later, as_json=as_json)


@click.command()
@click.argument("load", type=int)
@_WHY
@_BY
@_LATER
@_JSON
def replay(*, load: int, why: str | None, by: str, later: bool, as_json: bool) -> None:
    """Read a delivery again, with its corrected rows and today's contract, and publish.

    The archived bytes become a new load in the old one's place; the old one is withdrawn.

    \b
    Example:  shopx replay 4 --why "the till is in Lisbon"
    """
    from ingestion.landing import replay as read_again
    from orchestration.cli.opening import open_warehouse
    from orchestration.cli.run import run_pending
    from orchestration.cli.screen import Screen

    screen = Screen(quiet=as_json)
    with screen.working(), open_warehouse(progress=screen.say) as warehouse:
        new = read_again(
            warehouse, load, by=by, why=why or "from the command line", progress=screen.say
        ).load_id
        said = f"Load {load} is read again as load {new}"
        undo = f"./shopx withdraw {new} --later && ./shopx release {load}"
        screen.done(f"{said}   Undo: {undo}")
        outcome = None if later else run_pending(warehouse, screen, about=new)
    _tell(said, undo, outcome, as_json=as_json)


def _decide_and_publish(
    decide: "Callable[[Warehouse], str]", *, load: int, undo: str, later: bool, as_json: bool
) -> None:
    """Pass on the decision, then run what is pending, unless that is for later."""
    from orchestration.cli.opening import open_warehouse
    from orchestration.cli.run import run_pending
    from orchestration.cli.screen import Screen

    screen = Screen(quiet=as_json)
    with screen.working(), open_warehouse(progress=screen.say) as warehouse:
        said = decide(warehouse)
        screen.done(f"{said}   Undo: {undo}")
        outcome = None if later else run_pending(warehouse, screen, about=load)
    _tell(said, undo, outcome, as_json=as_json)


def _tell(said: str, undo: str, outcome: "Outcome | None", *, as_json: bool) -> None:
    """Say what came of a decision, and end with its exit code."""
    from orchestration.cli.screen import json_text

    if outcome is None:
        click.echo(f"{said}. Publish: ./shopx run   Undo: {undo}")
        return
    if as_json:
        click.echo(json_text(outcome.as_dict()))
    else:
        outcome.show()
    raise click.exceptions.Exit(outcome.exit_code)
