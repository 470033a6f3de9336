"""Opens a delivery: dialect, contract, date order and decimal mark are settled here, before a row is read.

Put the order of those decisions here. Never row checks (validation.py), never parsing loops (fast.py,
careful.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from types import MappingProxyType

from ingestion import forms
from ingestion.contract import Contract, load_contracts
from ingestion.matching import Match, choose_contract
from ingestion.matching import candidates as named
from ingestion.price_list import Prices
from ingestion.reading import ahead, dialect
from ingestion.reading.careful import CarefulReading
from ingestion.reading.delivery import Delivery, Text, grammar_of
from ingestion.reading.dialect import Head, Scan
from ingestion.reading.fast import FastReading
from ingestion.reading.gaps import refuse_rows_before
from ingestion.reading.rows import Reading
from ingestion.reading.settling import NotProven, settle
from ingestion.reading.texts import as_text, check_encoding
from ingestion.reading.validation import compile_plan
from ingestion.refusals import FileRefused, Undecided


def open_reading(
    path: Path,
    *,
    today: date,
    feed: str | None = None,
    read_as: Mapping[str, str] = MappingProxyType({}),
    currency: str | None = None,
    contracts: Mapping[str, Contract] | None = None,
    may_be_empty: bool = False,
    work: Path | None = None,
    convertible: frozenset[str] = frozenset(),
    delivered: str = "",
    path_values: Mapping[str, str] | None = None,
    prices: Callable[[], Prices] = dict,
) -> Reading:
    """Open `path` as a delivery of `feed` (or of the contract its header fits).

    `read_as` holds what a person decided, e.g. `{"date_order": "day-first"}`; `currency` is the reporting
    currency, `convertible` what else lines may be in, `prices` gives what `price_from` needs; what must be
    unpacked goes below the folder `work`, or into a temporary one; `delivered` is the path under which it
    came, with forward slashes, and `path_values` what was found in it when it was first read. Raises
    FileRefused (it can be no delivery) or Undecided (it must be held), both before anything is yielded.
    """
    known = load_contracts() if contracts is None else contracts
    stated = known.get(feed) if feed is not None else None
    opening = _Opening(
        known,
        feed,
        stated,
        place=(delivered or path.as_posix()) if path_values is None else "",
        path_values=path_values,
        read_as=read_as,
        currency=currency,
        convertible=convertible,
        today=today,
    )
    begun = ahead.begin(path, opening.guess)
    limits = stated.limits if stated else forms.Limits.widest(one.limits for one in known.values())
    asked = forms.Asked(
        work=forms.Work(work), limits=limits, contract=stated, contracts=known, read_as=read_as
    )
    unpacked, found = as_text(path, asked, opening.choose)
    head, match, contract = opening.chosen(unpacked.path, found)
    # days without a sale are an answer; a file that was exported without a row is a mistake
    empty_is_an_answer = may_be_empty or contract.kind == "api"
    if found.lines <= head.lines_before + head.in_file and not empty_is_an_answer:
        raise FileRefused(f"{unpacked.path.name} holds a header and no row; export it again [FILE_EMPTY]")
    contract.limits.check_rows(unpacked.path, found.lines)
    try:
        check_encoding(unpacked, found, contract, asked)
        if not opening.one_table:
            refuse_rows_before(head)
        delivery = opening.delivery(unpacked, found, head, match, prices() if contract.price_from else {})
    except Undecided as undecided:
        undecided.contract = contract
        raise
    return FastReading(delivery, begun) if delivery.can_be_fast else CarefulReading(delivery)


@dataclass(frozen=True)
class _Opening:
    """What the caller of open_reading said, and the contracts among which it chooses; `place` is the path of
    the delivery, '' where `path_values` are known already."""

    known: Mapping[str, Contract]
    feed: str | None
    stated: Contract | None
    place: str
    path_values: Mapping[str, str] | None
    read_as: Mapping[str, str]
    currency: str | None
    convertible: frozenset[str]
    today: date

    @property
    def one_table(self) -> bool:
        """Whether a person said that only the table under the header counts."""
        return self.read_as.get("tables") == "one"

    def choose(self, path: Path, found: Scan, encoding: str) -> Contract:
        """The contract that the header fits when the text is read in this encoding. Raises FileRefused."""
        chosen = _choose(
            path, found, self.known, feed=self.feed, layout=self.stated, delivered=self.place,
            encoding=encoding,
        )  # fmt: skip
        return chosen[1].contract

    def chosen(self, path: Path, found: Scan) -> tuple[Head, Match, Contract]:
        """The header, its columns and its contract. Raises FileRefused."""
        head, match = _choose(
            path, found, self.known, feed=self.feed, layout=self.stated, delivered=self.place
        )
        contract = match.contract
        if self.feed is None and _layout(contract) != _layout(None):
            head, match = _choose(
                path, found, self.known, feed=contract.feed, layout=contract, delivered=self.place
            )
        return head, match, match.contract

    def delivery(
        self,
        unpacked: forms.Unpacked,
        found: Scan,
        head: Head,
        match: Match,
        prices: Prices,
        *,
        may_ask: bool = True,
    ) -> Delivery:
        """Everything that is known before the first row is read. Raises Undecided, or NotProven where the
        whole file had to be asked and may not be."""
        contract = match.contract
        path_values = self.path_values
        if path_values is None:
            path_values = contract.path_values(self.place) or {}
        given = dict(path_values) | dict(contract.values)
        grammar = grammar_of(found, head, contract, match.columns)
        settled = settle(
            Text(unpacked.path, found, head, grammar),
            match,
            read_as=self.read_as,
            currency=self.currency,
            convertible=self.convertible,
            today=self.today,
            prices=prices,
            may_ask=may_ask,
        )
        facts: dict[str, object] = {
            "encoding": "utf-8",
            **unpacked.facts,
            "feed": contract.feed,
            "delimiter": head.delimiter,
            "date_order": settled.date_order or settled.date_count or "iso",
            "decimal_mark": settled.decimal_mark,
            "timezone": contract.timezone,
            "currency": settled.currency,
            "values": given,
            "prices_include_tax": contract.prices_include_tax,
            "columns": {name: head.header[position] for name, position in match.columns.items()},
            "ignored": match.ignored,
        }
        if contract.complete:
            facts["complete"] = True
        if head.lines_before:
            facts["lines_before_header"] = head.lines_before
        if head.backslash:
            facts["escape"] = "backslash"
        if head.quote != '"':
            facts["quote"] = head.quote
        if not head.in_file:
            facts["header_in_contract"] = True
        if found.has_bom:
            facts["byte_order_mark"] = True
        plan = compile_plan(contract, match.columns, settled, given=given)
        return Delivery(
            unpacked.path, found, head, grammar, contract, settled, plan, self.today, facts, unpacked,
            self.one_table,
        )  # fmt: skip

    def guess(self, path: Path, first: Scan) -> Delivery | None:
        """What the delivery is if its first bytes are like all others; None where they do not tell."""
        try:
            head, match, contract = self.chosen(path, first)
            if contract.price_from is not None:
                return None
            found = self.delivery(forms.Unpacked(path), first, head, match, {}, may_ask=False)
        except (FileRefused, Undecided, NotProven):
            return None
        return found if found.can_be_fast else None


def _layout(contract: Contract | None) -> tuple[object, ...]:
    """What a contract says about how its file is written, beyond the names of its columns."""
    if contract is None:
        return ('"', None, None)
    return (contract.quote, contract.escape, contract.header_row)


def _choose(
    path: Path,
    found: Scan,
    contracts: Mapping[str, Contract],
    *,
    feed: str | None,
    layout: Contract | None,
    delivered: str,
    encoding: str = "utf-8",
) -> tuple[Head, Match]:
    """The first line that fits a contract as its header, cut by the delimiter under which it has most of our
    columns."""
    refused: list[tuple[Head, FileRefused]] = []
    for candidates in _candidates(found, layout, encoding):
        fits: list[tuple[Head, Match]] = []
        for head in candidates:
            try:
                fits.append((head, choose_contract(head.header, contracts, feed=feed, delivered=delivered)))
            except FileRefused as error:
                refused.append((head, error))
        if fits:
            head, match = max(fits, key=lambda fit: len(fit[1].columns))
            return _with_escape(head, found, match.contract), match
    why = _nearest(refused, contracts).message if refused else "no header found [COLUMN_MISSING]"
    raise FileRefused(f"{path.name}: {why}")


def _nearest(refused: Sequence[tuple[Head, FileRefused]], contracts: Mapping[str, Contract]) -> FileRefused:
    """The refusal of the line with most names of ours, the first where several have as many: a title is no
    header to tell a person about."""

    def known(one: tuple[Head, FileRefused]) -> int:
        return max(len(named(one[0].header, contract)) for contract in contracts.values())

    return max(refused, key=known)[1]


def _candidates(found: Scan, layout: Contract | None, encoding: str) -> Iterable[list[Head]]:
    if layout is None:
        return dialect.heads(found, encoding=encoding)
    quote = "" if layout.quote == "none" else layout.quote
    if not layout.header:
        return dialect.heads(found, encoding=encoding, quote=quote, header_row=layout.header_row)
    text = "".join(dialect.sample_lines(found, encoding=encoding))
    width = len(layout.header)
    fitting = {
        delimiter: sum(
            len(row) == width for row in dialect.rows(text, delimiter=delimiter, limit=50, quote=quote)
        )
        for delimiter in dialect.DELIMITERS
    }
    best = max(fitting, key=lambda delimiter: fitting[delimiter])
    return [[Head(best, list(layout.header), 0, in_file=False, quote=quote)]]


def _with_escape(head: Head, found: Scan, contract: Contract) -> Head:
    """The head with how quotes stand inside cells: as the contract says, else as the sample proves."""
    if contract.escape is None and head.quote == '"' and b'\\"' in found.sample:
        lines = dialect.sample_lines(found)[head.lines_before :]
        proven = dialect.proves_backslash(lines, delimiter=head.delimiter, width=len(head.header))
        return replace(head, backslash=proven)
    return replace(head, backslash=contract.escape == "backslash")
