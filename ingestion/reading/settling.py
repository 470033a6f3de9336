"""What only the whole file can tell: the order of day and month, what numbers for dates count, the decimal
mark.

A look at the first rows says whether the question arises; then every row is asked, and nothing is guessed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ingestion.contract import NUMBERS, Contract
from ingestion.matching import Match
from ingestion.reading import dates, numbers, views
from ingestion.reading.delivery import Text, can_be_fast, csv_source
from ingestion.reading.dialect import rows, sample_lines
from ingestion.reading.engine import cursor, literal
from ingestion.reading.plan import Settled
from ingestion.reading.tokens import UNIT
from ingestion.refusals import Undecided

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_SAMPLE_ROWS = 1000
_CHOICES: dict[str, dict[str, str]] = {order: {"date_order": order} for order in dates.ORDERS}
_SERIAL_CHOICES = {count: {"date_count": count} for count in ("excel-serial", "excel-serial-1904")}
_MARK_CHOICES = {
    "decimal-comma": {"decimal_mark": "comma"},
    "decimal-point": {"decimal_mark": "point"},
}
_SUMS = ("amount", "unit_price", "discount", "tax", "unit_cost")


class NotProven(Exception):
    """The first rows do not settle it, and the other rows may not be asked."""


def settle(
    text: Text,
    match: Match,
    *,
    read_as: Mapping[str, str],
    currency: str | None,
    today: date,
    convertible: frozenset[str] = frozenset(),
    prices: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
    may_ask: bool = True,
) -> Settled:
    """Date order, decimal mark and currency of this file. Raises Undecided where the file does not prove
    them, and NotProven where its first rows do not and it may not be asked."""
    head = text.head
    lines = sample_lines(text.found)[head.lines_before :]
    sample = rows(
        "".join(lines),
        delimiter=head.delimiter,
        limit=_SAMPLE_ROWS,
        quote=head.quote,
        backslash=head.backslash,
    )[head.in_file :]
    cells = {
        name: [row[position].strip() for row in sample if position < len(row)]
        for name, position in match.columns.items()
    }
    asker = _Asker(text, match, may_ask=may_ask)
    entity = match.contract.entity
    days = {name: cells[name] for name in (entity.days if entity else ("date",)) if name in cells}
    settled = Settled(
        date_order=_date_order(asker, match.contract, days, read_as, today),
        date_count=_date_count(asker, match.contract, days, read_as),
        decimal_mark=_decimal_mark(asker, match, cells, read_as),
        currency=match.contract.currency if entity else _currency(match.contract, cells, currency),
        convertible=convertible,
        prices=prices,
    )
    return with_bytes_of(settled, text)


def with_bytes_of(settled: Settled, text: Text) -> Settled:
    """The same decisions, for a text whose bytes were looked at: what no cell of it can hold is not asked."""
    own_quote = text.head.quote not in ('"', "")  # the scan looked at neither side of it
    return replace(
        settled,
        wide_spaces=text.found.wide_spaces or own_quote,
        blank_edges=text.found.blank_edges or own_quote,
        plus_signs=text.found.plus_signs,
    )


def _currency(contract: Contract, cells: Mapping[str, list[str]], reporting: str | None) -> str | None:
    """The contract's, else the first of the currency column, else the one most sums of the sample name."""
    if contract.currency:
        return contract.currency
    first = next(
        (cell.upper() for cell in cells.get("currency", []) if re.fullmatch("[A-Za-z]{3}", cell)), None
    )
    if first:
        return first
    named = Counter(
        sign
        for name in _SUMS
        for cell in cells.get(name, [])
        if not re.fullmatch(r"[\d.,\s+-]*", cell) and (sign := numbers.currency_of(cell))
    )
    return named.most_common(1)[0][0] if named else reporting


def _date_order(
    asker: _Asker, contract: Contract, seen: Mapping[str, list[str]], read_as: Mapping[str, str], today: date
) -> dates.Order | None:
    """The order of day, month and year in the columns of `seen`, which share one."""
    for order in dates.ORDERS:
        if read_as.get("date_order") == order:
            return order
    for order in dates.ORDERS:
        if order in contract.date_formats:
            return order
    asked = {
        name: example
        for name, cells in seen.items()
        if (example := next((cell for cell in cells if re.fullmatch(dates.YEAR_LAST, cell)), None))
    }
    if "by-proof" not in contract.date_formats or not asked:
        return None
    size = len(dates.order_evidence("", today=today))
    answers = asker.ask(
        [text for name in asked for text in dates.order_evidence(asker.cell(name), today=today)]
    )
    parts = [answers[start : start + size] for start in range(0, len(answers), size)]
    total, day_first, month_first, not_year_first, year_first = (
        sum(int(part[place]) for part in parts) for place in range(5)
    )
    example, day_example, month_example = (
        next((str(part[place])[:20] for part in parts if part[place] is not None), "")
        for place in range(5, 8)
    )
    named = " and ".join(f'"{asker.text.head.header[asker.match.columns[name]]}"' for name in asked)
    name = f"column{'s' if len(asked) > 1 else ''} {named}"
    if day_first and month_first and not_year_first:
        raise Undecided(
            "DATE_ORDER_CONTRADICTS",
            f"{name} holds two orders: {day_first:,} dates can only be day-first (e.g. "
            f'"{day_example}") and {month_first:,} only month-first (e.g. "{month_example}"); '
            "correct the file, or say which is meant and the others are rejected",
            choices={order: _CHOICES[order] for order in ("day-first", "month-first")},
        )
    if not_year_first:
        if day_first or month_first:
            return "day-first" if day_first else "month-first"
        fits: tuple[dates.Order, ...] = ("day-first", "month-first")
    elif year_first or (day_first and month_first):
        return "year-first"
    elif not total:
        return None
    else:
        ruled_out = {"day-first": month_first, "month-first": day_first}
        fits = tuple(order for order in dates.ORDERS if not ruled_out.get(order))
    raise Undecided(
        "DATE_ORDER_UNDECIDED",
        f'all {total:,} dates in {name} fit the orders {" and ".join(fits)}, e.g. "{example}"; '
        "say which is meant",
        choices={order: _CHOICES[order] for order in fits},
    )


def _date_count(
    asker: _Asker, contract: Contract, seen: Mapping[str, list[str]], read_as: Mapping[str, str]
) -> dates.Count | None:
    """What plain numbers count where a date is wanted. Two systems of spreadsheet days are four years apart,
    and nothing in a file tells them from each other."""
    for count in dates.COUNTS:
        if read_as.get("date_count") == count or count in contract.date_formats:
            return count
    if "by-proof" not in contract.date_formats:
        return None
    for name, cells in seen.items():
        filled = [cell for cell in cells if cell]
        if not filled or not all(re.fullmatch(dates.SERIAL, cell) for cell in filled):
            continue
        cell = asker.cell(name)
        total, serial = asker.ask(
            (f"count(nullif({cell}, ''))", f"count(*) filter (regexp_full_match({cell}, '{dates.SERIAL}'))")
        )
        if total != serial:
            continue
        theirs = asker.text.head.header[asker.match.columns[name]]
        day = date(1899, 12, 30) + timedelta(days=int(filled[0][:5]))
        raise Undecided(
            "DATE_SERIAL_UNDECIDED",
            f'column "{theirs}" holds numbers of days: "{filled[0][:12]}" is {day} where a spreadsheet '
            f"counts from 1900, and {day + timedelta(days=1462)} where it counts from 1904; "
            "say which is meant",
            choices=_SERIAL_CHOICES,
        )
    return None


def _decimal_mark(
    asker: _Asker, match: Match, cells: Mapping[str, list[str]], read_as: Mapping[str, str]
) -> numbers.Mark:
    given = read_as.get("decimal_mark")
    if given in ("comma", "point"):
        return "," if given == "comma" else "."
    if match.contract.decimal_mark is not None:
        return match.contract.decimal_mark
    entity = match.contract.entity
    names = [name for name in (entity.numbers if entity else NUMBERS) if name in match.columns]
    if not names or numbers.sample_proves_point([cell for name in names for cell in cells[name]]):
        return "."
    wanted: list[str] = []
    for name in names:
        cell = asker.cell(name)
        wanted += [
            f"count(*) filter ({numbers.proves(',', cell)})",
            f"count(*) filter ({numbers.proves('.', cell)})",
            f"min({cell}) filter ({numbers.fits_either(cell)})",
        ]
    answers = asker.ask(tuple(wanted))
    comma, point = sum(map(int, answers[0::3])), sum(map(int, answers[1::3]))
    example = next((str(text) for text in answers[2::3] if text is not None), None)
    if comma and not point:
        return ","
    if not comma and (point or example is None):
        return "."
    if comma and point:
        raise Undecided(
            "DECIMAL_MARK_UNDECIDED",
            f"{comma:,} numbers can only have a decimal comma and {point:,} only a decimal point; "
            "correct the file, or say which is meant and the others are rejected",
            choices=_MARK_CHOICES,
        )
    raise Undecided(
        "DECIMAL_MARK_UNDECIDED",
        f'numbers like "{(example or "")[:20]}" can be read with a decimal comma or a decimal point; '
        "say which is meant",
        choices=_MARK_CHOICES,
    )


class _Asker:
    """Counts things over every cell of some columns, by whichever reader can."""

    def __init__(self, text: Text, match: Match, *, may_ask: bool) -> None:
        self.text, self.match, self.may_ask = text, match, may_ask

    def cell(self, column: str) -> str:
        """SQL: the cell of one of our columns, trimmed."""
        return f"trim(c{self.match.columns[column]})"

    def ask(self, aggregates: Sequence[str]) -> list[Any]:
        """One answer per aggregate: a count, or the least text."""
        if not self.may_ask:
            raise NotProven
        wanted = ", ".join(aggregates)
        import duckdb  # noqa: PLC0415

        connection = cursor()
        try:
            text = self.text
            if can_be_fast(text.path, text.found, text.head):
                try:
                    source = csv_source(text.path, text.head)
                    return list(connection.sql(f"select {wanted} from {source}").fetchall()[0])  # noqa: S608
                except duckdb.Error:
                    pass
            return self._ask_slowly(connection, wanted, len(aggregates))
        finally:
            connection.close()

    def _ask_slowly(self, connection: duckdb.DuckDBPyConnection, wanted: str, size: int) -> list[Any]:
        import pyarrow as pa  # noqa: PLC0415

        positions = sorted(set(self.match.columns.values()))
        cells = ", ".join(f"cells[{position + 1}] as c{position}" for position in positions)
        split = f"select string_split(text, {literal(UNIT)}) as cells from texts where text <> ''"  # noqa: S608
        query = f"select {wanted} from (select {cells} from ({split}))"  # noqa: S608
        totals: list[Any] = [None] * size
        texts: pa.Array | None = views.texts([])
        stretches = self.text.stretches()
        while texts is not None:
            connection.register("texts", pa.Table.from_arrays([texts], names=["text"]))
            answer = connection.sql(query).fetchall()[0]
            connection.unregister("texts")
            totals = [_both(one, other) for one, other in zip(totals, answer, strict=True)]
            texts = next((stretch.texts for stretch in stretches), None)
        return totals


def _both(one: Any, other: Any) -> Any:
    """Two chunks' answers to one question: counts add up, of texts the least is kept."""
    if one is None or other is None:
        return one if other is None else other
    return min(one, other) if isinstance(one, str) else one + other
