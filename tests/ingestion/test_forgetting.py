"""Erasing a person: gone from tables, refused rows and the archive; every amount and every place stays."""

from __future__ import annotations

import gzip
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ingestion.archive import Archive
from ingestion.forgetting import forget
from ingestion.landing import land, replay
from warehouse.database import Warehouse
from warehouse.errors import ShopxError

TODAY = date(2026, 3, 1)
HEADER = "Order ID,Date,Product,Quantity,Unit Price,Amount,Customer ID,Customer Name,Customer Email"
ROWS = [
    '1,2026-02-01,Mug,1,2.50,2.50,C17,"Zoë ""Z"" Öz",zoe@example.com',
    "2,2026-02-01,Mug,1,2.50,2.50,C18,Ann,ann@example.com",
    "3,2026-02-31,Mug,1,2.50,2.50,C17,Zoë,zoe@example.com",
    "4,2026-02-02,Mug,1,2.50,2.50,C19,Bob,ZOE@example.com",
    "5,2026-02-02,Mug,C17,2.50,2.50,C18,Ann,ann@example.com",
]
EVERY_TEXT = (
    "select t::text from raw.sales_lines as t union all select t::text from raw.customers as t"
    " union all select t::text || encode(raw_bytes, 'escape') from raw.rejected_rows as t"
    " union all select t::text from raw.row_fixes as t union all select t::text from raw.loads as t"
    " union all select t::text from ops.forgotten as t union all select t::text from ops.changes as t"
)


def deliver(warehouse: Warehouse, path: Path, data: bytes) -> None:
    path.write_bytes(data)
    land(warehouse, [path], today=TODAY)


def whole(files: Any, warehouse: Warehouse) -> str:
    """Everything that is stored, the archive included, as one text in small letters."""
    blobs = [path.read_bytes() for path in warehouse.settings.archive.rglob("*") if path.is_file()]
    plain = [gzip.decompress(blob) if blob[:2] == b"\x1f\x8b" else blob for blob in blobs]
    texts = [row[0] for row in files.rows(warehouse, EVERY_TEXT)]
    return "\n".join([*texts, *(blob.decode("utf-8", "replace") for blob in plain)]).casefold()


def sums(files: Any, warehouse: Warehouse) -> list[Any]:
    return files.rows(
        warehouse, "select load_id, count(*), sum(net_cents) from raw.sales_lines group by 1 order by 1"
    )


@pytest.mark.parametrize("form", ["utf-8", "cp1252", "gz"])
def test_nothing_names_the_person_and_the_masked_bytes_read_as_what_is_stored(
    files: Any, warehouse: Warehouse, tmp_path: Path, form: str
) -> None:
    text = "\n".join([HEADER, *ROWS]) + "\n"
    data = gzip.compress(text.encode()) if form == "gz" else text.encode(form)
    deliver(warehouse, tmp_path / "till.csv", data)
    before = sums(files, warehouse)
    places = "select line_number, sheet_row, byte_offset, reasons, length(raw_bytes) from raw.rejected_rows"
    refused = files.rows(warehouse, f"{places} order by 1")
    stored = whole(files, warehouse)
    look = forget(warehouse, customer_id="c17", email="zoe@example.com", by="ann", look_only=True)
    assert (look.sales_lines, look.refused_rows, len(look.files_rewritten)) == (2, 2, 1)
    assert whole(files, warehouse) == stored
    done = forget(warehouse, customer_id="c17", email="zoe@example.com", by="ann")
    assert done == look
    left = whole(files, warehouse)
    for gone in ("zoe@", "zoë", "öz", "bob", "c19"):
        assert gone not in left, gone
    assert "ann@example.com" in left
    assert sums(files, warehouse) == before
    assert files.rows(warehouse, f"{places} order by 1") == refused
    # read again from what is archived now: the same rows, the same sums, and the file is still known
    replay(warehouse, 1, by="ann", why="test", today=TODAY)
    columns = "order_id, customer_id, customer_name, customer_email, net_cents"
    one, two = (
        files.rows(warehouse, f"select {columns} from raw.sales_lines where load_id = {load} order by 1")
        for load in (1, 2)
    )
    assert one == two
    land(warehouse, [tmp_path / "till.csv"], today=TODAY)
    assert files.totals(warehouse)[-1][1] == "duplicate"
    assert forget(warehouse, email="zoe@example.com", by="ann").is_nobody
    assert Archive(warehouse.settings.archive).sweep() == []


def test_a_form_that_is_not_rewritten_leaves_the_archive(
    files: Any, warehouse: Warehouse, tmp_path: Path
) -> None:
    names = HEADER.split(",")
    records = [dict(zip(names, row.split(","), strict=True)) for row in ROWS[1:3]]
    deliver(warehouse, tmp_path / "till.json", json.dumps(records).encode())
    done = forget(warehouse, customer_id="C18", by="ann")
    assert (done.sales_lines, len(done.files_removed)) == (1, 1)
    assert "ann@" not in whole(files, warehouse)
    with pytest.raises(ShopxError, match="no longer in the archive"):
        replay(warehouse, 1, by="ann", why="test", today=TODAY)


def test_killed_before_the_old_bytes_are_removed_the_next_landing_removes_them(
    files: Any, warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(warehouse, tmp_path / "till.csv", "\n".join([HEADER, *ROWS[:2]]).encode())
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):

        def killed(*_: object) -> None:
            raise KeyboardInterrupt

        patch.setattr(Archive, "remove", killed)
        patch.setattr("ingestion.archive.shutil.rmtree", lambda *_, **__: None)  # rooms stay behind too
        forget(warehouse, name="ann", by="ann")
    assert "ann@" in whole(files, warehouse)
    land(warehouse, [], today=TODAY)
    assert "ann@" not in whole(files, warehouse)


def test_who_is_meant_must_be_said(warehouse: Warehouse) -> None:
    with pytest.raises(ShopxError, match="Say who: --customer-id, --email or --name"):
        forget(warehouse, email="  ", by="ann")
    assert forget(warehouse, name="Nobody", by="ann").is_nobody
