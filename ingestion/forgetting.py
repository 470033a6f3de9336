"""Erases a person: from stored rows, refused rows, corrections and the archive; amounts stay to the cent.

Put the order of that and what is counted here. Never how a file is masked (reading/masking.py).
"""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg import sql

from ingestion import ledger
from ingestion.archive import Archive
from ingestion.landing import landing_alone
from ingestion.reading import open_reading
from ingestion.reading.corrected import Key
from ingestion.reading.masking import PERSONAL, MaskedRow, Person, masked_rows, original_file
from ingestion.refusals import FileRefused, Undecided
from ingestion.scopes import span_of
from warehouse.errors import ShopxError

if TYPE_CHECKING:
    import psycopg

    from ingestion.archive import Room
    from ingestion.ledger import Load
    from warehouse.database import Warehouse

#: What else a list of customers says about a person; none of it is needed for a sum.
_ABOUT = ("segment", "city", "state", "region", "country", "created")
#: Under no such hash anything is archived.
GONE = "0" * 64


@dataclass
class Forgotten:
    """What names a person, or did. `unread`: deliveries without rows that nobody can look into yet."""

    sales_lines: int = 0
    master_rows: int = 0
    refused_rows: int = 0
    files_rewritten: list[str] = field(default_factory=list)
    files_removed: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    @property
    def is_nobody(self) -> bool:
        """Whether nothing names the person."""
        return not (
            self.sales_lines or self.master_rows or self.refused_rows
            or self.files_rewritten or self.files_removed
        )  # fmt: skip


class _OnlyLooking(Exception):
    """Ends the transaction of a dry run."""


def forget(
    warehouse: Warehouse,
    *,
    customer_id: str | None = None,
    email: str | None = None,
    name: str | None = None,
    source: str | None = None,
    by: str,
    look_only: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Forgotten:
    """Erase whoever has this customer id, e-mail or name (of one source, or of all) everywhere it stands.

    Rows that name the person by one of these lose all three. With `look_only` nothing changes. Safe to
    repeat, and after a crash. Raises ShopxError when nothing says who is meant.
    """
    given = {"customer_id": customer_id, "customer_email": email, "customer_name": name}
    named = {
        key: frozenset({text.strip().casefold()}) for key, text in given.items() if text and text.strip()
    }
    if not named:
        raise ShopxError("Say who: --customer-id, --email or --name.")
    with (
        warehouse.connect("owner", autocommit=True, application_name="shopx forget") as conn,
        landing_alone(conn, progress),
        Archive(warehouse.settings.archive).room() as room,
    ):
        eraser = _Eraser(conn, room, Person(named), source, progress)
        try:
            with conn.transaction():
                touched = eraser.erase()
                if look_only:
                    raise _OnlyLooking
                if not eraser.done.is_nobody:
                    _note(conn, eraser.person, touched, eraser.done, by=by)
        except BaseException as ended:
            for content_sha256 in eraser.made:  # the ledger never referred to them
                room.archive.remove(content_sha256)
            if isinstance(ended, _OnlyLooking):
                return eraser.done
            raise
        for content_sha256 in eraser.stale:  # only now: the ledger no longer refers to them
            room.archive.remove(content_sha256)
    return eraser.done


def _where(person: Person) -> sql.Composed:
    """A row names the person."""
    parts = [
        sql.SQL("lower(t.{}) = any({})").format(sql.Identifier(column), sql.Literal(sorted(texts)))
        for column, texts in person.names.items()
    ]
    return sql.SQL("(") + sql.SQL(" or ").join(parts) + sql.SQL(")")


class _Eraser:
    """One person, one transaction. `made` and `stale`: archived hashes that are new, and of no use any
    more."""

    def __init__(
        self,
        conn: psycopg.Connection[Any],
        room: Room,
        person: Person,
        source: str | None,
        progress: Callable[[str], None],
    ) -> None:
        self.conn, self.room, self.person, self.source = conn, room, person, source
        self.progress = progress
        self.done = Forgotten()
        self.made: list[str] = []
        self.stale: list[str] = []
        self._rows: dict[str, dict[Key, MaskedRow]] = {}

    def erase(self) -> set[int]:
        """Mask every place; returns the loads that were looked into."""
        named = self._loads_that_name()
        self.done.sales_lines = self._mask_table("sales_lines", PERSONAL, ())
        self.done.master_rows = self._mask_table("customers", PERSONAL, _ABOUT)
        # beside those: repeats, and what was never read, may hold the person too
        touched = self.conn.execute(
            "select load_id from raw.loads where (%(source)s::text is null or source = %(source)s)"
            " and (load_id = any(%(named)s) or landed_at is null or rows_duplicate > 0) order by load_id",
            {"source": self.source, "named": sorted(named)},
        ).fetchall()
        for (load_id,) in touched:
            load = ledger.find_load(self.conn, load_id)
            self.progress(f"{load.delivered_name}: looking for the person")
            if load.content_sha256 not in self._rows:
                self._rows[load.content_sha256] = self._mask_file(load, is_named=load_id in named)
            self._mask_refused(load, self._rows[load.content_sha256])
        return {load_id for (load_id,) in touched}

    def _loads_that_name(self) -> set[int]:
        """Loads that hold rows of the person, accepted or refused."""
        found: set[int] = set()
        for table in ("sales_lines", "customers"):
            query = sql.SQL("select distinct t.load_id from {} as t where {}").format(
                sql.Identifier("raw", table), _where(self.person)
            )
            found |= {load_id for (load_id,) in self.conn.execute(query).fetchall()}
        refused = self.conn.execute("select load_id, raw_bytes from raw.rejected_rows").fetchall()
        return found | {load_id for load_id, raw in refused if _names(bytes(raw), self.person)}

    def _mask_table(self, table: str, columns: Sequence[str], cleared: Sequence[str]) -> int:
        changes = [
            sql.SQL("{0} = repeat('*', length({0}))").format(sql.Identifier(name)) for name in columns
        ] + [sql.SQL("{} = null").format(sql.Identifier(name)) for name in cleared]
        query = sql.SQL(
            "update {} as t set {} where {} and ({}::text is null or t.load_id in "
            "(select load_id from raw.loads where source = {}))"
        ).format(
            sql.Identifier("raw", table), sql.SQL(", ").join(changes), _where(self.person),
            sql.Literal(self.source), sql.Literal(self.source),
        )  # fmt: skip
        return self.conn.execute(query).rowcount

    def _mask_file(self, load: Load, *, is_named: bool) -> dict[Key, MaskedRow]:
        """Mask the archived file; what cannot be masked in place is removed. Returns the rows masked."""
        name = f"load {load.load_id} ({load.delivered_name})"
        try:
            staged = self.room.open_archived(load.archive_sha256, load.delivered_name)
        except FileNotFoundError:
            return {}
        try:
            reading = open_reading(
                staged.path, feed=load.feed, read_as=load.read_as, currency=load.currency,
                today=date.today(), work=staged.path.parent,
                may_be_empty=span_of(self.conn, load.load_id) is not None, path_values=load.path_values,
            )  # fmt: skip
            base = original_file(reading)
            rows = list(masked_rows(reading, self.person))
            texts = frozenset[str]().union(*(row.texts for row in rows))
            if not rows and not (is_named and base is None):
                return {}
            if base is None or any(len(row.after) != len(row.before) for row in rows):
                rows, new = [], GONE
                self.done.files_removed.append(name)
            else:
                new = self._rewrite(base, rows)
                self.done.files_rewritten.append(name)
        except (FileRefused, Undecided):
            if load.status != "duplicate":
                self.done.unread.append(name)
            return {}
        finally:
            self.room.drop(staged)
        self.conn.execute(
            "update raw.loads set archived_sha256 = %s where content_sha256 = %s",
            [new, load.content_sha256],
        )
        self._mask_ledger(load.content_sha256, self.person.also(texts))
        self.room.mark(load.archive_sha256)  # a killed process leaves its removal to the next landing
        self.stale.append(load.archive_sha256)
        return {row.key: row for row in rows}

    def _mask_ledger(self, content_sha256: str, person: Person) -> None:
        """What was found while reading quotes cells as examples."""
        for load_id, reading, held in self.conn.execute(
            "select load_id, reading, held_message from raw.loads where content_sha256 = %s",
            [content_sha256],
        ).fetchall():
            facts = {name: person.masked(v) if isinstance(v, str) else v for name, v in reading.items()}
            self.conn.execute(
                "update raw.loads set reading = %s, held_message = %s where load_id = %s",
                [json.dumps(facts), person.masked(held) if held else held, load_id],
            )

    def _rewrite(self, base: Path, rows: Sequence[MaskedRow]) -> str:
        """Put a copy of `base` with these rows masked into the archive, durable; returns its hash."""
        target = base.with_name(f"masked-{secrets.token_hex(4)}")
        shutil.copyfile(base, target)
        with target.open("r+b") as file:
            for row in rows:
                file.seek(row.byte_offset)
                file.write(row.after)
        staged = self.room.stage(target)
        self.made.append(staged.content_sha256)
        self.room.keep(staged)
        self.room.drop(staged)
        return staged.content_sha256

    def _mask_refused(self, load: Load, rows: Mapping[Key, MaskedRow]) -> None:
        for line, sheet_row, raw, messages in self.conn.execute(
            "select line_number, sheet_row, raw_bytes, messages from raw.rejected_rows where load_id = %s",
            [load.load_id],
        ).fetchall():
            before, row = bytes(raw), rows.get((line, sheet_row))
            person = self.person if row is None else self.person.also(row.texts)
            if row is None and not _names(before, self.person):
                continue
            after = row.after if row is not None else _masked_bytes(before, self.person)
            self.conn.execute(
                "update raw.rejected_rows set raw_bytes = %s, messages = %s"
                " where load_id = %s and line_number = %s and sheet_row = %s",
                [after, [person.masked(said) for said in messages], load.load_id, line, sheet_row],
            )
            self.done.refused_rows += 1
        self._mask_fixes(load, rows)

    def _mask_fixes(self, load: Load, rows: Mapping[Key, MaskedRow]) -> None:
        """Corrections go on holding for the same rows, whose bytes are others now."""
        for fix_id, line, sheet_row, digest, cells in self.conn.execute(
            "select fix_id, line_number, sheet_row, raw_sha256, cells from raw.row_fixes"
            " where delivery_no = %s",
            [load.delivery_no],
        ).fetchall():
            row = rows.get((line, sheet_row))
            person = self.person if row is None else self.person.also(row.texts)
            if row is not None and sha256(row.before).hexdigest() == digest:
                digest = sha256(row.after).hexdigest()  # noqa: PLW2901
            self.conn.execute(
                "update raw.row_fixes set cells = %s, raw_sha256 = %s where fix_id = %s",
                [[person.masked(cell) for cell in cells], digest, fix_id],
            )


def _names(raw: bytes, person: Person) -> bool:
    low = raw.decode("utf-8", "replace").casefold()
    return any(text in low for text in person.texts)


def _masked_bytes(raw: bytes, person: Person) -> bytes:
    return person.masked(raw.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def _note(
    conn: psycopg.Connection[Any], person: Person, touched: set[int], done: Forgotten, *, by: str
) -> None:
    """That it was done, and that what is published must be made anew."""
    said = secrets.token_hex(16) + "\0".join(person.texts)
    conn.execute(
        """
        insert into ops.forgotten (
            person_sha256, sales_lines, master_rows, refused_rows, files_rewritten, files_removed,
            forgotten_by
        ) values (%s, %s, %s, %s, %s, %s, %s)
        """,
        [
            sha256(said.encode()).hexdigest(), done.sales_lines, done.master_rows, done.refused_rows,
            len(done.files_rewritten), len(done.files_removed), by,
        ],
    )  # fmt: skip
    conn.execute(
        """
        insert into ops.changes (load_id, kind, changed_by, why)
        select load_id, 'replay', %s, 'a person was erased' from raw.loads
        where load_id = any(%s) and status = 'approved'
        """,
        [by, sorted(touched)],
    )


def told(done: Forgotten) -> Iterator[str]:
    """What a person is told."""
    yield (
        f"{done.sales_lines:,} sales lines, {done.master_rows:,} rows of customer lists, "
        f"{done.refused_rows:,} refused rows"
    )
    if done.files_rewritten:
        yield f"masked in the archive: {', '.join(done.files_rewritten)}"
    if done.files_removed:
        yield f"removed from the archive, as their form is not rewritten: {', '.join(done.files_removed)}"
    if done.unread:
        yield f"not looked into, as they wait for a decision: {', '.join(done.unread)}"
