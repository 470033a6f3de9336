"""What must be true of a delivery before its rows may count: one rule per fact, in reading order.

Put here: expectations over one row per load (ops.load_metrics beside its ledger row), each with its reason
code and the sentence shown when it fails. Thresholds come from the feed's contract, as columns of the same
row.
Never here: how they are run (engine.py) and what a failure leads to (arrival.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from expectations.past import (
    DIMENSIONS,
    LARGEST_DAYS,
    LEAST_COLUMN_LOADS,
    LEAST_MIX_LOADS,
    SAME_WEEKDAYS,
    TIMES_LARGEST,
)

Severity = Literal["hold", "warn"]

METRICS = """
    select
        m.load_id, m.feed, l.delivered_name, m.rows_delivered, m.rows_accepted, m.rows_rejected,
        l.rows_delivered - m.rows_accepted - m.rows_rejected - l.rows_duplicate as rows_unaccounted,
        m.reject_share, m.max_reject_share, m.missing_products, m.missing_customers,
        m.first_date, m.last_date, m.earliest_allowed_date, m.latest_allowed_date,
        m.amount_cents, m.amount_cents_recounted, l.amount_cents as amount_cents_ledger,
        case when m.rows_accepted > 0 and l.holds = 'sales' then m.amount_cents end as total_cents,
        m.smallest_sale_cents, m.return_lines,
        case when m.rows_accepted > 0 then m.return_lines::float8 / m.rows_accepted end as return_share,
        m.missing_order_ids::float8 / nullif(m.rows_accepted, 0) as without_order,
        (m.limits ->> 'most_without_order')::float8 as most_without_order,
        m.missing_customers::float8 / nullif(m.rows_accepted, 0) as without_customer,
        (m.limits ->> 'most_without_customer')::float8 as most_without_customer,
        m.largest_line_cents, (m.limits ->> 'largest_line_cents')::bigint as most_line_cents,
        (m.limits ->> 'least_rows')::bigint as least_rows, (m.limits ->> 'most_rows')::bigint as most_rows,
        coalesce((m.limits ->> 'most_returns')::float8, 0.5) as most_returns,
        coalesce(m.limits ->> 'volume', 'warn') as volume_answer,
        coalesce(m.limits ->> 'revenue', 'warn') as revenue_answer,
        coalesce(m.limits ->> 'mix', 'warn') as mix_answer,
        coalesce(m.limits ->> 'columns', 'warn') as columns_answer,
        m.busiest_day_lines, m.best_day_cents,
        coalesce((l.reading #>> '{contradictions,members}')::bigint, 0) as contradictions,
        l.reading #>> '{contradictions,says}' as contradictions_say,
        -- a window that was asked for, and held nothing, is a whole delivery
        case when w.load_id is null or m.rows_delivered > 0 then m.rows_delivered end as rows_expected,
        case when w.load_id is null or m.rows_delivered > 0 then m.rows_accepted end as rows_taken
    from ops.load_metrics as m
    inner join raw.loads as l on l.load_id = m.load_id
    left join (select distinct load_id from raw.load_scopes) as w on w.load_id = m.load_id
    where m.load_id = any(%s)
    order by m.load_id
"""

#: measures against the feed's past (past.py): silent, as nulls are to Great Expectations, where there is none
FROM_THE_PAST = (
    *("volume", "volume_usual", "volume_low", "volume_high"),
    *("revenue", "revenue_usual", "revenue_low", "revenue_high"),
    *("most_lines_of_a_day", "most_cents_of_a_day", "days_with_past"),
    *(f"mix_{dimension}{part}" for dimension in DIMENSIONS for part in ("", "_limit", "_says")),
    *("column_changes", "column_changes_say"),
)


@dataclass(frozen=True)
class Rule:
    """One expectation with its words.

    `observed` and `limit` are templates over the row of the load; so is `says`, the sentence for a failing
    load. `answer` names the column that says warn, hold or ignore instead of `severity`. `silent_as` stands
    for the limit where the column `judges` is empty, so that nothing could be compared.
    """

    expectation: Any
    reason: str
    observed: str
    limit: str
    says: str
    severity: Severity = "hold"
    answer: str | None = None
    judges: str | None = None
    silent_as: str = ""

    def answers(self, row: Mapping[str, Any]) -> str:
        """What a failure leads to for this load: hold, warn or ignore."""
        return str(row[self.answer]) if self.answer else self.severity

    def is_silent(self, row: Mapping[str, Any]) -> bool:
        """Whether there is nothing to compare with."""
        return self.judges is not None and row[self.judges] is None


def arrival_suite() -> list[Rule]:
    """The rules of the arrival gate."""
    return [*_of_itself(), *_of_the_contract(), *_of_the_past()]


def _of_itself() -> list[Rule]:
    """What must be true of any delivery."""
    import great_expectations.expectations as gxe  # noqa: PLC0415  six seconds; only when a gate runs

    required = (
        "rows_delivered",
        "rows_accepted",
        "rows_rejected",
        "reject_share",
        "max_reject_share",
        "amount_cents",
    )
    return [
        *(
            Rule(
                gxe.ExpectColumnValuesToNotBeNull(column=name),
                reason="NOT_MEASURED",
                observed=f"{{{name}}}",
                limit="a number",
                says=f"{name} was not measured, so the delivery cannot be judged",
            )
            for name in required
        ),
        Rule(
            gxe.ExpectColumnValuesToBeBetween(column="rows_expected", min_value=1),
            reason="EMPTY_DELIVERY",
            observed="{rows_delivered}",
            limit="at least 1",
            says="it delivered no rows",
        ),
        Rule(
            gxe.ExpectColumnValuesToBeBetween(column="rows_taken", min_value=1),
            reason="NOTHING_ACCEPTED",
            observed="{rows_accepted}",
            limit="at least 1",
            says="none of its {rows_delivered:,} rows was accepted",
        ),
        Rule(
            gxe.ExpectColumnValuesToBeInSet(column="rows_unaccounted", value_set=[0]),
            reason="ROWS_UNACCOUNTED",
            observed="{rows_unaccounted}",
            limit="0",
            says="{rows_unaccounted:,} of its rows are neither accepted nor refused nor repeats",
        ),
        Rule(
            _at_most("reject_share", "max_reject_share"),
            reason="TOO_MANY_REJECTED",
            observed="{reject_share:.2%}",
            limit="at most {max_reject_share:.2%}",
            says="{rows_rejected:,} of {rows_delivered:,} rows were refused ({reject_share:.1%}, "
            "at most {max_reject_share:.1%} is allowed)",
        ),
        Rule(
            gxe.ExpectColumnValuesToBeInSet(column="missing_products", value_set=[0]),
            reason="PRODUCT_MISSING",
            observed="{missing_products}",
            limit="0",
            says="{missing_products:,} accepted rows name no product",
        ),
        Rule(
            _at_most("earliest_allowed_date", "first_date"),
            reason="DATE_TOO_EARLY",
            observed="{first_date}",
            limit="{earliest_allowed_date} or later",
            says="its first day is {first_date}, before {earliest_allowed_date}",
        ),
        Rule(
            _at_most("last_date", "latest_allowed_date"),
            reason="DATE_IN_FUTURE",
            observed="{last_date}",
            limit="{latest_allowed_date} or earlier",
            says="its last day is {last_date}, after {latest_allowed_date}",
        ),
        Rule(
            gxe.ExpectColumnPairValuesToBeEqual(
                column_A="amount_cents_recounted", column_B="amount_cents", ignore_row_if="neither"
            ),
            reason="AMOUNT_NOT_RECOUNTED",
            observed="{amount_cents_recounted}",
            limit="{amount_cents}",
            says="its stored rows add up to {amount_cents_recounted:,} cents, but {amount_cents:,} were read",
        ),
        Rule(
            gxe.ExpectColumnPairValuesToBeEqual(
                column_A="amount_cents_ledger", column_B="amount_cents", ignore_row_if="neither"
            ),
            reason="AMOUNT_NOT_IN_LEDGER",
            observed="{amount_cents_ledger}",
            limit="{amount_cents}",
            says="the ledger says {amount_cents_ledger:,} cents, but {amount_cents:,} were read",
        ),
        Rule(
            gxe.ExpectColumnValuesToNotBeInSet(column="total_cents", value_set=[0]),
            reason="TOTAL_IS_ZERO",
            observed="{total_cents}",
            limit="anything but 0",
            says="its {rows_accepted:,} accepted rows add up to nothing",
        ),
        Rule(
            gxe.ExpectColumnValuesToBeBetween(column="smallest_sale_cents", min_value=0),
            reason="SALE_BELOW_ZERO",
            observed="{smallest_sale_cents}",
            limit="0 or more",
            says="a sale line of {smallest_sale_cents:,} cents is below zero",
        ),
        Rule(
            # an export of returns alone is legitimate
            _at_most("return_share", "most_returns"),
            reason="MANY_RETURNS",
            observed="{return_share:.1%}",
            limit="at most {most_returns:.0%}",
            says="{return_lines:,} of {rows_accepted:,} lines are returns, more than {most_returns:.0%}",
            severity="warn",
        ),
        Rule(
            gxe.ExpectColumnValuesToBeInSet(column="contradictions", value_set=[0]),
            reason="LIST_CONTRADICTS",
            observed="{contradictions}",
            limit="0",
            says="{contradictions_say}",
            severity="warn",
        ),
    ]


def _of_the_contract() -> list[Rule]:
    """Limits that a contract may name (`gate`); silent where it names none."""
    none = "the contract names none"
    return [
        Rule(
            _at_most("least_rows", "rows_delivered"),
            reason="TOO_FEW_ROWS",
            observed="{rows_delivered:,}",
            limit="at least {least_rows:,}",
            says="it delivered {rows_delivered:,} rows, fewer than {least_rows:,}",
            judges="least_rows",
            silent_as=none,
        ),
        Rule(
            _at_most("rows_delivered", "most_rows"),
            reason="TOO_MANY_ROWS",
            observed="{rows_delivered:,}",
            limit="at most {most_rows:,}",
            says="it delivered {rows_delivered:,} rows, more than {most_rows:,}",
            judges="most_rows",
            silent_as=none,
        ),
        Rule(
            _at_most("without_order", "most_without_order"),
            reason="ORDER_MISSING",
            observed="{without_order:.1%}",
            limit="at most {most_without_order:.1%}",
            says="{without_order:.1%} of its rows name no order, more than {most_without_order:.1%}",
            judges="most_without_order",
            silent_as=none,
        ),
        Rule(
            _at_most("without_customer", "most_without_customer"),
            reason="CUSTOMER_MISSING",
            observed="{without_customer:.1%}",
            limit="at most {most_without_customer:.1%}",
            says="{without_customer:.1%} of its rows name no customer, more than {most_without_customer:.1%}",
            judges="most_without_customer",
            silent_as=none,
        ),
        Rule(
            _at_most("largest_line_cents", "most_line_cents"),
            reason="LINE_TOO_LARGE",
            observed="{largest_line_cents:,}",
            limit="at most {most_line_cents:,}",
            says="a line is worth {largest_line_cents:,} cents, more than {most_line_cents:,}",
            judges="most_line_cents",
            silent_as=none,
        ),
    ]


def _of_the_past() -> list[Rule]:
    """What the feed's own past makes unlikely."""
    import great_expectations.expectations as gxe  # noqa: PLC0415

    young = f"too little past ({SAME_WEEKDAYS} of each weekday)"
    first = f"too little past ({LARGEST_DAYS} days)"
    return [
        *_unusual("volume", "VOLUME_UNUSUAL", "holds {volume:,} lines", "lines", silent_as=young),
        *_unusual("revenue", "REVENUE_UNUSUAL", "is worth {revenue:,} cents net", "cents", silent_as=young),
        *(
            Rule(
                _at_most(day, most),
                reason="FAR_ABOVE_LARGEST_DAY",
                observed=f"{{{day}:,}} {unit} on one day",
                limit=f"at most {{{most}:,}}, {TIMES_LARGEST} × the largest day",
                says=f"one of its days has {{{day}:,}} {unit}, more than {TIMES_LARGEST} times "
                f"the largest the feed ever had ({{{most}:,}} would be that)",
                judges=most,
                silent_as=first,
            )
            for day, most, unit in (
                ("busiest_day_lines", "most_lines_of_a_day", "lines"),
                ("best_day_cents", "most_cents_of_a_day", "cents"),
            )
        ),
        *(
            Rule(
                _at_most(f"mix_{dimension}", f"mix_{dimension}_limit"),
                reason="MIX_UNUSUAL",
                observed=f"{{mix_{dimension}:.0%}} of lines in other {named}",
                limit=f"at most {{mix_{dimension}_limit:.0%}}",
                says=f"{{mix_{dimension}_says}}",
                severity="warn",
                answer="mix_answer",
                judges=f"mix_{dimension}",
                silent_as=f"too little past ({LEAST_MIX_LOADS} deliveries that name {named})",
            )
            for dimension, named in DIMENSIONS.items()
        ),
        Rule(
            gxe.ExpectColumnValuesToBeInSet(column="column_changes", value_set=[0]),
            reason="COLUMNS_CHANGED",
            observed="{column_changes}",
            limit="0",
            says="{column_changes_say}",
            severity="warn",
            answer="columns_answer",
            judges="column_changes",
            silent_as=f"too little past ({LEAST_COLUMN_LOADS} deliveries with the same columns)",
        ),
    ]


def _unusual(name: str, reason: str, holds: str, unit: str, *, silent_as: str) -> list[Rule]:
    """Two rules, since Great Expectations compares columns in pairs: not below the range and not above."""
    return [
        Rule(
            _at_most(smaller, larger),
            reason=reason,
            observed=f"{{{name}:,}}",
            limit=f"{{{name}_low:,}} to {{{name}_high:,}}",
            says=f"it {holds}, far {how} the {{{name}_usual:,}} {unit} that such days of this feed usually "
            f"bring ({{{name}_low:,}} to {{{name}_high:,}} is not unusual)",
            severity="warn",
            answer=f"{name}_answer",
            judges=name,
            silent_as=silent_as,
        )
        for smaller, larger, how in ((f"{name}_low", name, "below"), (name, f"{name}_high", "above"))
    ]


def _at_most(smaller: str, larger: str) -> Any:
    """One column is at most another; silent where either is missing."""
    import great_expectations.expectations as gxe  # noqa: PLC0415

    return gxe.ExpectColumnPairValuesAToBeGreaterThanB(
        column_A=larger, column_B=smaller, or_equal=True, ignore_row_if="either_value_is_missing"
    )
