"""What a file gives under a contract, without writing anything: verdict, days, orders, money, refused rows.

Put the counting here. Never a rule: the readers are those that load, the limits those of the arrival gate.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from ingestion import reasons
from ingestion.contract import Contract
from ingestion.measuring import FEW_REJECTS
from ingestion.reading import DamagedFile, FileRefused, Reading, RejectedRow, Undecided, open_reading, views

if TYPE_CHECKING:
    import pyarrow as pa

_EXAMPLES = 3


@dataclass(frozen=True)
class RefusedGroup:
    """Rows that the same action repairs: what to do, how many, for which reasons, and the first messages."""

    action: str
    rows: int
    codes: tuple[str, ...]
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Check:
    """`verdict`: IN, IN WITH REJECTS, HELD or REFUSED, with `why`. `net_cents` by currency ('' unknown).

    `facts` are what the ledger would say about the reading; empty where nothing was read.
    """

    verdict: str
    why: str = ""
    feed: str = ""
    holds: str = "sales"
    rows_delivered: int = 0
    rows_accepted: int = 0
    rows_rejected: int = 0
    rows_duplicate: int = 0
    rows_gap: int = 0
    first_date: date | None = None
    last_date: date | None = None
    orders: int | None = None
    net_cents: dict[str, int] = field(default_factory=dict)
    refused: tuple[RefusedGroup, ...] = ()
    codes: dict[str, int] = field(default_factory=dict)
    facts: dict[str, object] = field(default_factory=dict)


def check_file(
    path: Path,
    *,
    today: date,
    contracts: Mapping[str, Contract] | None = None,
    feed: str | None = None,
    read_as: Mapping[str, str] = MappingProxyType({}),
    currency: str | None = None,
    delivered: str | None = None,
    work: Path | None = None,
) -> Check:
    """Read a whole file as it would be loaded, and count. `currency` is the reporting currency, `delivered`
    the path under which it would come, `work` a folder for what must be unpacked.

    A file that cannot be a delivery is REFUSED, one that only a person can decide HELD; nothing is raised.
    """
    try:
        reading = open_reading(
            path,
            today=today,
            feed=feed,
            contracts=contracts,
            read_as=read_as,
            currency=currency,
            delivered=delivered or path.absolute().as_posix(),
            work=work,
        )
        return count_rows(reading)
    except FileRefused as refusal:
        return Check("REFUSED", refusal.message)
    except Undecided as undecided:
        choices = " or ".join(undecided.choices)
        why = f"{undecided.message} ({choices}) [{undecided.reason_code}]"
        return Check("HELD", why, undecided.contract.feed if undecided.contract else "")


def count_rows(reading: Reading) -> Check:
    """What an opened file gives. Raises Undecided or FileRefused where that shows while reading."""
    try:
        return _Counter(reading).check()
    except DamagedFile:
        return _Counter(reading.careful()).check()


class _Counter:
    """Totals of one reading, batch by batch."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.accepted = self.rejected = self.repeats = 0
        self.days: list[date] = []
        self.orders: set[int] = set()
        self.has_orders = False
        self.money: Counter[str] = Counter()
        self.codes: Counter[str] = Counter()
        self.rows: Counter[str] = Counter()
        self.of: dict[str, dict[str, None]] = {}
        self.examples: dict[str, list[str]] = {}

    def check(self) -> Check:
        for batch in self.reading.batches():
            self.accepted += batch.accepted.num_rows
            self.repeats += batch.repeats
            for row in batch.rejected:
                self._refuse(row)
            if self.reading.contract.entity is None and batch.accepted.num_rows:
                self._add(batch.accepted)
        found = Check(
            "IN WITH REJECTS" if self.rejected else "IN",
            feed=self.reading.contract.feed,
            holds=self.reading.contract.holds,
            rows_delivered=self.accepted + self.rejected + self.repeats,
            rows_accepted=self.accepted,
            rows_rejected=self.rejected,
            rows_duplicate=self.repeats,
            rows_gap=self.reading.rows_gap,
            first_date=min(self.days, default=None),
            last_date=max(self.days, default=None),
            orders=len(self.orders) if self.has_orders else None,
            net_cents=dict(self.money),
            refused=self._groups(),
            codes=dict(self.codes),
            facts=dict(self.reading.facts),
        )
        if why := self._held(found):
            return replace(found, verdict="HELD", why=why)
        return found

    def _refuse(self, row: RejectedRow) -> None:
        self.rejected += 1
        self.codes.update(set(row.reasons))
        action = reasons.REASONS[row.reasons[0]].action
        self.rows[action] += 1
        self.of.setdefault(action, {}).update(dict.fromkeys(row.reasons[:1]))
        shown = self.examples.setdefault(action, [])
        if len(shown) < _EXAMPLES:
            shown.append(row.messages[0])

    def _groups(self) -> tuple[RefusedGroup, ...]:
        return tuple(
            RefusedGroup(action, rows, tuple(self.of[action]), tuple(self.examples[action]))
            for action, rows in self.rows.most_common()
        )

    def _add(self, rows: pa.RecordBatch) -> None:
        import numpy as np  # noqa: PLC0415
        import pyarrow.compute as pc  # noqa: PLC0415

        span = pc.min_max(rows["sale_date"])
        self.days += [span["min"].as_py(), span["max"].as_py()]
        keys = rows["order_key"].drop_null()
        if len(keys):
            self.has_orders = True
            self.orders.update(np.unique(views.values(keys, np.int64)).tolist())
        if rows["currency"].null_count == rows.num_rows:
            self.money[self._currency] += pc.sum(rows["net_cents"]).as_py() or 0
            return
        sums = rows.select(["currency", "net_cents"])
        import pyarrow as pa  # noqa: PLC0415

        for one in (
            pa.Table.from_batches([sums]).group_by("currency").aggregate([("net_cents", "sum")]).to_pylist()
        ):
            self.money[one["currency"] or self._currency] += one["net_cents_sum"] or 0

    @property
    def _currency(self) -> str:
        return str(self.reading.facts.get("currency") or "")

    def _held(self, found: Check) -> str:
        limit = self.reading.contract.max_reject_share
        if not found.rows_accepted:
            return "no row would be accepted"
        if found.rows_rejected >= FEW_REJECTS and found.rows_rejected > limit * found.rows_delivered:
            part = found.rows_rejected / found.rows_delivered
            return (
                f"{part:.1%} of the rows would be refused, more than the {limit:.1%} that the contract "
                f"allows; mend the file, or write max_reject_share: {_above(part)} if that is usual for it"
            )
        if found.holds == "sales" and found.net_cents and not any(found.net_cents.values()):
            return "the accepted rows add up to 0"
        return ""


def _above(part: float) -> str:
    """The next round share above."""
    return f"{min(1.0, (int(part * 20) + 1) / 20):.2f}"
