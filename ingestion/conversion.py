"""Money of another currency into the reporting one: line by line, exactly, by the rate of the line's day.

Put exchange rates and the arithmetic of conversion here. Never the decision what happens to a delivery
without rates (landing.py), never how a rate is read (reading/).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from ingestion.reading.numbers import minor_digits
from ingestion.refusals import Undecided

if TYPE_CHECKING:
    import psycopg
    import pyarrow as pa

ADDED_COLUMNS = ("original_currency", "original_gross_cents", "exchange_rate_billionths")
_PLACES = 9  # decimals of raw.rates.rate: rates are counted in 1/10^9
_MONEY = ("gross_cents", "discount_cents", "tax_cents", "cost_cents")
_NAMED_DAYS = 5

_RATES = """
select distinct on (r.currency, r.rate_date) r.currency, r.rate_date, (r.rate * 1000000000)::bigint
from raw.rates as r
inner join raw.loads as l on r.load_id = l.load_id
where l.status in ('landed', 'approved')
order by r.currency, r.rate_date, l.delivery_no desc, r.row_number desc
"""

Billionths = Mapping[tuple[str, date], int]


def known_rates(conn: psycopg.Connection[Any]) -> Billionths:
    """(currency, day) -> 10^9 times what one unit was worth, of the rates that count; the newest holds."""
    return {(currency, day): rate for currency, day, rate in conn.execute(_RATES).fetchall()}


def convertible(conn: psycopg.Connection[Any]) -> frozenset[str]:
    """The currencies that some rate is known of."""
    found = conn.execute(
        "select distinct r.currency from raw.rates as r inner join raw.loads as l using (load_id)"
        " where l.status in ('landed', 'approved')"
    ).fetchall()
    return frozenset(currency for (currency,) in found)


def converted(minor: int, rate: int, *, digits: int, into_digits: int) -> int:
    """`minor` units of a currency with `digits` decimals in minor units of one with `into_digits`, by a rate
    in billionths. Rounded half away from zero."""
    whole = int(10 ** (_PLACES + digits))
    size = (2 * abs(minor) * rate * int(10**into_digits) + whole) // (2 * whole)
    return -size if minor < 0 else size


@dataclass
class Converter:
    """Converts the batches of one delivery. `currency`: of lines that name none; `rates` in billionths.

    `missing` gathers the days of each currency that have no rate; `check` then refuses the delivery.
    """

    currency: str
    reporting: str
    rates: Billionths
    missing: set[tuple[str, date]] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)

    def convert(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """The batch in the reporting currency, with ADDED_COLUMNS; a line without a rate stays as it is."""
        import pyarrow as pa  # noqa: PLC0415 - heavy, and only needed once rows arrive

        digits, into = minor_digits(self.currency), minor_digits(self.reporting)
        named = [name or self.currency for name in rows["currency"].to_pylist()]
        self.seen.update(named)
        rates = [
            None if name == self.reporting else self._rate(name, day)
            for name, day in zip(named, rows["sale_date"].to_pylist(), strict=True)
        ]

        def money(name: str, *, into_digits: int = into) -> list[int | None]:
            return [
                None
                if cents is None
                else converted(cents, rate or 10**_PLACES, digits=digits, into_digits=into_digits)
                for cents, rate in zip(rows[name].to_pylist(), rates, strict=True)
            ]

        made = {name: money(name) for name in _MONEY}
        made["unit_price_millionths"] = money("unit_price_millionths", into_digits=digits)
        made["net_cents"] = [
            (gross or 0) + (discount or 0)
            for gross, discount in zip(made["gross_cents"], made["discount_cents"], strict=True)
        ]
        of_others = [rate is not None for rate in rates]
        made["original_gross_cents"] = [
            cents if other else None
            for cents, other in zip(rows["gross_cents"].to_pylist(), of_others, strict=True)
        ]
        made["exchange_rate_billionths"] = rates
        columns: dict[str, Any] = {name: rows[name] for name in rows.schema.names}
        columns |= {name: pa.array(values, pa.int64()) for name, values in made.items()}
        columns["original_currency"] = pa.array(
            [name if other else None for name, other in zip(named, of_others, strict=True)], pa.string()
        )
        return pa.RecordBatch.from_pydict(columns)

    def check(self) -> None:
        """Raise Undecided, naming the days, where a line found no rate."""
        if not self.missing:
            return
        days = sorted(self.missing, key=lambda pair: (pair[1], pair[0]))
        named = ", ".join(f"{day} ({currency})" for currency, day in days[:_NAMED_DAYS])
        more = f" and {len(days) - _NAMED_DAYS:,} more" if len(days) > _NAMED_DAYS else ""
        raise Undecided(
            "RATE_MISSING",
            f"no exchange rate into {self.reporting} is known for {named}{more}; deliver the rates, then "
            "release it",
        )

    def _rate(self, currency: str, day: date) -> int | None:
        rate = self.rates.get((currency, day))
        if rate is None:
            self.missing.add((currency, day))
        return rate
