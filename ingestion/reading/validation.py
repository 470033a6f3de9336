"""Compiles a contract and a matched header into the one DuckDB query that both readers use.

Each check is one bit of the column `bits`; a row is accepted when no bit is set. What a bit means (column, code, what was
expected) stands in `Plan.checks`, so that messages are only made for the rows that need one.
Never reading of bytes here, never time zones (finishing.py adds them and their bits).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ingestion.contract import NUMBERS, Column, Contract
from ingestion.reading import dates, numbers
from ingestion.reading.engine import literal

TEXTS = (
    "order_id", "line_number", "order_status", "product_id", "product_name", "category", "customer_id",
    "customer_name", "customer_email", "store", "region", "country", "sales_rep", "channel",
)  # fmt: skip
#: White space beyond the blank that cells are trimmed of; only where the file
#: may hold any (quotes, tabs or text beyond ASCII), because it costs 0.2 s per 1 M rows.
WIDE_SPACES = "\t\r\n\u00a0\u202f\u3000\ufeff\u200b"
_LONGEST_ID, _LONGEST_TEXT = 200, 1000
_DATE_FORMS = {None: "YYYY-MM-DD", "day-first": "DD/MM/YYYY", "month-first": "MM/DD/YYYY"}


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
    wide_spaces: bool = False


@dataclass(frozen=True)
class Plan:
    """`query` reads a relation named src with text columns c0…; `columns`: ours -> position in the file."""

    query: str
    checks: tuple[Check, ...]
    columns: dict[str, int]
    late_checks: dict[str, int] = field(default_factory=dict)


def _clean(cell: str, column: Column, contract: Contract, *, text: bool, wide: bool) -> str:
    """SQL: the cell trimmed (and in NFC), null when blank or a null word."""
    value = f"trim({cell})"
    if wide:
        # the two-argument trim costs twelve times the plain one, so only cells with an unusual edge get it
        usual = " and ".join(f"{cell}[{end}] > ' ' and {cell}[{end}] < '~'" for end in (1, -1))
        value = f"case when {usual} then {cell} else trim({cell}, {literal(' ' + WIDE_SPACES)}) end"
    if text:
        value = f"nfc_normalize({value})"
    words = (*contract.null_words, *column.null_words)
    value = f"nullif({value}, '')"
    if words:
        listed = ", ".join(literal(word) for word in words)
        value = f"case when {value} in ({listed}) then null else {value} end"
    if column.spreadsheet_integer:
        value = rf"regexp_replace({value}, '^([0-9]+)\.0$', '\1')"
    return value


class _Compiler:
    def __init__(self, contract: Contract, columns: Mapping[str, int], settled: Settled) -> None:
        self.contract = contract
        self.columns = dict(columns)
        self.settled = settled
        self.digits = numbers.minor_digits(settled.currency)
        self.checks: list[Check] = []
        self.conditions: list[str] = []
        self.money = f"decimal({12 + self.digits}, {self.digits})"
        self.types = {
            "quantity": "decimal(14, 3)",
            "unit_price": "decimal(18, 6)",
            "unit_cost": "decimal(18, 6)",
        }
        self.decimals = {"quantity": 3, "unit_price": 6, "unit_cost": 6}

    def has(self, *names: str) -> bool:
        return all(name in self.columns for name in names)

    def check(
        self, column: str, code: str, expected: str, condition: str, *, shows: tuple[str, ...] = ()
    ) -> None:
        self.checks.append(Check(column, code, expected, shows or (column,)))
        self.conditions.append(condition)

    # -- one cell -------------------------------------------------------------------------------------------------
    def cells(self) -> tuple[str, str, str]:
        """Three layers of select lists: raw cells, cleaned cells, parsed cells."""
        raw = [f"c{position} as r_{name}" for name, position in self.columns.items()]
        clean = [
            f"{_clean(f'r_{n}', self.contract.columns[n], self.contract, text=n in TEXTS, wide=self.settled.wide_spaces)} as t_{n}"  # type: ignore[index]
            for n in self.columns
        ]
        parsed = ["try_cast(t_date as timestamp) as usual_ts"]
        for name in NUMBERS:
            if self.has(name):
                parsed.append(f"{numbers.number_text(f't_{name}', self.settled.decimal_mark)} as n_{name}")
        return ", ".join(raw), ", ".join(["*", *clean]), ", ".join(["*", *parsed])

    def typed(self) -> tuple[str, str]:
        """Two layers: exact decimals and rewritten dates, then timestamps."""
        first = [
            f"case when t_date is null or {dates.usual_iso('t_date', 'usual_ts')} then null "
            f"else {dates.rewritten('t_date', self.settled.date_order)} end as iso"
        ]
        for name in NUMBERS:
            if self.has(name):
                first.append(f"try_cast(n_{name} as {self.types.get(name, self.money)}) as d_{name}")
        usual = f"coalesce({dates.usual_iso('t_date', 'usual_ts')}, false)"
        second = [
            f"case when {usual} then usual_ts when iso is not null then {dates.local_time('iso')} end as ts",
            f"case when iso is not null then {dates.offset_minutes('iso')} end as offset_minutes",
            f"case when {usual} then strlen(t_date) > 10 else coalesce({dates.has_clock('iso')}, false) end as has_clock",
        ]
        return ", ".join(["*", *first]), ", ".join(["*", *second])

    def cell_checks(self) -> None:
        form = _DATE_FORMS[self.settled.date_order]
        usual = dates.usual_iso("t_date", "usual_ts")
        self.check("date", "VALUE_MISSING", "the day of the sale", "t_date is null")
        self.check(
            "date", "DATE_FORMAT", f"a date as {form}",
            f"t_date is not null and iso is null and not coalesce({usual}, false)",
        )  # fmt: skip
        self.check(
            "date", "DATE_IMPOSSIBLE", f"a real day as {form}",
            "iso is not null and (ts is null or abs(offset_minutes) > 840)",
        )  # fmt: skip
        if self.has("product_id") or self.has("product_name"):
            names = [name for name in ("product_id", "product_name") if self.has(name)]
            empty = " and ".join(f"t_{name} is null" for name in names)
            self.check(names[-1], "VALUE_MISSING", "a product name or id", empty)
        for name in self.columns:
            column = self.contract.columns[name]  # type: ignore[index]
            if column.required and name != "date":
                self.check(name, "VALUE_MISSING", "a value", f"t_{name} is null")
            if column.pattern is not None:
                wanted = f"regexp_full_match(t_{name}, {literal(column.pattern)})"
                self.check(
                    name,
                    "PATTERN_MISMATCH",
                    f"text like {column.pattern}",
                    f"t_{name} is not null and not {wanted}",
                )
        mark = "a point" if self.settled.decimal_mark == "." else "a comma"
        for name in NUMBERS:
            if self.has(name):
                self._number_checks(name, mark)
        self._text_lengths()
        if self.has("currency") and self.settled.currency:
            self.check(
                "currency", "FOREIGN_CURRENCY", self.settled.currency,
                f"upper(t_currency) <> {literal(self.settled.currency)}",
            )  # fmt: skip

    def _number_checks(self, name: str, mark: str) -> None:
        digits = self.decimals.get(name, self.digits)
        self.check(
            name, "NUMBER_FORMAT", f"a number with {mark} before its decimals",
            f"t_{name} is not null and n_{name} is null",
        )  # fmt: skip
        self.check(
            name, "NUMBER_TOO_LARGE", "a number below 100,000,000,000",
            f"n_{name} is not null and d_{name} is null or abs(d_{name}) >= 100000000000",
        )  # fmt: skip
        if self.contract.round is None:
            self.check(
                name,
                "TOO_MANY_DECIMALS",
                f"at most {digits} decimals",
                numbers.has_more_decimals(f"n_{name}", digits),
            )
        column = self.contract.columns[name]  # type: ignore[index]
        if column.above is not None:
            self.check(
                name, "VALUE_OUT_OF_RANGE", f"a number above {column.above}", f"d_{name} <= {column.above}"
            )
        if column.below is not None:
            self.check(
                name, "VALUE_OUT_OF_RANGE", f"a number below {column.below}", f"d_{name} >= {column.below}"
            )
        if name == "unit_cost":
            self.check(name, "VALUE_OUT_OF_RANGE", "a cost of 0 or more", f"d_{name} < 0")

    def _text_lengths(self) -> None:
        for names, limit in (
            ([n for n in TEXTS if n not in ("product_name", "customer_name")], _LONGEST_ID),
            (["product_name", "customer_name"], _LONGEST_TEXT),
        ):
            for name in names:
                if self.has(name):
                    self.check(name, "TEXT_TOO_LONG", f"at most {limit} bytes", f"strlen(t_{name}) > {limit}")

    # -- amounts --------------------------------------------------------------------------------------------------
    def amounts(self) -> tuple[str, str]:
        """Two layers: quantity, price and amount after deriving; then signed gross, discount and product."""
        q = "d_quantity" if self.has("quantity") else "null::decimal(14, 3)"
        p = "d_unit_price" if self.has("unit_price") else "null::decimal(18, 6)"
        a = "d_amount" if self.has("amount") else f"null::{self.money}"
        # thousandths and millionths as whole numbers: a decimal division would pass through float
        a_micro, p_micro, q_milli = (
            f"({a} * 1000000)::hugeint",
            f"({p} * 1000000)::hugeint",
            f"({q} * 1000)::hugeint",
        )
        quantity, price = q, p
        if self.has("amount"):
            exact = f"{p_micro} <> 0 and ({a_micro} * 1000) % {p_micro} = 0"
            found = f"try_cast(({a_micro} * 1000 // {p_micro})::decimal(38, 0) * 0.001 as decimal(14, 3))"
            if not self.has("quantity"):
                derived = f"when {exact} then {found} " if self.has("unit_price") else ""
                quantity = f"case {derived}when {a} < 0 then -1 else 1 end::decimal(14, 3)"
            elif self.contract.derive and self.has("unit_price"):
                quantity = f"case when t_quantity is not null then {q} when {exact} then {found} end"
            if self.contract.derive and self.has("quantity"):
                found = (
                    f"try_cast(({a_micro} * 1000 // {q_milli})::decimal(38, 0) * 0.000001 as decimal(18, 6))"
                )
                known = "t_unit_price is not null" if self.has("unit_price") else "false"
                price = f"case when {known} then {p} when {q} <> 0 then {found} end"
        product = (
            f"({q})::decimal(38, 3) * ({p})::decimal(38, 6)" if self.has("quantity", "unit_price") else "null"
        )
        rounded = f"try_cast(round(product, {self.digits}) as {self.money})"
        amount = rounded
        if self.has("amount"):
            derive = self.contract.derive and self.has("quantity", "unit_price")
            amount = f"case when t_amount is null then {rounded} else {a} end" if derive else a
        if self.has("amount", "quantity", "unit_price", "discount"):
            net_given = f"abs({a} - (product - sign({a}) * abs(d_discount))) <= {self._slack()}"
            given = f"abs({a} - product) > {self._slack()} and {net_given}"
            amount = f"case when {given} then {rounded} else {amount} end"
        first = f"*, {product} as product"
        second = f"*, {quantity} as quantity, {price} as unit_price, {amount} as gross"
        return first, second

    def _slack(self) -> str:
        """Half a cent on the amount, or half a cent on each unit, for a unit price that was itself rounded."""
        return (
            f"(0.5 * greatest(1, abs(d_quantity)) / 1)::decimal(18, 3) * {10.0**-self.digits:.{self.digits}f}"
        )

    def amount_checks(self) -> None:
        three = [name for name in ("quantity", "unit_price", "amount") if self.has(name)]
        for name in three:
            if self.contract.columns[name].required:  # type: ignore[index]
                continue
            others = [other for other in three if other != name]
            gone = f"t_{name} is null"
            if self.contract.derive and len(three) == 3:
                gone += " and (" + " or ".join(f"t_{other} is null" for other in others) + ")"
            self.check(name, "VALUE_MISSING", "a number", gone)
        fine = " and ".join(f"(t_{n} is null or d_{n} is not null)" for n in NUMBERS if self.has(n))
        blame = "amount" if self.has("amount") else "unit_price"
        shown = tuple(three)
        if self.contract.derive and len(three) == 3:
            self.check(
                "quantity", "VALUE_MISSING", "a quantity, as amount / price is not exact",
                f"{fine} and t_quantity is null and t_amount is not null and t_unit_price is not null and quantity is null",
            )  # fmt: skip
        if self.has("quantity", "unit_price"):
            derived = "t_amount is null" if self.has("amount") else "true"
            self.check(
                blame, "NUMBER_TOO_LARGE", "an amount below 100,000,000,000",
                f"{derived} and abs(product) >= 100000000000", shows=shown,
            )  # fmt: skip
            if self.contract.round is None and (not self.has("amount") or self.contract.derive):
                self.check(
                    blame, "TOO_MANY_DECIMALS", f"quantity x price with at most {self.digits} decimals",
                    f"{fine} and {derived} and round(product, {self.digits}) <> product", shows=shown,
                )  # fmt: skip
        if self.has("amount", "quantity", "unit_price"):
            off = f"abs(d_amount - product) > {self._slack()}"
            if self.has("discount"):
                off += f" and abs(d_amount - (product - sign(d_amount) * abs(coalesce(d_discount, 0)))) > {self._slack()}"
            self.check("amount", "AMOUNT_MISMATCH", "quantity x unit price", f"{fine} and {off}", shows=shown)
        if self.has("quantity"):
            self.check("quantity", "QUANTITY_ZERO", "a quantity other than 0", f"{fine} and d_quantity = 0")
            self.check(
                blame, "SIGNS_DISAGREE", "quantity and amount both above or both below 0",
                f"{fine} and (d_quantity > 0 and gross < 0 or d_quantity < 0 and gross > 0)", shows=shown,
            )  # fmt: skip
        if not self.contract.allow_zero_amount:
            quiet = " and coalesce(d_quantity, 1) <> 0" if self.has("quantity") else ""
            out_of_range = "".join(
                f" and not coalesce(d_{n} <= {self.contract.columns[n].above}, false)"  # type: ignore[index]
                for n in three
                if self.contract.columns[n].above is not None  # type: ignore[index]
            )
            self.check(
                blame,
                "AMOUNT_NOT_POSITIVE",
                "an amount above 0",
                f"{fine} and gross = 0 and coalesce(product, 0) = 0{quiet}{out_of_range}",
                shows=shown,
            )
        if self.has("discount"):
            self.check(
                "discount", "DISCOUNT_TOO_LARGE", "a discount no larger than its amount",
                f"{fine} and abs(d_discount) > abs(gross)",
            )  # fmt: skip

    # -- all ------------------------------------------------------------------------------------------------------
    def result(self) -> str:
        """The select list that leaves the query."""
        cents = f"* {10**self.digits})::bigint"
        sign = "sign(gross)::tinyint"
        text = {name: f"t_{name}" if self.has(name) else "null::varchar" for name in TEXTS}
        discount = f"coalesce(-{sign} * abs(d_discount), 0)" if self.has("discount") else "0"
        tax = f"({sign} * abs(d_tax) {cents}" if self.has("tax") else "null::bigint"
        cost = "null::bigint"
        if self.has("unit_cost"):
            product = f"round(quantity::decimal(38, 3) * d_unit_cost::decimal(38, 6), {self.digits})"
            cost = f"(try_cast({product} as {self.money}) {cents}"
        parts = [
            f"{self._order_key()} as order_key",
            *(f"{text[n]} as {n}" for n in ("order_id", "line_number")),
            "ts, offset_minutes, has_clock",
            "case when gross < 0 or quantity < 0 then 'return' else 'sale' end as line_type",
            *(f"{text[n]} as {n}" for n in TEXTS[2:]),
            "quantity::decimal(14, 3) as quantity, unit_price::decimal(18, 6) as unit_price",
            f"(gross {cents} as gross_cents, ({discount} {cents} as discount_cents",
            f"{tax} as tax_cents, {cost} as cost_cents",
            f"((gross + {discount}) {cents} as net_cents",
        ]
        raw = ", ".join(f"coalesce(r_{name}, '')" for name in self.columns)
        return f"select {', '.join(parts)}, bits, case when bits <> 0 then [{raw}] end as raw_cells"

    def _order_key(self) -> str:
        if not self.has("order_id"):
            return "null::ubigint"
        unit = chr(31)
        store = "coalesce(t_store, '')" if self.has("store") else "''"
        scope = {
            "source": "''",
            "store": store,
            "store_year": f"{store} || '/' || year(ts)",
            "store_day": f"{store} || '/' || ts::date",
        }[self.contract.order_id_scope]
        source = literal(self.contract.source_name + unit)
        return f"md5_number_lower({source} || {scope} || {literal(unit)} || t_order_id)"


def compile_plan(contract: Contract, columns: Mapping[str, int], settled: Settled) -> Plan:
    """The query and its checks. `columns` must be a match for `contract`. Raises ValueError beyond 62 checks."""
    c = _Compiler(contract, columns, settled)
    raw, clean, parsed = c.cells()
    typed, dated = c.typed()
    product, signed = c.amounts()
    c.cell_checks()
    c.amount_checks()
    late = {}
    for code, expected in (
        ("DATE_TOO_OLD", "a day from 1970 on"),
        ("DATE_IN_FUTURE", "a day no later than tomorrow"),
        ("TIME_DOES_NOT_EXIST", f"a local time of {contract.timezone}"),
    ):
        late[code] = len(c.checks)
        c.check("date", code, expected, "")
    if len(c.checks) > 62:
        raise ValueError(f"{contract.feed}: {len(c.checks)} checks do not fit 62 bits; split the contract")
    summed = " + ".join(
        f"case when {sql} then {1 << bit}::bigint else 0::bigint end"
        for bit, sql in enumerate(c.conditions)
        if sql
    )
    query = f"(select {raw} from src)"
    for layer in (clean, parsed, typed, dated, product, signed, f"*, {summed} as bits"):
        query = f"(select {layer} from {query})"
    return Plan(f"{c.result()} from {query}", tuple(c.checks), c.columns, late)
