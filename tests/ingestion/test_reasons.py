"""The closed list of reasons: documented, and every message short and complete."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.reasons import MAX_MESSAGE, REASONS, message

ROOT = Path(__file__).parents[2]


def test_docs_and_list_agree() -> None:
    documented = re.findall(
        r"^### ([A-Z0-9_]+)$", (ROOT / "docs/reasons.md").read_text(encoding="utf-8"), re.M
    )
    assert sorted(documented) == sorted(REASONS)


def test_every_code_that_the_code_gives_is_in_the_list() -> None:
    sources = "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "ingestion").rglob("*.py"))
    assert set(re.findall(r" \[([A-Z][A-Z0-9]+_[A-Z0-9_]+)\]\"", sources)) <= REASONS.keys()


@pytest.mark.parametrize("code", [code for code, reason in REASONS.items() if reason.level == "row"])
@given(saw=st.text(max_size=400), column=st.text(max_size=80))
def test_a_message_says_where_what_and_what_to_do_in_200_characters(code: str, saw: str, column: str) -> None:
    text = message(code, row=1_204, line=1_219, column=column, saw=saw, expected="text like [A-Z]{2}[0-9]{6}")
    assert len(text) <= MAX_MESSAGE
    assert text.startswith("row 1,204 (line 1,219)")
    assert text.endswith(f"[{code}]")
    assert text.isprintable()


def test_the_form_of_a_message() -> None:
    assert message(
        "DATE_IMPOSSIBLE",
        row=1_204,
        line=1_219,
        column="Datum",
        saw="31.02.2026",
        expected="a real day as DD.MM.YYYY",
    ) == (
        'row 1,204 (line 1,219), column "Datum": saw "31.02.2026", expected a real day as DD.MM.YYYY. '
        "Correct the cell and drop the file again [DATE_IMPOSSIBLE]"
    )
