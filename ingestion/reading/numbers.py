"""SQL that turns number text into exact decimals, and that tells which decimal mark a file proves.

A cell is matched against a form before it is cast, because casts accept 1e3 and 1_000. Nothing passes through
float. Never sums or signs here (validation.py).
"""

from __future__ import annotations

from typing import Literal

Mark = Literal[".", ","]

#: Digits after the point of a currency's minor unit; every other currency has 2 (ISO 4217).
MINOR_DIGITS = {
    "JPY": 0,
    "KRW": 0,
    "VND": 0,
    "CLP": 0,
    "ISK": 0,
    "BHD": 3,
    "KWD": 3,
    "OMR": 3,
    "JOD": 3,
    "TND": 3,
}

_CURRENCY = "(?:[€$£¥₹]|[A-Z]{3})"
_GAP = "[  \u202f]"


def minor_digits(currency: str | None) -> int:
    """How many decimals an amount of `currency` may have."""
    return MINOR_DIGITS.get(currency or "", 2)


def _plain(mark: Mark) -> str:
    point = r"\." if mark == "." else ","
    return rf"[+-]?(?:[0-9]+(?:{point}[0-9]*)?|{point}[0-9]+)"


def _dressed(mark: Mark) -> str:
    """A number with one sign, one currency and groups of three, each at most once and in one style."""
    point, thousands = (r"\.", ",") if mark == "." else (",", r"\.")
    grouped = "|".join(rf"[0-9]{{1,3}}(?:{gap}[0-9]{{3}})+" for gap in (thousands, "'", "’", _GAP))
    number = rf"(?:{grouped}|[0-9]+)(?:{point}[0-9]+)?"
    before = rf"[+-]?{_CURRENCY}{_GAP}?{number}|{_CURRENCY}{_GAP}?[+-]{number}"
    return rf"(?:{before}|[+-]?{number}(?:{_GAP}?{_CURRENCY})?)"


def is_usual(cell: str, mark: Mark, digits: int) -> str:
    """SQL: true for digits with at most `digits` decimals after a point, false for all other text and null.

    Such a cell needs no rewriting, is no larger than the widest column and has no decimal too many.
    """
    if mark != ".":
        return "false"
    decimals = rf"(\.[0-9]{{1,{digits}}})?" if digits else ""
    return f"coalesce(regexp_full_match({cell}, '-?[0-9]{{1,9}}{decimals}'), false)"


def number_text(cell: str, mark: Mark) -> str:
    """SQL: the cell as [sign]digits[.digits], or null when it is no number in that form."""
    undressed = rf"regexp_replace({cell}, '[^0-9+{'.' if mark == '.' else ','}-]', '', 'g')"
    pointed = undressed if mark == "." else f"replace({undressed}, ',', '.')"
    plain = cell if mark == "." else f"replace({cell}, ',', '.')"
    dressed = _dressed(mark).replace("'", "''")
    return (
        f"case when regexp_full_match({cell}, '{_plain(mark)}') then {plain} "
        f"when regexp_full_match({cell}, '{dressed}') then {pointed} end"
    )


def has_more_decimals(number: str, digits: int) -> str:
    """SQL: true when the number text has a digit other than 0 beyond `digits` decimals."""
    return rf"coalesce(regexp_matches({number}, '\.[0-9]{{{digits}}}[0-9]*[1-9]'), false)"


def proves_comma(cell: str) -> str:
    """SQL: true when the cell can only be read with a decimal comma: 12,5 · 12,50 · 1.234,5 · 1234,567."""
    return (
        rf"regexp_matches({cell}, ',[0-9]{{1,2}}[^0-9.,]*$') "
        rf"or regexp_matches({cell}, ',[0-9]{{4,}}[^0-9]*$') "
        rf"or regexp_matches({cell}, '\..*,') or regexp_matches({cell}, '[0-9]{{4}},[0-9]')"
    )


def proves_point(cell: str) -> str:
    """SQL: true when the cell can only be read with a decimal point."""
    return (
        rf"regexp_matches({cell}, '\.[0-9]{{1,2}}[^0-9.,]*$') "
        rf"or regexp_matches({cell}, '\.[0-9]{{4,}}[^0-9]*$') "
        rf"or regexp_matches({cell}, ',.*[.]') or regexp_matches({cell}, ',.*,')"
    )
