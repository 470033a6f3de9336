"""Landing: each delivery wholly or not at all, in the ledger with totals that were counted twice."""

from __future__ import annotations

import os
import threading
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ingestion import landing, loading, measuring
from ingestion.landing import land
from ingestion.reading import ahead
from warehouse.database import Warehouse

TODAY = date(2026, 3, 1)


def content(files: Any, warehouse: Warehouse) -> list[tuple[object, ...]]:
    """Everything a refused file must not change."""
    tables = (
        "raw.loads",
        "raw.sales_lines",
        "raw.rejected_rows",
        "ops.load_metrics",
        "ops.changes",
        "ops.settings",
    )
    return [files.rows(warehouse, f"select count(*) from {table}")[0] for table in tables]


def archived(warehouse: Warehouse) -> list[Path]:
    return [path for path in warehouse.settings.archive.rglob("*") if path.is_file()]


def test_a_delivery_lands_with_rows_metrics_and_archived_bytes(
    files: Any, warehouse: Warehouse, tmp_path: Path
) -> None:
    path = files.write(
        tmp_path, "feb.csv", [files.line("1", "2026-02-01"), files.line("2", "2026-02-02", cents=199)]
    )
    result = land(warehouse, [path], today=TODAY)
    assert result.refused == []
    (landed,) = result.landed
    assert (landed.status, landed.delivery_no, landed.feed) == ("landed", 1, "sales_csv")
    assert (landed.rows_delivered, landed.rows_accepted, landed.rows_rejected, landed.amount_cents) == (
        2,
        2,
        0,
        449,
    )
    assert files.rows(
        warehouse, "select order_line_key % 1000, order_line_key, net_cents from raw.sales_lines order by 1"
    ) == [
        (1, 10**10 + 1, 250),
        (2, 10**10 + 2, 199),
    ]
    assert files.rows(
        warehouse,
        "select amount_cents, amount_cents_recounted, smallest_sale_cents, largest_line_cents, first_date,"
        " last_date, earliest_allowed_date, latest_allowed_date, missing_order_ids, missing_customers"
        " from ops.load_metrics",
    ) == [
        (449, 449, 199, 250, date(2026, 2, 1), date(2026, 2, 2), date(1970, 1, 1), date(2026, 3, 2), 0, 2)
    ]  # fmt: skip
    assert [p.read_bytes() for p in archived(warehouse)] == [path.read_bytes()]


def test_a_row_without_an_order_id_is_an_order_of_its_own(
    files: Any, warehouse: Warehouse, tmp_path: Path
) -> None:
    land(warehouse, [files.write(tmp_path, "a.csv", [files.line("", "2026-02-01")] * 2)], today=TODAY)
    assert (
        files.rows(warehouse, "select order_key + order_line_key, order_id from raw.sales_lines")
        == [(0, None)] * 2
    )


@pytest.mark.parametrize("worth", [1, 2, 3, 5000])
def test_rows_reach_their_months_in_whatever_order_they_come(
    files: Any, warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, worth: int
) -> None:
    monkeypatch.setattr(loading, "WORTH_A_COPY", worth)
    days = ["2026-01-30", "2026-01-31", "2026-02-01", "2025-12-31", "2026-02-02", "2026-02-28", "2026-01-01"]
    lines = [files.line(str(number), day) for number, day in enumerate(days)]
    land(warehouse, [files.write(tmp_path, "a.csv", lines)], today=TODAY)
    stored = "select order_id, sale_date::text, tableoid::regclass::text from raw.sales_lines"
    assert files.rows(warehouse, f"{stored} order by order_id") == [
        (str(number), day, f"raw_parts.sales_lines_{day[:7].replace('-', '')}")
        for number, day in enumerate(days)
    ]


def test_deliveries_are_numbered_by_age_then_name(files: Any, warehouse: Warehouse, tmp_path: Path) -> None:
    for number, (name, mtime) in enumerate((("a.csv", 30), ("c.csv", 10), ("b.csv", 10))):
        files.write(tmp_path, name, [files.line(name, f"2026-02-0{number + 1}")], mtime=mtime)
    result = land(warehouse, [tmp_path], today=TODAY)
    assert [(item.delivery_no, item.delivered_name) for item in result.landed] == [
        (1, "b.csv"), (2, "c.csv"), (3, "a.csv"),
    ]  # fmt: skip


def test_the_same_bytes_again_are_a_duplicate_entered_once_per_name(
    files: Any, warehouse: Warehouse, tmp_path: Path
) -> None:
    path = files.write(tmp_path, "a.csv", [files.line("1", "2026-02-01")])
    land(warehouse, [path], today=TODAY)
    before = files.rows(warehouse, "select * from raw.sales_lines")
    for _ in range(3):
        duplicate = land(warehouse, [path], today=TODAY).landed[-1]
        assert (duplicate.status, duplicate.duplicate_of, duplicate.rows_delivered) == ("duplicate", 1, 0)
    path.rename(tmp_path / "b.csv")
    land(warehouse, [tmp_path / "b.csv"], today=TODAY)
    assert files.rows(warehouse, "select delivered_name, status from raw.loads order by load_id") == [
        ("a.csv", "landed"), ("a.csv", "duplicate"), ("b.csv", "duplicate"),
    ]  # fmt: skip
    assert files.rows(warehouse, "select * from raw.sales_lines") == before


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("empty.csv", b""),
        ("binary.csv", bytes(range(256)) * 50),
        ("no_date.csv", b"Order ID,Product,Amount\n1,Mug,2.50\n"),
        ("missing.csv", None),
    ],
)
def test_a_file_that_is_no_delivery_gets_one_sentence_and_leaves_no_trace(
    files: Any, warehouse: Warehouse, tmp_path: Path, name: str, data: bytes | None
) -> None:
    if data is not None:
        (tmp_path / name).write_bytes(data)
    before = content(files, warehouse)
    result = land(warehouse, [tmp_path / name], today=TODAY)
    assert result.landed == []
    (refused,) = result.refused
    assert refused.path == tmp_path / name
    assert refused.sentence and "\n" not in refused.sentence
    assert content(files, warehouse) == before
    assert archived(warehouse) == []


def test_a_folder_without_files_is_refused(warehouse: Warehouse, tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    result = land(warehouse, [tmp_path], today=TODAY)
    assert [refused.sentence for refused in result.refused] == [
        f"{tmp_path} is a folder without files; name a file or a folder that holds some [NO_FILES]"
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read every file")
def test_an_unreadable_file_is_refused(files: Any, warehouse: Warehouse, tmp_path: Path) -> None:
    path = files.write(tmp_path, "a.csv", [files.line("1", "2026-02-01")])
    path.chmod(0)
    (refused,) = land(warehouse, [path], today=TODAY).refused
    assert "cannot be read: permission denied" in refused.sentence


def test_links_in_the_inbox_are_refused(files: Any, warehouse: Warehouse, tmp_path: Path) -> None:
    inbox = warehouse.settings.inbox
    inbox.mkdir(parents=True)
    (inbox / "link.csv").symlink_to(files.write(tmp_path, "a.csv", [files.line("1", "2026-02-01")]))
    result = land(warehouse, [inbox], today=TODAY)
    assert result.landed == []
    assert "is a link" in result.refused[0].sentence


def test_one_bad_file_does_not_stop_the_others(files: Any, warehouse: Warehouse, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_bytes(b"")
    files.write(tmp_path, "good.csv", [files.line("1", "2026-02-01")])
    result = land(warehouse, [tmp_path], today=TODAY)
    assert [item.delivered_name for item in result.landed] == ["good.csv"]
    assert [item.path.name for item in result.refused] == ["bad.csv"]


def test_wrong_rows_are_kept_with_their_reasons_and_the_others_load(
    files: Any, warehouse: Warehouse, tmp_path: Path
) -> None:
    good = [files.line(str(n), "2026-02-01") for n in range(997)]
    bad = ["1,2026-02-31,Mug,1,2.50,2.50,", "2,2026-02-01,Mug,1,2.50,abc,", "3,2026-02-01,,1,2.50,2.50,"]
    (landed,) = land(warehouse, [files.write(tmp_path, "a.csv", good + bad)], today=TODAY).landed
    assert (landed.status, landed.rows_delivered, landed.rows_accepted, landed.rows_rejected) == (
        "landed",
        1000,
        997,
        3,
    )
    rejected = files.rows(
        warehouse,
        "select line_number, sheet_row, cardinality(reasons), raw_bytes from raw.rejected_rows order by 1",
    )
    assert rejected == [(999 + n, 999 + n, 1, bad[n].encode()) for n in range(3)]


def test_loads_left_for_the_gate_are_reported_again(files: Any, warehouse: Warehouse, tmp_path: Path) -> None:
    land(warehouse, [files.write(tmp_path, "a.csv", [files.line("1", "2026-02-01")])], today=TODAY)
    (waiting,) = land(warehouse, [], today=TODAY).landed
    assert (waiting.delivered_name, waiting.status) == ("a.csv", "landed")


class Killed(BaseException):
    """Stands for the end of the process: nothing of ours runs after it."""


@pytest.mark.parametrize("step", ["load_rows", "measure", "meaning_of"])
def test_an_interrupted_landing_is_finished_from_the_archive(
    files: Any, warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = files.write(tmp_path, "a.csv", [files.line("1", "2026-02-01")])
    with monkeypatch.context() as patch:

        def die(*_: object, **__: object) -> None:
            raise Killed

        patch.setattr(landing, step, die)
        with pytest.raises(Killed):
            land(warehouse, [path], today=TODAY)
    assert files.totals(warehouse) == [("a.csv", "landing", None, 0, 0)]
    assert files.rows(warehouse, "select count(*) from raw.sales_lines") == [(0,)]
    path.unlink()
    (landed,) = land(warehouse, [], today=TODAY).landed
    assert (landed.status, landed.delivery_no, landed.rows_accepted) == ("landed", 1, 1)


def test_a_delivery_whose_bytes_are_lost_fails_and_holds_up_nothing(
    files: Any, warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = files.write(tmp_path, "a.csv", [files.line("1", "2026-02-01")])
    with monkeypatch.context() as patch:

        def die(*_: object, **__: object) -> None:
            raise Killed

        patch.setattr(landing, "load_rows", die)
        with pytest.raises(Killed):
            land(warehouse, [path], today=TODAY)
    for blob in archived(warehouse):
        blob.unlink()
    result = land(warehouse, [path], today=TODAY)
    assert [(item.status, item.rows_accepted) for item in result.landed] == [("failed", 0), ("landed", 1)]
    assert "no longer in the archive" in str(result.landed[0].message)


def test_an_interrupted_file_that_is_given_again_is_not_its_own_duplicate(
    files: Any, warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = files.write(tmp_path, "a.csv", [files.line("1", "2026-02-01")])
    with monkeypatch.context() as patch:

        def die(*_: object, **__: object) -> None:
            raise Killed

        patch.setattr(landing, "load_rows", die)
        with pytest.raises(Killed):
            land(warehouse, [path], today=TODAY)
    (landed,) = land(warehouse, [path], today=TODAY).landed
    assert (landed.status, landed.path) == ("landed", path)
    assert files.totals(warehouse) == [("a.csv", "landed", "events", 1, 250)]


def test_a_file_damaged_far_down_is_read_again_carefully_and_nothing_counts_twice(
    files: Any, warehouse: Warehouse, tmp_path: Path
) -> None:
    lines = [files.line(str(n), "2026-02-01") for n in range(60_000)]
    damaged = [*lines, '60000,2026-02-01,"Mug" x,1,2.50,2.50,', files.line("60001", "2026-02-01")]
    (landed,) = land(warehouse, [files.write(tmp_path, "a.csv", damaged)], today=TODAY).landed
    assert (landed.status, landed.rows_delivered, landed.rows_accepted) == ("landed", 60_002, 60_001)
    assert files.rows(warehouse, "select reading ->> 'reader' from raw.loads") == [("careful",)]
    assert files.rows(warehouse, "select count(*), count(distinct order_line_key) from raw.sales_lines") == [
        (60_001, 60_001)
    ]


def test_two_landings_at_once_enter_each_file_once(files: Any, warehouse: Warehouse, tmp_path: Path) -> None:
    for n in range(6):
        files.write(tmp_path, f"{n}.csv", [files.line(str(n), f"2026-02-0{n + 1}")])
    threads = [
        threading.Thread(target=land, args=(warehouse, [tmp_path]), kwargs={"today": TODAY}) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    found = files.rows(
        warehouse, "select status, count(*), sum(rows_accepted) from raw.loads group by 1 order by 1"
    )
    assert found == [("duplicate", 6, 0), ("landed", 6, 6)]


def test_money_of_another_currency_is_held_without_rows(
    files: Any, warehouse: Warehouse, tmp_path: Path
) -> None:
    with warehouse.connect("owner") as conn:
        conn.execute("insert into ops.settings values ('currency', 'EUR')")
    header = files.HEADER + ",Currency"
    path = files.write(tmp_path, "a.csv", [files.line("1", "2026-02-01") + ",GBP"], header=header)
    (landed,) = land(warehouse, [path], today=TODAY).landed
    assert (landed.status, landed.held_reason, landed.rows_accepted) == ("held", "FOREIGN_CURRENCY", 0)
    assert "GBP" in str(landed.message) and "EUR" in str(landed.message)


def test_the_progress_of_a_landing_is_told(files: Any, warehouse: Warehouse, tmp_path: Path) -> None:
    said: list[str] = []
    path = files.write(tmp_path, "a.csv", [files.line("1", "2026-02-01")])
    land(warehouse, [path], today=TODAY, progress=said.append)
    assert said == ["a.csv: reading"]


def test_returns_far_down_a_file_are_returns_and_what_came_before_are_sales(
    files: Any, warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "BATCH_ROWS", 100)
    monkeypatch.setattr(measuring, "_MANY_ROWS", 1)
    sold = [files.line(str(number), f"2026-02-{1 + number % 20:02d}") for number in range(250)]
    returned = ["900,2026-02-21,Mug,-1,2.50,-2.50,", "901,2026-02-21,Mug,1,2.50,2.50,"]
    (landed,) = land(warehouse, [files.write(tmp_path, "feb.csv", sold + returned)], today=TODAY).landed
    assert (landed.status, landed.rows_accepted, landed.amount_cents) == ("landed", 252, 250 * 250)
    assert files.rows(
        warehouse, "select line_type, count(*), sum(net_cents) from raw.sales_lines group by 1 order by 1"
    ) == [("return", 1, -250), ("sale", 251, 251 * 250)]
