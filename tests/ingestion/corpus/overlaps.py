"""Deliveries that come again: the same bytes, corrections, rolling exports, orders that moved or shrank."""

from __future__ import annotations

from tests.ingestion.corpus.cases import HEADER, ROWS, SUM, Case, held, lines

FIRST = lines(*ROWS)


def day(order: str, number: int, cents: int = 100, product: str = "Mug") -> str:
    """A sale on this day of January 2026."""
    return f"{order},2026-01-{number:02d},{product},1,{cents / 100:.2f},{cents / 100:.2f}"


WEEK = [day(f"W{n}", n) for n in range(5, 12)]
_SHOP = {"columns": {"store": {"names": ["Store"], "optional": True}}}


def plain(*rows: str) -> bytes:
    """Rows without order ids, of a till that knows none."""
    return lines(*rows, header="Date,Product,Amount")


_TILL = [f"2026-01-{n:02d},Mug,{n}.00" for n in range(5, 12)]

CASES = [
    Case("the same bytes again", FIRST, "duplicate", earlier=(FIRST,), kept=SUM),
    Case(
        "other days are added", lines(day("B1", 20)), accepted=1, cents=100, earlier=(FIRST,), kept=SUM + 100
    ),
    Case(
        "an order corrected",
        lines("A1,2026-01-05,Mug,1,2.75,2.75", *ROWS[1:]),
        accepted=3,
        cents=SUM + 25,
        earlier=(FIRST,),
        kept=SUM + 25,
        contract={"delivers": "orders"},
    ),
    Case(
        "an order corrected, its lines all there",
        lines("A1,2026-01-05,Mug,1,2.50,2.50", "A1,2026-01-05,Cup,1,1.00,1.00"),
        accepted=2,
        cents=350,
        earlier=(FIRST,),
        kept=SUM + 100,
    ),
    held(
        "an order on another day",
        lines("A1,2026-01-09,Mug,1,2.50,2.50"),
        "ORDER_ID_REUSED",
        earlier=(FIRST,),
        kept=SUM,
        accepted=1,
        cents=250,
    ),
    held(
        "ticket numbers that start again",
        lines("A1,2026-01-20,Cup,1,7.00,7.00"),
        "ORDER_ID_REUSED",
        earlier=(FIRST,),
        kept=SUM,
        accepted=1,
        cents=700,
    ),
    Case(
        "a refund under the same id later",
        lines("A1,2026-01-20,Mug,-1,2.50,-2.50"),
        accepted=1,
        cents=-250,
        earlier=(FIRST,),
        kept=SUM - 250,
        verdict="load",
    ),
    Case(
        "a rolling export without ids",
        plain(*_TILL[2:], "2026-01-12,Mug,12.00"),
        accepted=6,
        cents=5700,
        earlier=(plain(*_TILL),),
        kept=6800,
    ),
    held(
        "a day again with nothing in common",
        plain("2026-01-05,Cup,9.00", "2026-01-06,Cup,9.00"),
        "OVERLAPS_EARLIER_LOAD",
        earlier=(plain(*_TILL),),
        kept=5600,
        accepted=2,
        cents=1800,
    ),
    held(
        "a day that lost most of its rows",
        lines(WEEK[0], WEEK[6]),
        "SHRINKS_SCOPE",
        earlier=(lines(*WEEK),),
        kept=700,
        contract={"delivers": "days"},
        accepted=2,
        cents=200,
    ),
    Case(
        "days replaced as declared",
        lines(*WEEK[:6], day("W11", 11, 150)),
        accepted=7,
        cents=750,
        earlier=(lines(*WEEK),),
        kept=750,
        contract={"delivers": "days"},
    ),
    Case(
        "every row is new by contract",
        lines(*ROWS, end="\r\n"),
        accepted=3,
        cents=SUM,
        earlier=(FIRST,),
        kept=2 * SUM,
        contract={"delivers": "events"},
    ),
    Case(
        "only what is new by contract",
        lines(*ROWS, day("B1", 20)),
        accepted=4,
        cents=SUM + 100,
        earlier=(FIRST,),
        kept=SUM + 100,
        contract={"delivers": "match"},
    ),
    Case(
        "lines by their numbers",
        lines("A1,2026-01-05,Mug,1,3.00,3.00,1", header=HEADER + ",Line"),
        accepted=1,
        cents=300,
        earlier=(lines(*(f"{row},1" for row in ROWS), header=HEADER + ",Line"),),
        kept=SUM + 50,
        contract={"delivers": "lines"},
    ),
]
