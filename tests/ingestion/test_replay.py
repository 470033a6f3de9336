"""Replay and corrections: the archived bytes read again in their place, with rows that people corrected."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from ingestion import deciding, inbox, landing
from ingestion.contract import load_contracts, read_contract
from ingestion.corrections import layout
from ingestion.corrections.exporting import write_corrections
from ingestion.landing import land, replay
from ingestion.reading import opening
from warehouse.database import Warehouse
from warehouse.errors import ShopxError

TODAY = date(2026, 3, 1)


def ledger(files: Any, warehouse: Warehouse) -> list[Any]:
    return files.rows(
        warehouse,
        "select load_id, delivery_no, status, rows_accepted, rows_rejected, amount_cents, replays"
        " from raw.loads order by load_id",
    )


def again(warehouse: Warehouse, load_id: int) -> Any:
    return replay(warehouse, load_id, by="ann", why="test", today=TODAY)


def approve(warehouse: Warehouse, load_id: int) -> None:
    with warehouse.connect("loader") as conn, conn.transaction():
        deciding.decide(conn, load_id, status="approved", by="gate")


def lines_of(files: Any, warehouse: Warehouse, load_id: int) -> list[Any]:
    return files.rows(
        warehouse,
        "select order_line_key % 1000, order_id, sale_date::text, net_cents from raw.sales_lines"
        f" where load_id = {load_id} order by 1",
    )


def sheets_of(path: Path) -> dict[str, list[list[Any]]]:
    with CalamineWorkbook.from_path(str(path)) as book:
        return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def filled_in(path: Path, change: Callable[[dict[str, Any]], None], *, target: Path | None = None) -> Path:
    """The workbook as somebody saves it after typing: all sheets, each row as a dict of its titles."""
    found = sheets_of(path)
    target = target or path.with_name(f"filled-{path.name}")
    with xlsxwriter.Workbook(
        str(target), {"strings_to_formulas": False, "default_date_format": "dd.mm.yyyy"}
    ) as book:
        for name, rows in found.items():
            sheet = book.add_worksheet(name)
            titles = rows[0]
            for number, cells in enumerate(rows):
                row = dict(zip(titles, cells, strict=True)) if number and name != layout.MARK_SHEET else {}
                if row:
                    change(row)
                for column, cell in enumerate(row.values() if row else cells):
                    if isinstance(cell, str):
                        sheet.write_string(number, column, cell)
                    else:
                        sheet.write(number, column, cell)
    return target


def correct(**by_row: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
    """Type values into the columns to correct; the rows are named r<sheet row>."""

    def change(row: dict[str, Any]) -> None:
        for name, value in by_row.get(f"r{row['row']}", {}).items():
            row[layout.CORRECT + name] = value

    return change


@pytest.fixture
def two_bad(files: Any, warehouse: Warehouse, tmp_path: Path) -> Path:
    """Load 1 with two refused rows (rows 3 and 4) of four."""
    lines = [
        files.line("1", "2026-02-01"),
        files.line("2", "2026-02-31"),
        files.line("3", "2026-02-03").replace("2.50,2.50", "x,y"),
        files.line("4", "2026-02-04"),
    ]
    path: Path = files.write(tmp_path, "till.csv", lines)
    land(warehouse, [path], today=TODAY)
    return path


def test_a_replay_takes_the_place_of_the_old_load_in_one_transaction(
    files: Any, warehouse: Warehouse, two_bad: Path
) -> None:
    approve(warehouse, 1)
    new = again(warehouse, 1)
    assert (new.load_id, new.delivery_no, new.status) == (2, 1, "landed")
    assert ledger(files, warehouse) == [
        (1, 1, "withdrawn", 2, 2, 500, None),
        (2, 1, "landed", 2, 2, 500, 1),
    ]
    assert lines_of(files, warehouse, 2) == lines_of(files, warehouse, 1)
    kinds = files.rows(warehouse, "select load_id, kind, changed_by from ops.changes order by change_id")
    assert kinds == [(1, "approve", "gate"), (1, "replay", "ann")]
    # twice: the one that stands now, not the one that was replaced
    with pytest.raises(ShopxError, match=r"replayed as load 2 already: `\./shopx replay 2`"):
        again(warehouse, 1)
    assert again(warehouse, 2).load_id == 3
    # the same file is still known, and the way back is to withdraw and release
    assert [item.status for item in land(warehouse, [two_bad], today=TODAY).landed][-1] == "duplicate"
    deciding.withdraw(warehouse, 3, by="ann", why="test")
    deciding.release(warehouse, 1, as_=None, by="ann", why="test")
    assert again(warehouse, 1).load_id == 5
    statuses = [row[2] for row in ledger(files, warehouse)]
    assert statuses == ["withdrawn", "withdrawn", "withdrawn", "duplicate", "landed"]


def test_what_cannot_be_replayed_says_what_to_do_and_changes_nothing(
    files: Any, warehouse: Warehouse, tmp_path: Path
) -> None:
    path = files.write(tmp_path, "a.csv", [files.line("1", "2026-02-01")])
    land(warehouse, [path], today=TODAY)
    copy = files.write(tmp_path, "b.csv", [files.line("1", "2026-02-01")])
    land(warehouse, [copy], today=TODAY)
    before = ledger(files, warehouse)
    with pytest.raises(ShopxError, match=r"has the bytes of load 1: `\./shopx replay 1`"):
        again(warehouse, 2)
    with pytest.raises(ShopxError, match="no load 99"):
        again(warehouse, 99)
    shutil.rmtree(warehouse.settings.archive)
    with pytest.raises(ShopxError, match="no longer in the archive; deliver the file again"):
        again(warehouse, 1)
    assert ledger(files, warehouse) == before


def test_a_withdrawn_load_comes_back_and_a_held_one_stays_held_until_it_is_decided(
    files: Any, warehouse: Warehouse, tmp_path: Path
) -> None:
    first = files.write(tmp_path, "a.csv", [files.line("1", "2026-02-01")])
    land(warehouse, [first], today=TODAY)
    deciding.withdraw(warehouse, 1, by="ann", why="test")
    assert again(warehouse, 1).status == "landed"
    # every date fits two orders: held without rows, and still undecided when it is read again
    lines = [files.line("7", "01/02/2026"), files.line("8", "02/02/2026")]
    land(warehouse, [files.write(tmp_path, "b.csv", lines)], today=TODAY)
    before = ledger(files, warehouse)
    assert before[-1][2] == "held"
    with pytest.raises(ShopxError, match="cannot be replayed, it would be held"):
        again(warehouse, 3)
    assert ledger(files, warehouse) == before


TILL = """
feed: till
title: Till
currency: EUR
timezone: {zone}
delivers: orders
date_formats: [{order}]
columns:
  order_id: {{names: [bon]}}
  date: {{names: [when]}}
  product_name: {{names: [item]}}
  amount: {{names: [eur]}}
"""


@pytest.fixture
def till(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Says how the contract of feed `till` reads now."""

    def write(*, zone: str, order: str) -> None:
        (tmp_path / "till.yaml").write_text(TILL.format(zone=zone, order=order), encoding="utf-8")
        known = load_contracts() | {"till": read_contract(tmp_path / "till.yaml")}
        for module in (landing, opening):
            monkeypatch.setattr(module, "load_contracts", lambda: known)

    return write


def test_a_changed_contract_reads_anew_and_only_the_new_reading_counts(
    files: Any, warehouse: Warehouse, tmp_path: Path, till: Any
) -> None:
    till(zone="Europe/Berlin", order="by-proof")
    path = tmp_path / "bons.csv"
    path.write_text("bon,when,item,eur\n1,02/01/2026 23:30,tea,1.00\n2,03/01/2026 00:30,tea,2.00\n")
    land(warehouse, [path], feed="till", today=TODAY)
    assert ledger(files, warehouse)[0][2] == "held"
    till(zone="Europe/Berlin", order="day-first")
    again(warehouse, 1)
    approve(warehouse, 2)
    till(zone="Europe/Lisbon", order="day-first")
    again(warehouse, 2)
    moments = "select order_id, sold_at at time zone 'UTC' from raw.sales_lines where load_id = {} order by 1"
    berlin, lisbon = (files.rows(warehouse, moments.format(load)) for load in (2, 3))
    assert [later - earlier for (_, earlier), (_, later) in zip(berlin, lisbon, strict=True)] == [
        timedelta(hours=1)
    ] * 2
    assert [row[2] for row in ledger(files, warehouse)] == ["withdrawn", "withdrawn", "landed"]
    assert files.rows(warehouse, "select distinct mode from raw.loads where load_id > 1") == [("orders",)]


KILLED = """
import os, signal
from datetime import date
from ingestion import landing
from warehouse.database import open_warehouse
real = landing.measure
def deadly(*args, **kwargs):
    real(*args, **kwargs)
    os.kill(os.getpid(), signal.SIGKILL)
landing.measure = deadly
with open_warehouse() as warehouse:
    landing.replay(warehouse, 1, by="ann", why="killed", today=date(2026, 3, 1))
"""


def test_a_killed_replay_leaves_nothing_and_the_same_command_goes_on(
    files: Any, warehouse: Warehouse, two_bad: Path
) -> None:
    before = ledger(files, warehouse)
    environment = {**os.environ, **warehouse.environment()}
    killed = subprocess.run([sys.executable, "-c", KILLED], env=environment, check=False, capture_output=True)
    assert killed.returncode == -9, killed.stderr.decode()
    assert ledger(files, warehouse) == before
    land(warehouse, [], today=TODAY)
    assert ledger(files, warehouse) == before
    assert again(warehouse, 1).rows_accepted == 2


def test_a_fetched_load_keeps_its_window_and_its_cursor(
    files: Any, warehouse: Warehouse, two_bad: Path
) -> None:
    with warehouse.connect("owner") as conn:
        conn.execute("insert into raw.load_scopes values (1, null, '2026-02-01', '2026-02-10')")
        conn.execute("""update raw.loads set cursor_from = '"a"', cursor = '"b"', released_as = 'days',
            reading = reading || '{"fetched": {"pages": 2}}' where load_id = 1""")
    again(warehouse, 1)
    assert files.rows(
        warehouse,
        "select mode, released_as, cursor_from, cursor, reading -> 'fetched' from raw.loads"
        " where load_id = 2",
    ) == [("days", "days", "a", "b", {"pages": 2})]
    assert files.rows(warehouse, "select store, first_date::text, last_date::text from raw.load_scopes"
                      " where load_id = 2") == [(None, "2026-02-01", "2026-02-10")]  # fmt: skip


def test_corrected_rows_come_in_and_unchanged_ones_stay_refused(
    files: Any, warehouse: Warehouse, two_bad: Path, tmp_path: Path
) -> None:
    approve(warehouse, 1)
    archived = warehouse.settings.archive.rglob("*/??*")
    original = {path.name: path.read_bytes() for path in archived if path.is_file()}
    book = tmp_path / "fix.xlsx"
    assert write_corrections(warehouse, book, load_id=1) == 2
    filled = filled_in(book, correct(r3={"Date": "2026-02-28"}))
    (taken,) = [item for item in land(warehouse, [filled], today=TODAY).landed if item.path]
    assert (taken.load_id, taken.status, taken.rows_accepted, taken.rows_rejected) == (2, "landed", 3, 1)
    assert lines_of(files, warehouse, 2) == [
        (1, "1", "2026-02-01", 250),
        (2, "2", "2026-02-28", 250),
        (4, "4", "2026-02-04", 250),
    ]
    assert files.rows(warehouse, "select reading -> 'fixes' from raw.loads order by 1 nulls last")[0] == (1,)
    refused = "select line_number, sheet_row, byte_offset, raw_bytes, reasons from raw.rejected_rows"
    (still,) = files.rows(warehouse, f"{refused} where load_id = 2")
    assert still in files.rows(warehouse, f"{refused} where load_id = 1")
    (kept,) = files.rows(warehouse, "select delivery_no, line_number, file_name from raw.row_fixes")
    assert kept == (1, 3, filled.name)
    # dropped again: nothing changes; the other row later, on top of the first
    land(warehouse, [filled], today=TODAY)
    assert len(ledger(files, warehouse)) == 2
    late = filled_in(book, correct(r4={"Unit Price": "2.50", "Amount": 2.5}), target=tmp_path / "late.xlsx")
    land(warehouse, [late], today=TODAY)
    assert ledger(files, warehouse)[-1] == (3, 1, "landed", 4, 0, 1000, 2)
    # a row corrected twice: the newest holds, also in a replay afterwards
    land(warehouse, [filled_in(book, correct(r3={"Date": date(2026, 2, 27)}))], today=TODAY)
    again(warehouse, 4)
    assert lines_of(files, warehouse, 5)[1] == (2, "2", "2026-02-27", 250)
    assert {
        p.name: p.read_bytes() for p in warehouse.settings.archive.rglob("*/??*") if p.is_file()
    } == original


def test_a_wrong_correction_is_refused_at_the_place_of_the_original(
    files: Any, warehouse: Warehouse, two_bad: Path, tmp_path: Path
) -> None:
    book = tmp_path / "fix.xlsx"
    write_corrections(warehouse, book)
    typed = {"Date": "2026-02-30", "Product": 'A "long"\nname, with everything'}
    land(warehouse, [filled_in(book, correct(r3=typed))], today=TODAY)
    rows = files.rows(
        warehouse,
        "select line_number, sheet_row, byte_offset, raw_bytes, messages from raw.rejected_rows"
        " where load_id = 2 order by 1",
    )
    before = files.rows(
        warehouse,
        "select line_number, sheet_row, byte_offset, raw_bytes from raw.rejected_rows where load_id = 1"
        " order by 1",
    )
    assert [row[:4] for row in rows] == before
    assert 'saw "2026-02-30"' in rows[0][4][0]
    assert rows[1][4][0].startswith("row 4 (line 4)")
    # written again, the workbook proposes what was typed
    write_corrections(warehouse, tmp_path / "more.xlsx", load_id=1)
    shown = sheets_of(tmp_path / "more.xlsx")["refused rows 1"]
    row = dict(zip(shown[0], shown[1], strict=True))
    assert (row["Date"], row[layout.CORRECT + "Date"]) == ("2026-02-31", "2026-02-30")
    assert row[layout.CORRECT + "Product"] == typed["Product"]


def sorted_in_part(row: dict[str, Any]) -> None:
    row["Date"] = "2026-02-01"


def emptied(row: dict[str, Any]) -> None:
    row.update({name: "" for name in row if name.startswith(layout.CORRECT)})


def copied(row: dict[str, Any]) -> None:
    row["mark"] = "" if row["row"] == "3" else row["mark"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (sorted_in_part, "does not show the cells it was written with"),
        (emptied, "was emptied; a row cannot be taken out"),
        (copied, "was added, and nothing says which row it corrects"),
        (lambda _: None, "none of its 2 rows was corrected"),
    ],
)
def test_a_workbook_that_was_shifted_is_refused_with_a_sentence(
    *, files: Any, warehouse: Warehouse, two_bad: Path, tmp_path: Path, change: Any, says: str
) -> None:
    write_corrections(warehouse, tmp_path / "fix.xlsx")
    filled = filled_in(tmp_path / "fix.xlsx", change)
    box = warehouse.settings.inbox
    box.mkdir(exist_ok=True)
    shutil.move(filled, box / "fix.xlsx")
    result = land(warehouse, [box / "fix.xlsx"], today=TODAY)
    assert [says in refused.sentence for refused in result.refused] == [True]
    assert result.refused[0].sentence.endswith("[CORRECTIONS_REFUSED]")
    inbox.clear_landed(box, result)
    assert (box / "refused" / "fix.xlsx").exists()
    assert len(ledger(files, warehouse)) == 1


def test_a_workbook_of_another_warehouse_is_refused_and_one_taken_leaves_the_inbox(
    files: Any, warehouse: Warehouse, two_bad: Path, tmp_path: Path
) -> None:
    write_corrections(warehouse, tmp_path / "fix.xlsx")
    box = warehouse.settings.inbox
    box.mkdir(exist_ok=True)
    filled = filled_in(tmp_path / "fix.xlsx", correct(r3={"Date": "2026-02-28"}), target=box / "fix.xlsx")
    with warehouse.connect("owner") as conn:
        (own,) = conn.execute("select value from ops.settings where name = 'warehouse_id'").fetchone() or (
            "",
        )
        conn.execute("update ops.settings set value = 'other' where name = 'warehouse_id'")
    (refused,) = land(warehouse, [filled], today=TODAY).refused
    assert "of another warehouse" in refused.sentence
    with warehouse.connect("owner") as conn:
        conn.execute("update ops.settings set value = %s where name = 'warehouse_id'", [own])
    result = land(warehouse, [filled], today=TODAY)
    assert inbox.clear_landed(box, result) == [filled]
    assert not filled.exists()


FAULTS = {
    "VALUE_MISSING": "P1,,Mug,1,2.50,2.50,A",
    "DATE_FORMAT": "P2,tomorrow,Mug,1,2.50,2.50,A",
    "DATE_IMPOSSIBLE": "P3,2026-02-31,Mug,1,2.50,2.50,A",
    "DATE_IN_FUTURE": "P4,2031-02-01,Mug,1,2.50,2.50,A",
    "DATE_TOO_OLD": "P5,1931-02-01,Mug,1,2.50,2.50,A",
    "NUMBER_FORMAT": "P6,2026-02-01,Mug,1,2.50,two,A",
    "NUMBER_SCRIPT": "P7,2026-02-01,Mug,١,2.50,2.50,A",
    "AMOUNT_NOT_POSITIVE": "P8,2026-02-01,Mug,1,0.00,0.00,A",
    "AMOUNT_MISMATCH": "P9,2026-02-01,Mug,1,2.50,9.99,A",
    "QUANTITY_ZERO": "P10,2026-02-01,Mug,0,2.50,2.50,A",
    "ROW_TOO_LONG": "P11,2026-02-01,Mug,1,2.50,2.50,A,B,C",
    "QUOTE_NOT_CLOSED": 'P12,2026-02-01,"Mug,1,2.50,2.50,A',
}
TYPED = {
    "Date": "2026-02-01",
    "Product": "Mug",
    "Quantity": 1,
    "Unit Price": 2.5,
    "Amount": "2.50",
    "Store": "A",
}


def repaired(row: dict[str, Any]) -> None:
    row.update({layout.CORRECT + name: value for name, value in TYPED.items()})


@pytest.mark.parametrize("form", ["csv", "gz", "utf-16", "xlsx"])
def test_twelve_kinds_of_fault_are_named_by_one_report_and_its_repair_leaves_none(
    files: Any, warehouse: Warehouse, tmp_path: Path, form: str
) -> None:
    good = [files.line(str(number), "2026-02-05", store="A") for number in range(30)]
    planted = dict(FAULTS)
    if form == "xlsx":  # a sheet has no rows that cannot be cut
        del planted["ROW_TOO_LONG"], planted["QUOTE_NOT_CLOSED"]
    path = files.write(tmp_path, "till.csv", [*good[:3], *planted.values(), *good[3:]])
    text = path.read_text(encoding="utf-8")
    if form == "gz":
        path.write_bytes(gzip.compress(text.encode()))
    elif form == "utf-16":
        path.write_text(text, encoding="utf-16")
    elif form == "xlsx":
        path = tmp_path / "till.xlsx"
        with xlsxwriter.Workbook(str(path)) as sheet_file:
            sheet = sheet_file.add_worksheet()
            for number, line in enumerate(text.splitlines()):
                for column, cell in enumerate(line.split(",")):
                    sheet.write_string(number, column, cell)
    land(warehouse, [path], today=TODAY)
    book = tmp_path / "fix.xlsx"
    assert write_corrections(warehouse, book, load_id=1) == len(planted)
    rows = sheets_of(book)["refused rows 1"][1:]
    assert {code for row in rows for code in row[5].split("\n")} >= planted.keys()
    land(warehouse, [filled_in(book, repaired)], today=TODAY)
    assert ledger(files, warehouse)[-1][3:] == (30 + len(planted), 0, 250 * (30 + len(planted)), 1)
    orders = [row[1] for row in lines_of(files, warehouse, 2)]
    assert len(orders) == len(set(orders)) == 30 + len(planted)


def test_no_cell_of_the_workbook_is_a_formula(files: Any, warehouse: Warehouse, tmp_path: Path) -> None:
    import zipfile  # noqa: PLC0415

    risky = ["=1+1", "+1", "-1", "@SUM(A1)", "{=1}", "http://x.example", "\x07bell"]
    lines = [f"{cell},never,Mug,1,2.50,2.50,A" for cell in risky]
    path = files.write(tmp_path, "=cmd.csv", [*lines, files.line("1", "2026-02-01")])
    land(warehouse, [path], today=TODAY)
    book = tmp_path / "fix.xlsx"
    write_corrections(warehouse, book)
    with zipfile.ZipFile(book) as archive:
        text = b"".join(archive.read(name) for name in archive.namelist() if "sheets/" in name)
    assert b"<f>" not in text and b"hyperlink" not in text
    shown = sheets_of(book)["refused rows 1"]
    place = shown[0].index("Order ID")
    assert [row[place] for row in shown[1:]] == [cell.replace("\x07", "�") for cell in risky]
    land(
        warehouse,
        [filled_in(book, lambda row: row.update({layout.CORRECT + "Date": "2026-02-02"}))],
        today=TODAY,
    )
    orders = {row[1] for row in lines_of(files, warehouse, 2)}
    assert {"=1+1", "@SUM(A1)", "-1"} <= orders


@pytest.mark.parametrize("form", ["json", "parquet"])
def test_what_is_no_delimited_text_is_replayed_from_its_own_bytes(
    files: Any, warehouse: Warehouse, tmp_path: Path, form: str
) -> None:
    records = [
        {"order_id": f"{n}", "date": f"2026-02-0{n}", "product": "Mug", "amount": f"{n}.50"}
        for n in range(1, 4)
    ]
    path = tmp_path / f"sales.{form}"
    if form == "json":
        path.write_text(json.dumps([*records, {"order_id": "9", "date": "soon", "product": "Mug"}]))
    else:
        pq.write_table(pa.Table.from_pylist(records), path)
    (landed,) = land(warehouse, [path], today=TODAY).landed
    approve(warehouse, landed.load_id)
    before = lines_of(files, warehouse, landed.load_id)
    assert len(before) == 3
    path.unlink()
    replayed = again(warehouse, landed.load_id)
    assert lines_of(files, warehouse, replayed.load_id) == before
    old, new = ledger(files, warehouse)
    assert (old[2], new[2]) == ("withdrawn", "landed")
    assert (new[1], *new[3:]) == (old[1], *old[3:6], landed.load_id)


def test_a_load_that_failed_is_replayed_once_its_cause_is_gone(
    files: Any, warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = files.write(tmp_path, "feb.csv", [files.line("1", "2026-02-01"), files.line("2", "2026-02-02")])

    def broken(*_: Any, **__: Any) -> None:
        raise ValueError("a fault of ours")

    with monkeypatch.context() as patched:
        patched.setattr(landing, "load_rows", broken)
        (landed,) = land(warehouse, [path], today=TODAY).landed
        assert landed.status == "failed"
        with pytest.raises(ValueError, match="a fault of ours"):
            again(warehouse, landed.load_id)
    assert [row[2] for row in ledger(files, warehouse)] == ["failed"]
    replayed = again(warehouse, landed.load_id)
    old, new = ledger(files, warehouse)
    assert (old[2], new[1:]) == ("withdrawn", (old[1], "landed", 2, 0, 500, landed.load_id))
    assert len(lines_of(files, warehouse, replayed.load_id)) == 2
