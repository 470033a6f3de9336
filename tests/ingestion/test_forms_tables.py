"""Workbooks, Parquet files and fixed columns: the same table gives the same rows, and broken ones say why."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import xlsxwriter

from ingestion.forms.workbook import text_of
from ingestion.reading import FileRefused, Undecided
from tests.ingestion.opened_files import drain, opened, with_feed

HEADER = ("Order ID", "Date", "Product", "Quantity", "Unit Price", "Amount", "Store")
ROWS: list[tuple[Any, ...]] = [
    (f"00{n:03d}", dt.date(2026, 3, n), ("Mug, blue", "Café crème", "two\nlines", 'Tea "Nº 5"')[n % 4], n,
     Decimal(f"{n}.05"), Decimal(n * n) + n * Decimal("0.05"), ("Köln", "Málaga")[n % 2])
    for n in range(1, 31)
]  # fmt: skip


def refusal(path: Path, **given: Any) -> str:
    with pytest.raises(FileRefused) as caught:
        drain(opened(path, **given))
    assert path.name in caught.value.message
    return caught.value.message


@pytest.fixture
def plain(tmp_path: Path) -> list[dict[str, Any]]:
    lines = [HEADER, *ROWS]
    text = "\n".join(",".join('"' + str(c).replace('"', '""') + '"' for c in line) for line in lines)
    path = tmp_path / "plain.csv"
    path.write_text(text + "\n", encoding="utf-8")
    rows, rejected = drain(opened(path))
    assert (len(rows), rejected, sum(row["gross_cents"] for row in rows)) == (30, [], 947_825)
    return rows


# -- workbooks ----------------------------------------------------------------------------------------------
def write_book(
    path: Path,
    rows: list[tuple[Any, ...]],
    *,
    top: int = 0,
    sheets: tuple[str, ...] = ("Sales",),
    **options: Any,
) -> Path:
    """The table in each of `sheets`, its header in row `top` (from 0)."""
    with xlsxwriter.Workbook(str(path), {"in_memory": True, **options}) as book:
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        clock = book.add_format({"num_format": "dd/mm/yyyy hh:mm:ss"})
        for name in sheets:
            sheet = book.add_worksheet(name)
            for number, row in enumerate([HEADER, *rows], start=top):
                for column, value in enumerate(row):
                    if isinstance(value, dt.datetime):
                        sheet.write_datetime(number, column, value, clock)
                    elif isinstance(value, dt.date):
                        sheet.write_datetime(number, column, dt.datetime.combine(value, dt.time()), day)
                    elif isinstance(value, str) and value.startswith("="):
                        sheet.write_formula(number, column, value, None, "#REF!")
                    elif isinstance(value, Decimal):
                        sheet.write_number(number, column, float(value))
                    elif value is not None:
                        sheet.write(number, column, value)
        book.add_worksheet("Notes")
    return path


@pytest.mark.parametrize("name", ["sales.xlsx", "sales.csv"])
@pytest.mark.parametrize("options", [{}, {"date_1904": True}, {"constant_memory": True}])
def test_a_workbook_is_its_table(
    tmp_path: Path, plain: list[dict[str, Any]], name: str, options: dict[str, Any]
) -> None:
    reading = opened(write_book(tmp_path / name, ROWS, **options))
    assert drain(reading) == (plain, [])
    assert (reading.facts["format"], reading.facts["worksheet"]) == ("xlsx", "Sales")


def test_rows_of_a_workbook_keep_their_number_and_errors_their_reason(tmp_path: Path) -> None:
    rows = list(ROWS)
    rows[4] = ("A", dt.date(2026, 3, 5), "Mug", 1, "=1/0", "=A1", "=B2")
    rows[6] = (None,) * 7
    rows[9] = (12345678901234567890, dt.date(2026, 3, 5), "Mug", 1, 1, 1, "x")
    rows[11] = ("A", "soon", "two\nlines", 1, 1, 1, "x")
    found, rejected = drain(opened(write_book(tmp_path / "sales.xlsx", rows, top=3)))
    assert len(found) == 26
    assert [(row.sheet_row, row.line_number, row.reasons) for row in rejected] == [
        (9, 9, ("CELL_IS_ERROR",) * 3), (14, 14, ("DIGITS_LOST",)), (16, 16, ("DATE_FORMAT",)),
    ]  # fmt: skip
    assert set(rejected[0].columns) == {"Unit Price", "Amount", "Store"}
    assert rejected[0].messages[0].startswith('row 9, column "')
    assert all(len(message) <= 200 for row in rejected for message in row.messages)
    assert b"?" not in rejected[0].raw_bytes
    assert b"#REF!" in rejected[0].raw_bytes


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (19.99, "19.99"), (0.1 + 0.2, "0.3"), (5.0, "5"), (-0.0, "0"), (1e-7, "0.0000001"), (True, "TRUE"),
        (123456789012345.0, "123456789012345"), (3 * 19.99, "59.97"), (59.969999999999999, "59.97"),
        (dt.datetime(2026, 3, 1, 9, 5, 7), "2026-03-01 09:05:07"), (dt.timedelta(hours=36), "36:00:00"),
        ("0017", "0017"), (1234.5678, "1234.5678"), (None, ""),
    ],
)  # fmt: skip
def test_cells_keep_what_excel_shows(value: object, text: str) -> None:
    assert text_of(value) == text


def test_times_in_a_workbook(tmp_path: Path) -> None:
    rows = [("A", dt.datetime(2026, 3, 1, 23, 59, 59), "Mug", 1, 1, 1, "x")]
    found, _ = drain(opened(write_book(tmp_path / "sales.xlsx", rows)))
    assert str(found[0]["sold_at"]) == "2026-03-01 23:59:59+00:00"


def test_the_worksheet_is_the_only_one_with_data_or_a_question(tmp_path: Path) -> None:
    path = write_book(tmp_path / "sales.xlsx", ROWS, sheets=("Jan", "Feb"))
    with pytest.raises(Undecided) as caught:
        opened(path)
    assert caught.value.reason_code == "WORKSHEET_UNDECIDED"
    assert caught.value.choices == {"sheet-1": {"worksheet": "Jan"}, "sheet-2": {"worksheet": "Feb"}}
    assert len(drain(opened(path, read_as=caught.value.choices["sheet-2"]))[0]) == 30
    assert opened(path, feed="till", contracts=with_feed(worksheet="feb")).facts["worksheet"] == "Feb"
    message = refusal(path, feed="till", contracts=with_feed(worksheet="Mar"))
    assert message.endswith("[WORKSHEET_MISSING]")
    assert '"Jan", "Feb"' in message


def changed(path: Path, name: str, content: bytes) -> Path:
    """The workbook with one part replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            new.writestr(member.filename, content if member.filename == name else old.read(member))
    path.write_bytes(out.getvalue())
    return path


@pytest.mark.parametrize(
    ("part", "content", "code"),
    [
        ("xl/workbook.xml", b"<workbook", "FILE_DAMAGED"),
        ("xl/worksheets/sheet1.xml", b"<worksheet><sheetData><row r='1'><c r='A1'", "FILE_DAMAGED"),
        (
            "xl/worksheets/sheet1.xml",
            b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
            b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
            b"</sheetData></worksheet>",
            "FILE_TOO_LARGE",
        ),
        ("xl/worksheets/sheet1.xml", b"<worksheet>" + b" " * 60_000_000 + b"</worksheet>", "FILE_TOO_LARGE"),
        ("xl/sharedStrings.xml", b"<sst><si><t>" + b"x" * 60_000_000 + b"</t></si></sst>", "FILE_TOO_LARGE"),
    ],
    ids=["book", "sheet", "corners", "blanks", "strings"],
)
def test_workbooks_that_are_damaged_or_made_to_do_harm(
    tmp_path: Path, part: str, content: bytes, code: str
) -> None:
    path = changed(write_book(tmp_path / "sales.xlsx", ROWS), part, content)
    assert refusal(path).endswith(f"[{code}]")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000), "FILE_BINARY"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "FILE_ENCRYPTED"),
    ],
)
def test_old_and_locked_workbooks(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "sales.xlsx"
    path.write_bytes(content)
    assert refusal(path).endswith(f"[{code}]")


def test_a_workbook_cut_off_an_empty_one_and_other_kinds(tmp_path: Path) -> None:
    path = write_book(tmp_path / "sales.xlsx", ROWS)
    path.write_bytes(path.read_bytes()[:-200])
    assert refusal(path).endswith("[FILE_DAMAGED]")
    assert refusal(write_book(tmp_path / "empty.xlsx", [], sheets=())).endswith("[FILE_EMPTY]")
    assert refusal(write_book(tmp_path / "header.xlsx", [])).endswith("[FILE_EMPTY]")
    for part in ("xl/workbook.bin", "content.xml"):
        other = tmp_path / "other.xlsb"
        with zipfile.ZipFile(other, "w") as archive:
            archive.writestr(part, b"")
        assert refusal(other).endswith("[FILE_BINARY]")


# -- Parquet ------------------------------------------------------------------------------------------------
def write_parquet(path: Path, query: str) -> Path:
    duckdb.sql(query).write_parquet(str(path))
    return path


def test_a_parquet_file_is_its_table(tmp_path: Path, plain: list[dict[str, Any]]) -> None:
    source = tmp_path / "plain.csv"
    path = write_parquet(
        tmp_path / "sales[1].csv",
        f"""select "Order ID", "Date"::date as "Date", "Product", "Quantity"::double as "Quantity",
            "Unit Price"::decimal(9, 2) as "Unit Price", "Amount"::double as "Amount", "Store"
            from read_csv('{source}', all_varchar = true, delim = ',', quote = '"', header = true)""",
    )
    reading = opened(path)
    assert drain(reading) == (plain, [])
    assert reading.facts["format"] == "parquet"


def test_types_of_parquet_come_through_exactly(tmp_path: Path) -> None:
    path = write_parquet(
        tmp_path / "sales.parquet",
        """select * from (values
             (9007199254740993::bigint, timestamptz '2026-03-01 09:05:07.25+02', 'Mug', 1.50::decimal(20, 2)),
             (null, timestamptz '2026-03-01 09:05:07+02', 'Tea', 2::decimal(20, 2)),
             (7, null, 'Tea', 2::decimal(20, 2))
           ) as t("Order ID", "Date", "Product", "Amount")""",
    )
    found, rejected = drain(opened(path))
    assert [(row["order_id"], row["gross_cents"]) for row in found] == [
        ("9007199254740993", 150),
        (None, 200),
    ]
    assert str(found[0]["sold_at"]) == "2026-03-01 07:05:07.250000+00:00"
    assert [(row.line_number, row.sheet_row, row.reasons) for row in rejected] == [(3, 3, ("VALUE_MISSING",))]
    assert rejected[0].messages[0].startswith("row 3, ")


def test_parquet_files_that_are_no_delivery(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "sales.parquet", "select 1 as a")
    path.write_bytes(path.read_bytes()[:-20])
    assert refusal(path).endswith("[FILE_DAMAGED]")
    path.write_bytes(b"PARE" + bytes(100))
    assert refusal(path).endswith("[FILE_ENCRYPTED]")
    many = write_parquet(tmp_path / "many.parquet", "select repeat('x', 900) as a from range(100000)")
    small = with_feed(limits={"max_unpacked_bytes": 2_000_000})
    assert refusal(many, feed="till", contracts=small).endswith("[FILE_TOO_LARGE]")


# -- fixed width --------------------------------------------------------------------------------------------
WIDTHS = {"order id": (1, 5), "date": (6, 10), "product": (16, 12), "quantity": (28, 4), "amount": (32, 9)}


def fixed_line(row: tuple[Any, ...]) -> str:
    return f"{row[0]:<5}{row[1]}{row[2]:<12}{row[3]:>4}{row[5]:>9}"


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("encoding", [None, "cp850"])
def test_fixed_columns_are_cut_by_contract(tmp_path: Path, header: bool, encoding: str | None) -> None:
    rows = [row for row in ROWS if "\n" not in row[2]]
    lines = ["ORDERDATE      PRODUCT       QTY   AMOUNT"] * header + [fixed_line(row) for row in rows]
    lines.insert(5, "B1   2026-03-01Mug            1     1.0")
    lines.insert(8, "")
    lines.insert(9, fixed_line(("B2", "2026-02-30", "Käse", 1, 1, "1.00")))
    path = tmp_path / "sales.txt"
    path.write_bytes("\r\n".join(lines).encode(encoding or "utf-8"))
    content = path.read_bytes()
    layout = {"columns": WIDTHS, "header": header}
    reading = opened(path, feed="till", contracts=with_feed(fixed_width=layout, encoding=encoding))
    found, rejected = drain(reading)
    assert [row["gross_cents"] for row in found] == [int(row[5] * 100) for row in rows]
    assert [row["product_name"] for row in found] == [row[2] for row in rows]
    assert [(row.line_number, row.reasons) for row in rejected] == [
        (6, ("ROW_TOO_SHORT",)), (10, ("DATE_IMPOSSIBLE",)),
    ]  # fmt: skip
    for row in rejected:
        assert row.raw_bytes == content.split(b"\r\n")[row.line_number - 1]
        assert content[row.byte_offset :].startswith(row.raw_bytes)
        assert row.messages[0].startswith(f"row {row.line_number} (line {row.line_number})")


def test_a_line_longer_than_the_contract_says_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sales.txt"
    good = fixed_line(ROWS[0])
    path.write_text(f"{good}\n{good}  \n{good}9\n", encoding="utf-8")
    layout = {"columns": WIDTHS, "line_length": 40}
    found, rejected = drain(opened(path, feed="till", contracts=with_feed(fixed_width=layout)))
    assert (len(found), [row.reasons for row in rejected]) == (2, [("ROW_TOO_LONG",)])


@pytest.mark.parametrize(
    "keys",
    [
        {"fixed_width": {"columns": {"date": (0, 3)}}}, {"fixed_width": {"columns": {}}},
        {"fixed_width": {"columns": WIDTHS}, "worksheet": "Sales"}, {"worksheet": ""},
        {"fixed_width": {"columns": WIDTHS}, "encoding": "utf-16-le"}, {"limits": {"max_rows": 0}},
    ],
)  # fmt: skip
def test_useless_keys_of_a_contract(keys: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        with_feed(**keys)
