"""Google Sheets as a source: cells come exactly, what is unchanged is no delivery, failures are sentences."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

from ingestion.sources import google as google_module
from ingestion.sources import spreadsheet
from ingestion.sources.fetched import Fetched, FetchFailed, Request
from ingestion.sources.google import Endpoints, Google
from ingestion.sources.sheet import SheetSource
from ingestion.sources.spreadsheet import SheetReader

ME = "shopx@shop.iam.gserviceaccount.com"
Read = Callable[..., Fetched | None]


@pytest.fixture
def waits() -> list[float]:
    """What would have been waited, in seconds."""
    return []


@pytest.fixture
def read(google: Any, credentials: Path, tmp_path: Path, waits: list[float]) -> Read:
    """Ask for the sheet, after what `cursor` says."""

    def connect() -> Google:
        return Google(credentials, endpoints=Endpoints(google.address, google.address), wait=waits.append)

    count = iter(range(100))

    def ask(cursor: Any = None, **block: Any) -> Fetched | None:
        folder = tmp_path / f"room{next(count)}"
        folder.mkdir()
        source = SheetSource(**{"id": google.spreadsheet} | block)
        contract: Any = SimpleNamespace(feed="shop_sheet", sheet=source)
        return SheetReader(connect, wait=waits.append)(Request(contract, folder, cursor=cursor))

    return ask


def sales(google: Any, *rows: Any, **about: Any) -> None:
    google.tabs = [google.tab("Sales", [google.row("Date", "Product", "Amount"), *rows], **about)]


def day(google: Any, serial: float, kind: str = "DATE") -> Any:
    return google.number(serial, kind, "dd/mm/yyyy")


def content(fetched: Fetched | None) -> str:
    assert fetched is not None
    return fetched.path.read_text()


def test_cells_come_as_the_sheet_holds_them(google: Any, read: Read) -> None:
    google.tabs = [
        google.tab(
            "Sales",
            [
                google.row("Date", "Order", "Zip", "Product", "Price", "Paid"),
                google.row(
                    day(google, 46082),
                    "007",
                    google.number(42, "NUMBER", "00000"),
                    'Mug "blue", large',
                    google.number(1234.5, "CURRENCY", "[$€]#,##0.0"),
                    {"effectiveValue": {"boolValue": True}},
                ),
                google.row(day(google, 46082.4375, "DATE_TIME"), 1001, None, "Tea\nloose", 3 * 1.1, "no"),
                google.row(day(google, 0.75, "TIME"), 1e15, None, "", 0.1 + 0.2, 1e-7),
            ],
        )
    ]
    assert 3 * 1.1 != 3.3
    assert content(read()) == (
        "Date,Order,Zip,Product,Price,Paid\n"
        '2026-03-01,007,00042,"Mug ""blue"", large",1234.5,TRUE\n'
        '2026-03-01 10:30:00,1001,,"Tea\nloose",3.3,no\n'
        "18:00:00,1e+15,,,0.3,0.0000001\n"
    )


def test_rows_keep_their_number_and_get_one_width(google: Any, read: Read) -> None:
    google.tabs = [
        google.tab(
            "Sales",
            [
                google.row("Our sales"),
                [],
                google.row("Date", "Product", "Amount"),
                google.row("2026-03-01", "Mug", 5),
                [],
                google.row("2026-03-02", "Tea"),
                google.row("2026-03-02", "Cup", 3, None, "a note"),
                [],
            ],
        )
    ]
    assert content(read()).splitlines() == [
        "Our sales,,,,", "", "Date,Product,Amount,,", "2026-03-01,Mug,5,,", "", "2026-03-02,Tea,,,",
        "2026-03-02,Cup,3,,a note",
    ]  # fmt: skip
    assert content(read(range="A3:C")).splitlines() == [
        "", "", "Date,Product,Amount", "2026-03-01,Mug,5", "", "2026-03-02,Tea,", "2026-03-02,Cup,3",
    ]  # fmt: skip


def test_errors_of_formulas_stand_where_they_are(google: Any, read: Read) -> None:
    kinds = ("REF", "N_A", "DIVIDE_BY_ZERO", "VALUE", "NAME", "NUM", "NULL_VALUE", "ERROR", "NEW_KIND")
    sales(google, google.row(*(google.error(kind) for kind in kinds)))
    assert content(read()).splitlines()[1] == (
        "#REF!,#N/A,#DIV/0!,#VALUE!,#NAME?,#NUM!,#NULL!,#ERROR!,#ERROR!"
    )


def test_what_is_unchanged_is_no_delivery(google: Any, read: Read) -> None:
    sales(google, google.row("2026-03-01", "Mug", 5))
    first = read()
    assert first is not None
    google.asked.clear()
    assert read(first.cursor) is None
    assert google.asked == {"token": 1, "drive": 1}  # Drive says that nothing was edited
    google.modified_at = "2026-03-02T08:00:00.000Z"  # edited, and put back as it was
    assert read(first.cursor) is None
    assert google.asked["grid"] == 1
    sales(google, google.row("2026-03-01", "Mug", 6))
    assert content(read(first.cursor)).endswith("Mug,6\n")


def test_a_sheet_with_formulas_is_read_although_nobody_edited_it(google: Any, read: Read) -> None:
    def computed(value: float) -> dict[str, Any]:
        return google.number(value) | {"userEnteredValue": {"formulaValue": '=IMPORTRANGE("x", "A1")'}}

    sales(google, google.row("2026-03-01", "Mug", computed(5)))
    first = read()
    assert first is not None
    assert read(first.cursor) is None
    sales(google, google.row("2026-03-01", "Mug", computed(7)))
    assert content(read(first.cursor)).endswith("Mug,7\n")


def test_another_worksheet_in_the_contract_is_another_delivery(google: Any, read: Read) -> None:
    sales(google, google.row("2026-03-01", "Mug", 5))
    first = read()
    assert first is not None
    google.tabs.append(google.tab("More", [google.row("Date"), google.row("2026-03-05")], gid=7))
    assert content(read(first.cursor, worksheet="More")) == "Date\n2026-03-05\n"


def test_without_the_drive_api_the_content_alone_decides(google: Any, read: Read) -> None:
    google.drive_enabled = False
    sales(google, google.row("2026-03-01", "Mug", 5))
    first = read()
    assert first is not None
    assert first.cursor is not None and first.cursor["modified_at"] is None
    assert read(first.cursor) is None
    assert google.asked["grid"] == 2


@pytest.mark.parametrize("rows", [0, 1])
def test_an_emptied_sheet_delivers_nothing(google: Any, read: Read, rows: int) -> None:
    google.tabs = [google.tab("Sales", [google.row("Date", "Product", "Amount")][:rows])]
    with pytest.raises(FetchFailed, match="shop_sheet: the worksheet Sales has no rows; what it held before"):
        read()


def test_the_worksheet_is_chosen_by_name_gid_or_because_it_is_the_only_one(google: Any, read: Read) -> None:
    google.tabs = [
        google.tab("Old", [google.row("Old"), google.row("x")], hidden=True),
        google.tab("O'Brien/2026", [google.row("Date"), google.row("y")], gid=42),
    ]
    assert content(read()) == "Date\ny\n"
    url = f"https://docs.google.com/spreadsheets/d/{google.spreadsheet}/edit#gid=42"
    google.tabs.append(google.tab("Notes", [], gid=43))
    assert content(read(id=None, url=url)) == "Date\ny\n"
    google.tabs[1].title = "Renamed"
    assert content(read(id=None, url=url)) == "Date\ny\n"
    with pytest.raises(FetchFailed, match=r"several worksheets \(Old, Renamed, Notes\)"):
        read()
    with pytest.raises(FetchFailed, match="there is no worksheet O'Brien/2026; it has Old, Renamed, Notes"):
        read(worksheet="O'Brien/2026")
    google.tabs.pop(1)
    with pytest.raises(FetchFailed, match="the worksheet with gid 42 was deleted; it has Old, Notes"):
        read(id=None, url=url)


def test_a_large_sheet_is_read_in_parts_and_again_when_it_is_edited_meanwhile(
    google: Any, read: Read, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spreadsheet, "CELLS_AT_ONCE", 26 * 10)
    rows = [google.row("2026-03-01", f"Mug {n}", n) for n in range(25)]
    rows[12] = []
    sales(google, *rows)
    lines = content(read()).splitlines()
    assert [lines[1], lines[13], lines[25]] == ["2026-03-01,Mug 0,0", "", "2026-03-01,Mug 24,24"]
    assert google.asked["grid"] == 4

    times = iter(["a", "b", "b"])  # before; after the first reading; after the second
    google.modified_at_each = lambda: next(times)
    fetched = read()
    assert fetched is not None
    assert fetched.cursor is not None and fetched.cursor["modified_at"] == "b"
    assert waits == [spreadsheet.CALM_S]

    always = iter(range(100))
    google.modified_at_each = lambda: str(next(always))
    with pytest.raises(FetchFailed, match="being edited"):
        read()


def test_a_formula_without_a_value_yet_is_waited_for(google: Any, read: Read, waits: list[float]) -> None:
    sales(google, google.row("2026-03-01", "Mug", google.error("LOADING")))
    with pytest.raises(FetchFailed, match="still calculating"):
        read()
    assert len(waits) == spreadsheet.READS - 1


QUOTA = (429, {}, json.dumps({"error": {"code": 429, "message": "Quota exceeded", "status": "X"}}))
DRIVE_QUOTA = (
    403,
    {},
    json.dumps({"error": {"code": 403, "message": "x", "errors": [{"reason": "userRateLimitExceeded"}]}}),
)


@pytest.mark.parametrize(
    "fault",
    [
        QUOTA,
        DRIVE_QUOTA,
        (503, {}, "<html>Backend error</html>"),
        (200, {}, '{"id": "1AbC'),
        (200, {"Content-Length": "5000"}, "{}"),
    ],
    ids=["quota", "drive-quota", "outage", "cut-json", "cut-body"],
)
def test_what_passes_is_asked_again(
    google: Any, read: Read, waits: list[float], fault: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(google_module, "TIMEOUT_S", (2.0, 0.3))
    sales(google, google.row("2026-03-01", "Mug", 5))
    google.faults.extend([fault, fault])
    assert content(read()).endswith("Mug,5\n")
    assert 1 <= waits[0] <= 2 <= waits[1] <= 3
    assert len(waits) == 2


def test_retry_after_is_obeyed_in_both_forms(google: Any, read: Read, waits: list[float]) -> None:
    sales(google, google.row("2026-03-01", "Mug", 5))
    google.faults.extend(
        (429, {"Retry-After": stated}, QUOTA[2])
        for stated in ("7", "Thu, 01 Jan 2099 00:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT")
    )
    assert read() is not None
    assert waits == [7, google_module.LONGEST_WAIT_S, 0]


@pytest.mark.parametrize(
    ("fault", "said"),
    [(QUOTA, "quota is used up"), ((500, {}, "x"), "out of order"), ((200, {}, "{"), "did not answer")],
)
def test_what_does_not_pass_ends_in_a_sentence(
    google: Any, read: Read, waits: list[float], fault: Any, said: str
) -> None:
    google.faults.extend([fault] * 50)
    with pytest.raises(FetchFailed, match=said):
        read()
    assert len(waits) == google_module.TRIES - 1


def test_a_sheet_that_is_not_shared_names_the_address_to_share_it_with(google: Any, read: Read) -> None:
    google.shared = False
    with pytest.raises(FetchFailed, match=f"Share it with {ME} as Viewer"):
        read()
    google.drive_enabled = False  # then Sheets is asked, which knows that it exists
    with pytest.raises(FetchFailed, match=f"is not shared with {ME}"):
        read()


def test_a_wrong_id_or_a_deleted_sheet_is_said(google: Any, read: Read) -> None:
    with pytest.raises(FetchFailed, match="There is no spreadsheet 1234567890: it was deleted"):
        read(id="1234567890")


def test_a_revoked_key_is_said_and_not_shown(google: Any, read: Read, private_key: str) -> None:
    google.token_status = 400
    with pytest.raises(FetchFailed, match="does not accept the key") as caught:
        read()
    assert private_key[40:80] not in str(caught.value)


def test_google_out_of_reach_is_one_sentence(google: Any, credentials: Path, tmp_path: Path) -> None:
    nowhere = Endpoints("http://127.0.0.1:9", "http://127.0.0.1:9")
    with pytest.raises(FetchFailed, match="did not answer properly"):
        Google(credentials, endpoints=nowhere, wait=lambda _: None).worksheets("x" * 12)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: no such file"),
        ("{", "is no key of a service account"),
        ('{"type": "authorized_user", "client_email": "a@b"}', "is no key of a service account"),
        ('{"type": "service_account", "client_email": "a@b"}', "holds no usable private key"),
    ],
)
def test_unusable_credentials_are_said(tmp_path: Path, content: str | None, said: str) -> None:
    path = tmp_path / "key.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(FetchFailed, match=said):
        Google(path)


def test_without_credentials_or_gspread_one_sentence_says_so(
    credentials: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(FetchFailed, match="GOOGLE_CREDENTIALS_FILE is not set"):
        Google(None)
    monkeypatch.setattr(google_module, "is_installed", lambda: False)
    with pytest.raises(FetchFailed, match=r"pip install 'shopx-warehouse\[sheets\]'"):
        Google(credentials)
    monkeypatch.undo()
    assert google_module.whom_to_share_with(credentials) == ME


@pytest.mark.parametrize(
    "block",
    [
        {},
        {"id": "1234567890", "url": "https://docs.google.com/spreadsheets/d/1234567890/edit"},
        {"url": "https://example.com/x"},
        {"id": "1234567890", "range": "from A to B"},
        {"id": "1234567890", "tab": "Sales"},
    ],
)
def test_a_block_that_names_no_place_is_refused(block: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        SheetSource(**block)
