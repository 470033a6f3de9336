"""Great Expectations' page about a run: safe to open, kept in number, and never in the way of the gate."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from expectations.data_docs import body_of, keep_page, page_of
from expectations.engine import judge_frame

EVIL = '<script>alert(1)</script><img src=x onerror=alert(2)><a href="javascript:alert(3)">$1 $x {{7*7}}'


@pytest.fixture(scope="module")
def body() -> str:
    import great_expectations.expectations as gxe  # noqa: PLC0415  seconds

    pages: list[str] = []
    frame = pd.DataFrame([{"load_id": 1, "name": EVIL}, {"load_id": 2, "name": "Tea & Cups"}], dtype=object)
    [verdict] = judge_frame(
        name="arrivals",
        frame=frame,
        expectations=[gxe.ExpectColumnValuesToBeInSet(column="name", value_set=["Tea"])],
        key="load_id",
        show=lambda outcome: pages.append(body_of(outcome)),
    )
    assert not verdict.passed
    [page] = pages
    return page


def test_cells_stand_in_the_page_as_text(body: str) -> None:
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in body
    assert "$1 $x {{7*7}}" in body
    assert "Tea &amp; Cups" in body
    assert not re.search(r"<(?!/?[a-z0-9]+( colspan=\"\d+\")?/?>)", body), "an element with an attribute"


def test_the_page_asks_no_other_host_for_anything(body: str) -> None:
    assert not re.search(r"<(script|link|img|iframe|style|form|a)\b", body)
    assert "http" not in body


def test_the_page_says_what_was_expected_and_found(body: str) -> None:
    text = re.sub(r"<[^>]+>|\s+", " ", body)
    assert "values must belong to this set" in re.sub(r"\s+", " ", text)
    assert "✗" in text and "Show All" not in text


def test_only_the_newest_pages_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("expectations.data_docs.KEPT", 3)
    for number in (8, 9, 10, 11):
        keep_page(tmp_path, number, f"<p>{number}</p>")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "arrivals-10.html", "arrivals-11.html", "arrivals-9.html",
    ]  # fmt: skip
    assert page_of(tmp_path, 9).stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_written_costs_the_page_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    keep_page(tmp_path / "file", 1, "<p>1</p>")
