"""What stands in a file and is no row: blank lines, repeated headers, totals, notes under the table, a second
table.

Put here what tells such records from rows, and their count. Never cutting (tokens.py), never checks of rows
(validation.py). Only records that could not be taken as sales are asked about, so no sale becomes a gap.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingestion.matching import normalise
from ingestion.reading import tails, tokens, views
from ingestion.reading.delivery import Delivery
from ingestion.reading.dialect import Head
from ingestion.reading.numbers import minor_digits
from ingestion.reading.totals import is_total, is_total_name
from ingestion.refusals import Undecided

if TYPE_CHECKING:
    from ingestion.reading.finishing import Answer

_CHOICES = {"one-table": {"tables": "one"}}
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{8}")
_DIGIT = re.compile(r"\d")
#: one match for each cell of a joined record that holds a word
_TEXT_CELL = re.compile(rf"[^\W\d_]{{2}}[^{tokens.UNIT}]*")
_PLAIN_NUMBER = re.compile(r"(-?)([0-9]{1,15})(?:\.([0-9]+))?")
#: what no number has in it: neither a digit's neighbour nor part of a currency's code or sign
_NO_NUMBER = re.compile(r"[a-z:/_;#%()*]|[A-Z][0-9]|[0-9][A-Z]")
_EMPTY = " \t" + tokens.UNIT
_END_MARK = "\x1a"  # Ctrl-Z, with which DOS and CP/M end a text
_TEXTS_OF_A_TOTAL = 3  # its label, and perhaps a currency and a date
_KNOWN_NAMES = 2  # cells of a record that are column names: then it is a header
_RUN = 2  # records of another width one after the other, under a blank line: another table


class Verdict(Enum):
    """What a record is that could not be taken as a sale."""

    ROW = "a row"
    GAP = "no row"
    WRONG_TOTAL = "a total that is not the sum of the rows above"
    END = "the header of another table, which a person said does not count"


class Sums(NamedTuple):
    """What the rows so far add up to, in minor units and in thousandths of a piece; `again` is the same of
    those that came before in this file.

    A total may count gross or net, with or without tax, refused rows and repeated ones.
    """

    gross: int = 0
    net: int = 0
    tax: int = 0
    quantity: int = 0
    refused: int = 0
    again: tuple[int, int, int, int] = (0, 0, 0, 0)

    def plus(self, other: Sums) -> Sums:
        """Both together."""
        refused = self.refused + other.refused
        return Sums(*_added(self[:4], other[:4]), refused, _added(self.again, other.again))

    def money(self) -> tuple[int, ...]:
        """Every way in which a total may count."""
        plain = []
        for gross, net, tax, _ in (self[:4], _added(self[:4], self.again)):
            plain += [gross, net, gross + tax, net + tax]
        return (*plain, *(cents + self.refused for cents in plain))

    def pieces(self) -> tuple[int, ...]:
        """Every way in which pieces may be counted."""
        return self.quantity, self.quantity + self.again[3]


def _added(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, int, int, int]:
    gross, net, tax, quantity = (a + b for a, b in zip(one, other, strict=True))
    return gross, net, tax, quantity


class Gaps:
    """Judges the doubtful records of one delivery, in file order, and counts what is no row."""

    def __init__(self, delivery: Delivery) -> None:
        d = delivery
        self._delivery = d
        self._adds_up = d.contract.entity is None  # lists of products or customers have no totals
        self._header = [normalise(name) for name in d.head.header]
        self._names = {normalise(name) for column in d.contract.columns.values() for name in column.names}
        self._named = {
            d.plan.columns[name]
            for name in ("order_id", "product_id", "product_name")
            if name in d.plan.columns
        }
        self._header_has_digits = _DIGIT.search(" ".join(self._header)) is not None
        self._names = (self._names | set(self._header)) - {""}
        self._header_texts = len(_TEXT_CELL.findall(tokens.UNIT.join(d.head.header)))
        currency = d.facts.get("currency")
        self._digits = minor_digits(currency if isinstance(currency, str) else None)
        self._mark = str(d.facts.get("decimal_mark", "."))
        self._sums = self._asked = Sums()
        self._boundaries: list[set[int]] = [{0} for _ in Sums().money()]
        self._quantities: list[set[int]] = [{0} for _ in Sums().pieces()]
        self._last, self._was_gap, self._run = -2, False, (0, 0)
        self._tail: int | None = None
        self.counts: Counter[str] = Counter()
        if d.head.lines_before:
            self.counts["preamble"] = d.head.lines_before

    @property
    def total(self) -> int:
        """How many records are gaps."""
        return self.counts.total()

    def facts(self) -> dict[str, object]:
        """The count by kind, for the ledger; nothing where there is no gap."""
        return {"gaps": dict(self.counts)} if self.counts else {}

    def judge(
        self, cells: Sequence[str], *, number: int, offset: int, above: Callable[[], Sums] = Sums
    ) -> Verdict:
        """What the record `number` (of all, from 0) at `offset` is; `above` gives what the rows of its batch
        before it add up to.

        Raises Undecided where a second table starts.
        """
        follows_gap = self._was_gap and number == self._last + 1
        follows = number == self._last + 1
        if self._is_surely_row(cells):
            verdict, kind, self._run = Verdict.ROW, "", (0, 0)
        else:
            verdict, kind = self._judge(
                cells, follows_gap=follows_gap, follows=follows, offset=offset, above=above
            )
        self._last, self._was_gap = number, verdict is Verdict.GAP
        if kind:
            self.counts[kind] += 1
        return verdict

    def blank(self, number: int, *, more: int = 1) -> None:
        """Count blank records; `number` is the last of them."""
        self.counts["blank"] += more
        self._last, self._was_gap = number, True

    def add(self, found: Answer) -> None:
        """Count a batch into the sums, once its records were judged."""
        if self._adds_up:
            self._sums = self._sums.plus(sums_above(found, found.rows.num_rows))

    def add_refused(self, cells: Sequence[str]) -> None:
        """Count a refused row, which a total in the file may count or not."""
        position = self._delivery.plan.columns.get("amount")
        if position is not None and position < len(cells):
            refused = self._sums.refused + (self._number(cells[position], self._digits) or 0)
            self._sums = self._sums._replace(refused=refused)

    def wrong_total(self, cells: Sequence[str]) -> tuple[int | None, str, str]:
        """Of the total judged last: position of the amount, what it says, and what was expected instead."""
        position = self._delivery.plan.columns.get("amount")
        gross = Decimal(self._asked.gross).scaleb(-self._digits)
        saw = cells[position] if position is not None and position < len(cells) else " ".join(cells)
        return position, saw.strip(), f"{gross:,f}, the sum of the rows above"

    def _judge(
        self,
        cells: Sequence[str],
        *,
        follows_gap: bool,
        follows: bool,
        offset: int,
        above: Callable[[], Sums],
    ) -> tuple[Verdict, str]:
        joined = tokens.UNIT.join(cells)
        plain = _DIGIT.search(joined) is None
        text_cells = len(_TEXT_CELL.findall(joined))
        if not text_cells and not joined.strip(_EMPTY + _END_MARK):
            return Verdict.GAP, "end_mark" if _END_MARK in joined else "blank"
        if text_cells == self._header_texts and self._is_repeated(cells):
            return Verdict.GAP, "repeated_header"
        if text_cells <= 1 and self._is_note(cells, offset):
            return Verdict.GAP, "note"
        if (plain and self._is_header(cells, follows_gap=follows_gap)) or self._is_run(
            cells, follows_gap=follows_gap, follows=follows
        ):
            if self._delivery.one_table:
                return Verdict.END, ""
            seen = self._delivery.head.delimiter.join(cell.strip() for cell in cells if cell.strip())
            raise stacked(f'a second table starts with "{seen[:60]}"')
        if text_cells > _TEXTS_OF_A_TOTAL or not self._adds_up:
            return Verdict.ROW, ""
        return self._total(cells, above)

    def _is_surely_row(self, cells: Sequence[str]) -> bool:
        """Whether a record is a row at first sight: as wide as the header, with digits where the header has
        none, and it fills two of order id, product id and product name, a total one at most."""
        if len(cells) != len(self._header) or self._header_has_digits:
            return False
        filled = sum(not cells[position].isspace() for position in self._named if cells[position])
        return filled > 1 and any(map(_DIGIT.search, cells))

    def _is_repeated(self, cells: Sequence[str]) -> bool:
        return len(cells) == len(self._header) and [normalise(cell) for cell in cells] == self._header

    def _is_header(self, cells: Sequence[str], *, follows_gap: bool) -> bool:
        """Names of columns without a number among them: two we know, or one under a gap."""
        words = {normalise(cell) for cell in cells} - {""}
        known = len(self._names & words)
        return len(words) > 1 and (known >= _KNOWN_NAMES or (known == 1 and follows_gap))

    def _is_run(self, cells: Sequence[str], *, follows_gap: bool, follows: bool) -> bool:
        """Records of one other width, one after the other, under a blank line."""
        width, length = self._run
        if len(cells) == len(self._header) or len(cells) < 2:
            self._run = (0, 0)
        elif follows_gap:
            self._run = (len(cells), 1)
        elif follows and width == len(cells):
            self._run = (width, length + 1)
        else:
            self._run = (0, 0)
        return self._run[1] >= _RUN

    def _is_note(self, cells: Sequence[str], offset: int) -> bool:
        filled = [cell for cell in cells if cell.strip()]
        if len(filled) != 1 or not any(map(str.isalpha, filled[0])):
            return False
        if self._tail is None:
            self._tail = tails.notes_from(self._delivery)
        return offset >= self._tail

    def _total(self, cells: Sequence[str], above: Callable[[], Sums]) -> tuple[Verdict, str]:
        columns = self._delivery.plan.columns
        aligned = len(cells) == len(self._header)
        label, numbers = self._parts(cells)
        if label is None or not numbers:
            return Verdict.ROW, ""
        if aligned and any(cells[position].strip() and position != label for position in self._named):
            return Verdict.ROW, ""
        if aligned and label == columns.get("product_name") and not is_total_name(cells[label]):
            return Verdict.ROW, ""
        sums = self._asked = self._sums.plus(above())
        amount = columns.get("amount") if aligned else None
        asked = [cells[amount]] if amount in numbers and amount is not None else [cells[i] for i in numbers]
        if any(self._agrees(cell, sums) for cell in asked):
            for seen, running in zip(self._boundaries, sums.money(), strict=True):
                seen.add(running)
            for seen, running in zip(self._quantities, sums.pieces(), strict=True):
                seen.add(running)
            return Verdict.GAP, "total"
        return (Verdict.WRONG_TOTAL if aligned else Verdict.ROW), ""

    def _parts(self, cells: Sequence[str]) -> tuple[int | None, list[int]]:
        """The one cell that says total, and the cells with a number; no label where other text stands
        beside."""
        label, numbers = None, []
        date = self._delivery.plan.columns.get("date")
        for position, cell in enumerate(cells):
            if not cell.strip():
                continue
            if position == date and _DATE.search(cell):
                continue
            if self._number(cell, self._digits) is not None:
                numbers.append(position)
            elif label is None and is_total(cell):
                label = position
            elif not re.fullmatch("[A-Z]{3}", cell.strip()):
                return None, []
        return label, numbers

    def _agrees(self, cell: str, sums: Sums) -> bool:
        """Whether a number is the sum of all rows above, or of those since an earlier total."""
        cents = self._number(cell, self._digits)
        pieces = self._number(cell, 3)
        if cents is not None and any(
            running - cents in seen and running
            for running, seen in zip(sums.money(), self._boundaries, strict=True)
        ):
            return True
        return pieces is not None and any(
            running - pieces in seen and running
            for running, seen in zip(sums.pieces(), self._quantities, strict=True)
        )

    def _number(self, cell: str, digits: int) -> int | None:
        """A number as whole units of its last digit, however it is dressed; None for other text."""
        if self._mark == "." and (usual := _PLAIN_NUMBER.fullmatch(cell)):
            decimals = (usual[3] or "").ljust(digits, "0")
            if not decimals[digits:].strip("0"):
                return int(usual[1] + usual[2] + decimals[:digits])
        if _NO_NUMBER.search(cell):
            return None
        text = re.sub(r"^[A-Z]{3}\b|\b[A-Z]{3}$|[€$£¥₹\s'’\u00a0\u202f]", "", cell.strip())
        text = text.replace("\u2212", "-")
        text = text.replace(".", "").replace(",", ".") if self._mark == "," else text.replace(",", "")
        if not re.fullmatch(r"[+-]?[0-9]{1,15}(\.[0-9]{1,6})?", text):
            return None
        try:
            exact = Decimal(text).scaleb(digits)
        except InvalidOperation:
            return None
        return int(exact) if exact == exact.to_integral_value() else None


def sums_above(found: Answer, position: int) -> Sums:
    """What the sound rows of a batch before `position` add up to."""
    good = ~found.failed[:position]
    if found.repeats is None:
        return Sums(*_summed(found, good))
    again = found.repeats[:position]
    return Sums(*_summed(found, good & ~again), again=_summed(found, good & again))


def _summed(found: Answer, wanted: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Gross, net, tax and pieces of the rows that are `wanted`, which are the first ones."""
    sums = []
    for name in ("gross_cents", "net_cents", "tax_cents", "quantity"):
        column = found.rows.column(name)
        numbers = views.values(views.unscaled(column) if name == "quantity" else column, np.int64)
        known = wanted & views.known(column)[: len(wanted)]
        sums.append(int(numbers[: len(wanted)][known].sum()))
    gross, net, tax, quantity = sums
    return gross, net, tax, quantity


def stacked(what: str) -> Undecided:
    """The refusal to add up two tables of one file."""
    return Undecided(
        "STACKED_TABLES",
        f"{what}; two tables of one file are never added up. Deliver each as a file of its own, or "
        "count only the one under the first header",
        choices=_CHOICES,
    )


def refuse_rows_before(head: Head) -> None:
    """Raise Undecided where what stands above the header looks like rows of it."""
    for number, line in enumerate(head.preamble.splitlines(), 1):
        cells, _ = tokens.cut(line, head.delimiter, quote=head.quote)
        if cells is None or len(cells) != len(head.header):
            continue
        if any(_DATE.fullmatch(cell.strip()[:10]) for cell in cells):
            raise stacked(f"rows stand above the header, the first in line {number}")
