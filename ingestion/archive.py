"""The archive: the original bytes of every delivery, under archive/<first two digits>/<sha256>, never
changed.

Put copying, naming and cleaning of delivered bytes here. Never look inside them (reading/), never at the
database. A file is first copied into a work room (archive/incoming/…), where it has its delivered name;
keeping it is a second link to the same bytes. A room is locked while its process lives, so what a killed
process left can be told and removed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path

from ingestion.refusals import FileRefused

CHUNK = 1 << 20
SYNCED_AT_ONCE = 16  # the file system writes what many ask for at one time in one go
NOT_A_FILE = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFLNK: "a link",
}


@dataclass(frozen=True)
class Staged:
    """A copy of a delivery in a work room. `size` and `mtime_ns` are the delivered file's when it was
    copied.
    """

    path: Path
    content_sha256: str
    size: int
    mtime_ns: int
    #: the bytes on their way to the disk already, where they are many
    written: Future[None] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Room:
    """A work room of one process: files copied into it are gone when the room closes."""

    archive: Archive
    folder: Path

    def stage(self, source: Path, *, follow_links: bool = True) -> Staged:
        """Copy and hash `source` in one pass. Raises FileRefused when it is no file or cannot be read."""
        name = source.name
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        copy = folder / name
        try:
            facts, digest = _copy(source, copy, follow_links=follow_links)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        written = _begin(_sync, copy) if facts.st_size > CHUNK else None
        return Staged(copy, digest, facts.st_size, facts.st_mtime_ns, written)

    def open_archived(self, content_sha256: str, name: str) -> Staged:
        """The archived bytes under a readable name. Raises FileNotFoundError when the archive lost them."""
        blob = self.archive.blob(content_sha256)
        facts = blob.stat()
        copy = Path(tempfile.mkdtemp(dir=self.folder)) / (Path(name).name or content_sha256)
        _link_or_copy(blob, copy)
        return Staged(copy, content_sha256, facts.st_size, facts.st_mtime_ns)

    def mark(self, content_sha256: str) -> None:
        """Leave a mark that outlives a killed process: the ledger decides whether these bytes are needed."""
        (self.folder / f"{content_sha256}.kept").touch(mode=0o600)

    def keep(self, staged: Staged) -> Path:
        """Put the staged bytes into the archive, durable once this returns; the staged name stays
        readable.
        """
        blob = self.archive.blob(staged.content_sha256)
        if not blob.exists():
            made = not blob.parent.exists()
            blob.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            staged.written.result() if staged.written else _sync(staged.path)
            self.mark(staged.content_sha256)
            _link_or_copy(staged.path, blob)
            _sync(blob.parent)
            if made:
                _sync(blob.parent.parent)
        return blob

    def keep_together(self, staged: Sequence[Staged]) -> None:
        """Put all of these into the archive, as `keep` does for one; the disk is waited for once for many."""
        new = {one.content_sha256: one for one in staged}
        new = {digest: one for digest, one in new.items() if not self.archive.blob(digest).exists()}
        with ThreadPoolExecutor(SYNCED_AT_ONCE) as pool:
            list(pool.map(_sync, [one.path for one in new.values()]))
            for digest, one in new.items():
                blob = self.archive.blob(digest)
                blob.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                self.mark(digest)
                _link_or_copy(one.path, blob)
            list(pool.map(_sync, {self.archive.blob(digest).parent for digest in new}))
            _sync(self.archive.root)

    def drop(self, staged: Staged) -> None:
        """Forget the staged name (the archived bytes, if kept, stay)."""
        shutil.rmtree(staged.path.parent, ignore_errors=True)


class Archive:
    """The folder of originals, private to its owner."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def blob(self, content_sha256: str) -> Path:
        """Where the bytes with this hash are kept."""
        return self.root / content_sha256[:2] / content_sha256

    def remove(self, content_sha256: str) -> None:
        """Remove bytes that no delivery refers to."""
        blob = self.blob(content_sha256)
        blob.unlink(missing_ok=True)
        if blob.parent.is_dir() and not any(blob.parent.iterdir()):
            blob.parent.rmdir()

    @contextmanager
    def room(self) -> Iterator[Room]:
        """A locked work room; it and everything staged in it are removed at the end."""
        incoming = self.root / "incoming"
        incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.root.chmod(0o700)
        folder = Path(tempfile.mkdtemp(dir=incoming))
        handle = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield Room(self, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(handle)

    def sweep(self) -> list[str]:
        """Remove the rooms of processes that are gone; returns the hashes they had just put into the
        archive.
        """
        kept: list[str] = []
        incoming = self.root / "incoming"
        for folder in sorted(incoming.iterdir()) if incoming.is_dir() else []:
            handle = os.open(folder, os.O_RDONLY)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            else:
                kept += [mark.stem for mark in folder.glob("*.kept")]
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(handle)
        return kept


def _copy(source: Path, copy: Path, *, follow_links: bool) -> tuple[os.stat_result, str]:
    # O_NONBLOCK: a pipe must not make us wait for a writer; O_NOFOLLOW: an inbox link must not lead out of it
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | (0 if follow_links else os.O_NOFOLLOW)
    try:
        if not follow_links and source.is_symlink():
            raise FileRefused(f"{source.name} is a link, not a file; put the file itself here [NOT_A_FILE]")
        handle = os.open(source, flags)
    except FileNotFoundError:
        raise FileRefused(f"there is no file {source}; check the path [FILE_MISSING]") from None
    except OSError as error:
        reason = (error.strerror or "input/output error").lower()
        raise FileRefused(f"{source} cannot be read: {reason} [FILE_UNREADABLE]") from None
    before = os.fstat(handle)
    if not stat.S_ISREG(before.st_mode):
        os.close(handle)
        kind = NOT_A_FILE.get(stat.S_IFMT(before.st_mode), "a device")
        raise FileRefused(f"{source.name} is {kind}, not a file [NOT_A_FILE]")
    with os.fdopen(handle, "rb", buffering=0) as reader:
        digest = hashlib.sha256()
        writer = os.fdopen(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", buffering=0)
        with writer, ThreadPoolExecutor(1, thread_name_prefix="hashing") as aside:
            hashed: Future[None] | None = None
            try:
                while chunk := reader.read(CHUNK):
                    if hashed is not None:
                        hashed.result()
                    hashed = aside.submit(digest.update, chunk) if before.st_size > CHUNK else None
                    if hashed is None:
                        digest.update(chunk)
                    _write(writer, chunk)
            except OSError as error:
                reason = (error.strerror or "input/output error").lower()
                raise FileRefused(f"{source} cannot be copied: {reason} [FILE_UNREADABLE]") from None
        after = os.fstat(handle)
    if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise FileRefused(
            f"{source.name} is still being written; try again once it is complete [FILE_CHANGING]"
        )
    return before, digest.hexdigest()


def _write(writer: FileIO, chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[writer.write(rest) :]


def _begin(task: Callable[[Path], None], path: Path) -> Future[None]:
    """Do it in a thread of its own."""
    aside = ThreadPoolExecutor(1, thread_name_prefix="archive")
    begun = aside.submit(task, path)
    aside.shutdown(wait=False)
    return begun


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links: the target appears whole or not at all
        part = target.with_name(target.name[:200] + ".part")
        shutil.copyfile(source, part)
        part.chmod(0o600)
        _sync(part)
        part.rename(target)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
