"""Forms of delivery: the same table in each of them gives the same rows; archives cannot do harm."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ingestion.contract import Contract, load_contracts
from ingestion.forms import Limits
from ingestion.reading import DamagedFile, FileRefused, Reading, RejectedRow, open_reading

TODAY = date(2026, 6, 30)
HEADER = ("Order ID", "Date", "Product", "Quantity", "Unit Price", "Amount", "Store")
ROWS = [
    (f"A{n:03d}", f"2026-03-{n:02d}", ("Mug, blue", "Café crème", "Kännchen", 'Tea "Nº 5"')[n % 4], n,
     f"{n}.05", f"{n * n + n * 0.05:.2f}", ("Köln", "Málaga")[n % 2])
    for n in range(1, 31)
]  # fmt: skip


def csv_text(rows: list[tuple[Any, ...]] | None = None, delimiter: str = ",", newline: str = "\n") -> str:
    """The table as text, every cell that needs it quoted."""
    lines = [HEADER, *(ROWS if rows is None else rows)]
    quoted = [
        delimiter.join(
            '"' + str(cell).replace('"', '""') + '"' if set(str(cell)) & set(',;\t|"\n\r') else str(cell)
            for cell in line
        )
        for line in lines
    ]
    return newline.join(quoted) + newline


def opened(path: Path, **given: Any) -> Reading:
    return open_reading(path, today=TODAY, currency="EUR", **given)


def drain(reading: Reading) -> tuple[list[dict[str, Any]], list[RejectedRow]]:
    """As landing does: careful from the start once the fast reader gives up."""
    try:
        return _drain(reading)
    except DamagedFile:
        return _drain(reading.careful())


def _drain(reading: Reading) -> tuple[list[dict[str, Any]], list[RejectedRow]]:
    rows: list[dict[str, Any]] = []
    rejected: list[RejectedRow] = []
    for batch in reading.batches():
        rows += batch.accepted.to_pylist()
        rejected += batch.rejected
    return rows, rejected


def with_feed(**keys: Any) -> dict[str, Contract]:
    """The built-in contract under the name `till`, with these keys."""
    known = load_contracts()["sales_csv"]
    data = known.model_dump() | {"feed": "till", "builtin": False} | keys
    return {"sales_csv": known, "till": Contract.model_validate(data)}


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def refusal(path: Path, **given: Any) -> str:
    with pytest.raises(FileRefused) as caught:
        drain(opened(path, **given))
    message = caught.value.message
    assert path.name in message
    assert "\n" not in message
    return message


@pytest.fixture
def plain(tmp_path: Path) -> list[dict[str, Any]]:
    """What the table gives as plain UTF-8 text."""
    path = tmp_path / "plain.csv"
    path.write_text(csv_text(), encoding="utf-8")
    rows, rejected = drain(opened(path))
    assert (len(rows), rejected) == (30, [])
    return rows


Pack = Callable[[bytes], bytes]
PACKED: dict[str, tuple[Pack, dict[str, object]]] = {
    "gzip": (gzip.compress, {"packed": "gzip"}),
    "zip": (
        lambda content: zipped({"__MACOSX/._sales.csv": b"x", "out/": b"", "out/sales.csv": content}),
        {"packed": "zip", "member": "out/sales.csv"},
    ),
}


@pytest.mark.parametrize("form", PACKED)
@pytest.mark.parametrize("name", ["sales.csv", "sales.xlsx", "sales"])
def test_a_packed_file_is_the_file_inside_whatever_its_name(
    tmp_path: Path, plain: list[dict[str, Any]], form: str, name: str
) -> None:
    pack, facts = PACKED[form]
    path = tmp_path / name
    path.write_bytes(pack(csv_text().encode()))
    reading = opened(path)
    assert drain(reading) == (plain, [])
    assert facts.items() <= reading.facts.items()


def test_a_rejected_row_of_a_packed_file_has_its_place_in_the_file_inside(tmp_path: Path) -> None:
    content = csv_text([*ROWS[:5], ("A", "2026-02-30", "Mug", 1, "1", "1", "")]).encode()
    path = tmp_path / "sales.csv.gz"
    path.write_bytes(gzip.compress(content))
    _, rejected = drain(opened(path))
    assert [(row.line_number, row.sheet_row, row.reasons) for row in rejected] == [
        (7, 7, ("DATE_IMPOSSIBLE",))
    ]
    assert content[rejected[0].byte_offset :].startswith(rejected[0].raw_bytes)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (gzip.compress(csv_text().encode())[:-12], "FILE_DAMAGED"),
        (gzip.compress(csv_text().encode()) + b"more", "FILE_DAMAGED"),
        (gzip.compress(b""), "FILE_EMPTY"),
        (gzip.compress(gzip.compress(csv_text().encode())), "ARCHIVE_REFUSED"),
        (gzip.compress(zipped({"a.csv": b"x"})), "ARCHIVE_REFUSED"),
        (gzip.compress(b"%PDF-1.7 ..."), "FILE_BINARY"),
        (zipped({}), "ARCHIVE_REFUSED"),
        (zipped({"a.csv": b"x", "b.csv": b"y"}), "ARCHIVE_REFUSED"),
        (zipped({"a.zip": zipped({"b.csv": b"x"})}), "ARCHIVE_REFUSED"),
        (zipped({"a.csv": csv_text().encode()})[:-30], "FILE_DAMAGED"),
        (zipped({"a.csv": csv_text().encode()}).replace(b"a.csv", b"b.csv", 1), "FILE_DAMAGED"),
        (zipped({f"{n}.csv": b"" for n in range(1100)}), "ARCHIVE_REFUSED"),
    ],
)  # fmt: skip
def test_archives_that_are_no_delivery(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "sales.csv"
    path.write_bytes(content)
    assert refusal(path).endswith(f"[{code}]")


def test_an_encrypted_archive(tmp_path: Path) -> None:
    content = bytearray(zipped({"a.csv": csv_text().encode()}))
    content[6] |= 1  # the flag in the member's own header …
    content[content.rindex(b"PK\x01\x02") + 8] |= 1  # … and in the table of contents
    path = tmp_path / "sales.zip"
    path.write_bytes(content)
    assert refusal(path).endswith("[FILE_ENCRYPTED]")


@pytest.mark.parametrize("form", PACKED)
def test_a_bomb_is_stopped_while_it_unpacks(tmp_path: Path, form: str) -> None:
    pack, _ = PACKED[form]
    packed = pack(csv_text().encode() + b"0" * 100_000_000)
    path = tmp_path / "sales.csv"
    path.write_bytes(packed)
    work = tmp_path / "work"
    work.mkdir()
    small = with_feed(limits={"max_unpacked_bytes": 2_000_000})
    assert refusal(path, feed="till", contracts=small, work=work).endswith("[FILE_TOO_LARGE]")
    assert sum(file.stat().st_size for file in work.rglob("*") if file.is_file()) <= 2_000_000
    assert "250 times" in refusal(path, work=work)
    assert sum(file.stat().st_size for file in work.rglob("*") if file.is_file()) < 60_000_000


def test_limits_of_the_contract(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text(csv_text(), encoding="utf-8")
    for limits in ({"max_bytes": 100}, {"max_rows": 20}):
        assert refusal(path, feed="till", contracts=with_feed(limits=limits)).endswith("[FILE_TOO_LARGE]")
    assert Limits.widest([Limits(max_rows=1)]) == Limits()


def test_nothing_is_left_of_what_was_unpacked_without_a_folder_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    path = tmp_path / "sales.csv.gz"
    path.write_bytes(gzip.compress(csv_text().encode()))
    reading = opened(path)
    assert len(drain(reading)[0]) == 30
    del reading
    assert [entry.name for entry in tmp_path.iterdir()] == ["sales.csv.gz"]
