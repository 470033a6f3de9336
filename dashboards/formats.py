"""Values as people read them: the same text in viewer, mails, exports' headings and titles.

Put here: turning one value, change, day or span into words, by the formats of palette.yaml and CLDR (Babel).
Never here: which format a column has (a card's `format`), HTML.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.core import parse_locale
from babel.dates import format_date, format_skeleton
from babel.numbers import (
    format_compact_decimal,
    format_currency,
    format_decimal,
    get_currency_precision,
    get_currency_symbol,
)

from dashboards.palette import NumberFormat, palette
from warehouse.errors import ShopxError

DEFAULT_LOCALE = "en_GB"
COMPACT_FROM = 100_000  # below it no "k" stands for thousands
ARROWS = {1: "▲", -1: "▼", 0: "="}
NO_VALUE = "–"
UNITS = {"percent": "\N{NO-BREAK SPACE}%", "share": "\N{NO-BREAK SPACE}%", "points": "\N{NO-BREAK SPACE}pp"}


def shown(
    value: Any,
    format_name: str,
    *,
    currency: str | None = None,
    locale: str = DEFAULT_LOCALE,
    exact: bool = False,
    compact: bool = False,
) -> str:
    """A value as text. Money is given in minor units, percent as 12.3 for 12.3 %, a share as 0.123.

    `exact` shows all decimals of the currency (tables, exports, on focus); `compact` shortens from 100,000
    (axes). None is a dash: a card says beside it why there is no value.
    """
    if value is None:
        return NO_VALUE
    kind = number_format(format_name)
    style = kind.style
    if style == "currency":
        return _money(value, kind, currency=currency, locale=locale, exact=exact, compact=compact)
    if style in ("decimal", "percent", "points", "share"):
        number = Decimal(str(value)) * (100 if style == "share" else 1)
        unit = UNITS.get(style, "")
        if compact and abs(number) >= COMPACT_FROM:
            return format_compact_decimal(number, locale=locale, fraction_digits=1) + unit
        number = _rounded(number, max(kind.decimals or 0, kind.up_to or 0))
        return format_decimal(number, format=_pattern(kind), locale=locale) + unit
    return _worded(value, style, locale=locale)


def number_format(name: str) -> NumberFormat:
    """The format of that name. Raises ShopxError when palette.yaml has none."""
    try:
        return palette().formats[name]
    except KeyError:
        raise ShopxError(
            f"palette.yaml has no format {name!r}; it has {', '.join(palette().formats)}."
        ) from None


def minor_digits(currency: str | None) -> int:
    """Decimals of a currency, 2 where none is known: 100 minor units make one."""
    return get_currency_precision(currency) if currency else 2


def major(cents: int | Decimal, currency: str | None) -> Decimal:
    """Minor units as an exact amount: 1999 → 19.99 (of JPY: 1999)."""
    digits = minor_digits(currency)
    return Decimal(cents).scaleb(-digits).quantize(Decimal(1).scaleb(-digits))


def symbol(currency: str | None, locale: str = DEFAULT_LOCALE) -> str:
    """£ for GBP."""
    return get_currency_symbol(currency, locale=locale) if currency else ""


def day(value: date, locale: str = DEFAULT_LOCALE) -> str:
    """Sat 30 May 2026."""
    return format_skeleton("yMMMEd", value, locale=locale).replace(",", "")


def span(first: date, last: date, locale: str = DEFAULT_LOCALE, *, year: bool = True) -> str:
    """1–28 May 2026, 18 Apr – 15 May 2026, 20 Dec 2025 – 16 Jan 2026; one day: Sat 30 May 2026."""
    if first == last:
        return day(first, locale) if year else format_skeleton("MMMEd", first, locale=locale).replace(",", "")
    tail = " y" if year else ""
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{format_date(last, f'd MMM{tail}', locale=locale)}"
    if first.year == last.year:
        head = format_date(first, "d MMM", locale=locale)
        return f"{head} – {format_date(last, f'd MMM{tail}', locale=locale)}"
    return f"{format_date(first, 'd MMM y', locale=locale)} – {format_date(last, 'd MMM y', locale=locale)}"


def change_shown(
    change: Any,
    pct: Decimal | None,
    format_name: str,
    *,
    currency: str | None = None,
    locale: str = DEFAULT_LOCALE,
) -> str:
    """The size of a change without its sign: 8.3 %, 1.2 pp, £120. Arrow and word carry the direction."""
    style = number_format(format_name).style
    if style in ("percent", "share"):
        points = abs(Decimal(str(change))) * (100 if style == "share" else 1)
        return shown(points, "points", locale=locale)
    if pct is not None:
        return shown(abs(pct), "percent", locale=locale)
    return shown(abs(change), format_name, currency=currency, locale=locale)


def check_locale(locale: str) -> str:
    """The locale as Babel writes it. Raises ShopxError for one that CLDR does not know."""
    try:
        return str(Locale(*[part for part in parse_locale(locale.replace("-", "_"))[:2] if part]))
    except (UnknownLocaleError, ValueError):
        raise ShopxError(f"{locale!r} is no locale; write one like en_GB or de_DE.", exit_code=2) from None


def _money(
    value: Any, kind: NumberFormat, *, currency: str | None, locale: str, exact: bool, compact: bool
) -> str:
    digits = minor_digits(currency)
    decimals = digits if exact or kind.decimals is None else min(kind.decimals, digits)
    amount = Decimal(str(value)).scaleb(-digits)
    if compact and abs(amount) >= COMPACT_FROM:
        return f"{symbol(currency, locale)}{format_compact_decimal(amount, locale=locale, fraction_digits=1)}"
    amount = _rounded(amount, decimals)
    if currency is None:
        return format_decimal(
            amount, format="#,##0" + (f".{'0' * decimals}" if decimals else ""), locale=locale
        )
    pattern = Locale.parse(locale).currency_formats["standard"].pattern
    places = f".{'0' * decimals}" if decimals else ""
    return format_currency(
        amount, currency, format=pattern.replace(".00", places), locale=locale, currency_digits=False
    )


def _rounded(number: Decimal, decimals: int) -> Decimal:
    """Half away from zero; a rounded nothing has no sign."""
    rounded = number.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    return abs(rounded) if rounded == 0 else rounded


def _pattern(kind: NumberFormat) -> str:
    least = kind.decimals or 0
    most = max(least, kind.up_to or 0)
    return "#,##0" + (f".{'0' * least}{'#' * (most - least)}" if most else "")


def _worded(value: Any, style: str, *, locale: str) -> str:
    if style == "date" and isinstance(value, date):
        return format_date(value, "d MMM y", locale=locale)
    if style == "month" and isinstance(value, date):
        return format_date(value, "MMM y", locale=locale)
    if style == "datetime" and isinstance(value, datetime):
        return f"{format_date(value, 'd MMM y', locale=locale)} {value:%H:%M}"
    if style == "hour" and isinstance(value, int):
        return f"{value:02d}:00"
    if style == "yesno":
        return "yes" if value else "no"
    return str(value)
