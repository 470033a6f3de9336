"""Rules about one cell: how it is cleaned, what it must look like, what it becomes.

Put what looks at a single cell here. Never rules that compare cells (amounts.py).
"""

from __future__ import annotations

from ingestion.contract import NUMBERS
from ingestion.reading import dates, numbers
from ingestion.reading.engine import literal
from ingestion.reading.plan import TEXTS, Rules

#: White space beyond the blank that cells are trimmed of; only where the file
#: may hold any (quotes, tabs or text beyond ASCII), because it costs 0.2 s per 1 M rows.
WIDE_SPACES = "\t\r\n\u00a0\u202f\u3000\ufeff\u200b"
_LONGEST_ID, _LONGEST_TEXT = 200, 1000
_IDS = ("order_id", "line_number", "product_id", "customer_id")
#: What a spreadsheet makes of a long number: 4006381333931 becomes 4.00638E+12, and its digits are lost.
_SCIENTIFIC = r"[0-9](?:[.,][0-9]+)?E\+[0-9]{1,3}"


class CellRules(Rules):
    """SQL layers from raw cells to exact values, and the checks of each cell."""

    def cells(self) -> tuple[str, str, str]:
        """Three layers of select lists: raw cells, cleaned cells, parsed cells."""
        raw = [f"c{position} as r_{name}" for name, position in self.columns.items()]
        raw += [f"{literal(value)} as r_{name}" for name, value in self.given.items()]
        clean = [f"{self._clean(name)} as t_{name}" for name in self.names]
        if self.listed is not None and self.listed not in self.columns:
            raw.append(f"null::varchar as r_{self.listed}")
            clean.append(f"null::varchar as t_{self.listed}")
        parsed = ["try_cast(t_date as timestamp) as usual_ts"]
        for name in NUMBERS:
            if self.has(name):
                digits = self.decimals.get(name, self.digits)
                usual = numbers.is_usual(f"t_{name}", self.settled.decimal_mark, digits)
                parsed.append(f"{usual} as usual_{name}")
        return ", ".join(raw), ", ".join(["*", *clean]), ", ".join(["*", *parsed])

    def typed(self) -> tuple[str, str, str]:
        """Three layers: numbers as plain text, exact decimals and rewritten dates, timestamps.

        What is usual was told apart before, so that only other spellings enter the dear branches.
        """
        usual = f"coalesce({dates.usual_iso('t_date', 'usual_ts')}, false)" if self.forms.iso else "false"
        plain = [f"{usual} as is_usual_date"]
        for name in NUMBERS:
            if self.has(name):
                mark = self.settled.decimal_mark
                is_share = name == "discount" and self.contract.discount_is != "amount"
                other = (numbers.share_text if is_share else numbers.number_text)(f"t_{name}", mark)
                usual = numbers.usual_text(f"t_{name}", mark)
                plain.append(f"case when usual_{name} then {usual} else {other} end as n_{name}")
        exact = [
            "case when t_date is null or is_usual_date then null "
            f"else {dates.rewritten('t_date', self.forms)} end as iso"
        ]
        for name in NUMBERS:
            if self.has(name):
                exact.append(f"try_cast(n_{name} as {self.types.get(name, self.money)}) as d_{name}")
        timed = [
            f"case when is_usual_date then usual_ts when iso is not null then {dates.local_time('iso')} "
            "end as ts",
            f"case when iso is not null then {dates.offset_minutes('iso')} end::integer as offset_minutes",
            f"case when is_usual_date then strlen(t_date) > 10 when iso is not null "
            f"then {dates.has_clock('iso')} else false end::tinyint as has_clock",
        ]
        return ", ".join(["*", *plain]), ", ".join(["*", *exact]), ", ".join(["*", *timed])

    def cell_checks(self) -> None:
        form = self.forms.example
        self.check("date", "VALUE_MISSING", "the day of the sale", "t_date is null", unless="is_usual_date")
        self.check(
            "date", "DATE_FORMAT", f"a date as {form}",
            "t_date is not null and iso is null and not is_usual_date", unless="is_usual_date",
        )  # fmt: skip
        self.check(
            "date", "DATE_IMPOSSIBLE", f"a real day as {form}",
            "iso is not null and (ts is null or abs(offset_minutes) > 840)", unless="is_usual_date",
        )  # fmt: skip
        if self.has("product_id") or self.has("product_name"):
            names = [name for name in ("product_id", "product_name") if self.has(name)]
            empty = " and ".join(f"t_{name} is null" for name in names)
            self.check(names[-1], "VALUE_MISSING", "a product name or id", empty)
        for name in self.names:
            column = self.column(name)
            if (column.required or name in self.contract.identity) and name != "date":
                self.check(name, "VALUE_MISSING", "a value", f"t_{name} is null")
            if column.pattern is not None:
                wanted = f"regexp_full_match(t_{name}, {literal(column.pattern)})"
                self.check(
                    name,
                    "PATTERN_MISMATCH",
                    f"text like {column.pattern}",
                    f"t_{name} is not null and not {wanted}",
                )
            elif name in _IDS and (self.settled.plus_signs or name not in self.columns):
                self.check(
                    name, "ID_LOST_DIGITS", "all digits of the number",
                    f"contains(t_{name}, 'E+') and regexp_full_match(t_{name}, '{_SCIENTIFIC}')",
                )  # fmt: skip
            if column.one_of:
                texts = ", ".join(literal(text) for text in column.one_of)
                self.check(name, "VALUE_NOT_ALLOWED", _one_of(column.one_of), f"t_{name} not in ({texts})")
        mark = "a point" if self.settled.decimal_mark == "." else "a comma"
        for name in NUMBERS:
            if self.has(name):
                self._number_checks(name, mark)
        self._currency_signs()
        self._text_lengths()
        if self.has("currency") and self.settled.currency:
            allowed = sorted({self.settled.currency} | self.settled.convertible)
            listed = ", ".join(map(literal, allowed))
            self.check(
                "currency", "FOREIGN_CURRENCY", " or ".join(allowed), f"upper(t_currency) not in ({listed})"
            )

    def _number_checks(self, name: str, mark: str) -> None:
        digits = self.decimals.get(name, self.digits)
        self.check(
            name, "NUMBER_FORMAT", f"a number with {mark} before its decimals",
            f"t_{name} is not null and n_{name} is null", unless=f"usual_{name}",
        )  # fmt: skip
        self.check(
            name, "NUMBER_TOO_LARGE", "a number below 100,000,000,000",
            f"n_{name} is not null and d_{name} is null or abs(d_{name}) >= 100000000000",
            unless=f"usual_{name}",
        )  # fmt: skip
        if self.contract.round is None:
            self.check(
                name,
                "TOO_MANY_DECIMALS",
                f"at most {digits} decimals",
                f"not usual_{name} and {numbers.has_more_decimals(f'n_{name}', digits)}",
                unless=f"usual_{name}",
            )
        self.check_range(name, f"d_{name}")
        if name == "unit_cost":
            self.check(name, "VALUE_OUT_OF_RANGE", "a cost of 0 or more", f"d_{name} < 0")
        if name == "discount" and self.contract.discount_is != "amount":
            wanted = "a share from 0 to 1, or in %" if self.contract.discount_is == "share" else "0 to 100 %"
            self.check(name, "VALUE_OUT_OF_RANGE", wanted, "d_discount is not null and share is null")

    def discount_share(self) -> str:
        """SQL: the discount as a share from 0 to 1, null beyond."""
        hundredth = "(d_discount * 0.01)::decimal(18, 6)"
        share = hundredth
        if self.contract.discount_is == "share":
            share = f"case when right(t_discount, 1) = '%' then {hundredth} else d_discount end"
        return f"case when abs(d_discount) <= 100 and {share} between 0 and 1 then {share} end::decimal(9, 6)"

    def _currency_signs(self) -> None:
        """A sum of money that names another currency than the file's is no sum of this file."""
        currency = self.settled.currency
        sums = [name for name in ("amount", "unit_price", "discount", "tax", "unit_cost") if self.has(name)]
        if currency is None or (self.settled.convertible and self.has("currency")):
            return  # where lines may be in several, the currency column says which
        dressed = ", ".join(
            f"case when not usual_{name} and n_{name} is not null then t_{name} end" for name in sums
        )
        any_dressed = " or ".join(f"not usual_{name}" for name in sums)
        unlike = numbers.other_currency(f"concat_ws(' ', {dressed})", currency)
        self.check(sums[0], "FOREIGN_CURRENCY", currency, f"({any_dressed}) and {unlike}", shows=tuple(sums))

    def _text_lengths(self) -> None:
        for names, limit in (
            ([n for n in TEXTS if n not in ("product_name", "customer_name")], _LONGEST_ID),
            (["product_name", "customer_name"], _LONGEST_TEXT),
        ):
            for name in names:
                if self.has(name):
                    self.check(name, "TEXT_TOO_LONG", f"at most {limit} bytes", f"strlen(t_{name}) > {limit}")

    def _clean(self, name: str) -> str:
        """SQL: the cell trimmed (and in NFC), null when blank or a null word."""
        column = self.column(name)
        cell = f'"r_{name}"'
        # trimming where nothing is to be trimmed costs 0.6 s per 1 M rows
        is_bare = name in self.columns and not self.settled.blank_edges
        value = cell if is_bare else f"trim({cell})"
        if self.settled.wide_spaces:
            # the two-argument trim costs 12 times the plain one, so only cells with an unusual edge get it
            usual = " and ".join(f"{cell}[{end}] > ' ' and {cell}[{end}] < '~'" for end in (1, -1))
            value = f"case when {usual} then {cell} else trim({cell}, {literal(' ' + WIDE_SPACES)}) end"
            if self.is_text(name):  # plain ASCII is in NFC as it stands
                value = f"nfc_normalize({value})"
        words = (*self.contract.null_words, *column.null_words)
        value = f"nullif({value}, '')"
        if words:
            listed = ", ".join(literal(word) for word in words)
            value = f"case when {value} in ({listed}) then null else {value} end"
        if column.spreadsheet_integer:
            value = rf"regexp_replace({value}, '^([0-9]+)[.,]0+$', '\1')"
        if column.case is not None:
            value = f"{column.case}({value})"
        if column.if_empty is not None:
            value = f"coalesce({value}, {literal(column.if_empty)})"
        return value


def _one_of(texts: tuple[str, ...]) -> str:
    first = ", ".join(texts[:3])
    return f"one of {first if len(texts) <= 3 else first + ', …'}"[:60]
