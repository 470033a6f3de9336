"""What a compiled contract is made of: its query, and what each failed check means.

Put shapes and the collecting of checks here. Never a rule about a cell (cells.py)
or about money (amounts.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import get_args

from ingestion.contract import Column, Contract, DateForm
from ingestion.reading import dates, numbers

TEXTS = (
    "order_id", "line_number", "order_status", "product_id", "product_name", "category", "customer_id",
    "customer_name", "customer_email", "store", "region", "country", "sales_rep", "channel",
)  # fmt: skip


@dataclass(frozen=True)
class Check:
    """One bit: which column it blames, which code, what was expected, and whose cells the message shows."""

    column: str
    code: str
    expected: str
    shows: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settled:
    """What was decided about the whole file before a row is read."""

    date_order: dates.Order | None
    decimal_mark: numbers.Mark
    currency: str | None
    #: what plain numbers count where a date is wanted
    date_count: dates.Count | None = None
    #: anything beyond plain ASCII, a quote or a tab stands in the file: wide white space and NFC then matter
    wide_spaces: bool = False
    #: cells may have blanks at their ends
    blank_edges: bool = True
    #: cells may hold a +
    plus_signs: bool = True
    #: other currencies that lines may be in, because exchange rates are known
    convertible: frozenset[str] = frozenset()
    #: with price_from: product -> price, by the column that names products
    prices: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """`query` reads a relation named src with text columns c0…; `columns`: ours -> position in the file;
    `given`: ours -> the one value for the whole delivery; `refused_orders`: order keys none of whose rows may
    be accepted.

    `late_checks`: code -> its place in `checks`, always in the first word of bits; `words`: columns of bits
    the
    query gives: bits, bits_1, …; `has_identity`: it also gives identity_hash and content_hash.
    """

    query: str
    checks: tuple[Check, ...]
    columns: dict[str, int]
    given: dict[str, str] = field(default_factory=dict)
    late_checks: dict[str, int] = field(default_factory=dict)
    words: int = 1
    has_identity: bool = False
    refused_orders: frozenset[int] = frozenset()


_GIVEN = Column(names=("given",))


def date_forms(contract: Contract, settled: Settled) -> dates.Forms:
    """Every way in which a date of this file may be written."""
    named = set(get_args(DateForm))
    return dates.Forms(
        order=settled.date_order,
        count=settled.date_count,
        patterns=tuple(form for form in contract.date_formats if form not in named),
        iso=bool({"iso", "by-proof", *dates.ORDERS} & set(contract.date_formats)),
    )


class Rules:
    """Collects the checks of one contract and header; one bit and one SQL condition each."""

    def __init__(
        self, contract: Contract, columns: Mapping[str, int], settled: Settled, given: Mapping[str, str]
    ) -> None:
        self.contract = contract
        self.columns = dict(columns)
        self.given = dict(given)
        self.names = [*self.columns, *self.given]
        self.settled = settled
        self.forms = date_forms(contract, settled)
        self.digits = numbers.minor_digits(settled.currency)
        self.checks: list[Check] = []
        self.conditions: list[str] = []
        self.unless: list[str] = []
        self.money = f"decimal({12 + self.digits}, {self.digits})"
        self.types = {
            "quantity": "decimal(14, 3)",
            "unit_price": "decimal(18, 6)",
            "unit_cost": "decimal(18, 6)",
        }
        self.decimals = {"quantity": 3, "unit_price": 6, "unit_cost": 6}
        if contract.discount_is != "amount":
            self.types["discount"], self.decimals["discount"] = "decimal(18, 6)", 6

    def has(self, *names: str) -> bool:
        known = {*self.columns, *self.given, self.listed}
        return all(name in known for name in names)

    @property
    def listed(self) -> str | None:
        """The column whose empty cells a list of another feed fills, even where the file lacks it."""
        return "unit_price" if self.contract.price_from else None

    def is_text(self, name: str) -> bool:
        """Whether the column's cells stay text."""
        return name in TEXTS

    def column(self, name: str) -> Column:
        """What the contract says of one of our columns, or of the joined one that `name` is a part of;
        nothing where it only gives its value."""
        own = name.split(".", maxsplit=1)[0]
        return self.contract.columns.get(own, _GIVEN)  # type: ignore[call-overload,no-any-return]

    def check(
        self,
        column: str,
        code: str,
        expected: str,
        condition: str,
        *,
        shows: tuple[str, ...] = (),
        unless: str = "",
    ) -> None:
        """`condition` is the SQL of a row that fails. `unless` names a column of the query, true or false,
        that is only true where it cannot: where it is true of all checks that have one, none is looked at."""
        self.checks.append(Check(column, code, expected, shows or (column,)))
        self.conditions.append(condition)
        self.unless.append(unless)

    def check_range(self, name: str, value: str) -> None:
        """The bounds the contract sets for a column; `value` is the SQL of its number."""
        column = self.column(name)
        for bound, words, outside in ((column.above, "above", "<="), (column.below, "below", ">=")):
            if bound is not None:
                expected = f"a number {words} {bound}"
                self.check(name, "VALUE_OUT_OF_RANGE", expected, f"{value} {outside} {bound}")
