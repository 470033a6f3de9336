"""SQL that turns date text into timestamps, and that tells which date order a file proves.

ISO text in its usual spelling costs one cast and one comparison; every other form is matched by pattern,
rewritten to ISO and then cast, in a branch that usual files never enter. Never time zones here (zones.py),
never names of months (months.py), never a contract's own patterns (date_patterns.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from ingestion.reading import date_patterns, months

Order = Literal["day-first", "month-first", "year-first"]
Count = Literal["excel-serial", "excel-serial-1904", "epoch-seconds", "epoch-milliseconds"]
ORDERS: tuple[Order, ...] = ("day-first", "month-first", "year-first")
COUNTS: tuple[Count, ...] = ("excel-serial", "excel-serial-1904", "epoch-seconds", "epoch-milliseconds")

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
#: ISO's basic form. Read in any other order the year would lie before 1970, so nothing needs proof.
_BASIC = "(?:19|20)[0-9]{6}"
_COMPACT = rf"{_BASIC}(?:[T ]?[0-9]{{6}}|T[0-9]{{4}}){_OFFSET}"
#: Days since 1899-12-30, from 1954 to 2064, and the fraction of a day.
SERIAL = r"(?:[2-5][0-9]{4}|60000)(?:[.,][0-9]+)?"
_EPOCHS = {"epoch-seconds": r"[0-9]{9,10}(?:\.[0-9]+)?", "epoch-milliseconds": r"[0-9]{12,13}"}
_FIRST_DAYS = {"excel-serial": "1899-12-30", "excel-serial-1904": "1904-01-01"}


@dataclass(frozen=True)
class Forms:
    """How the dates of one file may be written.

    `iso`: with the year first or the month as a word; `order`: of figures with the year last; `patterns`: the
    contract's own; `count`: what plain numbers count.
    """

    order: Order | None = None
    count: Count | None = None
    patterns: tuple[str, ...] = ()
    iso: bool = True

    @property
    def example(self) -> str:
        """The form a person is told to write."""
        if self.patterns:
            return self.patterns[0]
        if self.count is not None and self.order is None:
            return {
                "excel-serial": "a spreadsheet's day number",
                "excel-serial-1904": "a day number since 1904",
            }.get(self.count, f"{self.count.removeprefix('epoch-')} since 1970")
        return {
            None: "YYYY-MM-DD", "day-first": "DD/MM/YYYY", "month-first": "MM/DD/YYYY",
            "year-first": "YY/MM/DD",
        }[self.order]  # fmt: skip


def usual_iso(cell: str, ts: str) -> str:
    """SQL: true when `ts`, the cast of the cell, prints as the very same text: nothing was guessed or
    shifted."""
    return (
        f"(isfinite({ts}) and case when strlen({cell}) > 10 then {ts}::varchar = {cell} "
        f"else ({ts}::date)::varchar = {cell} end)"
    )


def rewritten(cell: str, forms: Forms) -> str:
    """SQL: the date cell as Y-M-D[ H:M[:S]][ AM][offset], or null when its form is not allowed."""
    branches = []
    if forms.iso:
        branches.append(
            rf"when regexp_full_match({cell}, '{YEAR_FIRST}') "
            rf"then regexp_replace({cell}, '^([0-9]+)[-/.]([0-9]+)[-/.]([0-9]+)(?:,? +|T)?', '\1-\2-\3 ')"
        )
    branches += [date_patterns.branch(cell, pattern) for pattern in forms.patterns]
    if forms.order is not None:
        branches.append(f"when regexp_full_match({cell}, '{YEAR_LAST}') then {_ordered(cell, forms.order)}")
    if forms.count is not None:
        branches.append(_counted(cell, forms.count))
    if forms.iso:
        branches += [
            rf"when regexp_full_match({cell}, '{_BASIC}{_TIME}') "
            rf"then regexp_replace({cell}, '^([0-9]{{4}})([0-9]{{2}})([0-9]{{2}})(?:,? +|T)?', '\1-\2-\3 ')",
            rf"when regexp_full_match({cell}, '{_COMPACT}') then regexp_replace(regexp_replace({cell}, "
            rf"'^([0-9]{{4}})([0-9]{{2}})([0-9]{{2}})[T ]?([0-9]{{2}})([0-9]{{2}})', '\1-\2-\3 \4:\5'), "
            rf"'(:[0-9]{{2}})([0-9]{{2}})', '\1:\2')",
            months.branch(cell, time=_TIME),
        ]
    return f"replace(case {' '.join(branches)} end, ',', '.')"


def _ordered(cell: str, order: Order) -> str:
    """SQL: three figures with the year last (or, year-first, two-digit years first) in ISO's order."""
    if order == "year-first":
        find = r"'^({})[-/.]([0-9]+)[-/.]([0-9]{{1,2}})(?:(?:,? +|T)|$)'"
        new, old = find.format("[0-6][0-9]"), find.format("[7-9][0-9]")
        return (
            rf"case when regexp_matches({cell}, {new}) then regexp_replace({cell}, {new}, '20\1-\2-\3 ') "
            rf"when regexp_matches({cell}, {old}) then regexp_replace({cell}, {old}, '19\1-\2-\3 ') end"
        )
    day, month = (r"\1", r"\2") if order == "day-first" else (r"\2", r"\1")
    find = r"'^([0-9]+)[-/.]([0-9]+)[-/.]{}(?:,? +|T)?'"
    two = find.format(r"([0-6][0-9])(?:\b|$)")
    old = find.format(r"([7-9][0-9])(?:\b|$)")
    four = find.format("([0-9]{4})")
    return (
        rf"case when regexp_matches({cell}, {four}) then regexp_replace({cell}, {four}, '\3-{month}-{day} ') "
        rf"when regexp_matches({cell}, {two}) then regexp_replace({cell}, {two}, '20\3-{month}-{day} ') "
        rf"else regexp_replace({cell}, {old}, '19\3-{month}-{day} ') end"
    )


def _counted(cell: str, count: Count) -> str:
    """SQL: a CASE branch for numbers that count days or seconds. A fraction of a day is a time, to the
    second."""
    if count in _EPOCHS:
        divisor = 1 if count == "epoch-seconds" else 1000
        micros = f"(try_cast({cell} as decimal(20, 6)) * {1_000_000 // divisor})::bigint"
        text = f"strftime(make_timestamp({micros}), '%Y-%m-%d %H:%M:%S.%f') || 'Z'"
        return f"when regexp_full_match({cell}, '{_EPOCHS[count]}') then {text}"
    number = f"try_cast(replace({cell}, ',', '.') as decimal(18, 12))"
    seconds = f"(round(({number} - trunc({number})) * 86400, 0))::bigint"
    day = f"(date '{_FIRST_DAYS[count]}' + trunc({number})::integer)"
    text = (
        f"case when {seconds} = 0 then ({day}::date)::varchar || ' ' "
        f"else strftime({day}::timestamp + to_seconds({seconds}), '%Y-%m-%d %H:%M:%S') end"
    )
    return f"when regexp_full_match({cell}, '{SERIAL}') then {text}"


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


def order_evidence(cell: str, *, today: date) -> tuple[str, ...]:
    """SQL aggregates about cells of three figures whose last may be the year.

    How many there are; how many only day-first, only month-first, not year-first and only year-first fit; an
    example of all, of the day-first and of the month-first ones.
    """
    form = f"regexp_full_match({cell}, '{YEAR_LAST}')"
    first = rf"try_cast(regexp_extract({cell}, '^([0-9]+)', 1) as integer)"
    second = rf"try_cast(regexp_extract({cell}, '^[0-9]+[-/.]([0-9]+)', 1) as integer)"
    third = rf"try_cast(regexp_extract({cell}, '^[0-9]+[-/.][0-9]+[-/.]([0-9]+)', 1) as integer)"
    day_only = f"{form} and {first} between 13 and 31 and {second} between 1 and 12"
    month_only = f"{form} and {second} between 13 and 31 and {first} between 1 and 12"
    year = f"({first} + case when {first} < 70 then 2000 else 1900 end)"
    latest = today + timedelta(days=1)
    as_year_first = (
        f"{third} between 1 and 31 and {second} between 1 and 12 and "
        rf"not regexp_matches({cell}, '^[0-9]+[-/.][0-9]+[-/.][0-9]{{4}}') and regexp_matches({cell}, "
        rf"'^[0-9]{{2}}[-/.]') "
        f"and ({year} * 10000 + {second} * 100 + {third}) <= {latest:%Y%m%d}"
    )
    other_fits = (
        f"({first} between 1 and 31 and {second} between 1 and 12"
        f" or {second} between 1 and 31 and {first} between 1 and 12)"
    )
    return (
        f"count(*) filter ({form})",
        f"count(*) filter ({day_only})",
        f"count(*) filter ({month_only})",
        f"count(*) filter ({form} and {other_fits} and not ({as_year_first}))",
        f"count(*) filter ({form} and not {other_fits} and {as_year_first})",
        f"min({cell}) filter ({form})",
        f"min({cell}) filter ({day_only})",
        f"min({cell}) filter ({month_only})",
    )
