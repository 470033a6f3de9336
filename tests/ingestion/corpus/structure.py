"""Tables dressed up or broken: preambles, headers again, totals, notes, second tables, ragged rows."""

from __future__ import annotations

from tests.ingestion.corpus.cases import HEADER, ROWS, SUM, Case, bad_row, held, lines, refused, sound

CASES = [
    sound(
        "a preamble", lines("", "Sales report", "January 2026,,,", "", HEADER, *ROWS, header="My Shop Ltd")
    ),
    sound("sep=, in the first line", lines(HEADER, *ROWS, header="sep=,")),
    sound("blank rows between", lines(ROWS[0], "", ROWS[1], "   ", ROWS[2], "")),
    sound("rows of commas only", lines(ROWS[0], ",,,,,", ROWS[1], ROWS[2], ",,,,,")),
    sound("the header again", lines(ROWS[0], ROWS[1], HEADER, ROWS[2])),
    sound("a total row", lines(*ROWS, "Total,,,4,,13.50")),
    sound("a total row under a blank one", lines(*ROWS, "", ",,Grand total,,,13.50")),
    sound(
        "subtotals and a total",
        lines(ROWS[0], ROWS[1], "Subtotal,,,,,8.50", ROWS[2], "Subtotal,,,,,5.00", "Total,,,,,13.50"),
    ),
    sound(
        "a German total row",
        lines(
            *(row.replace(",", ";").replace(".", ",") for row in ROWS),
            "Summe;;;;;13,50",
            header="Bestellnummer;Datum;Artikel;Menge;Einzelpreis;Betrag",
        ),
    ),
    bad_row("a total that is wrong", "Total,,,4,,99.00", "TOTAL_ROW_DISAGREES"),
    sound("a note at the end", lines(*ROWS, "", "Exported by till 3,,,,,")),
    sound("DOS' mark for the end of a file", lines(*ROWS) + b"\x1a"),
    held(
        "two tables in one file",
        lines(*ROWS, "", "Order ID,Paid,Method", "A1,2.50,cash", "A2,6.00,card"),
        "STACKED_TABLES",
    ),
    held(
        "the same table for two shops",
        lines(*ROWS, "", "Shop,Date,Product,Amount", "B,2026-01-05,Cup,1.00", "B,2026-01-06,Cup,2.00"),
        "STACKED_TABLES",
    ),
    bad_row("a row too short", "A4,2026-01-06,Mug,1", "ROW_TOO_SHORT"),
    bad_row("a row too long", "A4,2026-01-06,Mug,1,2.50,2.50,7,8", "ROW_TOO_LONG"),
    bad_row("a decimal comma that shifts cells", "A4,2026-01-06,Mug,1,2,50,2,50", "ROW_TOO_LONG"),
    bad_row("the last row cut off", "A4,2026-01-0", "ROW_TOO_SHORT"),
    Case(
        "a quote that never closes costs one row",
        lines(ROWS[0], 'A4,2026-01-06,"Mug,1,2.50,2.50', *ROWS[1:]),
        accepted=3,
        cents=SUM,
        rejected={"QUOTE_NOT_CLOSED": 1},
    ),
    bad_row("an open quote in the last row", 'A4,2026-01-06,"Mug,1,2.50,2.50', "QUOTE_NOT_CLOSED"),
    sound(
        "a delimiter at the end of every line",
        (HEADER + ",\n" + "".join(row + ",\n" for row in ROWS)).encode(),
    ),
    sound(
        "columns nobody knows",
        "".join(line + ",x\n" for line in (HEADER + ",Colour", *ROWS)).replace("Colour,x", "Colour").encode(),
    ),
    sound(
        "columns in another order",
        "".join(",".join(reversed(line.split(","))) + "\n" for line in (HEADER, *ROWS)).encode(),
    ),
    refused(
        "two columns for the day",
        lines(*(row + ",2026-01-09" for row in ROWS), header=HEADER + ",Invoice Date"),
        "COLUMN_AMBIGUOUS",
    ),
    refused(
        "one name twice",
        lines(*(row + ",9.99" for row in ROWS), header=HEADER + ",Amount"),
        "COLUMN_AMBIGUOUS",
    ),
    refused("no product", lines("A1,2026-01-05,2.50", header="Order ID,Date,Amount"), "COLUMN_MISSING"),
    refused("no header", lines(*ROWS[1:], header=ROWS[0]), "COLUMN_MISSING"),
    sound(
        "a very wide table",
        (
            HEADER
            + "".join(f",x{n}" for n in range(1000))
            + "\n"
            + "".join(row + "," * 1000 + "\n" for row in ROWS)
        ).encode(),
    ),
    Case(
        "a line of a megabyte",
        lines(*ROWS, f"A4,2026-01-06,{'x' * 1_000_000},1,2.50,2.50"),
        accepted=3,
        cents=SUM,
        rejected={"TEXT_TOO_LONG": 1},
    ),
    Case(
        "thousands of open quotes",
        lines(*ROWS, *(f'B{n},2026-01-06,"x,1,1.00,1.00' for n in range(2000))),
        "hold",
        accepted=3,
        cents=SUM,
        rejected={"QUOTE_NOT_CLOSED": 2000},
        reason="TOO_MANY_REJECTED",
    ),
    Case("equal rows are two sales", lines(ROWS[0], ROWS[0]), accepted=2, cents=500),
    Case(
        "equal rows are one by identity",
        lines(ROWS[0], ROWS[0], ROWS[1]),
        accepted=2,
        cents=850,
        contract={"identity": ["order_id", "product_name"]},
    ),
    Case(
        "unequal rows of one identity",
        lines(*ROWS, "A1,2026-01-05,Mug,2,2.50,5.00"),
        accepted=3,
        cents=SUM,
        rejected={"IDENTITY_CONTRADICTS": 1},
        contract={"identity": ["order_id", "product_name"]},
    ),
]
