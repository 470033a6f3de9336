"""Rules about money: which of quantity, price and amount gives which, and what must add up.

Put what compares numbers of one row here. Never how a number is read (numbers.py).
"""

from __future__ import annotations

from ingestion.contract import NUMBERS
from ingestion.reading.cells import CellRules


class AmountRules(CellRules):
    """SQL layers for gross and product, and the checks that compare them."""

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
        """Half a cent on the amount, or half a cent on each unit, for a unit price that was itself
        rounded."""
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
            given = "t_quantity is null and t_amount is not null and t_unit_price is not null"
            self.check(
                "quantity", "VALUE_MISSING", "a quantity, as amount / price is not exact",
                f"{fine} and {given} and quantity is null",
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
                net = "product - sign(d_amount) * abs(coalesce(d_discount, 0))"
                off += f" and abs(d_amount - ({net})) > {self._slack()}"
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
