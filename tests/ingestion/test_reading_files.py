"""Whole files: what is refused, what is a gap, what damage costs, and that both readers see the same."""

from __future__ import annotations

import csv
import io
import os
import re
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.contract import Contract, load_contracts
from ingestion.reading import DamagedFile, FileRefused, Reading, RejectedRow, Undecided, dialect, open_reading
from ingestion.reading.corrected import Fix, corrected
from ingestion.reading.fast import FastReading

TODAY = date(2026, 6, 30)
HEADER = b"date,product,amount,order id\n"
DATA = Path(__file__).parents[3] / "shared/data"
real_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"the real sales files are not at {DATA}")


def write(folder: Path, content: bytes, name: str = "sales.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def drain(reading: Reading) -> tuple[list[dict[str, Any]], list[RejectedRow], int]:
    rows: list[dict[str, Any]] = []
    rejected: list[RejectedRow] = []
    for batch in reading.batches():
        rows += batch.accepted.to_pylist()
        rejected += batch.rejected
    return rows, rejected, reading.rows_gap


def fall_back(reading: Reading) -> tuple[list[dict[str, Any]], list[RejectedRow], int]:
    """As landing does: careful from the start once the fast reader gives up."""
    try:
        return drain(reading)
    except DamagedFile:
        return drain(reading.careful())


def sound(number: int) -> bytes:
    return b"2026-01-%02d,tea %d,1.%02d,A%d\n" % (number % 28 + 1, number, number % 100, number)


# -- refused before anything is written ---------------------------------------------------------------------
@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "FILE_EMPTY"), (b"\n\n  \n", "FILE_EMPTY"), (b"\xef\xbb\xbf", "FILE_EMPTY"),
        (HEADER, "FILE_EMPTY"),
        (b"PK\x03\x04" + bytes(200), "FILE_DAMAGED"), (bytes(range(256)) * 20, "FILE_BINARY"),
        (b"%PDF-1.7\n", "FILE_BINARY"),
        ("date,product,amount\n2026-01-05,tea,1\n".encode("utf-16-le"), "FILE_NOT_UTF8"),
        ("date,product,amount\n2026-01-05,tea,1\n".encode("utf-16-be"), "FILE_NOT_UTF8"),
        ("date,product,amount\n2026-01-05,tea,1\n".encode("utf-32"), "FILE_NOT_UTF8"),
        (b"product,quantity\ntea,1\n", "COLUMN_MISSING"), (b"hello world\nagain\n", "COLUMN_MISSING"),
        (b"sale date,order date,product,amount\n1,2,3,4\n", "COLUMN_AMBIGUOUS"),
    ],
)  # fmt: skip
def test_what_can_be_no_delivery_gets_one_sentence(tmp_path: Path, content: bytes, code: str) -> None:
    with pytest.raises(FileRefused) as caught:
        open_reading(write(tmp_path, content), today=TODAY)
    assert caught.value.message.endswith(f"[{code}]")
    assert "sales.csv" in caught.value.message
    assert "\n" not in caught.value.message


def test_no_path_a_folder_and_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, code in (("none.csv", "FILE_MISSING"), (".", "FILE_IS_FOLDER"), ("pipe", "NOT_A_FILE")):
        with pytest.raises(FileRefused, match=code):
            open_reading(tmp_path / name, today=TODAY)


def test_an_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = write(tmp_path, HEADER + sound(1))
    monkeypatch.setattr(Path, "open", closed)
    with pytest.raises(FileRefused, match=r"Permission denied.*FILE_UNREADABLE"):
        open_reading(path, today=TODAY)


# -- blanks at the ends of cells ----------------------------------------------------------------------------
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(" a1,;|\r\n", min_size=1, max_size=40), chunk=st.integers(1, 7))
def test_a_blank_at_the_end_of_a_cell_is_seen_in_any_chunk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, chunk: int
) -> None:
    monkeypatch.setattr(dialect, "_CHUNK", chunk)
    text = f"day{text}"  # nothing but white space would be no delivery
    edge = re.search(r"[,;|\r\n] | (?:$|[,;|\r\n])", text)
    assert dialect.scan(write(tmp_path, text.encode())).blank_edges == bool(edge)


@pytest.mark.parametrize(
    "row",
    [
        b"2026-01-05, tea,1.00,A1\n",
        b"2026-01-05,tea,1.00 ,A1\n",
        b" 2026-01-05,tea,1,A1\n",
        b"2026-01-05,tea ,1.00,A1\n",
        b"2026-01-05,tea,1.00,A1 ",
        b"2026-01-05,tea,1.00, A1\n",
    ],
)
def test_one_cell_with_a_blank_at_its_end_is_trimmed(tmp_path: Path, row: bytes) -> None:
    reading = open_reading(write(tmp_path, HEADER + sound(1) + row), today=TODAY)
    rows, rejected, _ = drain(reading)
    assert (rows[1]["product_name"], rows[1]["order_id"], rows[1]["gross_cents"]) == ("tea", "A1", 100)
    assert not rejected
    assert drain(reading.careful())[0] == rows


def test_a_correction_may_hold_what_the_file_had_none_of(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER + sound(1) + b"2026-13-05,tea,1.00,A1\n2026-13-06,tea,1.00,A2\n")
    reading = open_reading(path, today=TODAY)
    _, refused, _ = drain(reading)
    cells = ("2026-01-05", " tea ", "1.00", "A1"), ("2026-01-06", "tea", "1.00", "4.00638E+12")
    fixes = [
        Fix(row.line_number, row.sheet_row, sha256(row.raw_bytes).hexdigest(), right)
        for row, right in zip(refused, cells, strict=True)
    ]
    rows, rejected, _ = drain(corrected(reading, fixes, work=tmp_path))
    assert [row["product_name"] for row in rows] == ["tea 1", "tea"]
    assert [row.reasons for row in rejected] == [("ID_LOST_DIGITS",)]


def test_cells_without_blanks_at_their_ends_are_not_trimmed(tmp_path: Path) -> None:
    plain = open_reading(write(tmp_path, HEADER + sound(1)), today=TODAY)
    blank = open_reading(write(tmp_path, HEADER + b"2026-01-05, tea,1.00,A1\n", "b.csv"), today=TODAY)
    assert isinstance(plain, FastReading)
    assert isinstance(blank, FastReading)
    assert 'trim("r_product_name")' not in plain.delivery.plan.query
    assert 'trim("r_product_name")' in blank.delivery.plan.query


# -- dialects -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_delimiters_line_ends_and_byte_order_marks(
    tmp_path: Path, delimiter: str, newline: str, bom: bytes
) -> None:
    quoted = delimiter.join(["2026-01-05", f'"green{delimiter} tea"', "1.00"])
    lines = [
        "date,product,amount".replace(",", delimiter),
        quoted,
        "2026-01-06,caf\u00e9,2.00".replace(",", delimiter),
    ]
    text = newline.join(lines)
    reading = open_reading(write(tmp_path, bom + text.encode()), today=TODAY)
    assert reading.facts["delimiter"] == delimiter
    rows, rejected, gap = drain(reading)
    assert [row["product_name"] for row in rows] == [f"green{delimiter} tea", "caf\u00e9"]
    assert (rejected, gap) == ([], 0)
    assert drain(reading.careful()) == (rows, rejected, gap)


def test_old_line_ends(tmp_path: Path) -> None:
    reading = open_reading(write(tmp_path, (HEADER + sound(1) + sound(2)).replace(b"\n", b"\r")), today=TODAY)
    assert reading.facts["line_ends"] == "mixed"
    assert len(drain(reading)[0]) == 2


def test_an_encoding_in_the_contract_is_used(tmp_path: Path) -> None:
    known = load_contracts()["sales_csv"].model_dump()
    contracts = {
        "sales_csv": load_contracts()["sales_csv"],
        "till": Contract.model_validate(known | {"feed": "till", "builtin": False, "encoding": "cp1252"}),
    }
    path = write(tmp_path, "date,product,amount\n2026-01-05,caf\u00e9 \u20ac,1.00\n".encode("cp1252"))
    rows, _, _ = drain(open_reading(path, today=TODAY, feed="till", contracts=contracts))
    assert rows[0]["product_name"] == "caf\u00e9 \u20ac"


def test_a_name_with_wildcards_reads_that_file_only(tmp_path: Path) -> None:
    write(tmp_path, HEADER + sound(1), "a1.csv")
    path = write(tmp_path, HEADER + sound(2) + sound(3), "a[1]*'.csv")
    assert len(fall_back(open_reading(path, today=TODAY))[0]) == 2


# -- gaps and places ----------------------------------------------------------------------------------------
def test_blank_lines_rows_of_commas_and_repeated_headers_are_gaps(tmp_path: Path) -> None:
    content = (
        b"\n\n"
        + HEADER
        + sound(1)
        + b"\n,,,\n"
        + HEADER
        + sound(2)
        + b"2026-02-30,tea,1,A\n\n"
        + sound(3)
        + b"\n"
    )
    reading = open_reading(write(tmp_path, content), today=TODAY)
    rows, rejected, gap = drain(reading)
    assert [row["row_number"] for row in rows] == [1, 2, 4]
    assert gap == 7
    assert [(r.line_number, r.sheet_row, r.raw_bytes) for r in rejected] == [(9, 9, b"2026-02-30,tea,1,A")]
    assert content[rejected[0].byte_offset :].startswith(rejected[0].raw_bytes)
    assert drain(reading.careful()) == (rows, rejected, gap)


def test_row_and_line_differ_after_a_quoted_line_end(tmp_path: Path) -> None:
    content = HEADER + b'2026-01-05,"green\ntea",1.00,A\n2026-01-05,tea,x,B\n'
    rows, rejected, gap = drain(open_reading(write(tmp_path, content), today=TODAY))
    assert rows[0]["product_name"] == "green\ntea"
    assert (rejected[0].line_number, rejected[0].sheet_row, gap) == (4, 3, 0)
    assert rejected[0].messages[0].startswith('row 3 (line 4), column "amount": saw "x"')


def test_a_file_of_rejected_rows_only(tmp_path: Path) -> None:
    rows, rejected, _ = drain(open_reading(write(tmp_path, HEADER + b"x,tea,1,A\n" * 3), today=TODAY))
    assert (rows, len(rejected)) == ([], 3)


def test_three_wrong_rows_among_a_thousand(tmp_path: Path) -> None:
    lines = [sound(n) for n in range(1000)]
    lines[10], lines[500], lines[999] = b"soon,tea,1,A\n", b"2026-01-05,,1,A\n", b"2026-01-05,tea,free,A"
    rows, rejected, _ = drain(open_reading(write(tmp_path, HEADER + b"".join(lines)), today=TODAY))
    assert (len(rows), [r.line_number for r in rejected]) == (997, [12, 502, 1001])
    assert [r.reasons for r in rejected] == [("DATE_FORMAT",), ("VALUE_MISSING",), ("NUMBER_FORMAT",)]


# -- damage -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("damaged", "code"),
    [
        (b"2026-01-05,tea,1.00\n", "ROW_TOO_SHORT"), (b"2026-01-05,tea,1.00,A,B,C\n", "ROW_TOO_LONG"),
        (b"2026-01-05\n", "ROW_TOO_SHORT"),
        (b'2026-01-05,"tea,1.00,A\n', "QUOTE_NOT_CLOSED"), (b'2026-01-05,"tea"x,1.00,A\n', "QUOTE_MISPLACED"),
        (b"2026-01-05,t\x00a,1.00,A\n", "NUL_BYTE"), (b"2026-01-05,caf\xe9,1.00,A\n", "NOT_TEXT"),
        (b"2026-01-05,t\x1fa,1.00,A,B\n", "ROW_TOO_LONG"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", [0, 150, 299])
def test_damage_costs_the_damaged_row_only(tmp_path: Path, damaged: bytes, code: str, place: int) -> None:
    lines = [sound(n) for n in range(300)]
    lines[place] = damaged
    content = HEADER + b"".join(lines)
    rows, rejected, gap = fall_back(open_reading(write(tmp_path, content), today=TODAY))
    assert [r.reasons for r in rejected] == [(code,)]
    assert rejected[0].raw_bytes == damaged.rstrip(b"\n")
    assert content[rejected[0].byte_offset :].startswith(damaged)
    assert rejected[0].line_number == place + 2
    assert len(rejected[0].messages[0]) <= 200
    assert [row["row_number"] for row in rows] == [n for n in range(1, 301) if n != place + 1]
    assert gap == 0


def test_an_unclosed_quote_among_quoted_rows_costs_one_row(tmp_path: Path) -> None:
    lines = [b'2026-01-05,"tea, ""green""",1.00,"A%d"\n' % n for n in range(50)]
    lines[20] = b'2026-01-05,"tea,1.00,A\n'
    rows, rejected, _ = fall_back(open_reading(write(tmp_path, HEADER + b"".join(lines)), today=TODAY))
    assert (len(rows), [r.reasons for r in rejected]) == (49, [("QUOTE_NOT_CLOSED",)])


def test_mixed_line_ends_and_stray_quotes_lose_nothing(tmp_path: Path) -> None:
    content = HEADER + b'2026-01-05,5" pipe,1.00,A\r\n2026-01-05,tea,x,B\n2026-01-05,6" pipe,1.00,C\r\n   \n'
    rows, rejected, gap = fall_back(open_reading(write(tmp_path, content), today=TODAY))
    assert [row["product_name"] for row in rows] == ['5" pipe', '6" pipe']
    assert (len(rejected), rejected[0].line_number, gap) == (1, 3, 1)


def test_a_stray_quote_does_not_mislead_the_place_of_a_rejected_row(tmp_path: Path) -> None:
    content = HEADER + b'2026-01-05,5" pipe,1.00,A\n2026-01-05,tea,x,B\n2026-01-05,6" pipe,1.00,C\n'
    rows, rejected, _ = fall_back(open_reading(write(tmp_path, content), today=TODAY))
    assert (len(rows), [r.line_number for r in rejected]) == (2, [3])


# -- both readers -------------------------------------------------------------------------------------------
CELL = st.text(st.sampled_from("aé,;\"'|\t\n x1🛒"), max_size=8)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(CELL, CELL, st.sampled_from(["1.00", "x", "",
"-2.50"])), min_size=1, max_size=25),
       newline=st.sampled_from(["\n", "\r\n"]))  # fmt: skip
def test_a_written_file_reads_back_alike_by_both(
    tmp_path: Path, rows: list[tuple[str, str, str]], newline: str
) -> None:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=newline)
    writer.writerow(["date", "product", "category", "amount"])
    for product, category, amount in rows:
        writer.writerow(["2026-01-05", product, category, amount])
    reading = open_reading(write(tmp_path, out.getvalue().encode()), today=TODAY)
    fast = fall_back(reading)
    assert drain(reading.careful()) == fast
    found, rejected, gap = fast
    assert len(found) + len(rejected) == len(rows)
    assert gap == 0
    good = [(p.strip(), c.strip()) for p, c, a in rows if p.strip() and a not in ("x", "")]
    if all(" " not in p + c and "\n" not in p + c and "\t" not in p + c for p, c in good):
        assert [(row["product_name"], row["category"] or "") for row in found] == good


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk=st.binary(min_size=1, max_size=60), place=st.integers(0, 400))
def test_any_damage_is_accounted_for(tmp_path: Path, junk: bytes, place: int) -> None:
    body = b"".join(sound(n) for n in range(12))
    content = HEADER + body[:place] + junk + body[place:]
    try:
        reading = open_reading(write(tmp_path, content), today=TODAY)
        rows, rejected, gap = fall_back(reading)
    except (FileRefused, Undecided):  # half a date may look like 26-01-06, half a header like another table
        return
    numbers = sorted(row["row_number"] for row in rows)
    assert len(set(numbers)) == len(numbers)
    assert len(rows) >= 8
    for row in rejected:
        assert content[row.byte_offset :].startswith(row.raw_bytes)
        assert row.line_number == content.count(b"\n", 0, row.byte_offset) + 1 or b"\r" in junk
    assert gap >= 0


# -- real files ---------------------------------------------------------------------------------------------
@real_data
@pytest.mark.real_data
@pytest.mark.parametrize("careful", [False, True])
def test_online_retail_to_the_penny(careful: bool) -> None:
    count = {"sale": 0, "return": 0}
    cents = {"sale": 0, "return": 0}
    refused = 0
    for path in sorted((DATA / "online_retail").glob("*.csv"))[:: 10 if careful else 1]:
        reading = open_reading(path, today=TODAY)
        for batch in (reading.careful() if careful else reading).batches():
            refused += len(batch.rejected)
            for kind, gross in zip(
                batch.accepted.column("line_type").to_pylist(),
                batch.accepted.column("gross_cents").to_pylist(),
                strict=True,
            ):
                count[kind] += 1
                cents[kind] += gross
    if not careful:
        assert (count, refused) == ({"sale": 203_954, "return": 3_783}, 1_292)
        assert cents == {"sale": 406_472_659, "return": -35_789_895}
    else:
        assert count["sale"] > 10_000


@real_data
@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "rows", "cents"),
    [("cafe/cafe_sales.csv", 7_384, 6_584_150), ("retail_store/retail_store_sales.csv", 11_362, 147_299_850)],
)
def test_files_of_unknown_shops_strictly(name: str, rows: int, cents: int) -> None:
    known = load_contracts()["sales_csv"].model_dump() | {"null_words": ("ERROR", "UNKNOWN")}
    contracts = {"sales_csv": Contract.model_validate(known)}
    found, _, _ = fall_back(open_reading(DATA / name, today=TODAY, contracts=contracts))
    assert (len(found), sum(row["gross_cents"] for row in found)) == (rows, cents)


@real_data
@pytest.mark.real_data
def test_electronics_six_months() -> None:
    rows = gross = 0
    for path in sorted((DATA / "electronics").glob("*.csv")):
        found, rejected, _ = fall_back(open_reading(path, today=TODAY))
        rows += len(found)
        gross += sum(row["gross_cents"] for row in found)
        assert not rejected
    assert (rows, gross) == (85_220, 1_594_681_687)
