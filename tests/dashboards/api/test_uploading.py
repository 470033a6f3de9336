"""Files sent to the server: each with a clear verdict, in the inbox whole, or nothing of it left anywhere."""

from __future__ import annotations

import errno
import io
import socket
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from dashboards.api import uploading
from ingestion.landing import land
from tests.conftest import fresh_warehouse
from tests.dashboards.serving import Served, serving_warehouse
from warehouse import embedded
from warehouse.database import Warehouse

ADDRESS = "/api/v1/upload/csv"
HEADER = b"order_id,date,product,quantity,unit_price,currency\n"


def sales(name: str, *, rows: int = 3, broken: int = 0) -> bytes:
    """A file of sales, told from others by the name in its order ids."""
    prices = ["a lot" if row < broken else f"{row + 1}.50" for row in range(rows)]
    lines = [f"{name}-{row},2026-03-{13 + row % 15},Tea,2,{price},EUR" for row, price in enumerate(prices)]
    return HEADER + "\n".join(lines).encode() + b"\n"


@pytest.fixture(scope="module")
def home(server: embedded.Server) -> Iterator[Warehouse]:
    with fresh_warehouse(server, currency="EUR", upload_max_mb=1) as warehouse:
        yield warehouse


@pytest.fixture(scope="module")
def served(home: Warehouse) -> Iterator[Served]:
    with serving_warehouse(home.settings) as running:
        yield running


def send(served: Served, *files: tuple[str, bytes], expect: int = 202) -> list[dict[str, Any]]:
    answer = served.client.post(ADDRESS, files=[("file", file) for file in files])
    assert answer.status_code == expect, answer.text
    if expect == 422:
        assert answer.headers["content-type"] == "application/problem+json"
    found: list[dict[str, Any]] = answer.json()["files"]
    return found


def kept(home: Warehouse) -> set[Path]:
    """Every file below the folders that an upload touches."""
    folders = (home.settings.inbox, home.settings.archive / "incoming")
    return {path for folder in folders for path in folder.rglob("*")}


def test_a_sound_file_lies_in_the_inbox_with_its_figures_and_is_what_was_sent(
    served: Served, home: Warehouse
) -> None:
    [found] = send(served, ("till.csv", sales("sound")))
    assert (found["verdict"], found["in_inbox"], found["feed"]) == ("IN", "till.csv", "sales_csv")
    assert (found["rows_delivered"], found["rows_accepted"], found["orders"]) == (3, 3, 3)
    assert found["net_cents"] == {"EUR": 2 * (150 + 250 + 350)}
    assert (found["first_date"], found["last_date"]) == ("2026-03-13", "2026-03-15")
    placed = home.settings.inbox / "till.csv"
    assert placed.read_bytes() == sales("sound")
    assert placed.stat().st_mode & 0o077 == 0
    [landed] = land(home, [placed], today=date(2026, 6, 1)).landed
    assert (landed.rows_accepted, landed.amount_cents) == (3, 1500)
    placed.unlink()


def test_the_same_bytes_again_are_said_to_be_known_and_not_kept(served: Served, home: Warehouse) -> None:
    send(served, ("twice.csv", sales("twice")))
    before = kept(home)
    [found] = send(served, ("again.csv", sales("twice")), expect=200)
    assert found["verdict"] == "DUPLICATE"
    assert "twice.csv" in found["why"]
    placed = home.settings.inbox / "twice.csv"
    [landed] = [one for one in land(home, [placed], today=date(2026, 6, 1)).landed if one.path == placed]
    placed.unlink()
    [found] = send(served, ("again.csv", sales("twice")), expect=200)
    assert (found["verdict"], found["duplicate_of"]) == ("DUPLICATE", landed.load_id)
    assert kept(home) == before - {placed}


def test_rows_that_would_be_refused_are_told_by_what_repairs_them(served: Served) -> None:
    [found] = send(served, ("rejects.csv", sales("rejects", rows=9, broken=2)))
    assert (found["verdict"], found["rows_rejected"], found["rows_accepted"]) == ("IN WITH REJECTS", 2, 7)
    [group] = found["refused"]
    assert (group["rows"], group["codes"]) == (2, ["NUMBER_FORMAT"])
    assert 'saw "a lot"' in group["examples"][0]


def test_what_only_a_person_can_decide_goes_in_and_is_said_to_be_held(
    served: Served, home: Warehouse
) -> None:
    both = b"date,product,amount\n" + b"".join(b"0%d/02/2026,Tea,5.00\n" % day for day in range(1, 9))
    [found] = send(served, ("both.csv", both))
    assert (found["verdict"], found["in_inbox"]) == ("HELD", "both.csv")
    assert "day-first or month-first" in found["why"]


def test_another_file_of_the_same_name_does_not_replace_the_first(served: Served, home: Warehouse) -> None:
    send(served, ("name.csv", sales("one")))
    [found] = send(served, ("name.csv", sales("other")))
    assert found["in_inbox"] == "name-2.csv"
    assert (home.settings.inbox / "name.csv").read_bytes() == sales("one")
    assert (home.settings.inbox / "name-2.csv").read_bytes() == sales("other")


def zipped(**files: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("_", "."), content)
    return held.getvalue()


def test_any_form_of_file_that_can_be_loaded_is_taken(served: Served) -> None:
    rows = b'[{"date":"2026-03-13","product_name":"Tea","amount":"5.00"}]'
    files = [("form.json", rows), ("form.zip", zipped(sales_csv=sales("zipped")))]
    assert [found["verdict"] for found in send(served, *files)] == ["IN", "IN"]


REFUSED = {
    "a picture": ("till.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(99), "FILE_BINARY"),
    "nothing": ("empty.csv", b"", "FILE_EMPTY"),
    "a header alone": ("header.csv", HEADER, "FILE_EMPTY"),
    "an archive that unpacks to a thousand times its size": (
        "bomb.zip", zipped(sales_csv=HEADER + b"A,2026-03-13,Tea,2,1.50,EUR\n" * 4_000_000), "FILE_TOO_LARGE",
    ),
    "an archive in an archive": ("nested.zip", zipped(inner_zip=zipped(sales_csv=HEADER)), "ARCHIVE_REFUSED"),
    "half an archive": ("half.zip", zipped(sales_csv=sales("half", rows=99))[:-40], "FILE_DAMAGED"),
    "a workbook that is none": ("book.xlsx", b"PK\x03\x04 and no more", "FILE_DAMAGED"),
    "a folder above": ("../up.csv", sales("up"), "FILE_NAME"),
    "an absolute path": ("/etc/cron.d/x.csv", sales("etc"), "FILE_NAME"),
    "a path with backslashes": ("..\\..\\x.csv\\.", sales("windows"), "FILE_NAME"),
    "a hidden name": (".bashrc", sales("hidden"), "FILE_NAME"),
    "a half-copied name": ("x.csv.part", sales("part"), "FILE_NAME"),
    "the folder of refused files": ("refused", sales("refused"), "FILE_NAME"),
    "dots": ("..", sales("dots"), "FILE_NAME"),
    "a name that reads backwards": ("x\u202evsc.exe", sales("rtl"), "FILE_NAME"),
    "a long name": ("x" * 300 + ".csv", sales("long"), "FILE_NAME"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_delivery_is_refused_by_name_and_nothing_of_it_stays(
    served: Served, home: Warehouse, what: str
) -> None:
    name, content, code = REFUSED[what]
    before = kept(home)
    [found] = send(served, (name, content), expect=422)
    assert found["verdict"] == "REFUSED"
    assert f"[{code}]" in found["why"]
    assert "in_inbox" not in found
    assert kept(home) == before


def test_the_full_path_that_old_browsers_send_is_cut_to_its_name(served: Served) -> None:
    [found] = send(served, ("C:\\Users\\me\\till-7.csv", sales("windows")))
    assert (found["verdict"], found["in_inbox"]) == ("IN", "till-7.csv")


def test_a_refused_file_does_not_keep_out_the_one_beside_it(served: Served) -> None:
    found = send(served, ("..", sales("x")), ("beside.csv", sales("beside")), ("beside.csv", sales("beside")))
    assert [one["verdict"] for one in found] == ["REFUSED", "IN", "DUPLICATE"]


def test_an_upload_beyond_the_limit_is_refused_before_it_is_read_through(
    served: Served, home: Warehouse
) -> None:
    before = kept(home)
    large = sales("large", rows=40_000)
    assert len(large) > 1_000_000
    answer = served.client.post(ADDRESS, files={"file": ("large.csv", large)})
    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")
    assert "./shopx run" in answer.json()["detail"]
    multipart = httpx.Request("POST", served.url, files={"file": ("large.csv", large)})

    def unannounced() -> Iterator[bytes]:  # chunked: no length is said before
        yield multipart.read()

    kind = {"content-type": multipart.headers["content-type"]}
    assert served.client.post(ADDRESS, content=unannounced(), headers=kind).status_code == 413
    assert kept(home) == before


def form_of(*parts: bytes, last: bytes = b"--cut--\r\n") -> bytes:
    head = b'--cut\r\ncontent-disposition: form-data; name="file"; filename="cut.csv"\r\n\r\n'
    return b"".join(head + part + b"\r\n" for part in parts) + last


FORM = {"content-type": "multipart/form-data; boundary=cut"}


def test_a_form_that_ends_too_early_is_not_taken_in_part(served: Served, home: Warehouse) -> None:
    before = kept(home)
    for body in (form_of(sales("a"), sales("b"), last=b""), form_of(sales("a"))[:40], b""):
        answer = served.client.post(ADDRESS, content=body, headers=FORM)
        assert (answer.status_code, answer.json()["title"]) == (400, "Bad Request")
    assert kept(home) == before


def test_a_connection_cut_in_mid_body_leaves_nothing(served: Served, home: Warehouse) -> None:
    before = kept(home)
    body = form_of(sales("gone", rows=900))
    with socket.create_connection(("127.0.0.1", served.port)) as wire:
        head = (
            f"POST {ADDRESS} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {len(body)}\r\n"
            f"content-type: {FORM['content-type']}\r\n\r\n"
        )
        wire.sendall(head.encode() + body[:9_000])
    assert served.client.get("/health").status_code == 200
    assert kept(home) == before


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"date,product,amount\n", {"content-type": "text/csv"}, 415),
        (b"", {}, 415),
        (b"x", {"content-type": "multipart/form-data"}, 400),
        (b"no boundary of it", FORM, 400),
        (form_of(b"x").replace(b'; name="file"', b""), FORM, 400),
        (form_of(b"x").replace(b'; filename="cut.csv"', b""), FORM, 422),
        (form_of(b"x").replace(b'name="file"', b'name="other"'), FORM, 422),
    ],
)
def test_what_is_no_form_with_files_is_told_what_to_send(
    served: Served, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = served.client.post(ADDRESS, content=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_full_disk_is_said_and_nothing_stays(
    served: Served, home: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(uploading, "stage", full)
    before = kept(home)
    answer = served.client.post(ADDRESS, files={"file": ("full.csv", sales("full"))})
    assert (answer.status_code, "disk" in answer.json()["detail"]) == (507, True)
    assert kept(home) == before


def test_a_file_that_takes_too_long_is_given_up(
    served: Served, home: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploading, "LOOK_LIMIT_S", 0.0)
    before = kept(home)
    [found] = send(served, ("slow.csv", sales("slow")), expect=422)
    assert "./shopx run FILE" in found["why"]
    assert kept(home) == before
