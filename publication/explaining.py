"""Why a day's net sales are not the number somebody else shows: every cent between the two, step by step.

Put here: the steps from our number to another one, and which of them together give exactly the expected sum.
Never here: how a step of the bridge is made (the mart sales_bridge, docs/decisions/0052) or how it is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import TYPE_CHECKING, Any

import psycopg

from warehouse.errors import ShopxError

if TYPE_CHECKING:
    from warehouse.database import Warehouse

MOST_STEPS = 16  # 2^16 sums are tried at most; beyond that the smallest steps are left out
SHOWN_ANSWERS = 3

SAYS = {
    "net_sales": "net sales as published: after discounts and returns, without tax",
    "returns_on_order_day": "returns counted on the day of the order they name",
    "tax": "tax on top",
    "shipping": "shipping, with its tax",
    "other_charges": "gift cards, deposits, fees, tips and donations",
    "not_completed": "pending, cancelled and other orders that do not count",
    "utc_day": "days cut at midnight UTC, of everything above",
    "utc_day_net": "days cut at midnight UTC, of net sales alone",
    "without_returns": "returns left out",
    "before_discounts": "before discounts",
}
# two of one group say the same thing in two ways, so no sum may hold both
GROUPS = {
    "returns_on_order_day": "returns",
    "without_returns": "returns",
    "utc_day": "utc",
    "utc_day_net": "utc",
}


@dataclass(frozen=True)
class Step:
    """What would be added to net sales if one thing were counted otherwise; money in minor units."""

    step: str
    says: str
    amount_cents: int
    lines_that_cannot_say: int = 0
    load_id: int | None = None

    @property
    def group(self) -> str:
        """Steps of one group exclude each other."""
        return GROUPS.get(self.step, f"{self.step} {self.load_id}")


@dataclass(frozen=True)
class Answer:
    """Steps that together with net sales make exactly the expected sum."""

    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Explanation:
    """The day's net sales, every step that could lead away from it, and what of that makes the expected sum.

    `unknown` are sentences about what stands nowhere in cents: refused rows, deliveries not read yet.
    `nearest` is the closest sum where none fits, with what is left between.
    """

    day: date
    publication_id: int
    net_sales_cents: int
    steps: tuple[Step, ...]
    unknown: tuple[str, ...]
    expected_cents: int | None = None
    answers: tuple[Answer, ...] = ()
    nearest: Answer | None = None

    def sum_of(self, answer: Answer) -> int:
        """Net sales and the steps of an answer, in minor units."""
        return self.net_sales_cents + sum(step.amount_cents for step in answer.steps)


def explain(warehouse: Warehouse, day: date, *, expected_cents: int | None = None) -> Explanation:
    """Explain a day. Raises ShopxError when nothing is published for it."""
    with warehouse.connect("owner", application_name="shopx explain") as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        published = connection.execute("select publication_id from marts.publication").fetchone()
        if published is None:
            raise ShopxError("Nothing is published yet. Load sales first: ./shopx run FILE")
        bridge = _bridge(connection, day)
        net = next(step.amount_cents for step in bridge if step.step == "net_sales")
        steps = [
            *(step for step in bridge if step.step != "net_sales"),
            *_otherwise(connection, day),
            *_net_in_utc(connection, day),
            *_left_out(connection, day),
        ]
        unknown = [*_refused(connection, day), *_unread(connection, day)]
    answers, nearest = _answers(net, steps, expected_cents)
    return Explanation(day, published[0], net, tuple(steps), tuple(unknown), expected_cents, answers, nearest)


def _bridge(connection: psycopg.Connection[Any], day: date) -> list[Step]:
    rows = connection.execute(
        "select step, amount_cents, lines_that_cannot_say from marts.sales_bridge "
        "where sale_date = %s order by step_number",
        [day],
    ).fetchall()
    if not rows:
        span = connection.execute("select min(sale_date), max(sale_date) from marts.sales_bridge").fetchone()
        reach = f"it reaches from {span[0]} to {span[1]}" if span and span[0] else "it is empty"
        raise ShopxError(f"The published bridge holds nothing about {day}; {reach}.")
    return [Step(step, SAYS[step], amount, unknown) for step, amount, unknown in rows]


def _otherwise(connection: psycopg.Connection[Any], day: date) -> list[Step]:
    """Other measures of the same day."""
    row = connection.execute(
        "select -returns_cents, -discounts_cents from marts.daily_sales where sale_date = %s", [day]
    ).fetchone()
    amounts = row or (0, 0)
    return [
        Step(step, SAYS[step], amount)
        for step, amount in zip(("without_returns", "before_discounts"), amounts, strict=True)
    ]


def _net_in_utc(connection: psycopg.Connection[Any], day: date) -> list[Step]:
    row = connection.execute(
        """
        select coalesce(sum(case when sale_date = %(day)s then -net_cents else net_cents end), 0)::bigint
        from core.fct_order_lines
        where sale_date between %(day)s::date - 1 and %(day)s::date + 1 and counts_as_revenue
            and (sale_date = %(day)s) <> ((sold_at at time zone 'UTC')::date = %(day)s)
        """,
        {"day": day},
    ).fetchone()
    return [Step("utc_day_net", SAYS["utc_day_net"], row[0] if row else 0)]


LEFT_OUT = """
    select
        l.load_id, l.delivered_name, l.status, l.held_reason, count(*), sum(r.net_cents)::bigint
    from raw.sales_lines as r
    inner join raw.loads as l on l.load_id = r.load_id
    where r.sale_date = %(day)s and not exists (
        select from core.fct_order_lines as f
        where f.sale_date = %(day)s and f.load_id = r.load_id and f.order_line_key = r.order_line_key
    )
    group by l.load_id
    order by l.load_id
"""


def _left_out(connection: psycopg.Connection[Any], day: date) -> list[Step]:
    """Accepted rows of the day that are not counted: held, withdrawn, or replaced by a later delivery."""
    steps = []
    for load_id, name, status, reason, count, cents in connection.execute(LEFT_OUT, {"day": day}).fetchall():
        rows = f"{count:,} {'row' if count == 1 else 'rows'} of {name} (load {load_id})"
        if status == "held":
            steps.append(Step("held", f"{rows}, held: {reason}", cents, load_id=load_id))
        elif status == "approved":
            steps.append(Step("replaced", f"{rows}, replaced or not published yet", cents, load_id=load_id))
        else:
            steps.append(Step(status, f"{rows}, {status}", cents, load_id=load_id))
    return steps


# found by the day as people write it; which of two readings was meant does not matter here
REFUSED = """
    select l.load_id, l.delivered_name, count(*), min(r.sheet_row), min(array_to_string(r.reasons, ', '))
    from raw.rejected_rows as r
    inner join raw.loads as l on l.load_id = r.load_id
    where l.status <> 'withdrawn' and l.holds = 'sales'
        and exists (
            select from unnest(%(written)s::text[]) as written
            where position(convert_to(written, 'UTF8') in r.raw_bytes) > 0
        )
    group by l.load_id
    order by l.load_id
"""


def _refused(connection: psycopg.Connection[Any], day: date) -> list[str]:
    written = {
        day.isoformat(), day.strftime("%Y/%m/%d"), day.strftime("%Y%m%d"), day.strftime("%d/%m/%Y"),
        day.strftime("%m/%d/%Y"), day.strftime("%d.%m.%Y"), day.strftime("%d-%m-%Y"),
        f"{day.day}/{day.month}/{day.year}", f"{day.month}/{day.day}/{day.year}",
        f"{day.day}.{day.month}.{day.year}",
    }  # fmt: skip
    return [
        f"{count:,} refused {'row names' if count == 1 else 'rows name'} this day in {name} "
        f"(load {load_id}), first row {sheet_row:,}: {reasons}. Their money is unknown: "
        f"./shopx rejects {load_id}"
        for load_id, name, count, sheet_row, reasons in connection.execute(
            REFUSED, {"written": sorted(written)}
        ).fetchall()
    ]


def _unread(connection: psycopg.Connection[Any], day: date) -> list[str]:
    """Held deliveries of which no row could be read, or none with a day."""
    rows = connection.execute(
        """
        select l.load_id, l.delivered_name, l.held_reason, l.rows_delivered
        from raw.loads as l
        where l.status = 'held' and l.holds = 'sales'
            and not exists (select from raw.sales_lines as r where r.load_id = l.load_id)
        order by l.load_id
        """
    ).fetchall()
    return [
        f"{name} (load {load_id}) is held before its {delivered:,} rows could be read ({reason}); it may "
        f"hold sales of {day}: ./shopx loads"
        for load_id, name, reason, delivered in rows
    ]


def _answers(
    net: int, steps: Sequence[Step], expected: int | None
) -> tuple[tuple[Answer, ...], Answer | None]:
    """Sums of fewest steps that are exactly `expected`, or else the nearest sum."""
    if expected is None:
        return (), None
    usable = sorted((step for step in steps if step.amount_cents), key=lambda step: -abs(step.amount_cents))
    usable = usable[:MOST_STEPS]
    found: list[Answer] = []
    nearest: tuple[int, Answer] = (abs(expected - net), Answer(()))
    for size in range(len(usable) + 1):
        for chosen in combinations(usable, size):
            if len({step.group for step in chosen}) < size:
                continue
            away = abs(expected - net - sum(step.amount_cents for step in chosen))
            if away == 0:
                found.append(Answer(chosen))
            elif away < nearest[0]:
                nearest = (away, Answer(chosen))
        if found:
            return tuple(found[:SHOWN_ANSWERS]), None
    return (), nearest[1]
