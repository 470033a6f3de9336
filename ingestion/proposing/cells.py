"""What cells of a column look like: dates, numbers, words that stand for nothing.

Put looks at single cells here, for evidence only: whether a cell is valid is decided by reading/, never here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

_DATE = re.compile(
    r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}(?:[ T,].*)?|(?:19|20)\d{6}|\d{1,2}\.? ?[^\W\d_]{3,}\.?[ ,-]+\d{2,4}.*"
    r"|[^\W\d_]{3,}\.? \d{1,2},? \d{4}.*|\d{1,2}-[^\W\d_]{3,}-\d{2,4}.*"
)
_NUMBER = re.compile(
    r"[(+−-]?\s*(?:[^\W\d_]{1,3}\$?|[€£¥$])?\s*[+−-]?[\d.,'’\s\u202f]*\d[\d.,]*\s*\S{0,3}\)?[-−]?"
)
_DAY_OVER_12 = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.]\d{2,4}(?:[ T,]+\d{1,2}:\d{2}.*)?")
_ID = re.compile(r"[^\W\d_]+[-/]?0*\d+|\d+[-/]\d+")
#: Words that people and programs write where they know nothing.
NOTHING = frozenset(
    (
        "n/a",
        "na",
        "#n/a",
        "null",
        "none",
        "nil",
        "nan",
        "unknown",
        "error",
        "-",
        "--",
        "?",
        "\\n",
        "k.a.",
        "missing",
    )
)


def filled(cells: Iterable[str]) -> list[str]:
    """The cells that hold something, trimmed."""
    return [text for cell in cells if (text := cell.strip())]


def is_date(cell: str) -> bool:
    """Whether it looks like a date."""
    return _DATE.fullmatch(cell) is not None


def is_number(cell: str) -> bool:
    """Whether it looks like a number, perhaps with a currency."""
    return _NUMBER.fullmatch(cell) is not None


def is_id(cell: str) -> bool:
    """Whether it looks like the number of a thing, such as WEB-26001 or 2026/17, rather than a quantity."""
    return _ID.fullmatch(cell) is not None


def has_clock(cells: Sequence[str]) -> bool:
    """Whether dates have a time of day other than midnight."""
    return any(
        re.search(r"[ T]\d{1,2}:\d", cell) and not re.search(r"[ T]0?0:00(:00)?", cell) for cell in cells
    )


def share(cells: Sequence[str], test: object) -> float:
    """How many of the filled cells that are no word for nothing pass, 0 to 1; 1 where there are none."""
    known = [cell for cell in cells if cell.lower() not in NOTHING]
    return sum(bool(test(cell)) for cell in known) / len(known) if known else 1.0  # type: ignore[operator]


def order_example(cells: Sequence[str], order: str) -> str | None:
    """A date that can only be read in this order of day and month."""
    for cell in cells:
        if parts := _DAY_OVER_12.fullmatch(cell):
            first, second = int(parts[1]), int(parts[2])
            if (order == "day-first" and first > 12 >= second) or (
                order == "month-first" and second > 12 >= first
            ):
                return cell
    return None


def has_decimals(cell: str) -> bool:
    """Whether a number has two or more digits after a mark."""
    return re.search(r"\d[.,]\d{2,}\D*$", cell) is not None


def decimals(cell: str, mark: str) -> int:
    """How many digits stand after the decimal mark."""
    digits = re.search(rf"{re.escape(mark)}(\d+)\D*$", cell)
    return len(digits[1].rstrip("0")) if digits else 0


def is_spreadsheet_integer(cells: Sequence[str]) -> bool:
    """Whether a spreadsheet has turned ids into 17850.0."""
    return len(cells) > 1 and all(re.fullmatch(r"\d+\.0", cell) for cell in cells)


def words_for_nothing(columns: Iterable[tuple[Sequence[str], object]]) -> dict[str, int]:
    """Words that stand where a date or number belongs, with how often: known ones, and those of two columns.

    `columns`: cells of a column and what a cell of it must look like.
    """
    found: Counter[str] = Counter()
    places: Counter[str] = Counter()
    for cells, test in columns:
        odd = Counter(cell for cell in cells if not test(cell))  # type: ignore[operator]
        found.update(odd)
        places.update(odd.keys())
    return {
        word: found[word]
        for word in sorted(found)
        if len(word) <= 20
        and (word.lower() in NOTHING or (places[word] > 1 and found[word] > 2 and word.isalpha()))
    }
