"""Compiles a contract and a matched header into the one DuckDB query that both readers use.

Each check is one bit of the columns `bits`, `bits_1`, …; a row is accepted when no bit is set. What a bit
means (column, code, what was expected) stands in `Plan.checks`, so that messages are only made for the rows
that need one.
Never reading of bytes here, never time zones (finishing.py adds them and their bits).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from ingestion.contract import Contract
from ingestion.reading.amounts import AmountRules
from ingestion.reading.engine import literal
from ingestion.reading.entity_rules import compile_entity
from ingestion.reading.plan import TEXTS, Check, Plan, Settled
from ingestion.reading.totals import TOTAL_NAMES

__all__ = ["Check", "Plan", "Settled", "compile_plan", "word_name"]

WORD_BITS = 62
PACK = 8


class _Compiler(AmountRules):
    """All rules, and the columns that leave the query."""

    def total_checks(self) -> None:
        """A dated total, in a file whose totals have a day: no order, no product id, and Total for a name.

        A case, because `and` would look at the name of every row. A pattern, because a long `in` would become
        a join, and joins do not keep the order of rows.
        """
        if self.has("product_name"):
            nameless = " and ".join(f"t_{n} is null" for n in ("order_id", "product_id") if self.has(n))
            names = literal("|".join(sorted(TOTAL_NAMES)))
            said = f"regexp_full_match(trim(lower(t_product_name), ' :=*.'), {names})"
            self.check(
                "product_name",
                "TOTAL_ROW_DISAGREES",
                "a product, or the sum of the rows above",
                f"case when {nameless} then {said} else false end" if nameless else said,
            )

    def result(self) -> str:
        """The select list that leaves the query; what would be null in every row is left to finishing.py."""
        cents = f"* {10**self.digits})::bigint"
        sign = "sign(gross)::tinyint"
        discount = f"coalesce(-{sign} * discount_size, 0)" if self.has("discount") else "0"
        # said as for gross_cents where it is the same, so that it is worked out once
        net = f"((gross + {discount}) {cents}" if self.has("discount") else f"(gross {cents}"
        parts = [
            "ts, offset_minutes, has_clock",
            "case when gross < 0 or quantity < 0 then 'return' else 'sale' end as line_type",
            *(f"t_{name} as {name}" for name in TEXTS if self.has(name)),
            "quantity::decimal(14, 3) as quantity, unit_price::decimal(18, 6) as unit_price",
            f"(gross {cents} as gross_cents, ({discount} {cents} as discount_cents",
            f"{net} as net_cents",
        ]
        if order_text := self._order_text():
            parts.append(f"{order_text} as order_text")
        if self.has("tax"):
            parts.append(f"({sign} * abs(d_tax) {cents} as tax_cents")
        if self.has("unit_cost"):
            product = f"round(quantity::decimal(38, 3) * d_unit_cost::decimal(38, 6), {self.digits})"
            parts.append(f"(try_cast({product} as {self.money}) {cents} as cost_cents")
        if self.has("currency"):
            parts.append("upper(t_currency) as currency")
        if self.contract.not_sales:
            parts.append("line_kind")
        if self.contract.identity:
            own = ", ".join(f"t_{name}" for name in self.contract.identity)
            whole = ", ".join(f"t_{name}" for name in self.names)
            parts += [f"hash({own}) as identity_hash", f"hash({whole}) as content_hash"]
        words = [word_name(number) for number in range(self.words)]
        failed = " or ".join(f"{word} <> 0" for word in words)
        raw = ", ".join(f"coalesce(r_{name}, '')" for name in self.columns)
        cells = f"case when {failed} then [{raw}]::varchar[] end as raw_cells"
        return f"select {', '.join([*parts, *words, cells])}"

    @property
    def words(self) -> int:
        """How many columns the bits of all checks fill."""
        return -(-len(self.checks) // WORD_BITS)

    def summed_bits(self) -> str:
        """The select list that adds up each word of bits."""
        sums = [
            _summed(self.conditions[start : start + WORD_BITS], self.unless[start : start + WORD_BITS])
            for start in range(0, len(self.conditions), WORD_BITS)
        ]
        return ", ".join(f"{sql or '0::bigint'} as {word_name(number)}" for number, sql in enumerate(sums))

    def _order_text(self) -> str:
        """SQL: the text that names an order within its source where the order id alone does not, else ''."""
        if not self.has("order_id") or self.contract.order_id_scope == "source":
            return ""
        unit = literal(chr(31))
        store = "coalesce(t_store, '')" if self.has("store") else "''"
        scope = {
            "store": store,
            "store_year": f"{store} || '/' || year(ts)",
            "store_day": f"{store} || '/' || ts::date",
        }[self.contract.order_id_scope]
        return f"{scope} || {unit} || t_order_id"


def word_name(number: int) -> str:
    """The column that holds the bits of a word of checks."""
    return "bits" if number == 0 else f"bits_{number}"


def compile_plan(
    contract: Contract,
    columns: Mapping[str, int],
    settled: Settled,
    *,
    given: Mapping[str, str] = MappingProxyType({}),
) -> Plan:
    """The query and its checks. `columns` and `given`, the values of the whole delivery, must be a match for
    `contract`."""
    if contract.entity is not None:
        return compile_entity(contract, contract.entity, columns, settled)
    c = _Compiler(contract, columns, settled, given)
    raw, clean, parsed = c.cells()
    plain, typed, dated = c.typed()
    amounts = c.amounts()
    c.total_checks()
    late = {}
    for code, expected in (
        ("DATE_TOO_OLD", "a day from 1970 on"),
        ("DATE_IN_FUTURE", "a day no later than tomorrow"),
        ("TIME_DOES_NOT_EXIST", f"a local time of {contract.timezone}"),
    ):
        late[code] = len(c.checks)
        c.check("date", code, expected, "")
    if contract.identity:
        late["IDENTITY_CONTRADICTS"] = len(c.checks)
        c.check(
            contract.identity[0],
            "IDENTITY_CONTRADICTS",
            "the row that came before",
            "",
            shows=contract.identity,
        )
    if c.has("order_id"):
        late["ORDER_INCOMPLETE"] = len(c.checks)
        c.check("order_id", "ORDER_INCOMPLETE", "every line of this order to be sound", "")
    c.cell_checks()
    c.amount_checks()
    query = f"(select {raw} from src)"  # noqa: S608
    listed = (c.filled_prices(),) if contract.price_from else ()
    for layer in (clean, *listed, parsed, plain, typed, dated, *amounts, f"*, {c.summed_bits()}"):
        query = f"(select {layer} from {query})"  # noqa: S608
    return Plan(
        f"{c.result()} from {query}",
        tuple(c.checks),
        c.columns,
        given=c.given,
        late_checks=late,
        words=c.words,
        has_identity=bool(contract.identity),
    )


def _summed(conditions: Sequence[str], unless: Sequence[str]) -> str:
    """SQL: the bits of the conditions that are true, '' without conditions.

    In packs, whose bits are only added up for rows where one of the pack is true: that saves a seventh of the
    query. What a usual cell passes by its form is a pack of its own, for rows with an unusual cell: a tenth.
    """
    bits = [(f"({sql})", 1 << bit) for bit, sql in enumerate(conditions) if sql]
    guarded = [(sql, bit) for sql, bit in bits if unless[bit.bit_length() - 1]]
    other = [one for one in bits if one not in guarded]
    packs = []
    if guarded:
        usual = " and ".join(dict.fromkeys(filter(None, unless)))
        packs.append(f"case when {usual} then 0::bigint else {_added(guarded)} end")
    for start in range(0, len(other), PACK):
        pack = other[start : start + PACK]
        packs.append(
            f"case when {' or '.join(sql for sql, _ in pack)} then {_added(pack)} else 0::bigint end"
        )
    return " + ".join(packs)


def _added(bits: Sequence[tuple[str, int]]) -> str:
    return " + ".join(f"case when {sql} then {value}::bigint else 0::bigint end" for sql, value in bits)
