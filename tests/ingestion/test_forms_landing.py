"""Packed and encoded files in the ledger: archived as they came, read again after a decision."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path
from typing import Any

from ingestion.deciding import release
from ingestion.landing import land
from warehouse.database import Warehouse

TODAY = date(2026, 3, 1)


def test_a_packed_file_is_archived_as_it_came_and_known_by_its_own_bytes(
    files: Any, warehouse: Warehouse, tmp_path: Path
) -> None:
    path = files.write(tmp_path, "feb.csv", [files.line("1", "2026-02-01")])
    packed = tmp_path / "feb.csv.gz"
    packed.write_bytes(gzip.compress(path.read_bytes(), mtime=1))
    land(warehouse, [packed], today=TODAY)
    again = tmp_path / "again.gz"
    again.write_bytes(packed.read_bytes())
    land(warehouse, [again], today=TODAY)
    assert [row[:2] for row in files.totals(warehouse)] == [
        ("feb.csv.gz", "landed"), ("again.gz", "duplicate"),
    ]  # fmt: skip
    kept = [entry for entry in warehouse.settings.archive.rglob("*") if entry.is_file()]
    assert [entry.read_bytes() for entry in kept] == [packed.read_bytes()]
    assert files.rows(warehouse, "select reading ->> 'packed' from raw.loads where status = 'landed'") == [
        ("gzip",)
    ]


def test_an_undecided_encoding_is_held_until_a_person_says_which(
    files: Any, warehouse: Warehouse, tmp_path: Path
) -> None:
    path = tmp_path / "feb.csv"
    text = "\n".join([files.HEADER, files.line("1", "2026-02-01", "Kännchen"), "2,soon,Kännchen,1,1,1,"])
    path.write_bytes(text.encode("cp1252"))
    (held,) = land(warehouse, [path], today=TODAY).landed
    assert (held.status, held.held_reason) == ("held", "ENCODING_UNDECIDED")
    assert f"`./shopx release {held.load_id} --as cp1252`" in (held.message or "")
    release(warehouse, held.load_id, as_="cp1252", by="test", why="it is German")
    (landed,) = land(warehouse, [], today=TODAY).landed
    assert (landed.status, landed.rows_accepted, landed.rows_rejected) == ("landed", 1, 1)
    assert files.rows(warehouse, "select product_name from raw.sales_lines") == [("Kännchen",)]
    ((offset, raw),) = files.rows(warehouse, "select byte_offset, raw_bytes from raw.rejected_rows")
    assert path.read_bytes()[offset:] == bytes(raw) == "2,soon,Kännchen,1,1,1,".encode("cp1252")
