"""The sample year as the files a shop would send: sales by month, lists, stock counts, and the usual mishaps.

Put here: how files look, and what is wrong with some. Never here: what was sold (year.py).
"""

import csv
import io
import os
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from ingestion.sample.shop import COMMISSION_PCT, FIRST_DAY, LAST_DAY, PRODUCTS, STORES
from ingestion.sample.year import Line, sales_of_the_year

Row = tuple[str, ...]
SALES = (
    "order_id", "line", "order_date", "product_id", "product", "category", "quantity", "unit_price",
    "discount_amount", "amount", "tax_amount", "unit_cost", "customer_id", "customer", "store", "sales_rep",
    "channel", "status", "currency",
)  # fmt: skip
_FIRST_NAMES = ("Ada", "Ben", "Cleo", "Dara", "Eve", "Finn", "Grace", "Hugo", "Iris", "Jonas", "Kira", "Liam")
_LAST_NAMES = (
    "Abbott",
    "Baker",
    "Cole",
    "Doyle",
    "Ellis",
    "Fraser",
    "Grant",
    "Hughes",
    "Jones",
    "Khan",
    "Lowe",
)
_DAMAGED_ROWS = 25


def write_sample(folder: Path, *, seed: int = 7) -> list[Path]:
    """Write the sample year into `folder` and return its files in the order they were delivered.

    The files' times are part of the sample, because the ledger orders deliveries by them.
    """
    chance = random.Random(seed)  # noqa: S311  a sample, not a secret
    folder.mkdir(parents=True, exist_ok=True)
    by_month: dict[str, list[Line]] = {}
    for line in sales_of_the_year(chance):
        by_month.setdefault(f"{line.at:%Y-%m}", []).append(line)
    files = [("products.csv", _products()), ("stores.csv", _stores()), ("sales_reps.csv", _sales_reps())]
    for month, lines in by_month.items():
        text = _csv(SALES, (_cells(line) for line in lines))
        files.append((f"sales_{month}.csv", _damage(text, chance) if month == "2025-11" else text))
        if month == "2025-09":
            files.append(("sales_2025-09 (copy).csv", text))
        if month == "2026-02":
            files.append(("corrections_2026-02.csv", _corrections(lines, chance)))
        if month == "2026-03":
            files.append(("till_2026-03.csv", _till(chance)))
    files += [(f"stock_{day}.csv", _stock(day, chance)) for day in (date(2026, 4, 30), LAST_DAY)]
    return [_write(folder / name, content, number) for number, (name, content) in enumerate(files)]


def _write(path: Path, content: bytes, number: int) -> Path:
    path.write_bytes(content)
    at = datetime(2026, 6, 1, 6, number).timestamp()
    os.utime(path, (at, at))
    return path


def _cells(line: Line) -> Row:
    return (
        line.order_id, str(line.number), f"{line.at:%Y-%m-%d %H:%M}", line.product.product_id,
        line.product.name, line.product.category, str(line.quantity), _pounds(line.price),
        _pounds(line.discount), _pounds(line.amount), _pounds(line.tax), _pounds(line.product.cost),
        f"C{line.customer:04d}" if line.customer else "", _name(line.customer), line.store.name, line.rep,
        line.store.channel, line.status, "GBP",
    )  # fmt: skip


def _name(customer: int) -> str:
    if not customer:
        return ""
    return f"{_FIRST_NAMES[customer * 7 % 12]} {_LAST_NAMES[(customer * 5 + customer // 12) % 11]}"


def _pounds(pence: int) -> str:
    return f"{'-' if pence < 0 else ''}{abs(pence) // 100}.{abs(pence) % 100:02d}"


def _csv(header: Sequence[str], rows: Iterable[Row]) -> bytes:
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return sink.getvalue().encode()


def _products() -> bytes:
    """Every article with what it costs and what it is sold for, valid from the first day."""
    return _csv(
        ("product_id", "product_name", "category", "unit_cost", "unit_price", "launched", "discontinued"),
        (
            (
                product.product_id, product.name, product.category, _pounds(product.cost),
                _pounds(product.price), product.first.isoformat(),
                product.last.isoformat() if product.last < LAST_DAY else "",
            )
            for product in PRODUCTS
        ),
    )  # fmt: skip


def _stores() -> bytes:
    header = ("store_id", "store", "city", "region", "country", "opened")
    rows = [(s.store_id, s.name, s.city, s.region, "United Kingdom", FIRST_DAY.isoformat()) for s in STORES]
    return _csv(header, [*rows, ("S5", "Market stall", "London", "London", "United Kingdom", "2026-03-01")])


def _sales_reps() -> bytes:
    people = [(store.region, rep) for store in STORES for rep in store.reps]
    return _csv(
        ("sales_rep_id", "sales_rep", "email", "region", "commission_rate"),
        (
            (
                f"R{number}",
                rep,
                f"{rep.split()[0].lower()}@example.com",
                region,
                f"0.{COMMISSION_PCT[rep]:02d}",
            )
            for number, (region, rep) in enumerate(people, 1)
        ),
    )


def _stock(day: date, chance: random.Random) -> bytes:
    """Count every article in every store: some weeks' worth, of some nearly nothing, of some far too much."""
    rows: list[Row] = []
    for store in STORES:
        for product in PRODUCTS:
            weeks = chance.choices((0.0, 0.6, 2.0, 5.0, 9.0), weights=(4, 10, 30, 40, 16))[0]
            if product.last < day:
                weeks = 6.0  # what is left of an article no longer on sale
            pieces = round(product.wanted * store.weight * 6.5 * weeks * chance.uniform(0.8, 1.2))
            rows.append((day.isoformat(), store.name, product.product_id, product.name, str(pieces)))
    return _csv(("count_date", "store", "product_id", "product_name", "on_hand"), rows)


def _damage(text: bytes, chance: random.Random) -> bytes:
    """Break a few rows the way exports break: lost cells, impossible days, words for numbers, a torn line."""
    lines = text.decode().splitlines()
    chosen = sorted(chance.sample(range(2, len(lines) - 1), _DAMAGED_ROWS))
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
    return _csv(SALES, (_cells(replace(line, price=line.price - 50)) for line in again))


def _till(chance: random.Random) -> bytes:
    """Export of a market stall's till: each date fits day/month and month/day, and nothing says which."""

    def rows() -> Iterator[Row]:
        for day in range(1, 13):
            for _ in range(chance.randrange(8, 16)):
                product, quantity = chance.choice(PRODUCTS), str(chance.randrange(1, 4))
                yield (
                    f"{day:02d}/03/2026", product.product_id, product.name, product.category, quantity,
                    _pounds(product.price), "Market stall", "GBP",
                )  # fmt: skip

    return _csv(("Date", "Product code", "Product", "Category", "Qty", "Price", "Store", "Currency"), rows())
