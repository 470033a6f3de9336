"""explain: every cent between our number of a day and another one is named, and nothing is made up."""

from __future__ import annotations

from datetime import date

import pytest

from publication.audit import AuditResult, audit
from publication.driver import drive
from publication.explaining import Answer, Step, _answers, explain
from publication.publish import publish
from warehouse.errors import ShopxError

DAY = date(2026, 3, 2)
# as the mart leads from net sales to another system's number: one row per day and step
BRIDGE = """
    create table marts_next.sales_bridge as
    select
        d.sale_date, s.step_number::smallint as step_number, s.step,
        (case s.step when 'net_sales' then d.net when 'tax' then d.net / 5 else d.pending end)::bigint as
        amount_cents, 0::bigint as lines_that_cannot_say
    from (
        select
            sale_date, coalesce(sum(net_cents) filter (where counts_as_revenue), 0) as net,
            coalesce(sum(net_cents) filter (where not counts_as_revenue), 0) as pending
        from core.fct_order_lines group by 1
    ) as d cross join (values (1, 'net_sales'), (3, 'tax'), (6, 'not_completed')) as s (step_number, step);
    alter table marts_next.sales_bridge add primary key (sale_date, step_number)
"""


@pytest.fixture
def told(open_shop, monkeypatch):
    """Published: 5.00 net on the day, 1.00 tax, C's 7.00 pending. Held: 0.50. Withdrawn: 0.30."""
    passed = AuditResult("expectation", "left out", None, None, True, None)
    monkeypatch.setattr("publication.audit._expectations", lambda *_, **__: [passed])
    open_shop.extra_marts["sales_bridge"] = BRIDGE
    open_shop.deliver([open_shop.line("H", DAY, 50)], status="held")
    open_shop.deliver([open_shop.line("W", DAY, 30)], status="withdrawn")
    with drive(open_shop.warehouse, wait_s=5) as driver:
        build = open_shop.build(driver)
        publish(open_shop.warehouse, build, audit(open_shop.warehouse, build, manifest=open_shop.manifest))
    return open_shop


def steps(found):
    return [(step.step, step.load_id) for step in found]


def test_every_step_of_a_day_stands_in_cents(told):
    found = explain(told.warehouse, DAY)
    assert (found.net_sales_cents, found.publication_id) == (500, 1)
    amounts = {(step.step, step.load_id): step.amount_cents for step in found.steps if step.amount_cents}
    assert amounts == {
        ("tax", None): 100,
        ("not_completed", None): 700,
        ("held", 2): 50,
        ("withdrawn", 3): 30,
    }
    held = next(step for step in found.steps if step.step == "held")
    assert held.says == "1 row of 2.csv (load 2), held: BY_HAND"


@pytest.mark.parametrize(
    ("expected", "through"),
    [
        (500, []),
        (600, [("tax", None)]),
        (1350, [("not_completed", None), ("tax", None), ("held", 2)]),
        (530, [("withdrawn", 3)]),
    ],
)
def test_the_steps_that_make_the_expected_sum_are_named(told, expected, through):
    found = explain(told.warehouse, DAY, expected_cents=expected)
    assert [steps(answer.steps) for answer in found.answers] == [through]
    assert [found.sum_of(answer) for answer in found.answers] == [expected]
    assert found.nearest is None


def test_where_nothing_fits_the_nearest_sum_is_told_and_what_is_left(told):
    found = explain(told.warehouse, DAY, expected_cents=601)
    assert found.answers == ()
    assert found.nearest is not None
    assert (steps(found.nearest.steps), found.sum_of(found.nearest)) == ([("tax", None)], 600)


def test_two_ways_to_count_the_same_are_never_added_to_each_other():
    moved = Step("returns_on_order_day", "", 200)
    left_out = Step("without_returns", "", 300)
    assert _answers(1000, [moved, left_out], 1500)[0] == ()
    assert _answers(1000, [moved, left_out], 1300)[0] == (Answer((left_out,)),)


def test_refused_rows_of_the_day_are_counted_but_never_guessed(told):
    told.change(
        "insert into raw.rejected_rows (load_id, line_number, sheet_row, byte_offset, columns, reasons, "
        "messages, raw_bytes) values (1, 9, 9, 0, '{amount}', '{AMOUNT_UNREADABLE}', '{x}', "
        "convert_to('X1,02/03/2026,tea,a lot', 'UTF8'))"
    )
    [sentence] = explain(told.warehouse, DAY).unknown
    assert sentence.startswith(
        "1 refused row names this day in 1.csv (load 1), first row 9: AMOUNT_UNREADABLE"
    )
    assert "./shopx rejects 1" in sentence
    assert explain(told.warehouse, date(2026, 3, 1)).unknown == ()


def test_a_day_the_bridge_does_not_hold_is_answered_with_its_reach(told):
    with pytest.raises(ShopxError, match="it reaches from 2026-03-01 to 2026-03-03"):
        explain(told.warehouse, date(2020, 1, 1))


def test_before_the_first_publication_there_is_nothing_to_explain(shop):
    with pytest.raises(ShopxError, match="Nothing is published yet"):
        explain(shop.warehouse, DAY)
