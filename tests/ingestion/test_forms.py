"""Forms of delivery: the same table in each of them gives the same rows; archives cannot do harm."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.contract import load_contracts
from ingestion.forms import Asked, Limits, Work, detecting, line_ends
from ingestion.reading import FileRefused, Undecided
from tests.ingestion.opened_files import drain, opened, with_feed

HEADER = ("Order ID", "Date", "Product", "Quantity", "Unit Price", "Amount", "Store")
ROWS = [
    (f"A{n:03d}", f"2026-03-{n:02d}", ("Mug, blue", "Café crème", "Kännchen", 'Tea "Nº 5"')[n % 4], n,
     f"{n}.05", f"{n * n + n * 0.05:.2f}", ("Köln", "Málaga")[n % 2])
    for n in range(1, 31)
]  # fmt: skip


def csv_text(rows: list[tuple[Any, ...]] | None = None, delimiter: str = ",", newline: str = "\n") -> str:
    """The table as text, every cell that needs it quoted."""
    lines = [HEADER, *(ROWS if rows is None else rows)]
    quoted = [
        delimiter.join(
            '"' + str(cell).replace('"', '""') + '"' if set(str(cell)) & set(',;\t|"\n\r') else str(cell)
            for cell in line
        )
        for line in lines
    ]
    return newline.join(quoted) + newline


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def refusal(path: Path, **given: Any) -> str:
    with pytest.raises(FileRefused) as caught:
        drain(opened(path, **given))
    message = caught.value.message
    assert path.name in message
    assert "\n" not in message
    return message


@pytest.fixture
def plain(tmp_path: Path) -> list[dict[str, Any]]:
    """What the table gives as plain UTF-8 text."""
    path = tmp_path / "plain.csv"
    path.write_text(csv_text(), encoding="utf-8")
    rows, rejected = drain(opened(path))
    assert (len(rows), rejected) == (30, [])
    return rows


Pack = Callable[[bytes], bytes]
PACKED: dict[str, tuple[Pack, dict[str, object]]] = {
    "gzip": (gzip.compress, {"packed": "gzip"}),
    "zip": (
        lambda content: zipped({"__MACOSX/._sales.csv": b"x", "out/": b"", "out/sales.csv": content}),
        {"packed": "zip", "member": "out/sales.csv"},
    ),
}


@pytest.mark.parametrize("form", PACKED)
@pytest.mark.parametrize("name", ["sales.csv", "sales.xlsx", "sales"])
def test_a_packed_file_is_the_file_inside_whatever_its_name(
    tmp_path: Path, plain: list[dict[str, Any]], form: str, name: str
) -> None:
    pack, facts = PACKED[form]
    path = tmp_path / name
    path.write_bytes(pack(csv_text().encode()))
    reading = opened(path)
    assert drain(reading) == (plain, [])
    assert facts.items() <= reading.facts.items()


def test_a_rejected_row_of_a_packed_file_has_its_place_in_the_file_inside(tmp_path: Path) -> None:
    content = csv_text([*ROWS[:5], ("A", "2026-02-30", "Mug", 1, "1", "1", "")]).encode()
    path = tmp_path / "sales.csv.gz"
    path.write_bytes(gzip.compress(content))
    _, rejected = drain(opened(path))
    assert [(row.line_number, row.sheet_row, row.reasons) for row in rejected] == [
        (7, 7, ("DATE_IMPOSSIBLE",))
    ]
    assert content[rejected[0].byte_offset :].startswith(rejected[0].raw_bytes)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (gzip.compress(csv_text().encode())[:-12], "FILE_DAMAGED"),
        (gzip.compress(csv_text().encode()) + b"more", "FILE_DAMAGED"),
        (gzip.compress(b""), "FILE_EMPTY"),
        (gzip.compress(gzip.compress(csv_text().encode())), "ARCHIVE_REFUSED"),
        (gzip.compress(zipped({"a.csv": b"x"})), "ARCHIVE_REFUSED"),
        (gzip.compress(b"%PDF-1.7 ..."), "FILE_BINARY"),
        (zipped({}), "ARCHIVE_REFUSED"),
        (zipped({"a.csv": b"x", "b.csv": b"y"}), "ARCHIVE_REFUSED"),
        (zipped({"a.zip": zipped({"b.csv": b"x"})}), "ARCHIVE_REFUSED"),
        (zipped({"a.csv": csv_text().encode()})[:-30], "FILE_DAMAGED"),
        (zipped({"a.csv": csv_text().encode()}).replace(b"a.csv", b"b.csv", 1), "FILE_DAMAGED"),
        (zipped({f"{n}.csv": b"" for n in range(1100)}), "ARCHIVE_REFUSED"),
    ],
    ids=[
        "cut short", "followed by more", "of nothing", "in an archive", "of a zip", "of a PDF", "empty zip",
        "zip of two", "zip in a zip", "cut zip", "zip that contradicts itself", "zip of a thousand",
    ],
)  # fmt: skip
def test_archives_that_are_no_delivery(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "sales.csv"
    path.write_bytes(content)
    assert refusal(path).endswith(f"[{code}]")


def test_an_encrypted_archive(tmp_path: Path) -> None:
    content = bytearray(zipped({"a.csv": csv_text().encode()}))
    content[6] |= 1  # the flag in the member's own header …
    content[content.rindex(b"PK\x01\x02") + 8] |= 1  # … and in the table of contents
    path = tmp_path / "sales.zip"
    path.write_bytes(content)
    assert refusal(path).endswith("[FILE_ENCRYPTED]")


@pytest.mark.parametrize("form", PACKED)
def test_a_bomb_is_stopped_while_it_unpacks(tmp_path: Path, form: str) -> None:
    pack, _ = PACKED[form]
    packed = pack(csv_text().encode() + b"0" * 100_000_000)
    path = tmp_path / "sales.csv"
    path.write_bytes(packed)
    work = tmp_path / "work"
    work.mkdir()
    small = with_feed(limits={"max_unpacked_bytes": 2_000_000})
    assert refusal(path, feed="till", contracts=small, work=work).endswith("[FILE_TOO_LARGE]")
    assert sum(file.stat().st_size for file in work.rglob("*") if file.is_file()) <= 2_000_000
    assert "250 times" in refusal(path, work=work)
    assert sum(file.stat().st_size for file in work.rglob("*") if file.is_file()) < 60_000_000


def test_limits_of_the_contract(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text(csv_text(), encoding="utf-8")
    for limits in ({"max_bytes": 100}, {"max_rows": 20}):
        assert refusal(path, feed="till", contracts=with_feed(limits=limits)).endswith("[FILE_TOO_LARGE]")
    assert Limits.widest([Limits(max_rows=1)]) == Limits()


def test_nothing_is_left_of_what_was_unpacked_without_a_folder_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    path = tmp_path / "sales.csv.gz"
    path.write_bytes(gzip.compress(csv_text().encode()))
    reading = opened(path)
    assert len(drain(reading)[0]) == 30
    del reading
    assert [entry.name for entry in tmp_path.iterdir()] == ["sales.csv.gz"]


# -- encodings ----------------------------------------------------------------------------------------------
def written(path: Path, text: str, encoding: str, *, bom: bytes = b"") -> Path:
    path.write_bytes(bom + text.encode(encoding, "replace"))
    return path


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "cp850", "cp437", "mac-roman", "iso8859-15"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_code_page_is_found_from_the_words_of_the_file(
    tmp_path: Path, plain: list[dict[str, Any]], encoding: str, newline: str
) -> None:
    path = written(tmp_path / "sales.csv", csv_text(newline=newline), encoding)
    reading = opened(path)
    assert drain(reading) == (plain, [])
    facts = reading.facts
    assert facts["encoding_how"] == "detected"
    assert any(c in str(facts["encoding_example"]) for c in "éèäöáº")
    assert float(str(facts["encoding_confidence"])) > 0.8
    assert facts["reader"] == "fast"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("marked", [True, False])
def test_utf_16_is_read_by_its_mark_or_by_contract(
    tmp_path: Path, plain: list[dict[str, Any]], encoding: str, marked: bool
) -> None:
    bom = "\ufeff".encode(encoding) if marked else b""
    path = written(tmp_path / "sales.csv", csv_text(newline="\r\n"), encoding, bom=bom)
    given: dict[str, Any] = {} if marked else {"feed": "till", "contracts": with_feed(encoding=encoding)}
    reading = opened(path, **given)
    rows, rejected = drain(reading)
    assert ([row | {"order_key": 0} for row in rows], rejected) == (
        [row | {"order_key": 0} for row in plain],
        [],
    )
    assert reading.facts["encoding"] == encoding


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "cp1252", "cp850"])
def test_rejected_rows_of_encoded_files_keep_their_place_and_bytes(tmp_path: Path, encoding: str) -> None:
    bad = ("Bé", "2026-02-30", "Kännchen", 1, "1", "1", "Köln")
    rows = [bad if n % 7 == 3 else row for n, row in enumerate(ROWS * 20)]
    text = csv_text(rows, newline="\r\n").replace("A001,", "A\r1,")
    path = written(tmp_path / "sales.csv", text, encoding)
    content = path.read_bytes()
    given = {"feed": "till", "contracts": with_feed(encoding=encoding)}
    for reading in (opened(path, **given), opened(path, **given).careful()):
        _, rejected = drain(reading)
        refused = [row for row in rejected if row.reasons == ("DATE_IMPOSSIBLE",)]
        assert len(refused) == sum(row is bad for row in rows)
        for row in refused:
            assert row.raw_bytes.decode(encoding) == "Bé,2026-02-30,Kännchen,1,1,1,Köln"
            assert content[row.byte_offset :].startswith(row.raw_bytes)
            before = content[: row.byte_offset].decode(encoding)
            assert row.line_number == before.count("\r") + 1


def test_a_byte_that_means_nothing_costs_its_row(tmp_path: Path) -> None:
    good = csv_text().encode("cp1252")
    content = good.replace(b"A005,", b"A\x81\x8d5,")
    path = tmp_path / "sales.csv"
    path.write_bytes(content)
    rows, rejected = drain(opened(path, feed="till", contracts=with_feed(encoding="cp1252")))
    assert (len(rows), [row.reasons for row in rejected]) == (29, [("NOT_TEXT",)])
    assert rejected[0].raw_bytes == next(line for line in content.split(b"\n") if b"\x81" in line)
    assert content[rejected[0].byte_offset :].startswith(rejected[0].raw_bytes)
    assert "cp1252" in rejected[0].messages[0]


def test_half_characters_of_utf_16_cost_their_row(tmp_path: Path) -> None:
    content = (
        b"\xff\xfe"
        + csv_text().encode("utf-16-le")
        + "A,2026-03-01,\ud800x".encode("utf-16-le", "surrogatepass")
    )
    path = tmp_path / "sales.csv"
    path.write_bytes(content + b"!")
    rows, rejected = drain(opened(path))
    assert (len(rows), [row.reasons for row in rejected]) == (30, [("NOT_TEXT",)])
    assert content[rejected[0].byte_offset :].startswith(rejected[0].raw_bytes[:-1])


def test_bytes_with_two_sensible_readings_are_a_question(tmp_path: Path) -> None:
    text = csv_text([("A1", "2026-03-01", "Kännchen", 1, "1", "1", "x")])
    path = written(tmp_path / "sales.csv", text, "cp1252")
    with pytest.raises(Undecided) as caught:
        opened(path)
    assert caught.value.reason_code == "ENCODING_UNDECIDED"
    assert {"cp1252", "cp850"} <= caught.value.choices.keys()
    assert '"Kännchen" (cp1252)' in caught.value.message
    assert caught.value.contract == load_contracts()["sales_csv"]
    for choice, name in (("cp1252", "Kännchen"), ("cp850", "Kõnnchen")):
        reading = opened(path, feed="sales_csv", read_as=caught.value.choices[choice])
        assert drain(reading)[0][0]["product_name"] == name
        assert reading.facts["encoding_how"] == "a person"


def test_the_contract_decides_even_where_it_is_found_by_the_header(tmp_path: Path) -> None:
    contracts = with_feed(encoding="cp850", columns=_columns(product_name="Wäre"))
    path = written(tmp_path / "sales.csv", csv_text().replace("Product", "Wäre"), "cp850")
    reading = opened(path, contracts=contracts)
    assert (reading.contract.feed, reading.facts["encoding"]) == ("till", "cp850")
    assert drain(reading)[0][1]["product_name"] == "Kännchen"


def test_a_contract_that_contradicts_the_bytes_is_a_question(tmp_path: Path) -> None:
    path = written(tmp_path / "sales.csv", csv_text().replace("Product", "Ware"), "utf-8")
    contracts = with_feed(encoding="cp1252", columns=_columns(product_name="Ware"))
    for feed in ("till", None):
        with pytest.raises(Undecided) as caught:
            opened(path, contracts=contracts, feed=feed)
        assert sorted(caught.value.choices) == ["cp1252", "utf-8"]
    reading = opened(path, contracts=contracts, feed="till", read_as={"encoding": "utf-8"})
    assert drain(reading)[0][1]["product_name"] == "Kännchen"
    path.write_text(csv_text([("A1", "2026-03-01", "Mug", 1, "1", "1", "x")]).replace("Product", "Ware"))
    assert len(drain(opened(path, contracts=contracts))[0]) == 1


def _columns(**names: str) -> dict[str, Any]:
    known = load_contracts()["sales_csv"].model_dump()["columns"]
    wanted = ("order_id", "date", "quantity", "unit_price", "amount", "store")
    columns: dict[str, Any] = {name: known[name] for name in wanted}
    return columns | {name: {"names": (theirs,)} for name, theirs in names.items()}


WORDS = st.lists(
    st.sampled_from(["café", "Kännchen", "Straße", "MÜNCHEN", "crème brûlée", "Señor", "smørrebrød", "½ kg",
                     "£5", "5 €", "d’été", "pão", "Århus", "Żółw", "Łódź", "Žluťoučký", "Молоко", "чай",
                     "Καφές", "Nº 5", "10°", "naïve", "“Öl”", "à", "İzmir", "牛乳", "ÆØÅ", "Tea", "x"]),
    min_size=1, max_size=6,
)  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(words=WORDS, code_page=st.sampled_from([*detecting.CODE_PAGES, "cp858", "gb18030", "cp932"]))
def test_a_reading_that_is_called_clear_is_never_another_text(words: list[str], code_page: str) -> None:
    try:
        content = "\n".join(words).encode(code_page)
    except UnicodeEncodeError:
        return
    clear = detecting.weigh_words(Counter(detecting.WORD.findall(content))).clear
    if clear is not None and not content.isascii() and code_page in detecting.CODE_PAGES:
        assert content.decode(clear.code_pages[0]) == "\n".join(words)


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16-le"])
def test_lines_may_end_in_every_way_at_once(
    tmp_path: Path, plain: list[dict[str, Any]], encoding: str
) -> None:
    lines = csv_text().splitlines()
    text = "".join(line + ("\n", "\r\n", "\r")[n % 3] for n, line in enumerate(lines))
    text += 'A99,2026-02-30,"two\rlines",1,1,1,x\rA98,2026-03-30,"two\rlines",1,1,1,x\r'
    path = written(tmp_path / "sales.csv", text, encoding, bom=b"\xff\xfe" if "16" in encoding else b"")
    rows, rejected = drain(opened(path))
    assert rows[:-1] == plain
    assert rows[-1]["product_name"] == "two\rlines"
    assert [(row.line_number, row.sheet_row) for row in rejected] == [(32, 32)]
    assert rejected[0].raw_bytes.decode(encoding) == 'A99,2026-02-30,"two\rlines",1,1,1,x'
    assert path.read_bytes()[rejected[0].byte_offset :].startswith(rejected[0].raw_bytes)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cells=st.lists(st.text(st.sampled_from('aé\r\n", 1\n\r'), max_size=6), max_size=30),
    chunk=st.integers(1, 40),
)
def test_parting_a_file_anywhere_changes_no_line_end(tmp_path: Path, cells: list[str], chunk: int) -> None:
    content = ",".join(cells).encode()
    path = tmp_path / "some.csv"
    path.write_bytes(content)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(line_ends, "_CHUNK", chunk)
        done = line_ends.unpack(path, Asked(work=Work(tmp_path))).path.read_bytes()
    assert len(done) == len(content)
    changed = [n for n, (a, b) in enumerate(zip(content, done, strict=True)) if a != b]
    assert all(content[n] == 13 and done[n] == 10 and content[n + 1 : n + 2] != b"\n" for n in changed)
    if b'"' not in content:
        assert done == re.sub(rb"\r(?!\n)", b"\n", content)
