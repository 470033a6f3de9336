"""The inbox: a file counts once it is still, and leaves only when its bytes are safe."""

import os
from pathlib import Path

import pytest

from ingestion.inbox import clear_landed, still_files
from ingestion.landing import Landed, LandingResult, Refused


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


def put(inbox: Path, name: str, content: str = "x", *, mtime: int = 1_000) -> Path:
    path = inbox / name
    path.write_text(content)
    os.utime(path, (mtime, mtime))
    return path


def landed(path: Path, *, status: str = "landed", load_id: int = 7) -> Landed:
    facts = path.stat()
    return Landed(
        load_id=load_id, delivery_no=load_id, feed="sales_csv", delivered_name=path.name, status=status,
        rows_delivered=1, rows_accepted=1, rows_rejected=0, amount_cents=1, held_reason=None, message=None,
        duplicate_of=None, path=path, fingerprint=(facts.st_size, facts.st_mtime_ns),
    )  # fmt: skip


def test_a_file_is_ready_at_the_second_look_that_finds_it_unchanged(inbox: Path) -> None:
    path = put(inbox, "a.csv")
    ready, seen = still_files(inbox, {})
    assert ready == []
    put(inbox, "a.csv", "grown", mtime=1_001)
    ready, seen = still_files(inbox, seen)
    assert ready == []
    ready, seen = still_files(inbox, seen)
    assert ready == [path]


def test_ready_files_come_oldest_first_then_by_name(inbox: Path) -> None:
    for name, mtime in (("c.csv", 5), ("b.csv", 9), ("a.csv", 9)):
        put(inbox, name, mtime=mtime)
    _, seen = still_files(inbox, {})
    ready, _ = still_files(inbox, seen)
    assert [path.name for path in ready] == ["c.csv", "a.csv", "b.csv"]


def test_hidden_and_half_copied_files_and_folders_are_not_looked_at(inbox: Path) -> None:
    for name in (".a.csv", "b.csv.part", "c.csv.crdownload", "~$d.csv"):
        put(inbox, name)
    (inbox / "refused").mkdir()
    assert still_files(inbox, {}) == ([], {})


def test_a_missing_inbox_is_an_empty_one(tmp_path: Path) -> None:
    assert still_files(tmp_path / "none", {}) == ([], {})


@pytest.mark.parametrize("status", ["landed", "approved", "held", "duplicate"])
def test_archived_files_leave_the_inbox(inbox: Path, status: str) -> None:
    path = put(inbox, "a.csv")
    assert clear_landed(inbox, LandingResult([landed(path, status=status)], [])) == [path]
    assert list(inbox.iterdir()) == []


def test_a_file_written_anew_after_it_was_read_stays(inbox: Path) -> None:
    path = put(inbox, "a.csv")
    result = LandingResult([landed(path)], [])
    put(inbox, "a.csv", "a newer export", mtime=2_000)
    assert clear_landed(inbox, result) == []
    assert path.read_text() == "a newer export"


def test_files_outside_the_inbox_are_left_alone(inbox: Path, tmp_path: Path) -> None:
    path = put(tmp_path, "mine.csv")
    result = LandingResult([landed(path)], [Refused(path, "no")])
    assert clear_landed(inbox, result) == []
    assert path.exists()


def test_refused_files_are_set_aside_with_their_sentence_and_never_overwrite_each_other(inbox: Path) -> None:
    for sentence in ("it is empty", "it is empty again"):
        path = put(inbox, "a.csv", "")
        assert clear_landed(inbox, LandingResult([], [Refused(path, sentence)])) == [path]
    aside = inbox / "refused"
    assert sorted(p.name for p in aside.iterdir()) == ["a-2.csv", "a-2.csv.txt", "a.csv", "a.csv.txt"]
    assert (aside / "a-2.csv.txt").read_text() == "it is empty again\n"
