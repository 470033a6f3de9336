"""The second count of I1: archived bytes against the ledger, with code of its own."""

from __future__ import annotations

import csv
import gzip
import io
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.landing import land
from ingestion.reading import DamagedFile, FileRefused, Undecided, open_reading
from publication import delivered
from publication.delivered import Recount, compare, recount
from warehouse.database import Warehouse

TODAY = date(2026, 6, 30)
HEADER = b"date,product,amount,order id\n"
ROW = b"2026-01-05,tea,1.00,A1\n"
FILES = {
    "plain.csv": HEADER + ROW * 3,
    "dressed.csv": b'\xef\xbb\xbfReport "Q1\n\n'
    + HEADER
    + ROW
    + b"\n,,,\n"
    + HEADER
    + ROW
    + b"Total,,2.00,\n\nnote",
    "broken.csv": HEADER
    + ROW
    + b'2026-01-05,"tea,1,A\n'
    + ROW
    + b"x\n"
    + ROW
    + b"2026-01-05,t\xffa,1,B\n"
    + "2026-01-05,café,1,C\n".encode(),
    "quoted.csv": HEADER + b'2026-01-05,"green\n""tea""",1.00,A1\n2026-01-05, "a, b" ,1.00,5" x\n' * 2,
    "packed.csv.gz": gzip.compress(HEADER + ROW * 2 + b"soon,tea,1.00,A\n", mtime=0),
}


CHANGE = "update raw.loads set rows_gap = rows_gap + %s where delivered_name = 'dressed.csv'"


def counted(warehouse: Warehouse) -> Recount:
    with warehouse.connect("owner") as connection:
        return recount(connection, warehouse.settings.archive)


def test_every_delivery_is_counted_again_and_each_difference_named(
    tmp_path: Path, warehouse: Warehouse
) -> None:
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    landed = land(warehouse, sorted(tmp_path.iterdir()), today=TODAY)
    assert landed.refused == []
    assert counted(warehouse) == Recount(len(FILES), {}, None)
    with warehouse.connect("owner") as connection:
        connection.execute(CHANGE, [-1])
    assert "(dressed.csv): its bytes hold 11 records" in str(counted(warehouse).broken)
    with warehouse.connect("owner") as connection:
        connection.execute(CHANGE, [1])
        connection.execute(
            "update raw.rejected_rows set byte_offset = byte_offset + 1 where reasons = '{NOT_TEXT}'"
        )
    assert "(broken.csv): the row refused at byte" in str(counted(warehouse).broken)


def test_bytes_that_are_elsewhere_are_said_to_be_left_out(tmp_path: Path, warehouse: Warehouse) -> None:
    (tmp_path / "plain.csv").write_bytes(FILES["plain.csv"])
    land(warehouse, [tmp_path / "plain.csv"], today=TODAY)
    with warehouse.connect("owner") as connection:
        assert str(recount(connection, tmp_path)).endswith("not looked at: 1 archived elsewhere")


def account(path: Path, **options: Any) -> str | None:
    """The readers' count of one file against the independent one."""
    reading = open_reading(path, today=TODAY, **options)
    try:
        batches = list(reading.batches())
    except DamagedFile:
        reading = reading.careful()
        batches = list(reading.batches())
    refused = [(row.byte_offset, row.raw_bytes) for batch in batches for row in batch.rejected]
    rows = sum(batch.accepted.num_rows for batch in batches) + len(refused)
    with path.open("rb") as text:
        return compare(text, refused, rows + reading.rows_gap + 1, reading.facts)


PIECES = st.sampled_from(
    [
        ROW, ROW, ROW, b"\n", b",,,\n", HEADER, b"Total,,3.00,\n", b'2026-01-05,"tea,1,A\n', b"x\n", b'"\n',
        b'2026-01-05,"tea"x,1,A\n', b'2026-01-05,"green\ntea",1.00,A\n', b'2026-01-05,5" pipe,1.00,A\n',
        b"2026-01-05,tea,1,A,B\n", b'2026-01-05,"say ""hi""",1.00,A\r\n', b"2026-01-05,t\xffa,1.00,A\n",
        b"2026-01-05,tea", b"\x1a", "é\n".encode(),
    ]
)  # fmt: skip


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(PIECES, min_size=1, max_size=25), chunk=st.sampled_from([1, 7, 64, 1 << 20]))
def test_both_counts_agree_on_any_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pieces: list[bytes], chunk: int
) -> None:
    monkeypatch.setattr(delivered, "CHUNK", chunk)
    path = tmp_path / "sales.csv"
    path.write_bytes(HEADER + b"".join(pieces))
    try:
        assert account(path) is None
    except (FileRefused, Undecided):
        return


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(st.text(st.sampled_from('aé,;"\n x1🛒'), max_size=8), min_size=1, max_size=12),
    delimiter=st.sampled_from(",;\t|"),
)
def test_both_counts_agree_on_what_a_csv_writer_wrote(
    tmp_path: Path, texts: list[str], delimiter: str
) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(["date", "product", "category", "amount"])
    for text in texts:
        writer.writerow(["2026-01-05", "tea", text, "1.00"])
    path = tmp_path / "sales.csv"
    path.write_text(out.getvalue(), newline="", encoding="utf-8")
    assert account(path) is None


@pytest.mark.parametrize("lost", [0, 1, 3])
def test_a_lost_record_is_noticed(lost: int) -> None:
    wrong = compare(io.BytesIO(HEADER + ROW * 3), [], 4 - lost, {"delimiter": ","})
    assert (wrong is None) == (lost == 0)


def test_lines_before_the_header_and_old_line_ends_are_counted_across_chunks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = {"delimiter": ",", "lines_before_header": 3}
    for chunk in (1, 5, 1000):
        monkeypatch.setattr(delivered, "CHUNK", chunk)
        assert compare(io.BytesIO(b'\xef\xbb\xbfReport "Q1\n\n\n' + HEADER + ROW * 2), [], 6, before) is None
        assert compare(io.BytesIO(b"a,b\r1,2\r3,4"), [], 3, {"delimiter": ","}) is None
