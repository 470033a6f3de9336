"""SQL that turns date text into timestamps, and that tells which date order a file proves.

ISO text in its usual spelling costs one cast and one comparison; every other form is matched by pattern,
rewritten to ISO and then cast, in a branch that usual files never enter. Never time zones here (zones.py).
"""

from __future__ import annotations

from typing import Literal

Order = Literal["day-first", "month-first"]

_CLOCK = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?"
_HALF = r"(?: ?[AaPp]\.?[Mm]\.?)?"
_OFFSET = r"(?: ?(?:[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?))?"
_TIME = rf"(?:(?:,? +|T){_CLOCK}{_HALF}{_OFFSET})?"
_YEAR_FIRST = (
    r"(?:[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}|[0-9]{4}\.[0-9]{1,2}\.[0-9]{1,2})"
)
_YEAR_LAST = (
    "(?:"
    + "|".join(rf"[0-9]{{1,2}}{s}[0-9]{{1,2}}{s}(?:[0-9]{{4}}|[0-9]{{2}})" for s in ("/", r"\.", "-"))
    + ")"
)

YEAR_FIRST = _YEAR_FIRST + _TIME
YEAR_LAST = _YEAR_LAST + _TIME


def usual_iso(cell: str, ts: str) -> str:
    """SQL: true when `ts`, the cast of the cell, prints as the very same text: nothing was guessed or
    shifted."""
    return (
        f"(isfinite({ts}) and case when strlen({cell}) > 10 then {ts}::varchar = {cell} "
        f"else ({ts}::date)::varchar = {cell} end)"
    )


def rewritten(cell: str, order: Order | None) -> str:
    """SQL: the date cell as Y-M-D[ H:M[:S]][ AM][offset], or null when its form is not allowed."""
    branches = [
        rf"when regexp_full_match({cell}, '{YEAR_FIRST}') "
        rf"then regexp_replace({cell}, '^([0-9]+)[-/.]([0-9]+)[-/.]([0-9]+)(?:,? +|T)?', '\1-\2-\3 ')"
    ]
    if order is not None:
        day, month = (r"\1", r"\2") if order == "day-first" else (r"\2", r"\1")
        find = r"'^([0-9]+)[-/.]([0-9]+)[-/.]{}(?:,? +|T)?'"
        two = find.format(r"([0-6][0-9])(?:\b|$)")
        old = find.format(r"([7-9][0-9])(?:\b|$)")
        four = find.format("([0-9]{4})")
        branches += [
            rf"when not regexp_full_match({cell}, '{YEAR_LAST}') then null",
            rf"when regexp_matches({cell}, {four}) then regexp_replace({cell}, {four}, '\3-{month}-{day} ')",
            rf"when regexp_matches({cell}, {two}) then regexp_replace({cell}, {two}, '20\3-{month}-{day} ')",
            rf"else regexp_replace({cell}, {old}, '19\3-{month}-{day} ')",
        ]
    return f"replace(case {' '.join(branches)} end, ',', '.')"


def has_clock(iso: str) -> str:
    """SQL: true when rewritten text has a time of day."""
    return f"regexp_matches({iso}, ' [0-9]{{1,2}}:')"


def local_time(iso: str) -> str:
    """SQL: the timestamp of rewritten text as it stands on the clock, null when that day or time does not
    exist."""
    clock = rf"regexp_replace({iso}, '(?i)^([0-9]+-[0-9]+-[0-9]+) ?([0-9:.]*).*$', '\1 \2')"
    hour = rf"try_cast(regexp_extract({iso}, ' ([0-9]{{1,2}}):', 1) as integer)"
    half = rf"lower(regexp_extract({iso}, '(?i)([ap])\.?m', 1))"
    return (
        f"case when {hour} > 23 then null "
        f"when {half} = '' then try_cast(trim({clock}) as timestamp) "
        f"when {hour} not between 1 and 12 then null "
        f"when {half} = 'p' and {hour} < 12 then try_cast({clock} as timestamp) + interval 12 hour "
        f"when {half} = 'a' and {hour} = 12 then try_cast({clock} as timestamp) - interval 12 hour "
        f"else try_cast({clock} as timestamp) end"
    )


def offset_minutes(iso: str) -> str:
    """SQL: the offset from UTC that the text states, in minutes; null when it states none."""
    sign = rf"regexp_extract({iso}, '(?i)[0-9m.] ?([z+-])(?:[0-9:]*)$', 1)"
    hours = rf"regexp_extract({iso}, '[+-]([0-9]{{2}}):?(?:[0-9]{{2}})?$', 1)"
    minutes = rf"regexp_extract({iso}, '[+-][0-9]{{2}}:?([0-9]{{2}})$', 1)"
    size = f"(coalesce(try_cast({hours} as integer), 0) * 60 + coalesce(try_cast({minutes} as integer), 0))"
    return (
        f"case when not {has_clock(iso)} then null "
        f"when lower({sign}) = 'z' then 0 when {sign} = '+' then {size} when {sign} = '-' then -{size} end"
    )


def order_evidence(cell: str) -> tuple[str, str, str]:
    """Three SQL aggregates: cells with the year last, those only day-first can be, those only month-first can
    be."""
    form = f"regexp_full_match({cell}, '{YEAR_LAST}')"
    first = rf"try_cast(regexp_extract({cell}, '^([0-9]+)', 1) as integer)"
    second = rf"try_cast(regexp_extract({cell}, '^[0-9]+[-/.]([0-9]+)', 1) as integer)"
    return (
        f"count(*) filter ({form})",
        f"count(*) filter ({form} and {first} between 13 and 31 and {second} between 1 and 12)",
        f"count(*) filter ({form} and {second} between 13 and 31 and {first} between 1 and 12)",
    )
