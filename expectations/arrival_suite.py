"""What must be true of a delivery before its rows may count: one rule per fact, in reading order.

Put here: expectations over one row per load (ops.load_metrics beside its ledger row), each with its reason
code and the sentence shown when it fails. Thresholds come from the feed's contract, as columns of the same
row.
Never here: how they are run (engine.py) and what a failure leads to (arrival.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

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

MOST_RETURNS = 0.5  # share of return lines above which a person is told; returns-only exports are legitimate


@dataclass(frozen=True)
class Rule:
    """One expectation with its words.

    `observed` and `limit` are templates over the row of the load; so is `says`, the sentence for a failing
    load.
    """

    expectation: Any
    reason: str
    observed: str
    limit: str
    says: str
    severity: Severity = "hold"


def arrival_suite() -> list[Rule]:
    """The rules of the arrival gate."""
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
            gxe.ExpectColumnPairValuesAToBeGreaterThanB(
                column_A="max_reject_share",
                column_B="reject_share",
                or_equal=True,
                ignore_row_if="either_value_is_missing",
            ),
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
            gxe.ExpectColumnPairValuesAToBeGreaterThanB(
                column_A="first_date",
                column_B="earliest_allowed_date",
                or_equal=True,
                ignore_row_if="either_value_is_missing",
            ),
            reason="DATE_TOO_EARLY",
            observed="{first_date}",
            limit="{earliest_allowed_date} or later",
            says="its first day is {first_date}, before {earliest_allowed_date}",
        ),
        Rule(
            gxe.ExpectColumnPairValuesAToBeGreaterThanB(
                column_A="latest_allowed_date",
                column_B="last_date",
                or_equal=True,
                ignore_row_if="either_value_is_missing",
            ),
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
            gxe.ExpectColumnValuesToBeBetween(column="return_share", max_value=MOST_RETURNS),
            reason="MANY_RETURNS",
            observed="{return_share:.1%}",
            limit=f"at most {MOST_RETURNS:.0%}",
            says=f"{{return_lines:,}} of {{rows_accepted:,}} lines are returns, more than {MOST_RETURNS:.0%}",
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
