"""Files of answers: nothing in them is taken for a formula, and they say what they are."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from dashboards import exports
from dashboards.answers.answer import Answer, Column
from dashboards.answers.spans import span_of
from dashboards.answers.state import FilterState
from dashboards.answers.trust import Trust
from dashboards.spec.loading import card_of, load_boards

TRUST = Trust(
    publication_id=7,
    as_of=date(2026, 5, 31),
    published_at=datetime(2026, 6, 1, 7, 2, tzinfo=UTC),
    time_zone="Europe/London",
    feeds=("till", "web"),
    late_feeds=("web",),
    loads=3,
    rows_delivered=3000,
    rows_rejected=12,
    held_loads=1,
    is_reconciled=True,
    paused=None,
)
EVIL = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    '=HYPERLINK("http://x")',
    "＝1",
    "00123",
    "http://x.invalid",
]


def answer(*texts: str) -> Answer:
    state = FilterState(chosen={"store": ("=Leeds", None)})
    return Answer(
        card=card_of(load_boards(), "store_movers"),
        title="Stores",
        rows=tuple((text, -1999) for text in texts),
        columns=(
            Column("store", "=Store", "text", "text"),
            Column("change_cents", "Change", "money", "whole"),
        ),
        compared=None,
        compared_with=None,
        changes=(),
        no_change=(),
        spark=(),
        cannot_obey=(),
        notes=(),
        missing={},
        empty=None,
        publication_id=7,
        as_of=date(2026, 5, 31),
        currency="GBP",
        state=state,
        seconds=0.0,
        span=span_of(state, as_of=date(2026, 5, 31), first_sale=date(2020, 1, 1)),
    )


def test_no_text_becomes_a_formula_in_a_csv() -> None:
    rows = exports.csv_bytes(answer(*EVIL), TRUST).decode("utf-8-sig")
    body = rows.split("'=Store,Change (GBP)\r\n")[1]
    for text in EVIL:
        safe = text in ("00123", "http://x.invalid")
        assert (text if safe else f"'{text}").splitlines()[0].replace('"', '""') in body
    assert body.startswith("'=1+1,-19.99\r\n")


def test_no_text_becomes_a_formula_or_a_link_in_a_workbook() -> None:
    with zipfile.ZipFile(io.BytesIO(exports.xlsx_bytes(answer(*EVIL), TRUST))) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        names = book.namelist()
    assert "<f>" not in sheet and "hyperlink" not in sheet
    assert not [name for name in names if "externalLink" in name]
    assert "<v>-19.99</v>" in sheet


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_file_says_what_was_chosen_and_how_far_it_can_be_trusted(form: str) -> None:
    made = exports.csv_bytes(answer("A"), TRUST) if form == "csv" else exports.xlsx_bytes(answer("A"), TRUST)
    if form == "xlsx":
        with zipfile.ZipFile(io.BytesIO(made)) as book:
            made = book.read("xl/sharedStrings.xml")
    text = made.decode("utf-8")
    for said in (
        "Last 28 days, 4–31 May 2026",
        "Store: =Leeds, none named",
        "Source: marts.sales_by_filters.net_sales_cents",
        "Sales to Sun 31 May 2026 · published 1 Jun 2026 08:02 · 1 of 2 feeds in · 12 of 3,000 rows refused",
        "1 delivery held · ledger = marts · Europe/London · publication 7",
    ):
        assert said in text


def test_the_same_answer_is_the_same_file() -> None:
    assert exports.xlsx_bytes(answer("A"), TRUST) == exports.xlsx_bytes(answer("A"), TRUST)


def test_a_paused_publication_is_said_first() -> None:
    paused = replace(TRUST, paused="wrong prices (figures of publication 5)")
    assert paused.text.startswith("PUBLICATION IS PAUSED: wrong prices")
    assert not paused.is_clean


def test_the_name_of_a_file_is_plain() -> None:
    assert exports.file_name(answer("A"), "xlsx") == "overview-store_movers-2026-05-04-to-2026-05-31.xlsx"
