"""`shopx run`: one batch now, and its verdict.

Put here: what a person gives and what a person is told.
Never here: the steps (defs/) or how they are run (running.py).
"""

from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from datetime import datetime

    from ingestion.landing import LandingResult
    from orchestration.batch import Batch
    from orchestration.cli.screen import Screen
    from publication.headline import Headline
    from warehouse.database import Warehouse

SHOWN = 25
CALM = ("IN", "IN WITH REJECTS", "DUPLICATE")
GROWING = "it may still be written, as it changed within the last seconds; the next run takes it: ./shopx run"


@dataclass(frozen=True)
class Verdict:
    """What became of one delivered file."""

    delivery: str
    verdict: str
    load_id: int | None
    feed: str | None
    rows_delivered: int
    rows_accepted: int
    rows_rejected: int
    amount_cents: int
    why: str
    holds: str = "sales"


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE|DIR]...")
@click.option("--feed", default=None, help="Read the files by this contract instead of by their header.")
@click.option(
    "--as-of", type=click.DateTime(["%Y-%m-%d"]), default=None, help="Last business day of the figures."
)
@click.option("--full-refresh", is_flag=True, help="Rebuild every model from the raw rows.")
@click.option("--allow-breaking", is_flag=True, help="Publish although readers lose columns or marts.")
@click.option("--allow-shrink", is_flag=True, help="Publish although a mart loses most of its rows.")
@click.option("--json", "as_json", is_flag=True, help="The outcome as JSON.")
def run(
    *,
    paths: tuple[Path, ...],
    feed: str | None,
    as_of: "datetime | None",
    full_refresh: bool,
    allow_breaking: bool,
    allow_shrink: bool,
    as_json: bool,
) -> None:
    """One batch now: load, gate, build, audit, publish. Without files: finish what is pending.

    \b
    Example:  shopx run my_sales.csv
    Exit code 0: everything given is published · 3: something was held or refused · 1: not published
    """
    from orchestration.cli.opening import open_warehouse
    from orchestration.cli.screen import Screen, json_text

    if feed and not paths:
        _refuse_fetched(feed)
    screen = Screen(quiet=as_json)
    with screen.working(), open_warehouse(progress=screen.say) as warehouse:
        outcome = run_files(
            warehouse,
            list(paths),
            screen,
            feed=feed,
            as_of=as_of.date() if as_of else None,
            full_refresh=full_refresh,
            allow_breaking=allow_breaking,
            allow_shrink=allow_shrink,
        )
    if as_json:
        click.echo(json_text(outcome.as_dict()))
    else:
        outcome.show()
    raise click.exceptions.Exit(outcome.exit_code)


def _refuse_fetched(feed: str) -> None:
    """A feed that is asked has no files lying about to be run."""
    from ingestion.contract import load_contracts

    contract = load_contracts().get(feed)
    if contract is not None and contract.is_fetched:
        raise click.UsageError(f"Feed {feed} is asked, not dropped: ./shopx sync {feed}")


@dataclass(frozen=True)
class Outcome:
    """What a run did, ready to be shown."""

    verdicts: list[Verdict]
    publication_id: int | None
    as_of: date | None
    headline: "Headline | None"
    failures: list[str]
    nothing_new: str | None
    currency: str | None
    exit_code: int

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for --json."""
        return {**asdict(self), "headline": asdict(self.headline) if self.headline else None}

    def show(self) -> None:
        """Print the verdict table and the last line."""
        from orchestration.cli.screen import console, money, table

        out = console()
        calm = [verdict for verdict in self.verdicts if verdict.verdict in CALM]
        loud = [verdict for verdict in self.verdicts if verdict not in calm]
        shown = loud + calm[: max(SHOWN - len(loud), 5)]
        if shown:
            head = ["load", "delivery", "verdict", "rows", "accepted", "rejected", "net", "why"]
            rows = [
                (
                    str(v.load_id or ""),
                    v.delivery,
                    v.verdict,
                    v.rows_delivered,
                    v.rows_accepted,
                    v.rows_rejected,
                    money(v.amount_cents, self.currency) if v.load_id and v.holds == "sales" else "",
                    v.why,
                )
                for v in shown
            ]
            out.print(table(None, head, rows))
            if len(shown) < len(self.verdicts):
                out.print(f"… and {len(self.verdicts) - len(shown)} more like the last. All: ./shopx loads")
        for failure in self.failures[:10]:
            out.print(f"✗ {failure}")
        for line in self.last_lines():
            out.print(line)

    def last_lines(self) -> list[str]:
        """Return what is published now, or why nothing is, and the next command."""
        lines = (
            [f"Published #{self.publication_id}.  {headline_sentence(self.headline, self.currency)}"]
            if (self.publication_id and self.headline)
            else []
        )
        if self.failures:
            lines.append("Not published; the figures published before are unchanged.")
            lines.append("Look: ./shopx doctor · the run in the UI (./shopx up) · try again: ./shopx run")
        elif self.nothing_new:
            lines.append(self.nothing_new)
        held = [v for v in self.verdicts if v.verdict == "HELD"]
        if held:
            lines.append(f"{len(held)} held; why says what each needs. All of them: ./shopx loads")
        if any(v.rows_rejected for v in self.verdicts):
            lines.append("Refused rows and how to fix them: ./shopx rejects")
        return lines


def headline_sentence(headline: "Headline | None", currency: str | None) -> str:
    """Return the one sentence of figures said after a publication."""
    from orchestration.cli.screen import money

    if headline is None:
        return ""
    change = ""
    before = headline.previous_month_net_sales_cents
    if before:
        share = 100 * (headline.month_net_sales_cents - before) / abs(before)
        change = f" ({'▲' if share >= 0 else '▼'} {abs(share):.1f} % on the month before)"
    average = headline.month_average_order_value_cents
    aov = f" · AOV {money(average, currency)}" if average is not None else ""
    return (
        f"Net sales {headline.month:%B %Y}: {money(headline.month_net_sales_cents, currency)}{change}"
        f" · {headline.month_orders:,} orders{aov} · in all {money(headline.net_sales_cents, currency)}"
    )


def run_files(
    warehouse: "Warehouse",
    paths: list[Path],
    screen: "Screen",
    *,
    feed: str | None = None,
    as_of: date | None = None,
    full_refresh: bool = False,
    allow_breaking: bool = False,
    allow_shrink: bool = False,
    by: str = "shopx run",
) -> Outcome:
    """Run one batch where one is needed, and judge each file."""
    from orchestration.batch import Batch
    from orchestration.cli.screen import noise_into
    from orchestration.landing import land_given
    from orchestration.running import pending, run_batch

    landing = land_given(warehouse, paths, feed=feed, say=screen.say)
    tell_landed(screen, landing)
    if full_refresh or as_of or allow_breaking or allow_shrink or pending(warehouse):
        with noise_into(warehouse.settings.home / "logs" / "run.log"):
            batch = run_batch(
                warehouse,
                paths,
                feed=feed,
                as_of=as_of,
                full_refresh=full_refresh,
                allow_breaking=allow_breaking,
                allow_shrink=allow_shrink,
                by=by,
                landing=landing,
                say=screen.say,
                done=screen.done,
            )
    else:
        batch = Batch(landing=landing, nothing_to_build="Nothing new and nothing pending.")
    outcome = judge(warehouse, batch)
    for verdict in outcome.verdicts:
        if verdict.verdict == "HELD":
            screen.warn(f"{verdict.delivery} is HELD: {verdict.why}")
    return outcome


def run_pending(warehouse: "Warehouse", screen: "Screen", *, about: int) -> Outcome:
    """Run what a decision about one load leaves to do, and say what became of that load."""
    from dataclasses import replace

    outcome = run_files(warehouse, [], screen, by="shopx run")
    if any(verdict.load_id == about for verdict in outcome.verdicts):
        return outcome
    return replace(outcome, verdicts=[*verdicts_of(warehouse, [about]), *outcome.verdicts])


def tell_landed(screen: "Screen", landing: "LandingResult") -> None:
    """Say what came in."""
    from orchestration.batch import counted

    came = landing.landed
    if came:
        sums = [
            sum(getattr(load, name) for load in came)
            for name in ("rows_delivered", "rows_accepted", "rows_rejected")
        ]
        repeats = sum(load.status == "duplicate" for load in came)
        known = f" · {counted(repeats, 'file')} known already" if repeats else ""
        screen.done(
            f"{counted(len(came), 'file')}, {counted(sums[0], 'row')} read: {sums[1]:,} accepted,"
            f" {sums[2]:,} refused{known}"
        )
    for refused in landing.refused:
        screen.warn(f"Refused: {refused.sentence}")


def judge(warehouse: "Warehouse", batch: "Batch") -> Outcome:
    """Read the ledger for what became of each file, and derive the exit code."""
    with warehouse.connect("owner", autocommit=True) as conn:
        currency = conn.execute("select value from ops.settings where name = 'currency'").fetchone()
    landed = batch.landing.landed if batch.landing else []
    verdicts = verdicts_of(warehouse, [load.load_id for load in landed])
    if batch.landing:
        verdicts += [
            Verdict(str(r.path), "REFUSED", None, None, 0, 0, 0, 0, r.sentence) for r in batch.landing.refused
        ]
        verdicts += [
            Verdict(path.name, "NOT YET", None, None, 0, 0, 0, 0, GROWING) for path in batch.landing.growing
        ]
    trouble = any(v.verdict in ("HELD", "REFUSED", "FAILED") for v in verdicts)
    taken = batch.publication is not None or any(v.verdict == "DUPLICATE" for v in verdicts)
    code = 1 if batch.failures or batch.paused or (trouble and not taken) else 3 if trouble else 0
    return Outcome(
        verdicts=verdicts,
        publication_id=batch.publication.publication_id if batch.publication else None,
        as_of=batch.publication.as_of if batch.publication else None,
        headline=batch.publication.headline if batch.publication else None,
        failures=batch.failures,
        nothing_new=batch.nothing_to_build,
        currency=currency[0] if currency else None,
        exit_code=code,
    )


def verdicts_of(warehouse: "Warehouse", load_ids: list[int]) -> list[Verdict]:
    """What became of these loads, in delivery order."""
    with warehouse.connect("owner", autocommit=True) as conn:
        found = conn.execute(
            "select l.load_id, l.delivered_name, l.status, l.feed, l.rows_delivered, l.rows_accepted,"
            " l.rows_rejected, l.amount_cents, l.held_message, l.held_reason,"
            " l.duplicate_of, o.status, o.delivered_name, l.holds, l.reading #>> '{contradictions,says}'"
            " from raw.loads as l left join raw.loads as o on o.load_id = l.duplicate_of"
            " where l.load_id = any(%s) order by l.delivery_no, l.load_id",
            (load_ids,),
        ).fetchall()
    return [_verdict(row) for row in found]


def _verdict(row: tuple[Any, ...]) -> Verdict:
    (
        load_id,
        name,
        status,
        feed,
        delivered,
        accepted,
        rejected,
        cents,
        message,
        reason,
        original,
        of_status,
        of_name,
        holds,
        contradicts,
    ) = row
    why = ""
    if status == "approved":
        verdict, why = "IN WITH REJECTS" if rejected else "IN", contradicts or ""
    elif status == "held":
        verdict, why = "HELD", message or reason or ""
    elif status == "duplicate":
        verdict = "HELD" if of_status == "held" else "DUPLICATE"
        why = f"same bytes as load {original} ({of_name})"
        if of_status == "held":
            why += ", which is held: ./shopx loads says what it needs"
    else:
        verdict, why = status.upper(), message or ""
    return Verdict(name, verdict, load_id, feed, delivered, accepted, rejected, cents, why, holds)
