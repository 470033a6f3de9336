"""What must be true of the facts and marts of a build before readers may see it.

Put here: one suite per table of core and marts_next, as expectations over a query.
Never here: sums that must agree between tables (publication/reconciliation.py) or rules dbt's own tests
already hold.

Facts are judged by day and not by row: four expectations over 6 M rows took 19 s, over their daily sums
they take milliseconds. A mart nobody wrote a suite for still has to hold rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from expectations.engine import QuerySuite

FACT_DAYS = """
    select
        sale_date,
        count(*) as lines,
        count(*) filter (where net_cents is distinct from gross_cents + discount_cents) as broken_sums,
        count(*) filter (where coalesce(line_type, '') not in ('sale', 'return')) as unknown_line_types,
        count(*) filter (where line_type = 'sale' and quantity < 0) as sales_with_negative_quantity,
        count(*) filter (where quantity = 'NaN') as quantities_not_a_number,
        count(*) filter (where load_id is null) as lines_without_load,
        count(*) - count(distinct order_line_key) as repeated_lines
    from core.fct_order_lines
    group by sale_date
"""


# a shop that names no customer has none of these, one whose first month is not over no month end, one without
# lists no stock and no prices, a small one no pairs, and one that rested for a year no recent days
MAY_BE_EMPTY = frozenset(
    {
        "cohort_lifetime_value",
        "cohort_retention",
        "customer_lifetime_value",
        "customer_rfm",
        "customer_rfm_cells",
        "customer_segments",
        "customer_segments_monthly",
        "customers_at_risk",
        # sales may all lie further back than these reach
        "orders_by_status",
        "sales_bridge",
        "sales_by_filters",
        "buyers_daily",
        "sales_by_store_and_hour",
        "sales_rep_sales_daily",
        "tax_by_rate",
        # customer lists may tell no state
        "state_sales_monthly",
        "inventory_status",
        "product_pairs",
        "product_price_history",
        "product_sales_daily",
        # nothing was unusual, or too little is known to tell
        "sales_anomalies",
    }
)


def audit_suites(marts: Sequence[str], *, may_be_empty: bool = False) -> list[QuerySuite]:
    """The suites for core and for each of `marts`, tables of schema marts_next.

    With `may_be_empty` no table has to hold rows; what rows there are is judged all the same.
    """
    return [
        QuerySuite("core.fct_order_lines", FACT_DAYS, [*_rows(may_be_empty=may_be_empty), *_fact()]),
        *(
            QuerySuite(f"marts_next.{mart}", _query(mart), _suite(mart, may_be_empty=may_be_empty))
            for mart in marts
        ),
    ]


def _query(mart: str) -> str:
    # names come from the project's own manifest; quoted all the same
    name = mart.replace('"', '""')
    return f'select * from marts_next."{name}"'  # noqa: S608


def _rows(*, may_be_empty: bool) -> list[Any]:
    import great_expectations.expectations as gxe  # noqa: PLC0415  six seconds; only when an audit runs

    return [gxe.ExpectTableRowCountToBeBetween(min_value=0 if may_be_empty else 1)]


def _suite(mart: str, *, may_be_empty: bool) -> list[Any]:
    of_its_own = {
        "daily_sales": _daily_sales,
        "hourly_sales": _hourly_sales,
        "product_performance": _product_performance,
        "customer_segments": _customer_segments,
        "customer_rfm": _customer_rfm,
        "customers_at_risk": _customers_at_risk,
        "customers_monthly": _customers_monthly,
        "cohort_retention": _cohort_retention,
        "returns_monthly": _returns_monthly,
        "kpi_summary": _kpi_summary,
        "sales_by_filters": _filter_cube,
        "sales_by_filters_monthly": _filter_cube,
        "inventory_status": _inventory_status,
        "product_pairs": _product_pairs,
    }.get(mart)
    rows = _rows(may_be_empty=may_be_empty or mart in MAY_BE_EMPTY)
    return [*rows, *(of_its_own() if of_its_own else [])]


def _fact() -> list[Any]:
    import great_expectations.expectations as gxe  # noqa: PLC0415

    never = (
        "broken_sums",
        "unknown_line_types",
        "sales_with_negative_quantity",
        "quantities_not_a_number",
        "lines_without_load",
        "repeated_lines",
    )
    return [
        gxe.ExpectColumnValuesToNotBeNull(column="sale_date"),
        *(gxe.ExpectColumnValuesToBeInSet(column=column, value_set=[0]) for column in never),
    ]


def _signed_money(*, additive: Sequence[str]) -> list[Any]:
    """Money as it adds up: gross at or above 0, discounts and returns at or below, nothing missing."""
    import great_expectations.expectations as gxe  # noqa: PLC0415

    return [
        *(gxe.ExpectColumnValuesToNotBeNull(column=column) for column in additive),
        gxe.ExpectColumnValuesToBeBetween(column="gross_sales_cents", min_value=0),
        gxe.ExpectColumnValuesToBeBetween(column="discounts_cents", max_value=0),
        gxe.ExpectColumnValuesToBeBetween(column="returns_cents", max_value=0),
    ]


def _daily_sales() -> list[Any]:
    import great_expectations.expectations as gxe  # noqa: PLC0415

    money = ("gross_sales_cents", "returns_cents", "discounts_cents", "net_sales_cents")
    return [
        gxe.ExpectColumnValuesToNotBeNull(column="sale_date"),
        gxe.ExpectColumnValuesToBeUnique(column="sale_date"),
        *_signed_money(additive=money),
        gxe.ExpectColumnValuesToBeBetween(column="orders", min_value=0),
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A="orders", column_B="guest_orders", or_equal=True, ignore_row_if="neither"
        ),
    ]


def _hourly_sales() -> list[Any]:
    import great_expectations.expectations as gxe  # noqa: PLC0415

    return [
        gxe.ExpectColumnValuesToNotBeNull(column="sale_date"),
        gxe.ExpectColumnValuesToBeBetween(column="sale_hour", min_value=0, max_value=23),
        gxe.ExpectColumnValuesToNotBeNull(column="net_sales_cents"),
    ]


def _product_performance() -> list[Any]:
    import great_expectations.expectations as gxe  # noqa: PLC0415

    return [
        gxe.ExpectColumnValuesToNotBeNull(column="product_key"),
        gxe.ExpectColumnValuesToBeUnique(column="product_key"),
        gxe.ExpectColumnValuesToNotBeNull(column="net_sales_cents"),
    ]


def _inventory_status() -> list[Any]:
    import great_expectations.expectations as gxe  # noqa: PLC0415

    return [
        gxe.ExpectColumnValuesToNotBeNull(column="stock_status"),
        gxe.ExpectColumnValuesToBeBetween(column="days_of_cover", min_value=0),
        gxe.ExpectColumnValuesToBeBetween(column="sell_through_pct", min_value=0, max_value=100),
        gxe.ExpectColumnValuesToBeBetween(column="suggested_quantity", min_value=1),
    ]


def _product_pairs() -> list[Any]:
    import great_expectations.expectations as gxe  # noqa: PLC0415

    shares = ("support_pct", "confidence_pct", "other_confidence_pct")
    return [
        *(gxe.ExpectColumnValuesToBeBetween(column=name, min_value=0, max_value=100) for name in shares),
        gxe.ExpectColumnValuesToBeBetween(column="lift", min_value=0),
    ]


def _customer_segments() -> list[Any]:
    import great_expectations.expectations as gxe  # noqa: PLC0415

    segments = ["Premium", "Regular", "New", "At-Risk", "Churned"]
    return [
        gxe.ExpectColumnValuesToNotBeNull(column="customer_key"),
        gxe.ExpectColumnValuesToBeUnique(column="customer_key"),
        gxe.ExpectColumnValuesToNotBeNull(column="segment"),
        gxe.ExpectColumnValuesToBeInSet(column="segment", value_set=segments),
    ]


def _customer_rfm() -> list[Any]:
    import great_expectations.expectations as gxe  # noqa: PLC0415

    scores = ("recency_score", "frequency_score", "monetary_score", "worth_score")
    return [
        gxe.ExpectColumnValuesToBeUnique(column="customer_key"),
        *(gxe.ExpectColumnValuesToBeBetween(column=score, min_value=1, max_value=5) for score in scores),
    ]


def _customers_at_risk() -> list[Any]:
    import great_expectations.expectations as gxe  # noqa: PLC0415

    return [
        gxe.ExpectColumnValuesToBeUnique(column="customer_key"),
        gxe.ExpectColumnValuesToBeBetween(column="spent_cents", min_value=1),
        gxe.ExpectColumnValuesToBeBetween(column="order_count", min_value=2),
    ]


def _customers_monthly() -> list[Any]:
    import great_expectations.expectations as gxe  # noqa: PLC0415

    return [
        gxe.ExpectColumnValuesToBeUnique(column="sale_month"),
        gxe.ExpectColumnValuesToNotBeNull(column="net_sales_cents"),
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A="customers", column_B="returning_customers", or_equal=True, ignore_row_if="neither"
        ),
    ]


def _cohort_retention() -> list[Any]:
    import great_expectations.expectations as gxe  # noqa: PLC0415

    return [
        gxe.ExpectColumnValuesToBeBetween(column="cohort_customers", min_value=1),
        gxe.ExpectColumnValuesToBeBetween(column="month_number", min_value=0),
        gxe.ExpectColumnValuesToBeBetween(column="retention_share", min_value=0, max_value=1),
    ]


def _returns_monthly() -> list[Any]:
    import great_expectations.expectations as gxe  # noqa: PLC0415

    return [
        gxe.ExpectColumnValuesToBeUnique(column="sale_month"),
        gxe.ExpectColumnValuesToBeBetween(column="sold_cents", min_value=0),
        gxe.ExpectColumnValuesToBeBetween(column="returns_cents", max_value=0),
    ]


def _filter_cube() -> list[Any]:
    import great_expectations.expectations as gxe  # noqa: PLC0415

    money = ("gross_sales_cents", "returns_cents", "discounts_cents", "net_sales_cents")
    return [
        *_signed_money(additive=money),
        gxe.ExpectColumnValuesToNotBeNull(column="category"),
        gxe.ExpectColumnValuesToBeBetween(column="orders", min_value=0),
    ]


def _kpi_summary() -> list[Any]:
    import great_expectations.expectations as gxe  # noqa: PLC0415

    return [
        gxe.ExpectCompoundColumnsToBeUnique(column_list=["period", "kpi"]),
        gxe.ExpectColumnValuesToBeInSet(column="unit", value_set=["cents", "count", "percent"]),
    ]
