"""Small files that could cost much: none costs minutes or gigabytes, as a bomb that goes off would.

The bounds are wide on purpose: how fast and how lean reading is, benchmarks tell.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.ingestion.corpus.cases import HEADER, ROWS, lines
from tests.ingestion.corpus.containers import BOOK, packed

MOST_MB = 500
MOST_SECONDS = 30.0
ZEROS = bytes(1 << 20)
#: reads each file of a folder as landing does; prints its answer, CPU seconds and the peak of memory so far
READER = """
import json, sys, time
from datetime import date
from pathlib import Path
from ingestion.reading import DamagedFile, FileRefused, Undecided, open_reading

def read(path):
    try:
        reading = open_reading(path, today=date(2026, 3, 1), currency="EUR")
        try:
            counts = [(len(batch.accepted), len(batch.rejected)) for batch in reading.batches()]
        except DamagedFile:
            counts = [(len(batch.accepted), len(batch.rejected)) for batch in reading.careful().batches()]
        return "read", sum(a for a, _ in counts), sum(r for _, r in counts)
    except FileRefused as refusal:
        return "refused", refusal.message.rsplit("[", 1)[-1].rstrip("]"), 0
    except Undecided as undecided:
        return "held", undecided.reason_code, 0

for path in sorted(Path(sys.argv[1]).iterdir()):
    start = time.process_time()
    answer = read(path)
    status = Path("/proc/self/status").read_text()  # what getrusage says begins with the parent's peak
    peak = int(status.split("VmHWM:")[1].split()[0]) // 1024
    print(json.dumps([path.name, *answer, round(time.process_time() - start, 2), peak]), flush=True)
"""


def gzip_bomb(path: Path) -> None:
    with gzip.open(path, "wb", compresslevel=6) as out:
        for _ in range(60):
            out.write(ZEROS)


def zip_bomb(path: Path, member: str, start: bytes = b"") -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(member, "w") as out:
        out.write(start)
        for _ in range(60):
            out.write(ZEROS)


def book_bomb(path: Path) -> None:
    """A workbook whose worksheet is one cell of 60 MB."""
    plain = path.with_suffix(".plain")
    plain.write_bytes(BOOK)
    with zipfile.ZipFile(plain) as book, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for member in book.infolist():
            if member.filename.endswith("sheet1.xml"):
                with out.open(member.filename, "w") as sheet:
                    sheet.write(b'<worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>')
                    for _ in range(60):
                        sheet.write(b"x" * (1 << 20))
            else:
                out.writestr(member, book.read(member))
    plain.unlink()


def entity_bomb() -> bytes:
    """A workbook whose worksheet defines names that stand for each other a billion times."""
    names = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    sheet = (
        f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "ha">{names}]><worksheet><sheetData><row r="1">'
        '<c r="A1" t="inlineStr"><is><t>&e9;</t></is></c></row></sheetData></worksheet>'
    )
    import io  # noqa: PLC0415

    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(BOOK)) as book, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for member in book.infolist():
            is_sheet = member.filename.endswith("sheet1.xml")
            made.writestr(member, sheet if is_sheet else book.read(member))
    return out.getvalue()


def far_cell() -> bytes:
    """A workbook with one cell in the last row and column that there can be."""
    import io  # noqa: PLC0415

    import xlsxwriter  # noqa: PLC0415

    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for r, line in enumerate((HEADER, *ROWS)):
            sheet.write_row(r, 0, line.split(","))
        sheet.write(1_048_575, 16_383, "x")
    return out.getvalue()


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, object, int, float, int]]:
    """Name -> verdict, code or accepted rows, refused rows, CPU seconds, peak in MB."""
    folder = tmp_path_factory.mktemp("heavy")
    wide = ",".join(f"c{n}" for n in range(5_000))
    files = {
        "00-sound": lines(*ROWS),
        "05-sound.xlsx": BOOK,
        "20-long line": lines(*ROWS, f"A4,2026-01-06,{'x' * 5_000_000},1,2.50,2.50"),
        "21-long header": lines(*ROWS, header=HEADER + "," + "x" * 5_000_000),
        "22-wide": "\n".join([f"{HEADER},{wide}", *(row + "," * 5_000 for row in ROWS)]).encode(),
        "23-open quotes": lines(*ROWS, *(f'B{n},2026-01-06,"x,1,1.00,1.00' for n in range(10_000))),
        "24-one open quote": lines(
            *ROWS, 'A4,2026-01-06,"x,1,1,1', *(f"C{n},2026-01-06,Mug,1,1,1" for n in range(10_000))
        ),
        "25-only quotes": HEADER.encode() + b"\n" + b'"' * 1_000_000,
        "26-only delimiters": HEADER.encode() + b"\n" + b"," * 5_000_000 + b"\n",
        "27-only line ends": HEADER.encode() + b"\n" * 2_000_000,
        "28-NULs": lines(*ROWS) + b"A4,2026-01-06," + b"\0" * 5_000_000 + b",1,1,1\n",
        "30-deep.json": json.dumps([{"a": 1}]).encode()[:-1] + b"," + b"[" * 200_000,
        "31-deep objects.json": b'{"a":' * 500_000,
        "32-long number.json": b'[{"date":"2026-01-05","product":"x","amount":' + b"9" * 3_000_000 + b"}]",
        "40-entities.xlsx": entity_bomb(),
        "41-far cell.xlsx": far_cell(),
        "50-many members.zip": packed(*((f"f{n}.csv", b"") for n in range(3000))),
    }  # fmt: skip
    for name, content in files.items():
        (folder / name).write_bytes(content)
    gzip_bomb(folder / "10-bomb.gz")
    zip_bomb(folder / "11-bomb.zip", "sales.csv", lines(*ROWS))
    book_bomb(folder / "42-bomb.xlsx")
    ran = subprocess.run(
        [sys.executable, "-c", READER, str(folder)], capture_output=True, text=True, check=False, timeout=240
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    found = [json.loads(line) for line in ran.stdout.splitlines()]
    assert len(found) == len(files) + 3
    return {name: (*rest,) for name, *rest in found}  # type: ignore[misc]


EXPECTED = {
    "00-sound": ("read", 3, 0), "05-sound.xlsx": ("read", 3, 0),
    "10-bomb.gz": ("refused", "FILE_TOO_LARGE", 0), "11-bomb.zip": ("refused", "FILE_TOO_LARGE", 0),
    "20-long line": ("read", 3, 1), "21-long header": ("refused", "COLUMN_MISSING", 0),
    "22-wide": ("read", 3, 0),
    "23-open quotes": ("read", 3, 10_000), "24-one open quote": ("read", 10_003, 1),
    "25-only quotes": ("read", 0, 1), "26-only delimiters": ("read", 0, 0),
    "27-only line ends": ("read", 0, 0), "28-NULs": ("refused", "FILE_BINARY", 0),
    "30-deep.json": ("refused", "COLUMN_MISSING", 0),
    "31-deep objects.json": ("refused", "COLUMN_MISSING", 0),
    "32-long number.json": ("read", 0, 1),
    "40-entities.xlsx": ("refused", "FILE_DAMAGED", 0), "41-far cell.xlsx": ("refused", "FILE_TOO_LARGE", 0),
    "42-bomb.xlsx": ("refused", "FILE_TOO_LARGE", 0),
    "50-many members.zip": ("refused", "ARCHIVE_REFUSED", 0),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPECTED)
def test_what_becomes_of_a_heavy_file(
    answers: dict[str, tuple[str, object, int, float, int]], name: str
) -> None:
    *answer, seconds, _ = answers[name]
    assert tuple(answer) == EXPECTED[name]
    assert seconds <= MOST_SECONDS


def test_memory_stays_within_bounds(answers: dict[str, tuple[str, object, int, float, int]]) -> None:
    sound = answers["05-sound.xlsx"][-1]
    peaks = {name: peak - sound for name, (*_, peak) in answers.items()}
    assert max(peaks.values()) <= MOST_MB, peaks
