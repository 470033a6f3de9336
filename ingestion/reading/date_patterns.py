"""A contract's own date forms, written as people write them: DD.MM.YYYY HH:mm · MMM D, YYYY · YYMMDD.

Put the grammar of such patterns here, and their way to SQL. Never what a whole file proves (dates.py).
"""

from __future__ import annotations

import re
from functools import lru_cache

from ingestion.reading import months

#: token -> (part of a date, its regular expression); the longest token is taken first
_TOKENS = {
    "YYYY": ("year", "[0-9]{4}"), "YY": ("year", "[0-9]{2}"),
    "MMM": ("name", "[^-0-9 ./,:]{3,}"), "MM": ("month", "[0-9]{2}"), "M": ("month", "[0-9]{1,2}"),
    "DD": ("day", "[0-9]{2}"), "D": ("day", "[0-9]{1,2}"),
    "HH": ("hour", "[0-9]{2}"), "H": ("hour", "[0-9]{1,2}"), "mm": ("minute", "[0-9]{2}"),
    "ss": ("second", r"[0-9]{2}(?:[.,][0-9]{1,9})?"), "A": ("half", r"[AaPp]\.?[Mm]\.?"),
    "Z": ("offset", "[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?"),
}  # fmt: skip
_TOKEN = re.compile("|".join(_TOKENS))


@lru_cache(maxsize=64)
def parse(pattern: str) -> tuple[str, dict[str, int]]:
    """The regular expression of a pattern, and which of its groups holds which part.

    Raises ValueError, with a sentence, for a pattern that names no day or says something twice.
    """
    expression, places, at = "", dict[str, int](), 0
    for token in _TOKEN.finditer(pattern):
        between = pattern[at : token.start()]
        if re.search(r"[A-SU-Za-z]", between):
            raise ValueError(f'"{pattern}": "{between}" is no part of a date; {_HELP}')
        part, form = _TOKENS[token[0]]
        key = "month" if part == "name" else part
        if key in places or (part == "name" and "month" in places):
            raise ValueError(f'"{pattern}" names the {key} twice')
        expression += f"{re.escape(between)}({form})"
        places[part] = len(places) + 1
        at = token.end()
    if re.search(r"[A-SU-Za-z]", pattern[at:]):
        raise ValueError(f'"{pattern}": "{pattern[at:]}" is no part of a date; {_HELP}')
    if not {"year", "day"} <= places.keys() or not {"month", "name"} & places.keys():
        raise ValueError(f'"{pattern}" does not name year, month and day; {_HELP}')
    if ("minute" in places) != ("hour" in places) or ({"second", "half", "offset"} & places.keys()) - (
        {"second", "half", "offset"} if "hour" in places else set()
    ):
        raise ValueError(f'"{pattern}" holds half a time of day; {_HELP}')
    return expression + re.escape(pattern[at:]), places


_HELP = (
    "write one like DD.MM.YYYY HH:mm (also YY, M, MMM for a month's name, D, H, ss, A for am/pm, Z for an "
    "offset)"
)


def branch(cell: str, pattern: str) -> str:
    """SQL: the CASE branch that gives a cell of this form as Y-M-D[ H:M[:S]][ AM][offset]."""
    expression, places = parse(pattern)
    quoted = expression.replace("'", "''")
    part = {name: f"regexp_extract({cell}, '^{quoted}$', {place})" for name, place in places.items()}
    month = months.number(part["name"]) if "name" in part else part["month"]
    text = f"{months.full_year(part['year'])} || '-' || {month} || '-' || {part['day']} || ' '"
    if "hour" in part:
        text += f" || {part['hour']} || ':' || {part['minute']}"
        if "second" in part:
            text += f" || ':' || {part['second']}"
        if "half" in part:
            text += f" || ' ' || {part['half']}"
        text += f" || {part['offset']}" if "offset" in part else ""
    return f"when regexp_full_match({cell}, '{quoted}') then {text}"
