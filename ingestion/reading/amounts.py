"""Rules about money: which of quantity, price and amount gives which, and what must add up.

Put what compares numbers of one row here. Never how a number is read (numbers.py).
"""

from __future__ import annotations

from ingestion.contract import NUMBERS
from ingestion.reading.cells import CellRules
from ingestion.reading.engine import literal, lookup


class AmountRules(CellRules):
    """SQL layers for gross and product, and the checks that compare them."""

    def amounts(self) -> list[str]:
        """Layers: the exact product; whether the amount is after discount; quantity, price and amount after
        deriving; the size of the discount."""
        q = "d_quantity" if self.has("quantity") else "null::decimal(14, 3)"
        p = "d_unit_price" if self.has("unit_price") else "null::decimal(18, 6)"
        product = (
            f"({q})::decimal(38, 3) * ({p})::decimal(38, 6)" if self.has("quantity", "unit_price") else "null"
        )
        first = f"*, {product} as product"
        if self.has("discount") and self.contract.discount_is != "amount":
            first += f", {self.discount_share()} as share"
        layers = [first]
        if self.has("discount"):
            layers.append(f"*, coalesce({self._after_discount()}, false) as after_discount")
        third = (
            f"*, {self._quantity(q)} as quantity, {self._price(p, q)} as unit_price, {self._gross()} as gross"
        )
        if self.contract.not_sales:
            third += f", {self._line_kind()} as line_kind"
        layers.append(third)
        if self.has("discount"):
            layers.append(f"*, {self._discount_size()} as discount_size")
        return layers

    # thousandths and millionths as whole numbers: a decimal division would pass through float
    def _quantity(self, q: str) -> str:
        if not self.has("amount"):
            return q
        a, p = "(d_amount * 1000000)::hugeint", "(d_unit_price * 1000000)::hugeint"
        exact = f"{p} <> 0 and ({a} * 1000) % {p} = 0"
        found = f"try_cast(({a} * 1000 // {p})::decimal(38, 0) * 0.001 as decimal(14, 3))"
        if not self.has("quantity"):
            derived = f"when {exact} then {found} " if self.has("unit_price") else ""
            return f"case {derived}when d_amount < 0 then -1 else 1 end::decimal(14, 3)"
        if self.contract.derive and self.has("unit_price"):
            return f"case when t_quantity is not null then {q} when {exact} then {found} end"
        return q

    def _price(self, p: str, q: str) -> str:
        if not (self.contract.derive and self.has("amount", "quantity")):
            return p
        a, milli = "(d_amount * 1000000)::hugeint", f"({q} * 1000)::hugeint"
        found = f"try_cast(({a} * 1000 // {milli})::decimal(38, 0) * 0.000001 as decimal(18, 6))"
        known = "t_unit_price is not null" if self.has("unit_price") else "false"
        return f"case when {known} then {p} when {q} <> 0 then {found} end"

    @property
    def _rounded(self) -> str:
        return f"try_cast(round(product, {self.digits}) as {self.money})"

    @property
    def _compares(self) -> bool:
        """Whether a row says its amount twice."""
        return self.has("amount", "quantity", "unit_price")

    def _gross(self) -> str:
        if not self.has("amount"):
            return self._rounded
        amount = "d_amount"
        if self.has("discount"):
            before = self._rounded
            if not self._compares:
                before = self._before_discount()
            elif self.contract.amount_is == "after_discount":
                before = f"coalesce({before}, {self._before_discount()})"
            amount = f"case when after_discount then {before} else d_amount end"
        if self._compares and self.contract.amount_counts == "quantity_x_price":
            return f"coalesce({self._rounded}, {amount})"
        if self._compares and self.contract.derive:
            return f"case when t_amount is null then {self._rounded} else {amount} end"
        return amount

    def _after_discount(self) -> str:
        """SQL: whether the amount has the discount taken off already; where quantity x price tells, they
        do."""
        if not self.has("amount") or self.contract.amount_is == "before_discount":
            return "false"
        if self.contract.amount_is == "after_discount":
            return "d_amount is not null"
        if not self._compares or self.contract.amount_counts == "quantity_x_price":
            return "false"
        fits = f"abs(d_amount - ({self._net_of_product()})) <= {self._slack()}"
        return f"d_discount is not null and abs(d_amount - product) > {self._slack()} and {fits}"

    def _before_discount(self) -> str:
        """SQL: the amount with its discount put back, rounded half away from zero."""
        if self.contract.discount_is == "amount":
            return f"(d_amount + sign(d_amount) * abs(coalesce(d_discount, 0)))::{self.money}"
        size = f"(abs(d_amount) * {10**self.digits})::hugeint * 1000000"
        rest = "(1000000 - (coalesce(share, 0) * 1000000)::hugeint)"
        whole = f"((2 * {size} + {rest}) // (2 * {rest}))::decimal(38, 0)"
        grown = f"try_cast(sign(d_amount) * {whole} * {10.0**-self.digits:.{self.digits}f} as {self.money})"
        return f"case when {rest} > 0 then {grown} else d_amount end"

    def _net_of_product(self) -> str:
        if self.contract.discount_is == "amount":
            return "product - sign(d_amount) * abs(coalesce(d_discount, 0))"
        return "product * (1 - coalesce(share, 0))"

    def _discount_size(self) -> str:
        """SQL: the discount as a sum above or equal to 0."""
        if self.contract.discount_is == "amount":
            return "abs(coalesce(d_discount, 0))"
        taken = f"try_cast(round(abs(gross) * coalesce(share, 0), {self.digits}) as {self.money})"
        if not self.has("amount"):
            return taken
        # what was paid is in the file to the cent; the share is what was rounded
        return f"case when after_discount then abs(gross - d_amount) else {taken} end"

    def _line_kind(self) -> str:
        """SQL: what a line is that is no sale, null for one that is."""
        found = []
        for rule in self.contract.not_sales:
            cell = f"t_{rule.column}"
            if rule.pattern is not None:
                fits = f"regexp_full_match({cell}, {literal(rule.pattern)})"
            else:
                fits = f"lower({cell}) in ({', '.join(f'lower({literal(word)})' for word in rule.words)})"
            found.append(f"when {fits} then {literal(rule.as_)}")
        return f"case {' '.join(found)} end"

    def _slack(self) -> str:
        """Half a cent on the amount, or half a cent on each unit, for a unit price that was itself
        rounded."""
        return (
            f"(0.5 * greatest(1, abs(d_quantity)) / 1)::decimal(18, 3) * {10.0**-self.digits:.{self.digits}f}"
        )

    def _off(self) -> str:
        """SQL: the amount is neither quantity x price nor, where it may be, that less the discount."""
        off = f"abs(d_amount - product) > {self._slack()}"
        if not self.has("discount"):
            return off
        net_off = f"abs(d_amount - ({self._net_of_product()})) > {self._slack()}"
        both = f"{off} and {net_off}"
        return {"before_discount": off, "after_discount": net_off, None: both}[self.contract.amount_is]

    def _unequal(self) -> str:
        """SQL: as `_off`; nearly every amount is the very product, and only the others pay for the slack."""
        if self.contract.amount_is == "after_discount":
            return self._off()
        return f"case when d_amount = product then false else {self._off()} end"

    @property
    def product(self) -> str:
        """The column that names a line's product."""
        return "product_id" if self.has("product_id") else "product_name"

    def _lacking(self, name: str) -> tuple[str, str, str]:
        """Which column is to blame for a number that is not there, the code, and what was expected."""
        if name == self.listed:
            return self.product, "PRICE_UNKNOWN", "a product whose price is known"
        return name, "VALUE_MISSING", "a number"

    def filled_prices(self) -> str:
        """SQL: the price of the line, or the newest one of the product list."""
        known = self.settled.prices.get(self.product, {})
        listed = f"{lookup(known)}(t_{self.product})"
        if self.settled.decimal_mark == ",":
            listed = f"replace({listed}, '.', ',')"
        return f"* replace (coalesce(t_unit_price, {listed}) as t_unit_price)"

    def amount_checks(self) -> None:
        three = [name for name in ("quantity", "unit_price", "amount") if self.has(name)]
        for name in three:
            if self.column(name).required or name in self.contract.identity:
                continue
            others = [other for other in three if other != name]
            gone = f"t_{name} is null"
            if self.contract.derive and len(three) == 3:
                gone += " and (" + " or ".join(f"t_{other} is null" for other in others) + ")"
            self.check(*self._lacking(name), gone)
        fine = " and ".join(f"(t_{n} is null or d_{n} is not null)" for n in NUMBERS if self.has(n))
        blame = next((n for n in ("amount", "unit_price", "quantity") if n in self.names), "unit_price")
        shown = tuple(three)
        if self.contract.derive and len(three) == 3:
            given = "t_quantity is null and t_amount is not null and t_unit_price is not null"
            self.check(
                "quantity", "VALUE_MISSING", "a quantity, as amount / price is not exact",
                f"{fine} and {given} and quantity is null",
            )  # fmt: skip
        if self.has("quantity", "unit_price"):
            derived = "t_amount is null" if self.has("amount") else "true"
            if self.contract.amount_counts == "quantity_x_price":
                derived = "true"
            self.check(
                blame, "NUMBER_TOO_LARGE", "an amount below 100,000,000,000",
                f"{derived} and abs(product) >= 100000000000", shows=shown,
            )  # fmt: skip
            if self.contract.round is None and (derived == "true" or self.contract.derive):
                self.check(
                    blame, "TOO_MANY_DECIMALS", f"quantity x price with at most {self.digits} decimals",
                    f"{fine} and {derived} and round(product, {self.digits}) <> product", shows=shown,
                )  # fmt: skip
        if self._compares and self.contract.amount_counts is None:
            self.check(
                "amount",
                "AMOUNT_MISMATCH",
                "quantity x unit price",
                f"{fine} and {self._unequal()}",
                shows=shown,
            )
        if self.has("quantity"):
            self.check("quantity", "QUANTITY_ZERO", "a quantity other than 0", f"{fine} and d_quantity = 0")
            self.check(
                blame, "SIGNS_DISAGREE", "quantity and amount both above or both below 0",
                f"{fine} and (d_quantity > 0 and gross < 0 or d_quantity < 0 and gross > 0)", shows=shown,
            )  # fmt: skip
        if not self.contract.allow_zero_amount:
            quiet = " and coalesce(d_quantity, 1) <> 0" if self.has("quantity") else ""
            out_of_range = "".join(
                f" and not coalesce(d_{n} <= {self.column(n).above}, false)"
                for n in three
                if self.column(n).above is not None
            )
            if self.contract.not_sales:
                quiet += " and line_kind is null"
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
                f"{fine} and discount_size > abs(gross)",
            )  # fmt: skip
