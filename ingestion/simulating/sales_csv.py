"""Sales lines as rows of CSV files, a whole month at once.

Put here: the columns of the files and how numbers become their cells. Never here: which lines go where.
No cell needs quotes. Rows are joined by Arrow from tables of ready texts, which is what makes it quick.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.simulating.catalogue import CATEGORIES, product_id
from ingestion.simulating.draws import Ints
from ingestion.simulating.lines import KINDS_OF_ORDERS, STATUSES, Lines, order_parts
from ingestion.simulating.market import Market
from ingestion.simulating.people import GUEST, REGIONS, customer_email, customer_id
from ingestion.simulating.shop import CURRENCY

COLUMNS = (
    "order_id", "line", "order_date", "product_id", "product", "category", "quantity", "unit_price",
    "discount_amount", "amount", "tax", "unit_cost", "customer_id", "store", "channel", "sales_rep", "region",
    "country", "status", "currency",
)  # fmt: skip
#: What comes back under its old order id has a day, and no time.
RETURN_COLUMNS = tuple("return_date" if name == "order_date" else name for name in COLUMNS)
#: A corrected order comes from the back office, which knows the buyer's address.
CORRECTION_COLUMNS = (*COLUMNS, "customer_email")
_SMALLEST_TABLE = 1 << 16


def header(columns: Iterable[str]) -> bytes:
    """The first line of a file."""
    return (",".join(columns) + "\n").encode()


class SalesText:
    """Rows of one market's lines, each an Arrow string that ends with a line break."""

    def __init__(self, market: Market) -> None:
        shop = market.shop
        dates = [shop.date_of(day) for day in range(market.days)]
        known = len(market.region_of_customer)
        catalogue = market.catalogue
        self._days = len(dates)
        self._starts = pa.array([f"{kind}{day:%y%m%d}-" for kind in KINDS_OF_ORDERS for day in dates])
        self._dates = pa.array([day.isoformat() for day in dates])
        self._minutes = pa.array([f" {at // 60:02d}:{at % 60:02d}," for at in range(1440)])
        self._products = pa.array(
            [
                f"{product_id(at)},{name},{CATEGORIES[category].name},"
                for at, (name, category) in enumerate(
                    zip(catalogue.names, catalogue.category.tolist(), strict=True)
                )
            ]
        )
        self._small = pa.array([f"{number}," for number in [*range(100), *range(-99, 0)]])
        self._customers = pa.array([",", *(f"{customer_id(at)}," for at in range(known))])
        self._places = pa.array(
            [f"{place.store_name},{place.channel},{place.rep}," for place in market.places]
        )
        self._regions = pa.array([f"{region},{country}," for region, country in REGIONS])
        self._ends = pa.array([f"{status},{CURRENCY}" for status in STATUSES])
        self._numbers = pa.array([f"{at:05d}," for at in range(1)])
        self._money = _amounts(_SMALLEST_TABLE)

    def sales(self, lines: Lines) -> Any:
        """Rows under COLUMNS."""
        return self._rows(lines, self._minutes.take(pa.array(lines.minute)), "\n")

    def corrections(self, lines: Lines) -> Any:
        """Rows under CORRECTION_COLUMNS."""
        buyers = lines.customer.tolist()
        emails = ["" if buyer == GUEST else customer_email(buyer) for buyer in buyers]
        ends = pa.array([f",{email}\n" for email in emails], pa.string())
        return self._rows(lines, self._minutes.take(pa.array(lines.minute)), ends)

    def returns(self, lines: Lines) -> Any:
        """Rows under RETURN_COLUMNS."""
        return self._rows(lines, ",", "\n")

    def _rows(self, lines: Lines, times: Any, ends: Any) -> Any:
        kinds, days, numbers = order_parts(lines.order)
        return pc.binary_join_element_wise(
            self._starts.take(pa.array(kinds * self._days + days)),
            self._order_numbers(numbers),
            self._small.take(pa.array(lines.number)),
            self._dates.take(pa.array(lines.sold)),
            times,
            self._products.take(pa.array(lines.product)),
            self._small.take(pa.array(lines.quantity % len(self._small))),
            self._amounts(lines.price),
            self._amounts(lines.discount),
            self._amounts(lines.net),
            self._amounts(lines.tax),
            self._amounts(lines.cost),
            self._customers.take(pa.array(lines.customer + 1)),
            self._places.take(pa.array(lines.place)),
            self._regions.take(pa.array(lines.region)),
            self._ends.take(pa.array(lines.status)),
            ends,
            "",
        )

    def _order_numbers(self, numbers: Ints) -> Any:
        most = int(numbers.max(initial=0))
        if most >= len(self._numbers):
            self._numbers = pa.array([f"{at:05d}," for at in range(2 * most + 1)])
        return self._numbers.take(pa.array(numbers))

    def _amounts(self, cents: Ints) -> Any:
        most = int(np.abs(cents).max(initial=0))
        if 2 * most >= len(self._money):
            self._money = _amounts(1 << (2 * most).bit_length())
        return self._money.take(pa.array(cents % len(self._money)))


def _amounts(size: int) -> Any:
    """Texts of the amounts from −size/2 to size/2 − 1 cents, the negative ones behind the others."""
    cents = np.arange(size, dtype=np.int64)
    cents[size // 2 :] -= size
    pounds = pa.array(np.abs(cents) // 100).cast(pa.string())
    pence = pa.array([f".{at:02d}," for at in range(100)]).take(pa.array(np.abs(cents) % 100))
    sign = pa.array(["", "-"]).take(pa.array((cents < 0).astype(np.int64)))
    return pc.binary_join_element_wise(sign, pounds, pence, "")


def with_rows(rows: Any, replaced: dict[int, str]) -> Any:
    """The rows with some of them, by position, replaced."""
    if not replaced:
        return rows
    mask = np.zeros(len(rows), dtype=np.bool_)
    mask[list(replaced)] = True
    return pc.replace_with_mask(rows, pa.array(mask), pa.array([replaced[at] for at in sorted(replaced)]))


def as_bytes(rows: Any, ends: Ints) -> list[memoryview]:
    """The text of rows cut at these positions: rows up to the first end, from there to the second, …"""
    offsets = np.frombuffer(rows.buffers()[1], dtype=np.int32)[rows.offset : rows.offset + len(rows) + 1]
    text = memoryview(rows.buffers()[2] or b"")
    cuts = offsets[np.concatenate([[0], ends])].tolist()
    return [text[start:end] for start, end in pairwise(cuts)]
