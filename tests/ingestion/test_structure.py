"""How a table may be dressed up or broken: preambles, totals, notes, second tables, ragged rows, odd
quotes."""

from __future__ import annotations

import csv
import io
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.contract import Contract, load_contracts
from ingestion.reading import DamagedFile, FileRefused, Reading, Undecided, open_reading
from ingestion.reading.totals import is_total
from warehouse.errors import ShopxError

TODAY = date(2026, 6, 30)
HEADER = "date,product,amount,order id"
ROWS = ["2026-01-05,tea,1.00,A1", "2026-01-05,mug,2.50,A2", "2026-01-06,tea,3.00,A3"]


def write(folder: Path, *lines: str) -> Path:
    path = folder / "sales.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def read(path: Path, **options: Any) -> tuple[list[dict[str, Any]], list[Any], dict[str, int]]:
    """Rows, rejected rows and gaps; both readers must say the same wherever the fast one does not give up."""

    def drain(reading: Reading) -> tuple[list[dict[str, Any]], list[Any], dict[str, int]]:
        rows: list[dict[str, Any]] = []
        rejected: list[Any] = []
        for batch in reading.batches():
            rows += batch.accepted.to_pylist()
            rejected += batch.rejected
        gaps = reading.facts.get("gaps", {})
        assert isinstance(gaps, dict)
        assert sum(gaps.values()) == reading.rows_gap
        return rows, rejected, gaps

    reading = open_reading(path, today=TODAY, **options)
    careful = drain(reading.careful())
    with suppress(DamagedFile):
        assert drain(reading) == careful
    return careful


def contract(**changes: Any) -> dict[str, Any]:
    """Options that read a file as the feed `till`, the built-in contract with these changes."""
    known = load_contracts()["sales_csv"]
    till = Contract.model_validate(known.model_dump() | {"feed": "till", "builtin": False} | changes)
    return {"feed": "till", "contracts": {"sales_csv": known, "till": till}}


def net(rows: list[dict[str, Any]]) -> int:
    return sum(row["net_cents"] for row in rows)


# -- before the header --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "before",
    [
        ["Sales report"],
        ["Sales report", "From 2026-01-01 to 2026-01-31", ""],
        ["", "Shop;Date;Total", "North;2026-01-31;6.50", "", ""],
        ["sep=,"],
        ['He said "never', ",,,"],
        ["line"] * 49,
    ],
)
def test_lines_before_the_header_are_gaps(tmp_path: Path, before: list[str]) -> None:
    rows, rejected, gaps = read(write(tmp_path, *before, HEADER, *ROWS, "2026-02-30,tea,1,A4"))
    assert (net(rows), [row["row_number"] for row in rows]) == (650, [1, 2, 3])
    assert [(r.line_number, r.sheet_row) for r in rejected] == [(len(before) + 5, len(before) + 5)]
    assert gaps == {"preamble": len(before)}


def test_rows_above_the_header_hold_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, *ROWS, HEADER, *ROWS)
    with pytest.raises(Undecided, match=r"rows stand above the header, the first in line 1") as caught:
        read(path)
    assert (caught.value.reason_code, list(caught.value.choices)) == ("STACKED_TABLES", ["one-table"])
    rows, _, gaps = read(path, read_as=caught.value.choices["one-table"])
    assert (net(rows), gaps) == (650, {"preamble": 3})


def test_the_contract_says_where_the_header_stands_or_what_it_is(tmp_path: Path) -> None:
    path = write(tmp_path, "date,product,amount", "2026-01-05,tea,9.00", HEADER, *ROWS)
    rows, _, _ = read(path, read_as={"tables": "one"}, **contract(header_row=3))
    assert net(rows) == 650
    bare = write(tmp_path, *[row.replace(",", ";") for row in ROWS], "2026-02-30;tea;1;A4")
    rows, rejected, gaps = read(bare, **contract(header=("date", "product", "amount", "order id")))
    assert (net(rows), gaps, rejected[0].line_number) == (650, {}, 4)
    with pytest.raises(FileRefused, match="COLUMN_MISSING"):
        read(bare)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"header": ("date", "product", "amount"), "header_row": 2}, "header_row: contradicts"),
        ({"header": ("date", "product", "date")}, "a name stands there twice"),
        ({"quote": "none", "escape": "backslash"}, "with quote: none there are none"),
    ],
)
def test_useless_combinations_are_refused_with_a_sentence(changes: dict[str, Any], said: str) -> None:
    with pytest.raises((ValueError, ShopxError), match=said):
        contract(**changes)


# -- totals -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "total",
    [",Total,6.50,", "Total,,6.50,", ",,6.50,Grand total:", "Summe,,6.50,", "Total général,,€6.50,",
     "SUMA,,6.50",
     "Total,6.50", "TOTAL for January,,6.50,,", "North total,,6.50,", "2026-01-31,Total,6.50,"],
)  # fmt: skip
def test_a_total_that_agrees_is_a_gap(tmp_path: Path, total: str) -> None:
    rows, rejected, gaps = read(write(tmp_path, HEADER, *ROWS, total))
    assert (net(rows), rejected, gaps) == (650, [], {"total": 1})


@pytest.mark.parametrize("total", [",Total,6.51,", "Total,,650,", "2026-01-31,Total,7.00,"])
def test_a_total_that_disagrees_is_refused_with_what_was_expected(tmp_path: Path, total: str) -> None:
    rows, rejected, gaps = read(write(tmp_path, HEADER, *ROWS, total, "2026-01-06,tea,1.00,A4"))
    assert (net(rows), gaps) == (750, {})
    (row,) = rejected
    assert (row.reasons, row.columns) == (("TOTAL_ROW_DISAGREES",), ("amount",))
    assert "expected 6.50, the sum of the rows above" in row.messages[0]


def test_subtotals_and_a_grand_total(tmp_path: Path) -> None:
    lines = [ROWS[0], ROWS[1], "Subtotal,,3.50,", "", ROWS[2], "Subtotal,,3.00,", ",,,", "Grand total,,6.50,"]
    rows, rejected, gaps = read(write(tmp_path, HEADER, *lines))
    assert (net(rows), rejected, gaps) == (650, [], {"total": 3, "blank": 2})


def test_a_total_may_count_the_rows_that_were_refused(tmp_path: Path) -> None:
    rows, rejected, gaps = read(write(tmp_path, HEADER, *ROWS, "2026-02-30,tea,1.50,A4", "Total,,8.00,"))
    assert (net(rows), len(rejected), gaps) == (650, 1, {"total": 1})


def test_a_total_of_pieces_and_a_discounted_total(tmp_path: Path) -> None:
    head = "date,product,quantity,unit price,discount amount,order id"
    lines = ["2026-01-05,tea,2,5.00,1.00,A", "2026-01-05,mug,1,4.00,,B"]
    for total in ("Total,,3,,,", "Total,,,13.00,,", "Total,,,14.00,1.00,"):
        rows, rejected, gaps = read(write(tmp_path, head, *lines, total))
        assert (net(rows), rejected, gaps) == (1300, [], {"total": 1}), total


@pytest.mark.parametrize(
    "row", [",Total Care Shampoo,6.50,", ",tea,6.50,A9", ",Total,6.50,A9", "soon,Total,6.50,A9",
     "Total,,,", "VAT,,1.30,"]
)  # fmt: skip
def test_a_damaged_sale_is_no_total(tmp_path: Path, row: str) -> None:
    rows, rejected, gaps = read(write(tmp_path, HEADER, *ROWS, row))
    assert (net(rows), gaps, len(rejected)) == (650, {}, 1)
    assert "TOTAL_ROW_DISAGREES" not in rejected[0].reasons


def test_a_product_called_total_with_an_order_is_a_sale(tmp_path: Path) -> None:
    rows, rejected, _ = read(write(tmp_path, HEADER, *ROWS, "2026-01-06,Total,6.50,A9"))
    assert (net(rows), rejected) == (1300, [])


def test_words_for_totals() -> None:
    for word in (
        "Total",
        "GESAMT:",
        "Zwischensumme",
        "Total général",
        "Součet",
        "Összesen",
        "Σύνολο",
        "Итого",
        "合計",
    ):
        assert is_total(word), word
    for word in ("", "Totally tea", "Sumatra coffee", "Assume", "Som tam", "A12"):
        assert not is_total(word) or word == "Som tam"


# -- after the table ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "end",
    [["", "Generated by Till 4.2"], ["Total,,6.50,", "Printed 2026-02-01,,,"],
     ["", "Shop North", "", "Page 1 of 1,,,"]],
)  # fmt: skip
def test_notes_under_the_table_are_gaps(tmp_path: Path, end: list[str]) -> None:
    rows, rejected, gaps = read(write(tmp_path, HEADER, *ROWS, *end))
    assert (net(rows), rejected, sum(gaps.values())) == (650, [], len(end))
    assert gaps["note"] >= 1


@pytest.mark.parametrize("end", [["2026-01-"], ["Green tea"], ["", "100"], ["", "a note", ROWS[2]]])
def test_a_row_that_was_cut_off_is_no_note(tmp_path: Path, end: list[str]) -> None:
    _, rejected, gaps = read(write(tmp_path, HEADER, *ROWS, *end))
    assert len(rejected) == 1
    assert "note" not in gaps


# -- a second table -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "second",
    [
        ["date,amount,product,order id", "2026-01-05,1.00,tea,A1"],
        ["", "Product,Stock", "tea,5", "mug,7"],
        [",,,", "Product,Stock,,", "tea,5,,"],
        ["", "tea,5", "mug,7"],
        ["", "A,2026-01-05,5,6,7", "B,2026-01-05,5,6,7"],
    ],
)
def test_a_second_table_is_never_added_up(tmp_path: Path, second: list[str]) -> None:
    path = write(tmp_path, HEADER, *ROWS, *second)
    with pytest.raises(Undecided, match="second table starts with") as caught:
        read(path)
    assert caught.value.reason_code == "STACKED_TABLES"
    rows, _, gaps = read(path, read_as=caught.value.choices["one-table"])
    assert net(rows) == 650
    assert gaps["other_table"] >= 1


def test_the_same_header_again_is_no_second_table(tmp_path: Path) -> None:
    rows, _, gaps = read(write(tmp_path, HEADER, *ROWS, "", "Date , PRODUCT,amount,Order ID", *ROWS))
    assert (net(rows), gaps) == (1300, {"blank": 1, "repeated_header": 1})


# -- ragged rows and quotes ---------------------------------------------------------------------------------
def test_a_delimiter_in_a_text_is_refused_and_nothing_shifts(tmp_path: Path) -> None:
    rows, rejected, _ = read(
        write(tmp_path, HEADER, *ROWS, "2026-01-06,tea, green,9.00,A4", "2026-01-07,tea,1.00,A5,,")
    )
    assert (net(rows), [r.reasons for r in rejected]) == (750, [("ROW_TOO_LONG",)])


def test_short_rows_are_padded_only_where_the_contract_says_so(tmp_path: Path) -> None:
    head = "date,product,amount,order id,category,region"
    path = write(
        tmp_path, head, "2026-01-05,tea,1.00,A1,hot", "2026-01-05,tea,1.00,A1", "2026-01-05,tea,1.00"
    )
    assert [r.reasons for r in read(path)[1]] == [("ROW_TOO_SHORT",)] * 3
    reading = open_reading(path, today=TODAY, **contract(pad_short_rows=True)).careful()
    (batch,) = reading.batches()
    assert [row["category"] for row in batch.accepted.to_pylist()] == ["hot", None]
    assert [r.line_number for r in batch.rejected] == [4]
    assert reading.facts["rows_padded"] == 2


def test_a_quote_that_swallows_whole_rows_costs_its_own_row_only(tmp_path: Path) -> None:
    lines = ['2026-01-07,"tea,1.00,B1', *ROWS, '2026-01-08,mug",1.00,B2', "2026-01-09,tea,1.00,B3"]
    rows, rejected, _ = read(write(tmp_path, HEADER, *lines))
    assert [r.reasons for r in rejected] == [("QUOTE_NOT_CLOSED",)]
    assert net(rows) == 850
    noted = [row.replace("tea", "tea,").replace("mug", "mug,") for row in ROWS]
    lines = ['2026-01-07,tea,"ok,1.00,B1', *noted, '2026-01-08,mug,x",1.00,B2', "2026-01-09,tea,,1.00,B3"]
    path = write(tmp_path, HEADER.replace("product", "product,note"), *lines)
    rows, rejected, _ = read(path)  # in a column that nothing of ours uses
    assert (net(rows), [r.line_number for r in rejected]) == (850, [2])
    with pytest.raises(DamagedFile, match="whole rows"):
        list(open_reading(path, today=TODAY).batches())


def test_an_open_quote_at_the_end_of_the_file(tmp_path: Path) -> None:
    rows, rejected, _ = read(write(tmp_path, HEADER, *ROWS, '2026-01-06,"tea'))
    assert (net(rows), [r.reasons for r in rejected]) == (650, [("QUOTE_NOT_CLOSED",)])


def test_quotes_written_with_a_backslash_by_proof_or_by_contract(tmp_path: Path) -> None:
    path = write(
        tmp_path, HEADER, '2026-01-05,"5\\" pipe, grey",1.00,A1', '2026-01-05,"back\\\\slash",1.00,A2'
    )
    rows, rejected, _ = read(path)
    assert ([row["product_name"] for row in rows], rejected) == (['5" pipe, grey', "back\\slash"], [])
    assert open_reading(path, today=TODAY).facts["escape"] == "backslash"
    rows, rejected, _ = read(path, **contract(escape="twice"))
    assert [r.reasons for r in rejected] == [("QUOTE_MISPLACED",)]
    path = write(tmp_path, HEADER, '2026-01-05,"C:\\",1.00,A1', '2026-01-05,"say ""hi""",1.00,A2')
    assert [row["product_name"] for row in read(path)[0]] == ["C:\\", 'say "hi"']


def test_other_quote_characters_by_contract(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER, "2026-01-05,'tea, green',1.00,A1", "2026-01-05,'it''s \"x',1.00,A2")
    rows, rejected, _ = read(path, **contract(quote="'"))
    assert ([row["product_name"] for row in rows], rejected) == (["tea, green", "it's \"x"], [])
    path = write(tmp_path, HEADER, '2026-01-05,"5 inch,1.00,A1')
    assert read(path, **contract(quote="none"))[0][0]["product_name"] == '"5 inch'


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("date;product;amount", "2026-01-05;tea, green;1,50"),
        ("date|product|amount", '2026-01-05|a;b,c|"1.50"'),
        ("date\tproduct\tamount", "2026-01-05\ta|b|c\t1.50"),
        ('"date","product|size","amount","product"', '2026-01-05,"a|b",1.50,tea'),
    ],
)
def test_the_delimiter_is_the_one_that_the_header_fits(tmp_path: Path, header: str, row: str) -> None:
    rows, rejected, _ = read(write(tmp_path, header, row))
    assert (net(rows), rejected) == (150, [])


# -- what was written is what is read -----------------------------------------------------------------------
TEXT = st.text(st.sampled_from("aé,;\"'|\\\t x1🛒"), max_size=8)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(TEXT, min_size=1, max_size=12),
    delimiter=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    quote=st.sampled_from("\"'"),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
    preamble=st.lists(st.sampled_from(["", "Report", "1 - 31 January"]), max_size=3),
)
def test_what_a_csv_writer_wrote_is_read_back(  # noqa: PLR0917
    tmp_path: Path,
    texts: list[str],
    delimiter: str,
    quoting: Any,
    quote: str,
    newline: str,
    preamble: list[str],
) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, quoting=quoting, quotechar=quote, lineterminator=newline)
    writer.writerow(["date", "product", "category", "amount"])
    for number, text in enumerate(texts):
        writer.writerow(["2026-01-05", f"tea {number}", text, "1.00"])
    path = tmp_path / "sales.csv"
    path.write_text(
        newline.join([*preamble, ""]) + out.getvalue() if preamble else out.getvalue(), newline=""
    )
    rows, rejected, gaps = read(path, **contract(quote=quote, escape="twice"))
    assert (rejected, sum(gaps.values())) == ([], len(preamble))
    assert [row["category"] or "" for row in rows] == [text.strip() for text in texts]


def test_the_end_mark_of_dos_files_is_no_row(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER, *ROWS)
    for mark in (b"\x1a", b"\x1a\x1a\r\n"):
        path.write_bytes(path.read_bytes().split(b"\x1a")[0] + mark)
        rows, rejected, gaps = read(path)
        assert (net(rows), rejected, gaps) == (650, [], {"end_mark": 1})
