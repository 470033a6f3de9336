"""SQL that reads dates whose month is a word: 12 Mar 2026 · 12. März 2026 · March 12, 2026.

Put names of months and the forms around them here. A name belongs here only if no two of the languages
(English, German, French, Spanish, Italian, Portuguese, Dutch, Danish, Norwegian, Swedish) mean different
months by it; names are compared without case and accents. Such a date needs no proof of its order.
"""

from __future__ import annotations

_NAMES = (
    "jan january januar januari janvier janv enero ene gennaio gen janeiro janner",
    "feb february februar februari fevrier fevr fev febrero febbraio fevereiro",
    "mar march marz mrz mars marzo marco maart mrt marts",
    "apr april avril avr abril abr aprile",
    "may mai mayo maggio mag maio mei maj",
    "jun june juni juin junio giugno giu junho",
    "jul july juli juillet juil julio luglio lug julho",
    "aug august aout agosto ago augustus augusti",
    "sep sept september septembre septiembre setiembre settembre set setembro",
    "oct october okt oktober octobre octubre ottobre ott outubro out",
    "nov november novembre noviembre novembro",
    "dec december dez dezember decembre dic diciembre dicembre dezembro des desember",
)
MONTHS: dict[str, int] = {name: number for number, names in enumerate(_NAMES, 1) for name in names.split()}

# letters of any script, said by what they are not: Unicode classes take RE2 a hundred times longer to compile
_WORD = "([^-0-9 ./,:]+)"
_WEEKDAY = "(?:[^-0-9 ./,:]+[.]?,? +)?"
_NUMBER = r"([0-9]{1,2})(?:st|nd|rd|th|er|º|\.)?"
_BETWEEN = r"[ ./-]{1,2}"
_OF = r"(?:(?:de|del|of) )?"
_YEAR = "([0-9]{4}|[0-9]{2})"

#: Form -> its groups as year, month and day.
_FORMS = {
    rf"{_WEEKDAY}{_NUMBER}(?:{_BETWEEN})?{_OF}{_WORD}\.?,?(?:{_BETWEEN})?{_OF}{_YEAR}": r"\3 \2 \1",
    rf"{_WEEKDAY}{_WORD}\.?[ -]{_NUMBER},?[ -]([0-9]{{4}})": r"\3 \1 \2",
    rf"([0-9]{{4}})[ ./-]{_WORD}\.?[ ./-]([0-9]{{1,2}})": r"\1 \2 \3",
}
_TABLE = "|" + "|".join(f"{name}={month:02d}" for name, month in MONTHS.items())


def number(name: str) -> str:
    """SQL: 01 to 12 for a month's name, null for any other word."""
    word = f"strip_accents(lower({name}))"
    place = f"nullif(instr('{_TABLE}', '|' || {word} || '='), 0)"
    return f"substr('{_TABLE}', {place} + strlen({word}) + 2, 2)"


def full_year(year: str) -> str:
    """SQL: the year with four digits; 00 to 69 are of this century."""
    century = f"case when {year} < '70' then '20' else '19' end"
    return f"case when strlen({year}) = 4 then {year} else {century} || {year} end"


def branch(cell: str, *, time: str) -> str:
    """SQL: a CASE branch that gives such a cell as Y-M-D and its time, null where the word is no month."""
    rest = rf"regexp_extract({cell}, '(?:,? +|T)([0-9]{{1,2}}:[0-9].*)$', 1)"
    parts = [
        f"when regexp_full_match({cell}, '{form}{time}') then regexp_replace({cell}, '^{form}.*$', '{order}')"
        for form, order in _FORMS.items()
    ]
    split = f"string_split(case {' '.join(parts)} end, ' ')"
    joined = f"{full_year('p[1]')} || '-' || {number('p[2]')} || '-' || p[3]"
    text = f"list_transform([{split}], lambda p: {joined})[1]"
    return f"when regexp_matches({cell}, '[^-0-9 ./,:TZ+]{{3}}') then {text} || ' ' || {rest}"
