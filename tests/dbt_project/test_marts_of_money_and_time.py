"""What the marts of money and time make of two months of a small shop, worked out by hand.

May sells ten orders of 10.00 with 2.00 tax, one a day, all to c1 by Ann in North: 100.00 net, 60.00 cost.

June, the last month because it ends on as_of (30 June):

- J1, the 1st, c1 in North by Ann: 20.00 of Home less 2.00 (cost 12.00), and 5.00 of Office of unknown cost
- J2, the 2nd, a guest in South on the web by Ben: 5.00 of Office, and 3.00 shipping, no sale of goods
- J4, the 5th: 4.00 pending, no sale yet
- R1, the 10th: of J1 10.00 less 1.00 come back (cost 6.00), as a document of its own
- J3, the 30th, half past midnight in London, so the 29th in UTC, c2 in South on the web by Ben: 10.00
  (cost 6.00)

So June sells 40.00 gross less 2.00 in 3 orders, 9.00 come back: 29.00 net, of which 18 - 9 + 10 = 19.00 have
a cost, 12 - 6 + 6 = 12.00. Ann's commission is 10 % until 4 June, 20 % from then on.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

HOME = {"product_id": "P1", "product_name": "Mug", "category": "Home"}
OFFICE = {"product_id": "P2", "product_name": "Pen", "category": "Office"}
NORTH = {"store": "North", "region": "N", "country": "UK", "channel": "till", "sales_rep": "Ann"}
SOUTH = {"store": "South", "region": "S", "country": "UK", "channel": "web", "sales_rep": "Ben"}
MAY = [
    {"order_id": f"M{day}", "sale_date": f"2026-05-{day:02}", "gross_cents": 1000, "cost_cents": 600,
     "tax_cents": 200, "customer_id": "c1", **HOME, **NORTH}
    for day in range(1, 11)
]  # fmt: skip
JUNE = [
    {"order_id": "J1", "sale_date": "2026-06-01", "sold_at": "2026-06-01 08:00+00", "gross_cents": 2000,
     "discount_cents": -200, "cost_cents": 1200, "customer_id": "c1", **HOME, **NORTH},
    {"order_id": "J1", "sale_date": "2026-06-01", "sold_at": "2026-06-01 08:00+00", "gross_cents": 500,
     "customer_id": "c1", **OFFICE, **NORTH},
    {"order_id": "J2", "sale_date": "2026-06-02", "gross_cents": 500, **OFFICE, **SOUTH},
    {"order_id": "J2", "sale_date": "2026-06-02", "gross_cents": 300, "line_kind": "shipping", **SOUTH},
    {"order_id": "J4", "sale_date": "2026-06-05", "gross_cents": 400, "order_status": "pending", **HOME,
     **NORTH},
    {"order_id": "J3", "sale_date": "2026-06-30", "sold_at": "2026-06-29 23:30+00", "gross_cents": 1000,
     "cost_cents": 600, "customer_id": "c2", **HOME, **SOUTH},
]  # fmt: skip
RETURNS = [
    {"order_id": "R1", "sale_date": "2026-06-10", "line_type": "return", "quantity_thousandths": -1000,
     "gross_cents": -1000, "discount_cents": 100, "cost_cents": -600, "customer_id": "c1", **HOME, **NORTH},
]  # fmt: skip
REPS = [
    {"sales_rep_id": "a", "sales_rep": "Ann", "commission_rate": Decimal("0.1")},
    {
        "sales_rep_id": "a",
        "sales_rep": "Ann",
        "commission_rate": Decimal("0.2"),
        "effective_from": "2026-06-05",
    },
]
LISTS = [
    ("sales_reps", "2026-01-01", REPS),
    ("customers", "2026-01-01", [{"customer_id": "c1", "state": "Kent"}]),
]
DELIVERIES = [("orders", MAY), ("orders", JUNE), ("events", RETURNS)]
MARTS = """
    daily_sales hourly_sales sales_by_filters sales_by_filters_monthly category_performance
    category_performance_monthly kpi_summary period_comparison regional_performance sales_rep_performance
    profit_analysis sales_bridge seasonality orders_by_status tax_by_rate state_sales_monthly
"""
Rows = Callable[[str], list[tuple[Any, ...]]]


def test_every_order_counts_once_over_all_categories_and_once_in_each_it_holds(rows: Rows) -> None:
    cube = """
        select category, sum(orders)::int, sum(net_sales_cents)::int from marts_next.{} where {}
        group by 1 order by 1
    """
    june = [("All categories", 3, 2900), ("Home", 2, 1900), ("Office", 2, 1000)]
    assert rows(cube.format("sales_by_filters", "sale_date >= '2026-06-01'")) == june
    assert rows(cube.format("sales_by_filters_monthly", "sale_month = '2026-06-01'")) == june
    assert rows(cube.format("sales_by_filters", "sale_date >= '2026-06-01' and store_name = 'South'")) == [
        ("All categories", 2, 1500), ("Home", 1, 1000), ("Office", 1, 500),
    ]  # fmt: skip


def test_categories_are_compared_with_the_month_before(rows: Rows) -> None:
    # Home had ten orders in May, so a percentage may be told: 19.00 after 100.00; Office had none
    assert rows(
        """
        select category, sales_rank, own_orders, net_sales_cents, net_sales_share_pct, gross_profit_cents,
            return_rate_pct, net_sales_change_cents, net_sales_change_pct, why_no_change_pct
        from marts_next.category_performance where period = 'last_month' order by sales_rank
        """
    ) == [
        ("Home", 1, 2, 1900, Decimal("65.5"), 700, Decimal("32.1"), -8100, Decimal("-81.0"), None),
        ("Office", 2, 2, 1000, Decimal("34.5"), None, Decimal("0.0"), 1000, None, "base_is_not_positive"),
    ]
    assert rows(
        "select sale_month::text, category, own_orders, net_sales_cents"
        " from marts_next.category_performance_monthly order by 1, 2"
    ) == [
        ("2026-05-01", "Home", 10, 10000),
        ("2026-06-01", "Home", 2, 1900),
        ("2026-06-01", "Office", 2, 1000),
    ]


def test_every_figure_of_june_or_the_reason_why_there_is_none(rows: Rows) -> None:
    # c1 has bought before, c2 is new; one of three orders is a guest's; 9 of 38.00 came back; 7 of 19.00
    # is profit
    june = {
        "gross_sales": 4000, "discounts": -200, "returns": -900, "net_sales": 2900, "tax": 0,
        "total_collected": 2900, "orders": 3, "units": 4, "average_order_value": 1267, "customers": 2,
        "new_customers": 1, "returning_customers_pct": 50, "guest_orders_pct": Decimal("33.3"),
        "return_rate_pct": Decimal("23.7"), "gross_profit": 700,
        "gross_margin_pct": Decimal("36.8"), "cost_known_pct": Decimal("65.5"),
    }  # fmt: skip
    figures = rows("select kpi, value from marts_next.kpi_summary where period = 'last_month'")
    assert dict(figures) == june
    assert rows(
        """
        select kpi, value, why_missing, previous_value, previous_change, previous_change_pct,
            why_no_previous_pct
        from marts_next.kpi_summary
        where period = 'last_month'
            and kpi in ('net_sales', 'customers', 'returning_customers_pct', 'returns') order by kpi_number
        """
    ) == [
        ("returns", -900, None, 0, -900, None, "base_is_not_positive"),
        ("net_sales", 2900, None, 10000, -7100, Decimal("-71.0"), None),
        ("customers", 2, None, 1, 1, Decimal("100.0"), None),
        ("returning_customers_pct", 50, None, 100, -50, None, "changes_by_points"),
    ]
    # nothing was sold in the last whole week, 22 to 28 June: an average of nothing is no 0
    assert rows(
        "select kpi, value, why_missing from marts_next.kpi_summary where period = 'last_week'"
        " and kpi in ('net_sales', 'average_order_value', 'return_rate_pct', 'gross_margin_pct')"
        " order by kpi_number"
    ) == [
        ("net_sales", 0, None),
        ("average_order_value", None, "no_orders"),
        ("return_rate_pct", None, "nothing_sold"),
        ("gross_margin_pct", None, "cost_not_delivered"),
    ]


def test_why_june_brought_less_than_may_adds_up_to_the_cent(rows: Rows) -> None:
    # 7 orders fewer at 10.00; three orders worth 38.00 where 30.00 was usual; 9.00 came back
    assert rows(
        """
        select caution, net_sales_change_cents, change_by_orders_cents, change_by_order_value_cents,
            change_by_returns_cents, net_sales_change_pct
        from marts_next.period_comparison where period = 'last_month' and compared_with = 'previous'
        """
    ) == [("other_number_of_days", -7100, -7000, 800, -900, Decimal("-71.0"))]
    assert rows(
        "select caution, base_net_sales_cents, net_sales_change_pct from marts_next.period_comparison"
        " where period = 'last_month' and compared_with = 'year_before'"
    ) == [("history_too_short", None, None)]


def test_places_and_people_are_ranked_and_paid(rows: Rows) -> None:
    assert rows(
        """
        select level, member, sales_rank, orders, net_sales_cents, gross_profit_cents,
            previous_net_sales_cents
        from marts_next.regional_performance where period = 'last_month' order by level, sales_rank
        """
    ) == [
        ("channel", "web", 1, 2, 1500, 400, 0),
        ("channel", "till", 2, 1, 1400, 300, 10000),
        ("country", "UK", 1, 3, 2900, 700, 10000),
        ("region", "S", 1, 2, 1500, 400, 0),
        ("region", "N", 2, 1, 1400, 300, 10000),
        ("store", "South", 1, 2, 1500, 400, 0),
        ("store", "North", 2, 1, 1400, 300, 10000),
    ]
    # Ann: 10 % of 23.00 sold on 1 June, 20 % of the 9.00 that came back on the 10th; nobody knows Ben's rate
    assert rows(
        """
        select sales_rep_name, sales_rank, peers, net_sales_cents, commission_cents, net_sales_with_rate_cents
        from marts_next.sales_rep_performance where period = 'last_month' order by sales_rank
        """
    ) == [("Ben", 1, 2, 1500, None, 0), ("Ann", 2, 2, 1400, 230 - 180, 1400)]


def test_profit_stands_beside_the_share_of_sales_it_is_known_for(rows: Rows) -> None:
    assert rows(
        """
        select group_type, group_name, net_sales_cents, gross_profit_cents, gross_margin_pct, cost_known_pct
        from marts_next.profit_analysis
        where period = 'all_time' and group_type in ('product', 'customer_segment') order by 1, 2
        """
    ) == [
        ("customer_segment", "New", 1000, 400, Decimal("40.0"), Decimal("100.0")),
        # c1: 100.00 of May, 23.00 of J1, 9.00 back; all but the 5.00 of Office have a cost
        ("customer_segment", "Premium", 11400, 4300, Decimal("39.4"), Decimal("95.6")),
        ("product", "Mug", 11900, 4700, Decimal("39.5"), Decimal("100.0")),
        ("product", "Pen", 1000, None, None, Decimal("0.0")),
    ]


def test_the_bridge_leads_from_net_sales_to_another_way_of_counting(rows: Rows) -> None:
    def day(of: str) -> list[tuple[Any, ...]]:
        return rows(
            "select step, amount_cents from marts_next.sales_bridge"
            f" where sale_date = '{of}' and amount_cents <> 0 order by step_number"
        )

    assert day("2026-05-01") == [("net_sales", 1000), ("tax", 200)]
    assert day("2026-06-02") == [("net_sales", 500), ("shipping", 300)]
    assert day("2026-06-05") == [("not_completed", 400)]
    assert day("2026-06-29") == [("utc_day", 1000)]
    assert day("2026-06-30") == [("net_sales", 1000), ("utc_day", -1000)]
    # R1 is a document of its own: it stays on its day, and the step says that it cannot tell
    assert rows(
        "select amount_cents, lines_that_cannot_say, missing_input from marts_next.sales_bridge"
        " where sale_date = '2026-06-10' and step = 'returns_on_order_day'"
    ) == [(0, 1, "returns_that_name_their_order")]


def test_two_months_are_too_little_for_seasons_of_the_year(rows: Rows) -> None:
    assert rows("select distinct season, why_missing from marts_next.seasonality order by 1, 2") == [
        ("hour", "too_little_history"),
        ("month", "too_little_history"),
        # 61 days are 8 whole weeks
        ("weekday", None),
    ]


def test_states_statuses_and_tax_rates_tell_how_much_they_know(rows: Rows) -> None:
    # c1 lives in Kent: all of May; in June J1 less what came back, 14.00 of 29.00. c2's state is not known
    assert rows(
        "select sale_month::text, state, customers, orders, net_sales_cents, state_known_pct"
        " from marts_next.state_sales_monthly order by 1"
    ) == [
        ("2026-05-01", "Kent", 1, 10, 10000, Decimal("100.0")),
        ("2026-06-01", "Kent", 1, 1, 1400, Decimal("48.3")),
    ]
    assert rows(
        "select order_date::text, documents, orders, net_sales_cents, uncounted_cents"
        " from marts_next.orders_by_status where order_status = 'pending'"
    ) == [("2026-06-05", 1, 0, 0, 400)]
    # J2's shipping is no sale of goods: June has both lines of J1, one of J2, R1 and J3
    assert rows(
        "select sale_month::text, tax_rate_pct, why_no_rate, line_count, net_sales_cents, tax_cents"
        " from marts_next.tax_by_rate order by 1"
    ) == [
        ("2026-05-01", Decimal("20.0"), None, 10, 10000, 2000),
        ("2026-06-01", None, "tax_not_delivered", 5, 2900, 0),
    ]
