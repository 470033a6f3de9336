"""A large file's query is begun on its first bytes: what the others hold changes nothing but who reads it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ingestion.reading import DamagedFile, Reading, ahead, dialect, open_reading
from ingestion.reading.fast import FastReading

TODAY = date(2026, 6, 30)
HEADER = "order_id,date,product,quantity,unit price,amount,store"


def written(folder: Path, *last: str, rows: int = 400) -> Path:
    """Plain rows, and at the end others, beyond what is looked at first."""
    path = folder / "sales.csv"
    plain = [
        f"{number},2026-05-{1 + number % 28:02d} 10:00:00,Mug,2,1.50,3.00,North" for number in range(rows)
    ]
    path.write_text("\n".join([HEADER, *plain, *last]) + "\n", encoding="utf-8")
    return path


def opened(path: Path) -> FastReading:
    reading = open_reading(path, today=TODAY, currency="EUR")
    assert isinstance(reading, FastReading)
    return reading


def drained(reading: Reading) -> tuple[list[Any], list[Any], int]:
    batches = list(reading.batches())
    accepted = [row for batch in batches for row in batch.accepted.to_pylist()]
    return accepted, [row for batch in batches for row in batch.rejected], reading.rows_gap


def was_right(reading: FastReading) -> bool:
    """Whether the query that was begun is the one that is wanted."""
    assert reading.begun is not None
    return reading.begun.is_of(ahead.query_of(reading.delivery))


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few kilobytes are large here."""
    monkeypatch.setattr(ahead, "WORTH_BEGINNING", 10_000)
    monkeypatch.setattr(ahead, "BATCH_ROWS", 100)
    monkeypatch.setattr(dialect, "SAMPLE_BYTES", 4_096)
    monkeypatch.setattr(dialect, "_CHUNK", 4_096)


@pytest.mark.parametrize(
    ("last", "is_right"),
    [
        ("900,2026-05-03,Cup,1,2.00,2.00,South", True),
        ("900,2026-05-03,Cup,-1,2.00,-2.00,South", True),
        ("900,2026-05-03,Cup,1,two,2.00,South", True),
        ('900,2026-05-03,"Cup, blue",1,2.00,2.00,South', False),
        ("900,2026-05-03, Cup ,1,2.00,2.00,South", False),
        ("900,2026-05-03,Tasse à thé,1,2.00,2.00,South", False),
        ("4.1E+12,2026-05-03,Cup,+1,2.00,2.00,South", False),
    ],
)
def test_rows_are_the_same_whether_the_first_bytes_were_right_or_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: str, is_right: bool
) -> None:
    path = written(tmp_path, last)
    begun = opened(path)
    assert was_right(begun) is is_right
    found = drained(begun)
    monkeypatch.setattr(ahead, "WORTH_BEGINNING", 10**9)
    plain = opened(path)
    assert plain.begun is None
    assert found == drained(plain) == drained(plain.careful())
    assert len(found[0]) + len(found[1]) == 401


def test_what_only_the_whole_file_tells_is_not_guessed(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    days = [f"{number % 12 + 1:02d}/05/2026,Mug,3.00" for number in range(600)]
    path.write_text("\n".join(["date,product,amount", *days, "31/05/2026,Mug,3.00"]) + "\n")
    reading = opened(path)
    assert reading.facts["date_order"] == "day-first"
    assert not was_right(reading)
    assert len(drained(reading)[0]) == 601


def test_a_file_that_damages_itself_later_goes_to_the_careful_reader(tmp_path: Path) -> None:
    reading = opened(written(tmp_path, '900,2026-05-03,"Cup blue,1,2.00,2.00,South', rows=900))
    with pytest.raises(DamagedFile):
        drained(reading)
    accepted, rejected, _ = drained(reading.careful())
    assert (len(accepted), len(rejected)) == (900, 1)


def test_a_query_begun_for_nothing_ends(tmp_path: Path) -> None:
    path = written(tmp_path, rows=3000)
    for _ in range(3):
        assert was_right(opened(path))  # and nobody asks it for rows
    assert len(drained(opened(path))[0]) == 3000
