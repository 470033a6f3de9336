"""What is said about figures: formats, changes, findings."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from dashboards import formats
from dashboards.answers.answer import Answer, Column, change_of
from dashboards.answers.findings import title_of
from dashboards.answers.spans import Base, span_of
from dashboards.answers.state import FilterState
from dashboards.palette import palette
from dashboards.spec.loading import card_of, load_boards
from dashboards.spec.model import Card

BOARDS = load_boards()
BASE = Base(date(2026, 4, 1), date(2026, 4, 28), "the period before", None)
NBSP = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("value", "form", "more", "text"),
    [
        (4821735, "money", {}, "£48,217"),
        (4821735, "money", {"exact": True}, "£48,217.35"),
        (-100323, "money", {}, "-£1,003"),
        (-49, "money", {}, "£0"),
        (9999900, "money", {"compact": True}, "£99,999"),
        (12345678, "money", {"compact": True}, "£123.5K"),
        (2541, "money_exact", {}, "£25.41"),
        (4821735, "money_exact", {"currency": "JPY"}, "JP¥4,821,735"),
        (4821735, "money", {"currency": None, "exact": True}, "48,217.35"),
        (4821735, "money_exact", {"locale": "de_DE", "currency": "EUR"}, f"48.217,35{NBSP}€"),
        (4821735, "money_exact", {"locale": "de_CH", "currency": "CHF"}, f"CHF{NBSP}48’217.35"),
        (12345, "count", {"locale": "fr_FR"}, "12\N{NARROW NO-BREAK SPACE}345"),
        (Decimal("12.34"), "percent", {}, f"12.3{NBSP}%"),
        (Decimal("0.0040"), "share", {}, f"0.4{NBSP}%"),
        (Decimal("1.25"), "points", {}, f"1.3{NBSP}pp"),
        (Decimal("2.500"), "units", {}, "2.5"),
        (Decimal("2.000"), "units", {}, "2"),
        (None, "money", {}, "–"),
        (date(2026, 5, 1), "month", {}, "May 2026"),
        (datetime(2026, 5, 1, 8, 2), "datetime", {}, "1 May 2026 08:02"),
        (9, "hour", {}, "09:00"),
        (True, "yesno", {}, "yes"),
    ],
)
def test_values_read_as_people_write_them(value: Any, form: str, more: dict[str, Any], text: str) -> None:
    assert formats.shown(value, form, **{"currency": "GBP", **more}) == text


def test_spans_are_spelled_out() -> None:
    assert formats.day(date(2026, 5, 30)) == "Sat 30 May 2026"
    assert formats.span(date(2026, 5, 4), date(2026, 5, 31)) == "4–31 May 2026"
    assert formats.span(date(2026, 4, 6), date(2026, 5, 3)) == "6 Apr – 3 May 2026"
    assert formats.span(date(2025, 12, 20), date(2026, 1, 16)) == "20 Dec 2025 – 16 Jan 2026"


def change(
    value: Any,
    base: Any,
    *,
    form: str = "money",
    base_orders: int = 50,
    span: Base = BASE,
    key: str = "net_sales",
) -> Any:
    return change_of(
        card_of(BOARDS, key),
        Column("x", "X", form, "whole"),
        compared="previous",
        base=span,
        value=value,
        base_value=base,
        base_orders=base_orders,
        orders=50,
        currency="GBP",
    )


def test_a_change_is_said_with_sign_arrow_and_word() -> None:
    assert change(1083, 1000).words == f"▲ 8.3{NBSP}% more than 1–28 Apr 2026"
    assert change(900, 1000).words == f"▼ 10.0{NBSP}% less than 1–28 Apr 2026"
    assert change(1000, 1000).words == "= the same as 1–28 Apr 2026"


def test_a_small_base_gives_the_change_itself_and_no_percentage() -> None:
    few = change(12000, 2000, base_orders=9)
    assert (few.pct, few.words) == (None, "▲ £100 more than 1–28 Apr 2026")
    assert change(12000, 0).pct is None
    assert change(12000, -100).pct is None
    assert change(None, 100) is None


def test_a_rate_changes_by_points() -> None:
    assert (
        change(Decimal("1.6"), Decimal("1.4"), form="percent").words
        == f"▲ 0.2{NBSP}pp higher than 1–28 Apr 2026"
    )


def test_bad_follows_the_measure_not_the_sign() -> None:
    assert change(1083, 1000).direction == "good"
    assert change(Decimal(2), Decimal(1), form="percent", key="return_rate").direction == "bad"
    assert change(Decimal(1), Decimal(2), form="percent", key="return_rate").direction == "good"


def test_unequal_days_are_said_beside_the_change() -> None:
    assert change(2, 1, span=replace(BASE, caution="31 days against 30 days")).words.endswith(
        "(31 days against 30 days)"
    )


def answer_of(card: Card, columns: list[str], rows: list[tuple[Any, ...]], **more: Any) -> Answer:
    span = span_of(FilterState(), as_of=date(2026, 5, 31), first_sale=date(2020, 1, 1))
    given: dict[str, Any] = {
        "card": card,
        "title": card.name,
        "rows": tuple(rows),
        "compared": None,
        "changes": (),
        "no_change": (),
        "columns": tuple(Column(name, "Net sales", "money", "whole") for name in columns),
        "spark": (),
        "compared_with": span.previous,
        "cannot_obey": (),
        "notes": (),
        "missing": {},
        "empty": None,
        "publication_id": 1,
        "as_of": date(2026, 5, 31),
        "currency": "GBP",
        "span": span,
        "state": FilterState(),
        "seconds": 0.0,
    }
    return Answer(**{**given, **more})


def why(parts: tuple[int, int, int], base: int = 10000, orders: int = 50) -> str:
    rows = [
        (reason, part, base, orders, orders)
        for reason, part in zip(("Orders", "Order value", "Returns"), parts, strict=True)
    ]
    columns = ["reason", "change_cents", "base_net_sales_cents", "orders", "base_orders"]
    return title_of(answer_of(card_of(BOARDS, "why_it_changed"), columns, rows))


def test_a_title_names_the_reason_only_where_the_figures_support_it() -> None:
    assert why((900, -50, -20)) == f"Net sales rose 8.3{NBSP}% because of more orders"
    assert why((-900, 50, 20)) == f"Net sales fell 8.3{NBSP}% because of fewer orders"
    assert why((0, 0, -900)) == f"Net sales fell 9.0{NBSP}% because of more returns"
    # three like reasons: none of them is the reason
    assert why((300, 300, 300)) == f"Net sales rose 9.0{NBSP}%"
    assert why((30, 0, 0)) == "Net sales stayed level with the period before"
    assert why((900, 0, 0), base=0) == "Why net sales changed"
    assert why((900, 0, 0), orders=9) == "Why net sales changed"


def test_a_trend_is_named_only_between_days_that_are_alike() -> None:
    card = card_of(BOARDS, "net_sales_by_day")
    columns = ["sale_date", "net_sales_cents", "orders"]
    rows, before = [(1, 1100, 30)], ((1, 1000, 30),)
    assert title_of(answer_of(card, columns, rows, compared=before)) == (
        f"Net sales rose 10.0{NBSP}% on the period before"
    )
    assert title_of(answer_of(card, columns, rows, compared=((1, 1000, 9),))) == card.name
    unlike = replace(BASE, caution="31 days against 30 days")
    assert title_of(answer_of(card, columns, rows, compared=before, compared_with=unlike)) == card.name
    assert title_of(answer_of(card, columns, rows)) == card.name


def test_a_leader_brings_a_share_of_things_that_add_up() -> None:
    card = card_of(BOARDS, "store_shares")
    columns = ["store", "net_sales_cents"]
    assert (
        title_of(answer_of(card, columns, [("A", 60), ("B", 30), ("C", 10)]))
        == f"A brings 60.0{NBSP}% of net sales"
    )
    assert title_of(answer_of(card, columns, [("A", 60), ("B", -30), ("C", 10)])) == card.name
    assert title_of(answer_of(card, columns, [("A", 60), ("B", 30)])) == card.name


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("name", ["light", "dark"])
def test_colours_have_contrast(name: str) -> None:
    """WCAG 2.2: text 4.5, marks 3.0 against the ground."""
    theme = getattr(palette(), name)

    def contrast(colour: str) -> float:
        one, other = sorted((_luminance(colour), _luminance(theme.ground)), reverse=True)
        return (one + 0.05) / (other + 0.05)

    assert min(contrast(colour) for colour in (theme.text, theme.muted, theme.good, theme.bad)) >= 4.5
    assert min(contrast(colour) for colour in (*theme.series, theme.this_period, theme.comparison)) >= 3.0
    assert len(theme.series) <= len(palette().dashes) and len(theme.series) <= len(palette().markers)
