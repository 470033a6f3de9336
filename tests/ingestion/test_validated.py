"""A damaged file validated as one stream: answers belong to their rows, failures are told as themselves."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from ingestion.reading import FileRefused, open_reading
from ingestion.reading import stretches as module
from ingestion.reading.careful import CarefulReading
from ingestion.reading.stretches import Stretch
from ingestion.reading.validated import Validated

TODAY = date(2026, 6, 30)
BAD = ('2026-01-05,"tea,1.00,A', "2026-01-05,tea,much,1.00,A", "soon,tea,1.00,A", "2026-01-05,t\0,1.00,A", "")


def damaged(folder: Path, rows: int) -> Path:
    """Every seventh row is bad, and a stretch of the middle is nothing but blank lines."""
    path = folder / "sales.csv"
    lines = ["date,product,amount,order id"]
    for number in range(rows):
        if rows // 2 <= number < rows // 2 + 200:
            lines.append("")
        elif number % 7 == 3:
            lines.append(BAD[number // 7 % len(BAD)] + (str(number) if BAD[number // 7 % len(BAD)] else ""))
        else:
            lines.append(f"2026-01-05,tea,{number + 1}.00,A{number}")
    path.write_bytes(("\n".join(lines) + "\n").encode())
    return path


def reading(path: Path) -> CarefulReading:
    found = open_reading(path, today=TODAY, currency="EUR").careful()
    assert isinstance(found, CarefulReading)
    return found


@pytest.mark.parametrize(("rows", "stretch", "chunk"), [(3_000, 50, 700), (120_000, 9_000, 300_000)])
def test_answers_belong_to_the_rows_of_their_stretch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int, stretch: int, chunk: int
) -> None:
    monkeypatch.setattr(module, "BATCH_ROWS", stretch)
    monkeypatch.setattr(module, "_CHUNK", chunk)
    path = damaged(tmp_path, rows)
    lines = path.read_bytes().split(b"\n")[1:-1]
    seen: dict[int, int] = {}
    rejected: dict[int, bytes] = {}
    careful = reading(path)
    numbers: list[int] = []
    batches = 0
    for batch in careful.batches():
        batches += 1
        numbers += batch.accepted.column("row_number").to_pylist()
        for order, cents in zip(
            batch.accepted.column("order_id").to_pylist(),
            batch.accepted.column("net_cents").to_pylist(),
            strict=True,
        ):
            seen[int(order[1:])] = cents
        rejected |= {row.line_number - 2: row.raw_bytes for row in batch.rejected}
    good = [number for number, line in enumerate(lines) if line.endswith(b".00,A%d" % number)]
    good = [number for number in good if number % 7 != 3]
    assert batches > 3
    assert list(seen) == good
    assert all(cents == number * 100 + 100 for number, cents in seen.items())
    assert numbers == sorted(set(numbers))
    assert list(rejected) == [n for n, line in enumerate(lines) if line and n not in seen]
    assert all(lines[number] == raw for number, raw in rejected.items())
    assert careful.rows_gap == lines.count(b"")


def test_a_refusal_in_the_middle_comes_out_as_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = damaged(tmp_path, 2_000)
    monkeypatch.setattr(module, "LONGEST_LINE", 1 << 20)
    monkeypatch.setattr(module, "_CHUNK", 10_000)
    with path.open("ab") as file:
        file.write(b"x" * (2 << 20))
    careful = reading(path)
    with pytest.raises(FileRefused, match="LINE_TOO_LONG"):
        list(careful.batches())


def test_a_file_that_vanishes_says_so(tmp_path: Path) -> None:
    path = damaged(tmp_path, 1_000)
    careful = reading(path)
    path.unlink()
    with pytest.raises(FileNotFoundError):
        list(careful.batches())


@pytest.mark.parametrize("after", [1, 3])
def test_who_stops_early_does_not_wait_for_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    delivery = reading(damaged(tmp_path, 1_000)).delivery
    first = next(delivery.stretches())
    pulled = 0

    def endless(_: object) -> Iterator[Stretch]:
        nonlocal pulled
        while True:
            pulled += 1
            yield first

    monkeypatch.setattr(type(delivery), "stretches", endless)
    found = iter(Validated(delivery))
    for _ in range(after):
        next(found)
    closing = threading.Thread(target=found.close, daemon=True)  # type: ignore[attr-defined]
    closing.start()
    closing.join(20)
    assert not closing.is_alive()
    stopped = pulled
    assert sum(1 for _ in zip(range(3), Validated(delivery), strict=False)) == 3
    assert stopped < pulled


def test_reading_a_damaged_file_loads_no_data_frames(tmp_path: Path) -> None:
    path = damaged(tmp_path, 1_000)
    code = (
        "import sys, datetime, pathlib\n"
        "from ingestion.reading import open_reading\n"
        "reading = open_reading(pathlib.Path(sys.argv[1]), today=datetime.date(2026, 6, 30))\n"
        "rows = sum(batch.accepted.num_rows for batch in reading.careful().batches())\n"
        "print(rows, 'pandas' in sys.modules)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    accepted, has_pandas = ran.stdout.split()
    assert int(accepted) > 600
    assert has_pandas == "False"  # 35 MB, and half a second at the first damaged file of a process
