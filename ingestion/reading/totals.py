"""Words that name a total, in the languages that tills and spreadsheets speak.

Put words here, in lower case without accents. Never sums (gaps.py).
"""

from __future__ import annotations

from functools import lru_cache

from ingestion.matching import normalise

#: A cell that holds nothing else names a total.
TOTAL_NAMES = frozenset(
    name
    for line in (
        "total|totals|grand total|sub total|subtotal|sum|overall|total sales|total amount|sum total",
        "summe|gesamt|gesamtsumme|zwischensumme|endsumme|insgesamt|summe gesamt|gesamtbetrag|endbetrag",
        "total general|sous total|somme|montant total|total ttc|total ht|total des ventes",
        "total general|suma|suma total|importe total|total ventas|total geral|soma|valor total|subtotais",
        "totale|totale generale|subtotale|sub totale|somma|totale complessivo",
        "totaal|totaal generaal|subtotaal|eindtotaal|som",
        "razem|suma koncowa|ogołem|celkem|soucet|mezisoucet|spolu|skupaj|ukupno|osszesen|vegosszeg",
        "totalt|i alt|summa|delsumma|yhteensa|valisumma|toplam|genel toplam|ara toplam|kokku|kopa|is viso",
        "итого|всего|сумма|усього|разом|общо|συνολο|סהכ|المجموع|合计|总计|小计|合計|総計|小計|합계|총계|소계",
    )
    for name in line.split("|")
)
_WORDS = frozenset(name for name in TOTAL_NAMES if " " not in name)
_LONGEST = {max(name.split(), key=len) for name in TOTAL_NAMES if name.isascii()}
#: each total in ASCII letters has one of these in it; total stands for subtotal, totals and totale too
_ROOTS = tuple(word for word in _LONGEST if not any(other in word for other in _LONGEST - {word}))


def is_total_name(cell: str) -> bool:
    """Whether a cell says total, and nothing else."""
    return normalise(cell) in TOTAL_NAMES


def is_total(cell: str) -> bool:
    """Whether a cell names a total, of something or of all: Total, Grand total:, Total for North, North
    total."""
    if cell.isascii():
        lower = cell.lower()
        if not any(root in lower for root in _ROOTS):
            return False
    return _is_total(cell)


@lru_cache(maxsize=1024)
def _is_total(cell: str) -> bool:
    words = normalise(cell).split()
    if not words:
        return False
    return (
        " ".join(words) in TOTAL_NAMES
        or words[0] in _WORDS
        or words[-1] in _WORDS
        or (" ".join(words[:2]) in TOTAL_NAMES or " ".join(words[-2:]) in TOTAL_NAMES)
    )
