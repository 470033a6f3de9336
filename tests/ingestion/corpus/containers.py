"""Files around files and tables that are no text: gzip, zip, workbooks, Parquet, JSON, fixed columns."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
import struct
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq

from tests.ingestion.corpus.cases import HEADER, ROWS, SUM, Case, book, held, lines, refused, sound

PLAIN = lines(*ROWS)
PACKED = gzip.compress(PLAIN, mtime=0)
_HEAD = HEADER.split(",")
_DAY = dt.date(2026, 1, 5)
_TABLE = (
    _HEAD,
    ["A1", _DAY, "Mug", 1, 2.5, 2.5],
    ["A2", _DAY, "Tea", 2, 3, 6],
    ["A3", dt.date(2026, 1, 6), "Pot", 1, 5, 5],
)
BOOK = book(*_TABLE)


def packed(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive of these files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 5, 0, 0, 0)), content, compress_type=method)
    return out.getvalue()


def locked(archive: bytes) -> bytes:
    """The same archive with the mark of encryption on its members."""
    out = bytearray(archive)
    out[6] |= 1
    at = out.index(b"PK\x01\x02")
    out[at + 8] |= 1
    return bytes(out)


def parquet(**changes: pa.Array) -> bytes:
    """The three rows as Parquet, some columns exchanged."""
    columns = {
        "Order ID": pa.array(["A1", "A2", "A3"]),
        "Date": pa.array([_DAY, _DAY, dt.date(2026, 1, 6)]),
        "Product": pa.array(["Mug", "Tea", "Pot"]),
        "Quantity": pa.array([1, 2, 1]),
        "Unit Price": pa.array(["2.50", "3.00", "5.00"]).cast(pa.decimal128(10, 2)),
        "Amount": pa.array(["2.50", "6.00", "5.00"]).cast(pa.decimal128(10, 2)),
    } | changes
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


def records(*more: dict[str, object]) -> list[dict[str, object]]:
    """The three rows as JSON objects."""
    rows: list[dict[str, object]] = []
    for row in ROWS:
        order, day, product, pieces, price, amount = row.split(",")
        rows.append({"order_id": order, "date": day, "product": product, "quantity": int(pieces),
                     "unit_price": float(price), "amount": float(amount)})  # fmt: skip
    return [*rows, *more]


def json_lines(*rows: object) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


FIXED = "".join(
    f"{order:<6}{day:<10}{product:<8}{price:>8}\n"
    for order, day, product, _, _, price in (row.split(",") for row in ROWS)
).encode()
WIDTHS = {"columns": {"order id": [1, 6], "date": [7, 10], "product": [17, 8], "amount": [25, 8]}}
ZEROS = bytes(50_000_000)

CASES = [
    sound("gzip", PACKED, file="sales.csv.gz"),
    sound("gzip under another name", PACKED, file="sales.csv"),
    sound(
        "two gzip members one after the other",
        gzip.compress(PLAIN[:40], mtime=0) + gzip.compress(PLAIN[40:], mtime=0),
    ),
    refused("gzip cut off", PACKED[:-12], "FILE_DAMAGED"),
    refused("gzip with a wrong checksum", PACKED[:-8] + b"\0\1\2\3" + PACKED[-4:], "FILE_DAMAGED"),
    refused("gzip with broken bytes", PACKED[:30] + b"\xff" * 8 + PACKED[38:], "FILE_DAMAGED"),
    refused("gzip in gzip", gzip.compress(PACKED, mtime=0), "ARCHIVE_REFUSED"),
    refused("gzip bomb", gzip.compress(ZEROS, mtime=0), "FILE_TOO_LARGE"),
    refused("gzip of nothing", gzip.compress(b"", mtime=0), "FILE_EMPTY"),
    sound("zip", packed(("sales.csv", PLAIN)), file="sales.zip"),
    sound(
        "zip with a folder and litter",
        packed(
            ("export/", b""), ("export/sales.csv", PLAIN), ("__MACOSX/._sales.csv", b"x"), (".DS_Store", b"y")
        ),
    ),
    sound("zip with a path out of it", packed(("../../../../tmp/evil.csv", PLAIN))),
    sound("zip with an absolute path", packed(("/etc/cron.d/evil", PLAIN))),
    sound("zip of a gzip under a zip name", PACKED, file="sales.zip"),
    refused("zip of several files", packed(("a.csv", PLAIN), ("b.csv", PLAIN)), "ARCHIVE_REFUSED"),
    refused("zip of nothing", packed(), "ARCHIVE_REFUSED"),
    refused("zip in zip", packed(("inner.zip", packed(("a.csv", PLAIN)))), "ARCHIVE_REFUSED"),
    refused("zip locked", locked(packed(("a.csv", PLAIN))), "FILE_ENCRYPTED"),
    refused("zip cut off", packed(("a.csv", PLAIN))[:-30], "FILE_DAMAGED"),
    refused("zip bomb", packed(("a.csv", ZEROS)), "FILE_TOO_LARGE"),
    refused("zip by an odd method", packed(("a.csv", PLAIN), method=zipfile.ZIP_BZIP2), "ARCHIVE_REFUSED"),
    refused(
        "zip with a wrong checksum",
        packed(("a.csv", PLAIN), method=zipfile.ZIP_STORED).replace(b"Mug", b"Mud"),
        "FILE_DAMAGED",
    ),
    refused(
        "more bytes than the contract allows",
        PLAIN,
        "FILE_TOO_LARGE",
        contract={"limits": {"max_bytes": 100}},
    ),
    refused(
        "more rows than the contract allows", PLAIN, "FILE_TOO_LARGE", contract={"limits": {"max_rows": 2}}
    ),
    refused(
        "unpacks to more than the contract allows",
        PACKED,
        "FILE_TOO_LARGE",
        contract={"limits": {"max_unpacked_bytes": 100}},
    ),
    sound("workbook", BOOK, file="sales.xlsx"),
    sound("workbook under another name", BOOK, file="sales.csv"),
    sound("workbook of the 1904 system", book(*_TABLE, date_1904=True), file="sales.xlsx"),
    Case(
        "workbook with a formula error",
        book(*_TABLE, ["A4", _DAY, "Cup", 1, 2.5, "=REF!A1"]),
        accepted=3,
        cents=SUM,
        rejected={"CELL_IS_ERROR": 1},
        file="sales.xlsx",
    ),
    Case(
        "workbook with floats that are no cents",
        book(_HEAD, ["A1", _DAY, "Mug", 3, 0.1, 0.1 + 0.2]),
        accepted=1,
        cents=30,
        file="sales.xlsx",
    ),
    Case(
        "workbook with an id of 16 digits as a number",
        book(*_TABLE, [1234567890123456, _DAY, "Cup", 1, 2.5, 2.5]),
        accepted=3,
        cents=SUM,
        rejected={"DIGITS_LOST": 1},
        file="sales.xlsx",
    ),
    held(
        "workbook with two worksheets of data",
        book(*_TABLE, sheets=("May", "June")),
        "WORKSHEET_UNDECIDED",
        file="sales.xlsx",
    ),
    refused(
        "workbook without the worksheet of the contract",
        BOOK,
        "WORKSHEET_MISSING",
        contract={"worksheet": "Till"},
        file="sales.xlsx",
    ),
    refused("workbook without rows", book(), "FILE_EMPTY", file="sales.xlsx"),
    refused("workbook with a header only", book(_HEAD), "FILE_EMPTY", file="sales.xlsx"),
    refused("workbook cut off", BOOK[: len(BOOK) // 2], "FILE_DAMAGED", file="sales.xlsx"),
    refused(
        "old workbook", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000), "FILE_BINARY", file="sales.xls"
    ),
    sound("Parquet", parquet(), file="sales.parquet"),
    sound(
        "Parquet with days as moments",
        parquet(
            Date=pa.array([dt.datetime(2026, 1, 5, 9), dt.datetime(2026, 1, 5, 10), dt.datetime(2026, 1, 6)])
        ),
    ),
    Case(
        "Parquet with an empty cell",
        parquet(Amount=pa.array(["2.50", None, "x"])),
        accepted=1,
        cents=250,
        rejected={"VALUE_MISSING": 1, "NUMBER_FORMAT": 1},
    ),
    Case(
        "Parquet with NaN",
        parquet(Amount=pa.array([2.5, float("nan"), 5.0])),
        accepted=2,
        cents=750,
        rejected={"NUMBER_FORMAT": 1},
    ),
    refused("Parquet cut off", parquet()[:-40], "FILE_DAMAGED"),
    refused(
        "Parquet's marks and rubbish between",
        b"PAR1" + b"\7" * 300 + struct.pack("<I", 9999) + b"PAR1",
        "FILE_DAMAGED",
    ),
    sound("JSON, one object per line", json_lines(*records())),
    sound("JSON, one list", json.dumps(records()).encode()),
    sound("JSON with a byte order mark", b"\xef\xbb\xbf" + json.dumps(records(), indent=1).encode()),
    Case(
        "JSON with a broken record",
        json_lines(*records()) + b'{"order_id": "A4", "date": \n',
        accepted=3,
        cents=SUM,
        rejected={"JSON_BROKEN": 1},
    ),
    Case(
        "JSON with a key twice",
        json_lines(*records())
        + b'{"order_id":"A4","date":"2026-01-05","product":"Cup","quantity":1,"unit_price":1,'
        + b'"amount":1,"amount":2}\n',
        accepted=3,
        cents=SUM,
        rejected={"JSON_KEY_TWICE": 1},
    ),
    Case(
        "JSON with a list where a value is wanted",
        json_lines(
            *records(
                {
                    "order_id": "A4",
                    "date": "2026-01-05",
                    "product": ["a"],
                    "quantity": 1,
                    "unit_price": 1,
                    "amount": 1.0,
                }
            )
        ),
        accepted=3,
        cents=SUM,
        rejected={"JSON_NOT_A_VALUE": 1},
    ),
    Case(
        "JSON with NaN",
        json_lines(*records())
        + b'{"order_id":"A4","date":"2026-01-05","product":"Cup","quantity":1,"unit_price":1,"amount":NaN}\n',
        accepted=3,
        cents=SUM,
        rejected={"NUMBER_FORMAT": 1},
    ),
    Case(
        "JSON with depth",
        json_lines(*records()) + b"[" * 100_000 + b"\n",
        accepted=3,
        cents=SUM,
        rejected={"JSON_BROKEN": 1},
    ),
    sound("fixed columns", FIXED, contract={"fixed_width": WIDTHS}),
    Case(
        "fixed columns with a short line",
        FIXED + b"A4    2026-01-06Cup\n",
        accepted=3,
        cents=SUM,
        rejected={"ROW_TOO_SHORT": 1},
        contract={"fixed_width": WIDTHS},
    ),
]
