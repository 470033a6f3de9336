"""Landing: files in, ledger rows and raw rows out, one transaction per delivery.

Put the order of steps here: copy into the archive, open, enter in the ledger, load, measure, decide what
it means. Never how a step is done: archive.py, reading/, ledger.py, loading.py, measuring.py, meaning.py.

A delivery is entered (status `landing`) once its bytes are safe, and its rows come with the change to
`landed` in one transaction. A killed process therefore leaves either no trace, a delivery that the next
call finishes from the archive, or a landed one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from ingestion import deciding, ledger
from ingestion.archive import Archive, Room, Staged
from ingestion.contract import load_contracts
from ingestion.conversion import Converter, convertible, known_rates
from ingestion.corrections.fixes import Source, fixes_of, keep_fixes
from ingestion.corrections.reading import is_corrections
from ingestion.corrections.taking import take_corrections
from ingestion.given import deliveries, in_chunks, lies_in
from ingestion.landed import Landed, LandingResult, Refused, landed_from
from ingestion.ledger import Load
from ingestion.loading import load_rows
from ingestion.meaning import Meaning, meaning_of
from ingestion.measuring import measure
from ingestion.overlap import incomplete_orders, is_diminished
from ingestion.price_list import Prices, newest_prices
from ingestion.reading import DamagedFile, FileRefused, Reading, Undecided, open_reading
from ingestion.reading.corrected import Fix, corrected
from ingestion.reading.together import ReadAhead, read_together
from ingestion.replaying import check_replay, kept_meaning
from ingestion.scopes import span_of
from ingestion.strangers import strangers, touched_by
from ingestion.ways_of_reading import weigh
from warehouse.errors import ShopxError

if TYPE_CHECKING:
    from ingestion.contract import Contract
    from ingestion.sources.fetched import Fetched
    from warehouse.database import Warehouse

__all__ = ["Landed", "LandingResult", "Refused", "deliveries", "land", "replay"]

log = logging.getLogger(__name__)
LANDING_LOCK = 7236017504252
LOCK_TRIES = 1800  # of two seconds each


def land(
    warehouse: Warehouse,
    paths: Sequence[Path],
    *,
    fetched: Sequence[Fetched] = (),
    feed: str | None = None,
    today: date | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> LandingResult:
    """Land files and the files in folders, oldest first, after what an interrupted call left behind; then
    what sources have fetched, in the order given.

    One process lands at a time; another one waits. `feed` overrules the choice by header. `today` bounds
    the dates a sale may have. A file that cannot be a delivery is in `refused` and leaves no trace. A
    workbook of corrections is no delivery: its rows are kept, and the loads it names are replayed.
    """
    files, refused = deliveries(paths)
    books = [path for path in files if is_corrections(path)]
    files = [path for path in files if path not in set(books)]
    settings = warehouse.settings
    with (
        warehouse.connect("loader", autocommit=True, application_name="shopx land") as conn,
        landing_alone(conn, progress),
    ):
        archive = Archive(settings.archive)
        for content_sha256 in archive.sweep():
            if not _is_needed(conn, content_sha256):
                archive.remove(content_sha256)
        with archive.room() as room:
            lander = _Lander(
                conn, room, today=today or date.today(), currency=settings.currency, progress=progress
            )
            landed = {load.load_id: lander.resume(load) for load in ledger.loads_in(conn, "landing")}

            def follow_links(path: Path) -> bool:
                return not lies_in(settings.inbox, path)

            for chunk in in_chunks(files):
                if len(chunk) > 1:
                    taken_together, refused_together = lander.take_together(
                        chunk, feed=feed, follow_links=follow_links
                    )
                    landed |= {taken.load_id: taken for taken in taken_together}
                    refused += refused_together
                    continue
                for path in chunk:
                    try:
                        taken = lander.take(path, feed=feed, follow_links=follow_links(path))
                        landed[taken.load_id] = taken
                    except FileRefused as refusal:
                        refused.append(Refused(path, refusal.message))
            for delivery in fetched:
                try:
                    taken = lander.take(
                        delivery.path, feed=delivery.feed, follow_links=False, fetched=delivery
                    )
                    landed[taken.load_id] = taken
                except FileRefused as refusal:
                    refused.append(Refused(Path(delivery.name), refusal.message))
            landed |= {item.load_id: item for item in lander.land_waiting()}
            lander.weigh_ways_of_reading()
            for book in books:
                replayed, refused_books = lander.take_corrections(book, follow_links=follow_links(book))
                landed |= {taken.load_id: taken for taken in replayed}
                refused += refused_books
        for load in ledger.loads_in(conn, "landed"):
            landed.setdefault(load.load_id, landed_from(load))
    return LandingResult(sorted(landed.values(), key=lambda item: (item.delivery_no, item.load_id)), refused)


def replay(
    warehouse: Warehouse,
    load_id: int,
    *,
    by: str,
    why: str,
    today: date | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Landed:
    """Read the archived bytes of a load again, with the corrections of its rows and under today's contract,
    as a new load in its place; the old one is withdrawn in the same transaction.

    Raises ShopxError, with nothing changed, where it cannot be read or is undecided.
    """
    settings = warehouse.settings
    with (
        warehouse.connect("loader", autocommit=True, application_name="shopx replay") as conn,
        landing_alone(conn, progress),
        Archive(settings.archive).room() as room,
    ):
        lander = _Lander(
            conn, room, today=today or date.today(), currency=settings.currency, progress=progress
        )
        return lander.replay(ledger.find_load(conn, load_id), by=by, why=why)


@contextmanager
def landing_alone(conn: psycopg.Connection[Any], progress: Callable[[str], None]) -> Iterator[None]:
    """Hold the landing lock of this warehouse; it goes with the connection when the process is killed."""
    conn.execute("set lock_timeout = '2s'")
    for _ in range(LOCK_TRIES):
        try:
            conn.execute("select pg_advisory_lock(%s)", [LANDING_LOCK])
            break
        except psycopg.errors.LockNotAvailable:
            progress("waiting: another process is loading files")
    else:
        raise ShopxError("Another process has been loading files for an hour; look at it, then try again.")
    conn.execute("set lock_timeout = 0")
    try:
        yield
    finally:
        if not conn.closed:
            conn.execute("select pg_advisory_unlock(%s)", [LANDING_LOCK])


def _is_entered(conn: psycopg.Connection[Any], content_sha256: str) -> bool:
    row = conn.execute(
        "select exists (select from raw.loads where content_sha256 = %s)", [content_sha256]
    ).fetchone()
    return bool(row and row[0])


def _is_needed(conn: psycopg.Connection[Any], archived_sha256: str) -> bool:
    """Whether the ledger refers to these archived bytes: not to those a person was erased from."""
    row = conn.execute(
        "select exists (select from raw.loads where coalesce(archived_sha256, content_sha256) = %s)",
        [archived_sha256],
    ).fetchone()
    return bool(row and row[0])


@dataclass
class _Opened:
    """A delivery that is copied and looked at, but not in the ledger: a reading, or why there is none.

    `delivered` is the path under which it came, with forward slashes.
    """

    name: str
    came_from: Path | None
    staged: Staged
    feed: str | None
    fetched: Fetched | None
    delivered: str
    reading: Reading | None = None
    undecided: Undecided | None = None
    resumed: int | None = None


class _OrdersIncomplete(Exception):
    """Orders that came again with a rejected row: they are refused whole, and their older version stays."""

    def __init__(self, reading: Reading, orders: frozenset[int]) -> None:
        super().__init__(f"{len(orders)} orders")
        self.reading = reading
        self.orders = orders


class _Lander:
    """One connection, one work room, one clock: what the deliveries of one call share."""

    def __init__(
        self,
        conn: psycopg.Connection[Any],
        room: Room,
        *,
        today: date,
        currency: str | None,
        progress: Callable[[str], None],
    ) -> None:
        self.conn = conn
        self.room = room
        self.today = today
        self.progress = progress
        self.months: set[date] = set()
        self.resumed: dict[tuple[str, str], int] = {}
        self.strangers: set[int] = set()
        self.waiting: dict[int, Landed] = {}
        fixed = ledger.reporting_currency(conn)
        if fixed and currency and fixed != currency:
            raise ShopxError(
                f"SHOPX_CURRENCY is {currency}, but this warehouse holds {fixed}; unset it, or use another "
                "SHOPX_HOME."
            )
        self.given_currency = currency
        self.currency = fixed or currency
        self._convertible: frozenset[str] | None = None

    @property
    def convertible(self) -> frozenset[str]:
        """The currencies lines may be in: with exchange rates those, and the reporting one."""
        if self.currency is None:
            return frozenset()
        if self._convertible is None:
            known = convertible(self.conn)
            self._convertible = known | {self.currency} if known else known
        return self._convertible

    def take(
        self, path: Path, *, feed: str | None, follow_links: bool, fetched: Fetched | None = None
    ) -> Landed:
        """A file that was given, or that a source wrote. Raises FileRefused before anything is written."""
        opened = self._open(path, feed=feed, follow_links=follow_links, fetched=fetched)
        try:
            load = self._enter_opened(opened)
            return self._bring(opened, load)
        finally:
            self.room.drop(opened.staged)

    def take_together(
        self, paths: Sequence[Path], *, feed: str | None, follow_links: Callable[[Path], bool]
    ) -> tuple[list[Landed], list[Refused]]:
        """Small files that wait together, as `take` would take one after the other.

        What each needs alone costs more than its rows: they are read by one query, made safe and entered
        together, and compared with the stored rows at one look. Each still has its own transaction; those
        wait for the disk once, at the end: until then a delivery lost by a power cut is `landing` again.
        """
        opened: list[_Opened] = []
        refused: list[Refused] = []
        for path in paths:
            try:
                opened.append(self._open(path, feed=feed, follow_links=follow_links(path)))
            except FileRefused as refusal:
                refused.append(Refused(path, refusal.message))
        self._read_ahead(opened)
        self.room.keep_together([one.staged for one in opened if not self._is_known(one)])
        with self.conn.transaction():
            loads = [self._enter_opened(one) for one in opened]
        self._mark_strangers(opened, loads)
        self.conn.execute("set synchronous_commit = off")
        try:
            landed = [self._bring(one, load) for one, load in zip(opened, loads, strict=True)]
        finally:
            if not self.conn.closed:
                self.conn.execute("set synchronous_commit = on")
                # a commit that waits for the disk, and so for all before it
                self.conn.execute("select pg_current_xact_id()")
        for one in opened:
            self.room.drop(one.staged)
        return landed, refused

    def _open(
        self, path: Path, *, feed: str | None, follow_links: bool, fetched: Fetched | None = None
    ) -> _Opened:
        """Copied, hashed, and looked at; nothing of it is anywhere yet. Raises FileRefused."""
        name = (fetched.name if fetched else path.name).encode("utf-8", "replace").decode("utf-8")
        self.progress(f"{name}: reading")
        delivered = name if fetched else path.absolute().as_posix()
        staged = self.room.stage(path, follow_links=follow_links)
        opened = _Opened(name, None if fetched else path, staged, feed, fetched, delivered)
        opened.resumed = self._resumed(opened)
        if opened.resumed is not None:  # the file whose landing was interrupted, still where it was
            return opened
        try:
            opened.reading = open_reading(
                staged.path,
                feed=feed,
                currency=self.currency,
                today=self.today,
                work=staged.path.parent,
                may_be_empty=fetched is not None and fetched.window is not None,
                convertible=self.convertible,
                delivered=delivered,
                prices=self.prices,
            )
        except Undecided as undecided:
            opened.undecided = undecided
        except BaseException as error:
            self.room.drop(staged)
            known = (ShopxError, psycopg.OperationalError, OSError, MemoryError)
            if isinstance(error, known) or not isinstance(error, Exception):
                raise
            # a fault of ours must cost one file, not those beside it
            log.exception("opening %s failed", name)
            raise FileRefused(
                f"{name} could not be read ({type(error).__name__}: {error})"[:400]
                + "; export it again, and report this if it comes again [FILE_DAMAGED]"
            ) from error
        return opened

    def _resumed(self, opened: _Opened) -> int | None:
        load_id = self.resumed.get((opened.staged.content_sha256, opened.name))
        if load_id is None:
            return None
        load = ledger.find_load(self.conn, load_id)
        contract = load_contracts().get(load.feed)
        is_it = contract is None or (contract.path_values(opened.delivered) or {}) == load.path_values
        return load_id if is_it else None

    def _is_known(self, opened: _Opened) -> bool:
        return opened.resumed is not None or _is_entered(self.conn, opened.staged.content_sha256)

    def _enter_opened(self, opened: _Opened) -> Load:
        if opened.resumed is not None:
            return ledger.find_load(self.conn, opened.resumed)
        if opened.reading is not None:
            contract, facts = opened.reading.contract, opened.reading.facts
        else:
            assert opened.undecided is not None  # noqa: S101 - for the type checker
            contract, facts = _contract_of(opened.undecided, opened.feed), {}
        said = contract.path_values(opened.delivered) or {}
        return self._enter(opened.staged, contract, opened.name, facts, opened.fetched, path_values=said)

    def _bring(self, opened: _Opened, load: Load) -> Landed:
        """The rows of an entered delivery, or the question that must be answered first."""
        if opened.resumed is None and load.status == "landing":
            if opened.reading is not None and self._needs_others(load, opened.reading.contract):
                self.waiting[load.load_id] = landed_from(load, opened.came_from, opened.staged)
                self.strangers.discard(load.load_id)  # its rows are not what was read ahead
            elif opened.reading is not None:
                load = self._load(load, opened.reading)
            elif opened.undecided is not None:
                load = self._hold(load, opened.undecided)
        return landed_from(load, opened.came_from, opened.staged)

    def _read_ahead(self, opened: Sequence[_Opened]) -> None:
        readings = [one.reading for one in opened if one.reading is not None]
        ahead = iter(read_together(readings))
        for one in opened:
            if one.reading is not None:
                one.reading = next(ahead)

    def _mark_strangers(self, opened: Sequence[_Opened], loads: Sequence[Load]) -> None:
        """Note which of these share nothing with any other, up to the first whose rows are not known yet."""
        waiting = {}
        for one, load in zip(opened, loads, strict=True):
            reading = one.reading
            if load.status != "landing" or reading is None or reading.contract.entity is not None:
                continue
            if not isinstance(reading, ReadAhead):
                break
            waiting[load.load_id] = touched_by(load.source, (batch.accepted for batch in reading.rows))
        alone = strangers(self.conn, list(waiting.values()))
        self.strangers |= {load for load, is_alone in zip(waiting, alone, strict=True) if is_alone}

    def prices(self) -> Prices:
        """The newest price of each product, of lists landed so far."""
        return newest_prices(self.conn, today=self.today)

    def _needs_others(self, load: Load, contract: Contract) -> bool:
        """Whether its rows are worked out with what other deliveries say, perhaps later ones of this call."""
        if contract.entity is not None:
            return False
        return contract.price_from is not None or bool(ledger.foreign_currency(self.conn, load.currency))

    def land_waiting(self) -> Iterator[Landed]:
        """Those that waited for the others of this call, from the archive."""
        for load_id, seen in self.waiting.items():
            now = self.resume(ledger.find_load(self.conn, load_id))
            yield replace(now, path=seen.path, fingerprint=seen.fingerprint)

    def resume(self, load: Load) -> Landed:
        """A delivery entered by an interrupted call, or sent back by a release: read from the archive."""
        self.progress(f"{load.delivered_name}: resuming from the archive")
        try:
            staged = self.room.open_archived(load.archive_sha256, load.delivered_name)
        except FileNotFoundError:
            return landed_from(
                self._fail(load, "its bytes are no longer in the archive; deliver the file again")
            )
        try:
            load = self._load(load, self._open_again(load, staged))
        except Undecided as undecided:
            load = self._hold(load, undecided)
        except FileRefused as refusal:
            load = self._fail(load, refusal.message)
        finally:
            self.room.drop(staged)
        if load.status != "failed":
            self.resumed[load.content_sha256, load.delivered_name] = load.load_id
        return landed_from(load)

    def weigh_ways_of_reading(self) -> None:
        """Note what each answer would give, for every held delivery that asks how it is read."""
        for load in ledger.loads_in(self.conn, "held"):
            asked = load.reading.get("choices")
            if not asked or load.choices:
                continue
            self.progress(f"{load.delivered_name}: counting what each answer would give")
            try:
                staged = self.room.open_archived(load.archive_sha256, load.delivered_name)
            except FileNotFoundError:
                continue
            open_as = partial(self._read_as, load, staged)
            try:
                found = weigh(asked, open_as=open_as, currency=self.currency or load.currency)
            finally:
                self.room.drop(staged)
            deciding.note_effects(self.conn, load.load_id, found)

    def _read_as(self, load: Load, staged: Staged, answer: Mapping[str, str]) -> Reading:
        return self._open_again(replace(load, read_as={**load.read_as, **answer}), staged)

    def replay(
        self, load: Load, *, by: str, why: str, fixes: Sequence[Fix] = (), source: Source | None = None
    ) -> Landed:
        """The archived bytes of `load` once more, with the corrections that are known and `fixes`, in one
        transaction with all that becomes of it. Raises ShopxError, with nothing changed.
        """
        self.progress(f"{load.delivered_name}: reading it again from the archive")
        months = set(self.months)
        try:
            staged = self.room.open_archived(load.archive_sha256, load.delivered_name)
        except FileNotFoundError:
            raise ShopxError(
                f"The bytes of load {load.load_id} ({load.delivered_name}) are no longer in the archive; "
                "deliver the file again."
            ) from None
        try:
            with self.conn.transaction():
                load = ledger.find_load(self.conn, load.load_id, lock=True)
                check_replay(self.conn, load)
                if source is not None:
                    keep_fixes(self.conn, load.delivery_no, fixes, source)
                reading = self._open_again(load, staged)
                known = fixes_of(self.conn, load.delivery_no)
                if known:
                    reading = corrected(reading, known, work=staged.path.parent)
                new = self._replace(load, reading, by=by, why=why)
        except Undecided as undecided:
            self.months = months
            raise ShopxError(
                f"Load {load.load_id} ({load.delivered_name}) cannot be replayed, it would be held: "
                f"{undecided.message}. Say it in the contract of feed {load.feed}, then replay it again."
            ) from None
        except BaseException:
            self.months = months
            raise
        finally:
            self.room.drop(staged)
        return landed_from(new)

    def _open_again(self, load: Load, staged: Staged) -> Reading:
        """The archived bytes of a load, read as the ledger says and with what other deliveries say today."""
        return open_reading(
            staged.path,
            feed=load.feed,
            read_as=load.read_as,
            currency=self.currency,
            today=self.today,
            work=staged.path.parent,
            may_be_empty=span_of(self.conn, load.load_id) is not None,
            convertible=self.convertible,
            path_values=load.path_values,
            prices=self.prices,
        )

    def _replace(self, load: Load, reading: Reading, *, by: str, why: str) -> Load:
        """The new load in the place of the old one, in the caller's transaction."""
        contract = reading.contract
        said = reading.facts.get("currency")
        new = ledger.enter_again(
            self.conn,
            load,
            source=contract.source_name,
            contract_sha256=contract.sha256,
            mode=contract.meaning,
            released_as=kept_meaning(load, contract),
            currency=said if isinstance(said, str) else contract.currency,
            reading=reading.facts,
            holds=contract.holds,
        )
        if load.status != "withdrawn":
            deciding.decide(
                self.conn, load.load_id, status="withdrawn", by=by, change="replay",
                why=f"replayed as load {new.load_id}: {why}",
            )  # fmt: skip
        foreign = ledger.foreign_currency(self.conn, new.currency)
        converter = self._converter(new, reading)
        if foreign is not None and converter is None:
            raise Undecided("FOREIGN_CURRENCY", foreign)
        return self._load_whole_orders(new, reading, converter)

    def take_corrections(self, path: Path, *, follow_links: bool) -> tuple[list[Landed], list[Refused]]:
        """A workbook of corrections: each load it names is replayed with its rows, if any was changed."""

        def replay(load: Load, fixes: Sequence[Fix], source: Source) -> Landed:
            why = f"{len(fixes)} {'row' if len(fixes) == 1 else 'rows'} corrected in {source.file_name}"
            return self.replay(load, by=source.by, why=why, fixes=fixes, source=source)

        self.progress(f"{path.name}: reading the corrections")
        return take_corrections(self.conn, self.room, path, follow_links=follow_links, replay=replay)

    def _enter(
        self,
        staged: Staged,
        contract: Contract,
        name: str,
        facts: dict[str, object],
        fetched: Fetched | None,
        *,
        path_values: Mapping[str, str],
    ) -> Load:
        """The delivery's place in the ledger; the bytes are in the archive before the ledger says so.

        What a fetched delivery is complete for, and how far it reaches, is entered with it: it holds from
        the moment its rows do.
        """
        currency = facts.get("currency")
        with self.conn.transaction():
            window = fetched.window if fetched else None
            copies = ledger.same_bytes(
                self.conn,
                content_sha256=staged.content_sha256,
                source=contract.source_name,
                days=(window.first, window.last) if window else None,
                path_values=path_values,
            )
            # what a later delivery has replaced in part says something new when it comes again
            known = next((copy for copy in copies if not is_diminished(self.conn, copy)), None)
            if known is not None:
                return ledger.enter_duplicate(
                    self.conn, of=known, feed=contract.feed, delivered_name=name, byte_count=staged.size
                )
            self.room.keep(staged)
            if self.given_currency is not None:
                ledger.set_currency(self.conn, self.given_currency)
            load = ledger.enter(
                self.conn,
                feed=contract.feed,
                source=contract.source_name,
                delivered_name=name,
                content_sha256=staged.content_sha256,
                byte_count=staged.size,
                contract_sha256=contract.sha256,
                mode=contract.meaning,
                holds=contract.holds,
                currency=currency if isinstance(currency, str) else contract.currency,
                reading=facts,
                path_values=path_values,
            )
            if fetched is not None:
                ledger.note_fetched(self.conn, load.load_id, fetched)
            return load

    def _load(self, load: Load, reading: Reading) -> Load:
        converter = self._converter(load, reading)
        foreign = ledger.foreign_currency(self.conn, load.currency)
        if foreign is not None and converter is None:
            return self._hold(load, Undecided("FOREIGN_CURRENCY", foreign))
        try:
            return self._load_whole_orders(load, reading, converter)
        except Undecided as undecided:
            return self._hold(load, undecided)
        except ShopxError as refusal:
            return self._fail(load, refusal.message)
        except (psycopg.OperationalError, OSError, MemoryError):
            raise  # not the file's fault: the delivery stays `landing` and the next call finishes it
        except Exception as error:
            log.exception("loading %s (load %s) failed", load.delivered_name, load.load_id)
            return self._fail(load, f"could not be loaded: {type(error).__name__}: {error}"[:500])

    def _converter(self, load: Load, reading: Reading) -> Converter | None:
        """What converts its money, where it may hold another currency whose rates are known."""
        if reading.contract.entity is not None or self.currency is None or load.currency is None:
            return None
        columns = reading.facts["columns"]
        per_line = isinstance(columns, dict) and "currency" in columns and bool(self.convertible)
        if not per_line and (load.currency == self.currency or load.currency not in self.convertible):
            return None
        return Converter(load.currency, self.currency, known_rates(self.conn))

    def _load_whole_orders(self, load: Load, reading: Reading, converter: Converter | None) -> Load:
        """Fast or carefully, and once more where an order that came again cannot be taken whole."""
        try:
            try:
                return self._load_once(load, reading, converter)
            except DamagedFile:
                self.progress(f"{load.delivered_name}: damaged places, reading it carefully")
                return self._load_once(load, reading.careful(), converter)
        except _OrdersIncomplete as incomplete:
            return self._load_once(load, incomplete.reading.refusing(incomplete.orders), converter)

    def _load_once(self, load: Load, reading: Reading, converter: Converter | None = None) -> Load:
        months = set(self.months)
        with self.conn.transaction():
            if ledger.find_load(self.conn, load.load_id, lock=True).status != "landing":
                return ledger.find_load(self.conn, load.load_id)  # withdrawn meanwhile
            loaded = load_rows(
                self.conn,
                reading,
                load_id=load.load_id,
                delivery_no=load.delivery_no,
                known_months=months,
                progress=lambda said: self.progress(f"{load.delivered_name}: {said}"),
                converter=converter,
            )
            if converter is not None:
                reading.facts["converted_from"] = sorted(converter.seen - {converter.reporting})
                self.conn.execute(
                    "update raw.loads set currency = %s where load_id = %s",
                    [converter.reporting, load.load_id],
                )
            measure(self.conn, load, loaded, reading, today=self.today)
            load = ledger.find_load(self.conn, load.load_id)
            if (load.released_as or reading.contract.meaning or "orders") == "orders":
                incomplete = incomplete_orders(self.conn, load.load_id, loaded.refused_orders)
                if incomplete:
                    raise _OrdersIncomplete(reading, incomplete)
            if load.released_as is not None:
                meaning = Meaning(load.released_as)
            elif load.holds != "sales" or self._takes_nothing_away(load, reading):
                meaning = Meaning(reading.contract.meaning or "events")
            else:
                meaning = meaning_of(
                    self.conn,
                    load,
                    declared=reading.contract.meaning,
                    first=loaded.first_date,
                    last=loaded.last_date,
                    currency=load.currency or self.currency,
                )
            deciding.note_meaning(self.conn, load.load_id, meaning)
            if load.holds == "rates":
                self._convertible = None
        self.months |= months
        return ledger.find_load(self.conn, load.load_id)

    def _takes_nothing_away(self, load: Load, reading: Reading) -> bool:
        """It shares nothing, and is not complete for days on which others may stand between its own."""
        return load.load_id in self.strangers and reading.contract.meaning != "days"

    def _hold(self, load: Load, undecided: Undecided) -> Load:
        with self.conn.transaction():
            deciding.note_choices(self.conn, load.load_id, undecided.choices)
            deciding.decide(
                self.conn, load.load_id, status="held", by="reading", reason=undecided.reason_code,
                message=_with_commands(undecided, load.load_id),
            )  # fmt: skip
        return ledger.find_load(self.conn, load.load_id)

    def _fail(self, load: Load, sentence: str) -> Load:
        with self.conn.transaction():
            deciding.decide(self.conn, load.load_id, status="failed", by="reading", message=sentence)
        return ledger.find_load(self.conn, load.load_id)


def _with_commands(undecided: Undecided, load_id: int) -> str:
    commands = " or ".join(f"`./shopx release {load_id} --as {choice}`" for choice in undecided.choices)
    return f"{undecided.message}: {commands}" if commands else undecided.message


def _contract_of(undecided: Undecided, feed: str | None) -> Contract:
    found: Contract | None = getattr(undecided, "contract", None)
    return found or load_contracts()[feed or "sales_csv"]
