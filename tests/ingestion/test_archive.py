"""The archive keeps exactly what was delivered, privately, and leaves nothing behind."""

import hashlib
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ingestion.archive import Archive
from ingestion.refusals import FileRefused


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive")


def delivered(tmp_path: Path, content: bytes = b"a,b\n1,2\n", name: str = "day.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def files_below(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if not p.is_dir())


def test_kept_bytes_are_those_delivered_under_their_hash_and_private(
    archive: Archive, tmp_path: Path
) -> None:
    content = os.urandom(3_000_000)
    with archive.room() as room:
        staged = room.stage(delivered(tmp_path, content))
        blob = room.keep(staged)
        assert staged.path.name == "day.csv"
    digest = hashlib.sha256(content).hexdigest()
    assert blob == archive.root / digest[:2] / digest
    assert blob.read_bytes() == content
    assert stat.S_IMODE(blob.stat().st_mode) == 0o600
    assert stat.S_IMODE(archive.root.stat().st_mode) == 0o700
    assert files_below(archive.root) == [f"{digest[:2]}/{digest}"]


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 16, 1001])
def test_a_file_is_whole_however_many_pieces_it_is_copied_and_hashed_in(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr("ingestion.archive.CHUNK", 8)
    content = os.urandom(size)
    with archive.room() as room:
        staged = room.stage(delivered(tmp_path, content))
        assert staged.content_sha256 == hashlib.sha256(content).hexdigest()
        assert room.keep(staged).read_bytes() == content


def test_bytes_that_do_not_reach_the_disk_are_not_kept(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Path) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("ingestion.archive._sync", broken)
    for content in (b"a", os.urandom(2_000_000)):
        with archive.room() as room:
            staged = room.stage(delivered(tmp_path, content))
            with pytest.raises(OSError, match="Input/output"):
                room.keep(staged)
    assert files_below(archive.root) == []


def test_a_file_that_is_staged_but_not_kept_leaves_nothing(archive: Archive, tmp_path: Path) -> None:
    with archive.room() as room:
        room.stage(delivered(tmp_path))
    assert files_below(archive.root) == []


def test_archived_bytes_can_be_read_again_under_the_delivered_name(archive: Archive, tmp_path: Path) -> None:
    with archive.room() as room:
        staged = room.stage(delivered(tmp_path))
        room.keep(staged)
    with archive.room() as room:
        again = room.open_archived(staged.content_sha256, "day.csv")
        assert (again.path.name, again.path.read_bytes()) == ("day.csv", b"a,b\n1,2\n")
        with pytest.raises(FileNotFoundError):
            room.open_archived("0" * 64, "day.csv")


@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "missing"])
def test_only_plain_files_are_taken(archive: Archive, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "odd.csv"
    if kind == "link":
        path.symlink_to(delivered(tmp_path))
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    with archive.room() as room, pytest.raises(FileRefused) as refusal:
        room.stage(path, follow_links=False)
    assert "odd.csv" in refusal.value.message
    assert files_below(archive.root) == []


def test_a_link_named_by_hand_is_followed(archive: Archive, tmp_path: Path) -> None:
    link = tmp_path / "link.csv"
    link.symlink_to(delivered(tmp_path))
    with archive.room() as room:
        assert room.stage(link).path.read_bytes() == b"a,b\n1,2\n"


def test_what_a_killed_process_left_is_swept_and_a_living_one_is_left_alone(
    archive: Archive, tmp_path: Path
) -> None:
    path = delivered(tmp_path)
    killed = f"""
import os, sys
from pathlib import Path
from ingestion.archive import Archive
with Archive(Path({str(archive.root)!r})).room() as room:
    room.keep(room.stage(Path({str(path)!r})))
    os.kill(os.getpid(), 9)
"""
    assert subprocess.run([sys.executable, "-c", killed], check=False).returncode == -9
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    with archive.room() as living:
        staged = living.stage(path)
        assert archive.sweep() == [digest]
        assert archive.sweep() == []
        assert staged.path.exists()
    archive.remove(digest)
    assert files_below(archive.root) == []
    assert sorted(p.name for p in archive.root.iterdir()) == ["incoming"]
