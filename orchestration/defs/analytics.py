"""What analytics writes between the two selections of dbt, as assets.

Put here: how forecasts and anomalies look in Dagster. Never here: a formula or a threshold (analytics/).
"""

from typing import Any

import psycopg
from dagster import AssetExecutionContext, AssetSpec, Failure, MaterializeResult, multi_asset

from orchestration.batch import current_batch
from orchestration.defs.resources import BatchSession

FORECASTS = {
    "revenue_forecast_series": "How each series of weekly net sales is forecast, and how far off that was in "
    "the back-test. One row per series.",
    "revenue_forecast_weeks": "Estimated net sales of the next 8 weeks with their 80 % band. One row per "
    "series and week.",
}
ANOMALIES = {
    "sales_anomaly_flags": "Days, days of a category and orders far from the usual, with the reason. One row "
    "per day and subject.",
}


def _specs(tables: dict[str, str], *, deps: list[str]) -> list[AssetSpec]:
    return [
        AssetSpec(
            key=["core", table],
            deps=[["core", dep] for dep in deps],
            description=description,
            group_name="core",
            kinds={"python", "postgres"},
            owners=["team:data"],
            metadata={"dagster/table_name": f"core.{table}"},
        )
        for table, description in tables.items()
    ]


@multi_asset(
    name="revenue_forecast",
    specs=_specs(FORECASTS, deps=["agg_orders_daily", "agg_categories_daily", "dim_places"]),
)
def revenue_forecast(context: AssetExecutionContext, session: BatchSession) -> Any:
    """Forecast the revenue of the next 8 weeks."""
    from analytics.making import make_forecasts

    build = session.build()
    current_batch().say("Forecasting the next 8 weeks")
    try:
        made = make_forecasts(session.warehouse, build_id=build.build_id, as_of=build.as_of)
    except psycopg.Error as problem:
        raise _given_up(session, "the forecast", problem) from None
    for table in FORECASTS:
        yield MaterializeResult(
            asset_key=["core", table], metadata={"series": made.series, "forecast": made.forecast}
        )


@multi_asset(
    name="sales_anomalies",
    specs=_specs(
        ANOMALIES,
        deps=[
            *("agg_orders_daily", "agg_categories_daily", "agg_products_monthly", "agg_customers"),
            *("dim_categories", "dim_places", "fct_orders", "fct_order_lines"),
        ],
    ),
)
def sales_anomalies(context: AssetExecutionContext, session: BatchSession) -> Any:
    """Look for unusual days and strange orders."""
    from analytics.making import make_anomalies

    build = session.build()
    current_batch().say("Looking for unusual days and strange orders")
    try:
        made = make_anomalies(session.warehouse, build_id=build.build_id, as_of=build.as_of)
    except psycopg.Error as problem:
        raise _given_up(session, "the search for anomalies", problem) from None
    for table in ANOMALIES:
        yield MaterializeResult(
            asset_key=["core", table], metadata={"days": made.days, "orders": made.orders}
        )


def _given_up(session: BatchSession, what: str, problem: psycopg.Error) -> Failure:
    """Close the build, so that its changes stay pending, and say why."""
    session.give_up()
    sentence = f"{what}: {str(problem).splitlines()[0]}"
    current_batch().failures.append(sentence)
    return Failure(sentence)
