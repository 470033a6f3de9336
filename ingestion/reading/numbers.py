"""SQL that turns number text into exact decimals, and that tells which decimal mark a file proves.

A cell is matched against a form before it is cast, because casts accept 1e3 and 1_000. Nothing passes through
float. Never sums or signs here (amounts.py).
"""

from __future__ import annotations

import re
from typing import Literal

Mark = Literal[".", ","]
MINUS = "\u2212"

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

_DOLLARS = ("USD", "AUD", "CAD", "NZD", "HKD", "SGD", "MXN", "ARS", "CLP", "COP", "BRL", "TWD")
#: A sign beside a number -> the currencies it may stand for.
SIGNS: dict[str, tuple[str, ...]] = {
    "€": ("EUR",), "£": ("GBP",), "¥": ("JPY", "CNY"), "₹": ("INR",),
    "Rs": ("INR", "PKR", "LKR", "NPR", "MUR"), "R$": ("BRL",), "US$": ("USD",), "A$": ("AUD",),
    "C$": ("CAD",), "NZ$": ("NZD",),
    "HK$": ("HKD",), "S$": ("SGD",),
    "$": _DOLLARS, "₺": ("TRY",), "₽": ("RUB",), "₩": ("KRW",), "₪": ("ILS",), "₫": ("VND",), "฿": ("THB",),
    "zł": ("PLN",), "kr": ("SEK", "NOK", "DKK", "ISK"), "Kč": ("CZK",), "Ft": ("HUF",),
}  # fmt: skip
#: The same signs as one short expression: each number column compiles it.
_CURRENCY = r"(?:[€£¥₹₺₽₩₪₫฿]|[A-Z]{0,2}\$|[A-Z]{3}|zł|kr|Kč|Ft|Rs)"
_GAP = "[ \u00a0\u2009\u202f]"
_SIGN = f"[+{MINUS}-]"
_LONGEST_USUAL = 9


def minor_digits(currency: str | None) -> int:
    """How many decimals an amount of `currency` may have."""
    return MINOR_DIGITS.get(currency or "", 2)


def _plain(mark: Mark) -> str:
    point = r"\." if mark == "." else ","
    return rf"[+-]?(?:[0-9]+(?:{point}[0-9]*)?|{point}[0-9]+)"


def _number(mark: Mark) -> str:
    """Digits, in one style of groups: thousands, or lakh and crore (1,23,45,678) beside a decimal point."""
    point, thousands = (r"\.", ",") if mark == "." else (",", r"\.")
    styles = [rf"[1-9][0-9]{{0,2}}(?:{gap}[0-9]{{3}})+" for gap in (thousands, "'", "’", _GAP)]
    if mark == ".":
        styles.append("[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}")
    return rf"(?:(?:{'|'.join(styles)}|[0-9]+)(?:{point}[0-9]+)?|{point}[0-9]+)"


def _dressed(mark: Mark) -> str:
    """A number with one sign before it and one currency on either side."""
    number = _number(mark)
    before = rf"{_SIGN}?{_CURRENCY}{_GAP}?{number}|{_CURRENCY}{_GAP}?{_SIGN}{_GAP}?{number}"
    return rf"(?:{before}|{_SIGN}?{_GAP}?{number}(?:{_GAP}?{_CURRENCY})?)"


def _negative(mark: Mark) -> str:
    """What book-keepers write below 0: (5.00) · (€5.00) · 5.00-."""
    number, sign = _number(mark), f"(?:{_CURRENCY}{_GAP}?)?"
    after = f"(?:{_GAP}?{_CURRENCY})?"
    return rf"(?:{sign}\({sign}{number}{after}\){after}|{sign}{number}[{MINUS}-]{after})"


def is_usual(cell: str, mark: Mark, digits: int) -> str:
    """SQL: true for digits with at most `digits` decimals after the mark, false for all other text and null.

    Such a cell needs no rewriting, is no larger than the widest column and has no decimal too many.
    """
    point = r"\." if mark == "." else ","
    decimals = rf"({point}[0-9]{{1,{digits}}})?" if digits else ""
    return f"coalesce(regexp_full_match({cell}, '-?[0-9]{{1,{_LONGEST_USUAL}}}{decimals}'), false)"


def usual_text(cell: str, mark: Mark) -> str:
    """SQL: a usual cell as [sign]digits[.digits]."""
    return cell if mark == "." else f"replace({cell}, ',', '.')"


def number_text(cell: str, mark: Mark) -> str:
    """SQL: the cell as [sign]digits[.digits], or null when it is no number in that form."""
    signed = f"replace({cell}, '{MINUS}', '-')"
    undressed = rf"regexp_replace({signed}, '[^0-9+{'.' if mark == '.' else ','}-]', '', 'g')"
    bare = rf"regexp_replace({cell}, '[^0-9{'.' if mark == '.' else ','}]', '', 'g')"
    pointed, bare = usual_text(undressed, mark), usual_text(bare, mark)
    dressed, negative = (form(mark).replace("'", "''") for form in (_dressed, _negative))
    return (
        f"case when regexp_full_match({cell}, '{_plain(mark)}') then {usual_text(cell, mark)} "
        f"when regexp_full_match({cell}, '{dressed}') then {pointed} "
        f"when regexp_full_match({cell}, '{negative}') then '-' || {bare} end"
    )


def share_text(cell: str, mark: Mark) -> str:
    """SQL: a share or a percentage, 0.2 or 20 %, as digits with a point; the sign % is left out."""
    return number_text(f"regexp_replace({cell}, '{_GAP}?%$', '')", mark)


def has_more_decimals(number: str, digits: int) -> str:
    """SQL: true when the number text has a digit other than 0 beyond `digits` decimals."""
    return rf"coalesce(regexp_matches({number}, '\.[0-9]{{{digits}}}[0-9]*[1-9]'), false)"


def other_currency(cell: str, currency: str) -> str:
    """SQL: true when the cell names a currency that cannot be `currency`."""
    own = sorted(
        [sign for sign, meant in SIGNS.items() if currency in meant] + [currency], key=len, reverse=True
    )
    stripped = f"regexp_replace({cell}, '{'|'.join(map(re.escape, own))}', '', 'g')"
    return f"regexp_matches({stripped}, '{_CURRENCY}')"


def currency_of(cell: str) -> str | None:
    """The one currency that stands in a cell beside its number: EUR for `€ 5` and `5 EUR`, None for `$5`."""
    found = re.findall(_CURRENCY, cell)
    if len(found) != 1 or not re.fullmatch(
        r"[\d.,'’()+\s\u2212-]*\d[\d.,'’()+\s\u2212-]*", cell.replace(found[0], "")
    ):
        return None
    sign: str = found[0]
    meant = SIGNS.get(sign, (sign,))
    return meant[0] if len(meant) == 1 else None


def proves(mark: Mark, cell: str) -> str:
    """SQL: true when the cell is a number with this decimal mark and none with the other.

    12,5 · 0,125 · 1.234,50 · 1234,567 · 1.234.567 prove a comma.
    """
    other: Mark = "," if mark == "." else "."
    return f"(({number_text(cell, mark)}) is not null and ({number_text(cell, other)}) is null)"


def fits_either(cell: str) -> str:
    """SQL: true when the cell is a number by either mark, and another one by each: 1,234 · 1.234."""
    return f"(({number_text(cell, '.')}) <> ({number_text(cell, ',')}))"


_POINT = re.compile(r"[^0-9.,]*(?:[0-9]+\.(?:[0-9]{1,2}|[0-9]{4,})|0?\.[0-9]+)[^0-9.,]*")


def sample_proves_point(cells: list[str]) -> bool:
    """Whether cells of a sample leave nothing to ask of the file: one proves a point, none holds a comma."""
    return any(_POINT.fullmatch(cell) for cell in cells) and not any("," in cell for cell in cells)
