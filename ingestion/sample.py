"""A sample year of a small shop, the same bytes for the same seed: what `shopx demo` loads.

Put here: making sample files. Never here: reading them; nothing else may depend on what they hold.
Three shops and a web shop, June 2025 to May 2026: seasons, weekdays, regulars, returns, and the four things
that happen to every real shop: a damaged export, corrected orders, a file sent twice, and a file whose dates
can be read in two ways.
"""

from __future__ import annotations

import csv
import io
import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

FIRST_DAY, LAST_DAY = date(2025, 6, 1), date(2026, 5, 31)
HEADER = (
    "order_id", "line", "order_date", "product_id", "product", "category", "quantity", "unit_price",
    "discount_amount", "amount", "unit_cost", "customer_id", "customer", "store", "channel", "status",
    "currency",
)  # fmt: skip
STORES = (("Camden", "store"), ("Brighton", "store"), ("Leeds", "store"), ("Web", "online"))
CATEGORIES: dict[str, tuple[tuple[str, int], ...]] = {
    "Coffee": (
        ("House blend 250 g", 799),
        ("Espresso 1 kg", 2450),
        ("Decaf 250 g", 849),
        ("Ethiopia 250 g", 1095),
    ),
    "Tea": (
        ("Earl Grey 50 bags", 450),
        ("Sencha 100 g", 890),
        ("Chamomile 40 bags", 395),
        ("Assam 125 g", 640),
    ),
    "Brewing": (
        ("French press", 2795),
        ("Pour-over cone", 1650),
        ("Paper filters 100", 475),
        ("Hand grinder", 5900),
    ),
    "Cups": (("Espresso cup pair", 1450), ("Travel mug", 1895), ("Tea bowl", 1200), ("Latte glass", 925)),
    "Sweets": (
        ("Shortbread 200 g", 525),
        ("Dark chocolate 90 g", 395),
        ("Cantuccini 250 g", 599),
        ("Fudge 150 g", 450),
    ),
}  # prices in pence
WEEKDAY = (0.8, 0.8, 0.9, 1.0, 1.25, 1.6, 1.1)
MONTH = {
    1: 0.8,
    2: 0.85,
    3: 0.95,
    4: 1.0,
    5: 1.05,
    6: 1.0,
    7: 0.95,
    8: 0.9,
    9: 1.0,
    10: 1.1,
    11: 1.35,
    12: 1.8,
}
ORDERS_A_DAY = 52.0
REGULARS = 900
DAMAGED_ROWS = 25


@dataclass(frozen=True)
class Line:
    """One sold line; money in pence."""

    order_id: str
    number: int
    at: datetime
    product: int
    quantity: int
    price: int
    discount: int
    customer: int
    store: tuple[str, str]


def _products() -> list[tuple[str, str, str, int]]:
    rows = [(category, name, price) for category, items in CATEGORIES.items() for name, price in items]
    return [
        (f"P{100 + number}", name, category, price) for number, (category, name, price) in enumerate(rows)
    ]


PRODUCTS = _products()


def write_sample(folder: Path, *, seed: int = 7) -> list[Path]:
    """Write the sample year into `folder` and return its files in the order they were delivered.

    The files' times are part of the sample, because the ledger orders deliveries by them.
    """
    chance = random.Random(seed)  # noqa: S311  a sample, not a secret
    folder.mkdir(parents=True, exist_ok=True)
    by_month: dict[str, list[Line]] = {}
    for line in _year(chance):
        by_month.setdefault(f"{line.at:%Y-%m}", []).append(line)
    texts: list[tuple[str, bytes]] = []
    for month, lines in by_month.items():
        text = _csv(_cells(line) for line in lines)
        texts.append((f"sales_{month}.csv", _damage(text, chance) if month == "2025-11" else text))
        if month == "2025-09":
            texts.append(("sales_2025-09 (copy).csv", text))
        if month == "2026-02":
            texts.append(("corrections_2026-02.csv", _corrections(lines, chance)))
        if month == "2026-03":
            texts.append(("till_2026-03.csv", _till(chance)))
    return [_write(folder / name, content, number) for number, (name, content) in enumerate(texts)]


def _write(path: Path, content: bytes, number: int) -> Path:
    path.write_bytes(content)
    at = datetime(2026, 6, 1, 6, number).timestamp()
    os.utime(path, (at, at))
    return path


def _year(chance: random.Random) -> Iterator[Line]:
    serial = 10_000
    for offset in range((LAST_DAY - FIRST_DAY).days + 1):
        day = FIRST_DAY + timedelta(days=offset)
        growth = 1.0 + 0.15 * offset / 365
        orders = round(
            ORDERS_A_DAY * WEEKDAY[day.weekday()] * MONTH[day.month] * growth * chance.uniform(0.85, 1.15)
        )
        minutes = sorted(chance.randrange(8 * 60, 20 * 60) for _ in range(orders))
        for minute in minutes:
            serial += 1
            at = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)
            yield from _order(chance, f"S{serial}", at)


def _order(chance: random.Random, order_id: str, at: datetime) -> Iterator[Line]:
    store = chance.choices(STORES, weights=(4, 3, 2, 3))[0]
    # a regular is drawn with weight towards the low numbers; walk-in customers stay unnamed
    customer = int(REGULARS * chance.random() ** 2.2) + 1 if chance.random() < 0.7 else 0
    for number in range(1, chance.choices((1, 2, 3, 4), weights=(45, 30, 17, 8))[0] + 1):
        product = int(len(PRODUCTS) * chance.random() ** 1.4)
        quantity = chance.choices((1, 2, 3, 6), weights=(70, 20, 7, 3))[0]
        price = PRODUCTS[product][3]
        discount = price * quantity // 10 if chance.random() < 0.08 else 0
        if chance.random() < 0.015:  # brought back: its discount is given back too
            quantity, discount = -quantity, -discount
        yield Line(order_id, number, at, product, quantity, price, discount, customer, store)


def _cells(line: Line, *, status: str = "completed") -> tuple[str, ...]:
    code, name, category, price = PRODUCTS[line.product]
    amount = line.price * line.quantity - line.discount
    return (
        line.order_id, str(line.number), f"{line.at:%Y-%m-%d %H:%M}", code, name, category,
        str(line.quantity), _pounds(line.price), _pounds(line.discount), _pounds(amount),
        _pounds(price * 55 // 100),
        f"C{line.customer:04d}" if line.customer else "",
        f"Customer {line.customer}" if line.customer else "",
        *line.store, status, "GBP",
    )  # fmt: skip


def _pounds(pence: int) -> str:
    return f"{'-' if pence < 0 else ''}{abs(pence) // 100}.{abs(pence) % 100:02d}"


def _csv(rows: Iterator[tuple[str, ...]], header: Sequence[str] = HEADER) -> bytes:
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return sink.getvalue().encode()


def _damage(text: bytes, chance: random.Random) -> bytes:
    """Break a few rows the way exports break: lost cells, impossible days, words for numbers, a torn line."""
    lines = text.decode().splitlines()
    chosen = sorted(chance.sample(range(2, len(lines) - 1), DAMAGED_ROWS))
    for turn, index in enumerate(chosen):
        cells = lines[index].split(",")
        if turn % 5 == 0:
            cells[2] = "2025-11-31 10:00"
        elif turn % 5 == 1:
            cells[6] = "two"
        elif turn % 5 == 2:
            cells[3] = cells[4] = ""
        elif turn % 5 == 3:
            cells[7] = cells[9] = "n.b."
        else:
            cells = cells[:6]
        lines[index] = ",".join(cells)
    return ("\n".join(lines) + "\n").encode()


def _corrections(lines: list[Line], chance: random.Random) -> bytes:
    """Deliver some orders again, whole, each line 50 p cheaper: the newer version replaces the older."""
    orders = sorted({line.order_id for line in lines if line.quantity > 0})
    corrected = set(chance.sample(orders, 12))
    again = (line for line in lines if line.order_id in corrected)
    return _csv(_cells(replace(line, price=line.price - 50)) for line in again)


def _till(chance: random.Random) -> bytes:
    """Export of a market stall's till: each date fits day/month and month/day, and nothing says which."""

    def rows() -> Iterator[tuple[str, ...]]:
        for day in range(1, 13):
            for _ in range(chance.randrange(8, 16)):
                code, name, category, price = PRODUCTS[chance.randrange(len(PRODUCTS))]
                quantity = chance.randrange(1, 4)
                yield (
                    f"{day:02d}/03/2026",
                    code,
                    name,
                    category,
                    str(quantity),
                    _pounds(price),
                    "Market stall",
                    "GBP",
                )

    return _csv(rows(), ("Date", "Product code", "Product", "Category", "Qty", "Price", "Store", "Currency"))
