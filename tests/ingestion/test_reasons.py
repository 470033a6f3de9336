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


def test_every_code_a_load_can_be_held_for_is_in_the_list_as_such() -> None:
    """Codes of the arrival gate and the ledger, as their sources spell them."""
    given: set[str] = set()
    for path in (
        "expectations/arrival_suite.py",
        "expectations/arrival.py",
        "ingestion/ledger.py",
        "ingestion/deciding.py",
    ):
        given |= set(re.findall(r'reason(?:=| or \()"([A-Z_]+)"', (ROOT / path).read_text(encoding="utf-8")))
    meaning = (ROOT / "ingestion/meaning.py").read_text(encoding="utf-8")
    given |= set(re.findall(r'reason="([A-Z_]+)"', meaning))
    for path in (ROOT / "ingestion").rglob("*.py"):
        given |= set(
            re.findall(r'(?:Undecided\(\s*|OVERLAPS = )"([A-Z_]+)"', path.read_text(encoding="utf-8"))
        )
    assert {"TOO_MANY_REJECTED", "OVERLAPS_EARLIER_LOAD", "FOREIGN_CURRENCY", "HELD", "UNDECIDED"} <= given
    assert given <= REASONS.keys()
    of_rows_too = {"DATE_IN_FUTURE", "FOREIGN_CURRENCY"}
    assert {code for code in given - of_rows_too if REASONS[code].level != "load"} == set()


def test_every_reason_is_explained_in_the_words_of_the_list() -> None:
    text = (ROOT / "docs/reasons.md").read_text(encoding="utf-8")
    missing = [reason.code for reason in REASONS.values() if f"{reason.meaning} {reason.action}." not in text]
    assert missing == []


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


@pytest.mark.parametrize("code", sorted(REASONS))
def test_every_reason_says_what_to_do_and_stays_short(code: str) -> None:
    reason = REASONS[code]
    assert reason.code == code
    assert reason.action and not reason.action.endswith(".")
    assert len(reason.action) <= 110
    assert reason.meaning.endswith(".")
    assert reason.anchor == f"docs/reasons.md#{code}"
    if reason.level == "row":
        said = message(code, row=7, line=8, column="Amount", saw="x" * 99, expected="a number")
        assert len(said) <= MAX_MESSAGE
        assert [part in said for part in ("row 7 (line 8)", '"Amount"', 'saw "x', "expected a number")] == [
            True
        ] * 4
        assert said.endswith(f". {reason.action} [{code}]")
