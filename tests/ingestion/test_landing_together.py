"""Many small files that wait together become what they would be one by one."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from ingestion import given
from ingestion.landing import land
from ingestion.reading import open_reading
from ingestion.reading.together import ReadAhead, read_together
from ingestion.strangers import Touched, strangers
from tests.ingestion.test_landing_killed import SCRIPT
from warehouse.database import Warehouse

TODAY = date(2026, 3, 1)


def day(number: int) -> str:
    return str(date(2026, 1, 1) + timedelta(days=number))


@pytest.fixture
def waiting(files: Any, tmp_path: Path) -> Path:
    """Sixteen files, from the oldest: sound ones, and one of each kind that needs a look of its own."""
    folder = tmp_path / "waiting"
    folder.mkdir()

    def put(number: int, name: str, *lines: str, **given: Any) -> Path:
        return files.write(folder, name, lines, mtime=1_000 + number, **given)

    for number in range(8):
        put(number, f"day{number}.csv", *(files.line(f"{number}{i}", day(number)) for i in range(3)))
    put(8, "again.csv", *(files.line(f"2{i}", day(2)) for i in range(3)))  # the bytes of day2.csv
    put(9, "newer.csv", *(files.line(f"3{i}", day(3), cents=990) for i in range(3)))  # its orders again
    put(10, "same_day.csv", files.line("new", day(4)))  # a day and store that are there, another order
    put(11, "rejects.csv", files.line("r1", day(11)), files.line("r2", "2026-02-31"), "", ",,,,,,")
    put(12, "cut.csv", files.line("c1", day(12)), 'c2,"never closed,1,1.00')
    put(13, "which.csv", files.line("w1", "02/03/2026"))  # day first or month first
    (folder / "text.csv").write_bytes(b"nothing\nof use\n")
    os.utime(folder / "text.csv", (1_014, 1_014))
    put(15, "last.csv", files.line("z1", day(15), store="North"), files.line("", day(15), store="North"))
    return folder


def state(files: Any, warehouse: Warehouse, refused: list[Any]) -> list[Any]:
    archive = warehouse.settings.archive
    return [
        files.rows(
            warehouse,
            "select load_id, delivery_no, delivered_name, content_sha256, mode, status, held_reason,"
            " held_message, rows_delivered, rows_accepted, rows_rejected, rows_gap, amount_cents, first_date,"
            " last_date, currency, duplicate_of, reading from raw.loads order by load_id",
        ),
        files.rows(warehouse, "select * from raw.sales_lines order by order_line_key"),
        files.rows(warehouse, "select * from raw.rejected_rows order by load_id, line_number"),
        files.rows(warehouse, "select * from ops.load_metrics order by load_id"),
        files.rows(warehouse, "select kind, subject, message, resolved_at from ops.alerts order by 1, 2"),
        sorted(path.name for path in archive.rglob("*")),
        sorted(one.sentence for one in refused),
    ]


def emptied(warehouse: Warehouse) -> None:
    with warehouse.connect("owner") as conn:
        conn.execute("truncate raw.loads, raw.sales_lines, ops.alerts restart identity cascade")
        conn.execute("alter sequence raw.delivery_no restart")


def test_together_is_one_by_one(
    files: Any, warehouse: Warehouse, waiting: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = land(warehouse, [waiting], today=TODAY)
    found = state(files, warehouse, together.refused)
    assert {(landed.delivered_name, landed.status) for landed in together.landed} >= {
        ("day0.csv", "landed"), ("again.csv", "duplicate"), ("newer.csv", "landed"), ("same_day.csv", "held"),
        ("rejects.csv", "landed"), ("cut.csv", "landed"), ("which.csv", "held"), ("last.csv", "landed"),
    }  # fmt: skip
    emptied(warehouse)
    monkeypatch.setattr(given, "FEWEST_TOGETHER", 1_000)
    alone = land(warehouse, [waiting], today=TODAY)
    assert state(files, warehouse, alone.refused) == found
    assert [one.fingerprint for one in alone.landed] == [one.fingerprint for one in together.landed]


@pytest.mark.parametrize(
    "step",
    [
        "ingestion.archive:Room.keep_together", "ingestion.ledger:enter", "ingestion.landing:strangers",
        "ingestion.landing:measure",
    ],
)  # fmt: skip
def test_a_killed_landing_of_many_is_made_good_by_the_next(
    files: Any, warehouse: Warehouse, waiting: Path, step: str
) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", SCRIPT, step, str(waiting)],
        env={**os.environ, **warehouse.environment()},
        check=False,
        capture_output=True,
    )
    assert killed.returncode == -9, killed.stderr.decode()
    land(warehouse, [waiting], today=TODAY)
    brought = "select delivered_name, sum(rows_accepted), sum(rows_rejected) from raw.loads group by 1"
    expected = {
        **{f"day{number}.csv": (3, 0) for number in range(8)},
        "again.csv": (0, 0), "newer.csv": (3, 0), "same_day.csv": (1, 0), "rejects.csv": (1, 1),
        "cut.csv": (1, 1), "which.csv": (0, 0), "last.csv": (2, 0),
    }  # fmt: skip
    assert {name: (int(a), int(r)) for name, a, r in files.rows(warehouse, brought)} == expected
    assert files.rows(warehouse, "select count(*) from raw.sales_lines") == [(32,)]
    assert files.rows(warehouse, "select count(*) from raw.loads where status = 'landing'") == [(0,)]


def test_a_file_duckdb_refuses_does_not_keep_the_others_from_being_read_together(
    files: Any, tmp_path: Path
) -> None:
    paths = [
        files.write(tmp_path, f"{number}.csv", [files.line(f"{number}-{i}", day(number)) for i in range(2)])
        for number in range(9)
    ]
    (tmp_path / "4.csv").write_text(files.HEADER + "\n1,2026-01-01,Mug,1,2.50,2.50,\n" + '2,"a"b,Mug\n')
    readings = [open_reading(path, today=TODAY) for path in paths]
    together = read_together(readings)
    assert [isinstance(reading, ReadAhead) for reading in together] == [n != 4 for n in range(9)]
    assert together[4] is readings[4]
    for ahead, path in zip(together, paths, strict=True):
        if isinstance(ahead, ReadAhead):
            alone = open_reading(path, today=TODAY)
            expected = [batch.accepted.to_pylist() for batch in alone.batches()]
            assert [batch.accepted.to_pylist() for batch in ahead.batches()] == expected
            assert (ahead.facts, ahead.rows_gap) == (alone.facts, alone.rows_gap)


def test_a_stranger_shares_nothing_with_those_before_it(warehouse: Warehouse) -> None:
    monday, tuesday = date(2026, 1, 5), date(2026, 1, 6)
    waiting = [
        Touched("till", frozenset({1, 2}), frozenset({("", monday)})),
        Touched("till", frozenset({3}), frozenset({("North", monday)})),  # another store's day
        Touched("till", frozenset({2}), frozenset({("", tuesday)})),  # an order that came before
        Touched("till", frozenset({9}), frozenset({("North", monday)})),  # a day that came before
        Touched("web", frozenset({1}), frozenset({("", monday)})),  # another source
        Touched("web", frozenset(), frozenset()),
    ]
    with warehouse.connect("loader", autocommit=True) as conn:
        assert strangers(conn, waiting) == [True, True, False, False, True, True]
