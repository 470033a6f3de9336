"""Sales lines as columns of whole numbers: what every other part of the simulation passes on.

Put here: the columns and the sums that follow from them. Never here: how they come about, or text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from ingestion.simulating.draws import Flags, Ints

COMPLETED, PENDING, CANCELLED = 0, 1, 2
STATUSES = ("completed", "pending", "cancelled")
SALE, LATE, RETURN = 0, 1, 2  # kinds of orders; a return with a number of its own is one
KINDS_OF_ORDERS = "SLR"  # how the ids of each kind begin
_A_DAY = 10_000_000
_A_KIND = 100_000 * _A_DAY

#: What will happen to an order after it was first delivered.
NOTHING, SETTLED, DROPPED, REPRICED, VOIDED, BROUGHT_BACK = range(6)


def order_keys(kind: int, days: Ints, numbers: Ints) -> Ints:
    """One number for each order, from its kind, its day and its place in that day."""
    keys: Ints = kind * _A_KIND + days * _A_DAY + numbers
    return keys


def order_parts(orders: Ints) -> tuple[Ints, Ints, Ints]:
    """Kind, day and number of order keys."""
    return orders // _A_KIND, orders % _A_KIND // _A_DAY, orders % _A_DAY


@dataclass(frozen=True)
class Lines:
    """One value per line in each column; the lines of an order stand together.

    Days count from the shop's first. Money in pence. `price` and `cost` are per piece and above 0; on a
    return `quantity` is below 0. `discount` is 0 or above and taken off the line. `fate`: one of NOTHING,
    SETTLED, …, the same for all lines of an order; it `happens` on a day, and is delivered on day `due`.
    """

    order: Ints
    number: Ints
    delivered: Ints
    sold: Ints
    minute: Ints
    product: Ints
    quantity: Ints
    price: Ints
    discount: Ints
    cost: Ints
    tax_pct: Ints
    customer: Ints
    place: Ints
    region: Ints
    status: Ints
    fate: Ints
    happens: Ints
    due: Ints

    def __len__(self) -> int:
        return len(self.order)

    def take(self, which: Ints | Flags | slice) -> Lines:
        """Some of the lines, by position, flag or slice."""
        return Lines(**{field.name: getattr(self, field.name)[which] for field in fields(self)})

    def with_(self, **columns: Ints) -> Lines:
        """The same lines with other columns."""
        return replace(self, **columns)

    @property
    def is_sale(self) -> Flags:
        """Lines that sell, as against those that come back."""
        return self.quantity > 0

    @property
    def gross(self) -> Ints:
        """Quantity × price, below 0 on a return."""
        return self.quantity * self.price

    @property
    def net(self) -> Ints:
        """Gross less the discount: what was paid, or given back."""
        found: Ints = self.gross - np.where(self.is_sale, self.discount, -self.discount)
        return found

    @property
    def tax(self) -> Ints:
        """The tax on top of net, rounded half away from zero."""
        net = self.net
        size = (np.abs(net) * self.tax_pct + 50) // 100
        found: Ints = np.where(net < 0, -size, size)
        return found

    @property
    def is_first_of_order(self) -> Flags:
        """The first line of each order; orders are told apart by where the key changes."""
        first = np.ones(len(self), dtype=np.bool_)
        first[1:] = self.order[1:] != self.order[:-1]
        return first


def joined(tables: Sequence[Lines]) -> Lines:
    """Several tables as one, in this order."""
    return Lines(
        **{
            field.name: np.concatenate([getattr(table, field.name) for table in tables])
            for field in fields(Lines)
        }
    )
