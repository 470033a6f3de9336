"""What only the whole file can tell: the order of day and month, and whether a comma is a decimal mark.

A look at the first rows says whether the question arises; then every row is asked, and nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from ingestion.contract import NUMBERS, Contract
from ingestion.matching import Match
from ingestion.reading import dates, numbers
from ingestion.reading.careful import all_records
from ingestion.reading.delivery import Text, can_be_fast, csv_source
from ingestion.reading.dialect import Head, Scan, rows
from ingestion.reading.engine import cursor
from ingestion.reading.plan import Settled
from ingestion.reading.rows import BATCH_ROWS
from ingestion.refusals import Undecided

if TYPE_CHECKING:
    import duckdb

_SAMPLE_ROWS = 1000
_CHOICES = {
    "day-first": {"date_order": "day-first"},
    "month-first": {"date_order": "month-first"},
}
_MARK_CHOICES = {
    "decimal-comma": {"decimal_mark": "comma"},
    "decimal-point": {"decimal_mark": "point"},
}


def settle(
    path: Path,
    found: Scan,
    head: Head,
    match: Match,
    *,
    read_as: Mapping[str, str],
    currency: str | None,
    convertible: frozenset[str] = frozenset(),
) -> Settled:
    """Date order, decimal mark and currency of this file. Raises Undecided where the file does not prove
    them."""
    text = found.sample.decode("utf-8", errors="replace")
    sample = rows(text, delimiter=head.delimiter, limit=_SAMPLE_ROWS)[1:]
    cells = {
        name: [row[position].strip() for row in sample if position < len(row)]
        for name, position in match.columns.items()
    }
    asker = _Asker(path, found, head, match)
    entity = match.contract.entity
    days = {name: cells[name] for name in (entity.days if entity else ("date",)) if name in cells}
    return Settled(
        date_order=_date_order(asker, match.contract, days, read_as),
        decimal_mark=_decimal_mark(asker, match, cells, read_as),
        currency=match.contract.currency
        if entity
        else _currency(match.contract, cells.get("currency", []), currency),
        wide_spaces=found.wide_spaces,
        convertible=convertible,
    )


def _currency(contract: Contract, seen: list[str], reporting: str | None) -> str | None:
    first = next((cell.upper() for cell in seen if re.fullmatch("[A-Za-z]{3}", cell)), None)
    return contract.currency or first or reporting


def _date_order(
    asker: _Asker, contract: Contract, seen: Mapping[str, list[str]], read_as: Mapping[str, str]
) -> dates.Order | None:
    """The order of day and month in the columns of `seen`, which share one."""
    orders: tuple[dates.Order, ...] = ("day-first", "month-first")
    for order in orders:
        if read_as.get("date_order") == order:
            return order
    for order in orders:
        if order in contract.date_formats:
            return order
    asked = {
        name: example
        for name, cells in seen.items()
        if (example := next((cell for cell in cells if re.fullmatch(dates.YEAR_LAST, cell)), None))
    }
    if "by-proof" not in contract.date_formats or not asked:
        return None
    evidence = [asker.ask(name, dates.order_evidence("trim({cell})")) for name in asked]
    total, day_first, month_first = (sum(counts) for counts in zip(*evidence, strict=True))
    named = " and ".join(f'"{asker.head.header[asker.match.columns[name]]}"' for name in asked)
    name = f"column{'s' if len(asked) > 1 else ''} {named}"
    if day_first and month_first:
        raise Undecided(
            "DATE_ORDER_CONTRADICTS",
            f"{name} holds {day_first:,} dates that can only be day-first and {month_first:,} that "
            f"can only be month-first; correct the file, or say which is meant",
            choices=_CHOICES,
        )
    if not day_first and not month_first:
        example = next(iter(asked.values()))
        raise Undecided(
            "DATE_ORDER_UNDECIDED",
            f'all {total:,} dates in {name} fit both orders, e.g. "{example[:20]}"; say which is meant',
            choices=_CHOICES,
        )
    return "day-first" if day_first else "month-first"


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
    if not any("," in cell for name in names for cell in cells[name]):
        return "."
    comma = point = 0
    for name in names:
        one, other = asker.ask(
            name,
            (
                f"count(*) filter ({numbers.proves_comma('trim({cell})')})",
                f"count(*) filter ({numbers.proves_point('trim({cell})')})",
            ),
        )
        comma, point = comma + one, point + other
    if comma and not point:
        return ","
    if point and not comma:
        return "."
    example = next(cell for name in names for cell in cells[name] if "," in cell)
    raise Undecided(
        "DECIMAL_MARK_UNDECIDED",
        f'numbers like "{example[:20]}" can be read with a decimal comma or a decimal point; '
        "say which is meant",
        choices=_MARK_CHOICES,
    )


class _Asker:
    """Counts something over every cell of one column, by whichever reader can."""

    def __init__(self, path: Path, found: Scan, head: Head, match: Match) -> None:
        self.path, self.found, self.head, self.match = path, found, head, match

    def ask(self, column: str, aggregates: tuple[str, ...]) -> list[int]:
        """One count per aggregate; `{cell}` in each stands for the cell."""
        position = self.match.columns[column]
        wanted = ", ".join(text.replace("{cell}", f"c{position}") for text in aggregates)
        import duckdb  # noqa: PLC0415

        connection = cursor()
        try:
            if can_be_fast(self.path, self.found):
                try:
                    source = csv_source(self.path, self.head)
                    query = f"select {wanted} from {source}"  # noqa: S608
                    return [int(n) for n in connection.sql(query).fetchall()[0]]
                except duckdb.Error:
                    pass
            return self._ask_slowly(connection, position, wanted, len(aggregates))
        finally:
            connection.close()

    def _ask_slowly(
        self, connection: duckdb.DuckDBPyConnection, position: int, wanted: str, size: int
    ) -> list[int]:
        import pyarrow as pa  # noqa: PLC0415

        text = Text(self.path, self.found, self.head, "utf-8")
        totals = [0] * size
        found = all_records(text)
        while chunk := list(islice(found, BATCH_ROWS)):
            column = [record.cells[position] for record in chunk if record.text]
            connection.register("src", pa.table({f"c{position}": pa.array(column, pa.string())}))
            answer = connection.sql(f"select {wanted} from src").fetchall()[0]  # noqa: S608
            connection.unregister("src")
            totals = [a + int(b) for a, b in zip(totals, answer, strict=True)]
        return totals
