"""What happens to orders after they were first delivered: payment comes or not, a price was wrong, the order
is cancelled, something is brought back.

Put here: which orders meet which fate, and their lines afterwards. Never here: first versions (orders.py).
An order has at most one fate. A corrected order is delivered whole; a return under the old order id is
delivered alone.
"""

from __future__ import annotations

import numpy as np

from ingestion.simulating.draws import Ints, below, bits
from ingestion.simulating.lines import (
    BROUGHT_BACK,
    CANCELLED,
    COMPLETED,
    DROPPED,
    NOTHING,
    PENDING,
    REPRICED,
    SETTLED,
    VOIDED,
    Lines,
)
from ingestion.simulating.market import Market

_PENDING_ONLINE = 20_000  # millionths of the web shop's orders; a fifth of them is never paid
_VOIDED_SHARE = 3  # one of so many corrections cancels the order
_NEW_PRICE = (92, 93, 95, 96, 97, 98, 99, 101, 102, 103, 104, 105)  # percent


def with_fates(market: Market, month: int, lines: Lines) -> Lines:
    """The sales of a month, each order with what will happen to it and when that is delivered."""
    shop = market.shop
    first = np.flatnonzero(lines.is_first_of_order)
    count = len(first)
    drawn = below(bits(shop.seed, "fate", month, count), 1_000_000)
    other = below(bits(shop.seed, "fate.kind", month, count), 60)
    late = bits(shop.seed, "fate.days", month, count)
    # a day on which somebody wants more lines has no more corrections for that
    day = lines.sold[first]
    share = np.minimum(market.usual[day] * 1000 // np.maximum(market.expected[day], 1), 2000)
    unpaid = drawn < np.where(market.is_web[lines.place[first]] == 1, _PENDING_ONLINE, 0) * share // 1000
    other_drawn = below(bits(shop.seed, "fate.other", month, count), 1_000_000)
    wrong = ~unpaid & (other_drawn < shop.corrections * share // 1000)
    back = ~unpaid & ~wrong & (other_drawn < (shop.corrections + shop.returns) * share // 1000)
    fate = np.select(
        [unpaid & (other % 5 == 0), unpaid, wrong & (other % _VOIDED_SHARE == 0), wrong, back],
        [DROPPED, SETTLED, VOIDED, REPRICED, BROUGHT_BACK],
        NOTHING,
    )
    lag = np.select(
        [unpaid, fate == BROUGHT_BACK], [1 + below(late, 3), 2 + below(late, 39)], 1 + below(late, 28)
    )
    happens = np.where(fate == NOTHING, -1, lines.sold[first] + lag)
    due = np.where(fate == NOTHING, -1, shop.corrections_day(happens))
    size = np.diff(np.append(first, len(lines)))
    fate, happens, due = (np.repeat(column, size) for column in (fate, happens, due))
    status = np.where((fate == SETTLED) | (fate == DROPPED), PENDING, COMPLETED)
    return lines.with_(fate=fate, happens=happens, due=due, status=status)


def corrected(lines: Lines) -> Lines:
    """Orders whose fate is a correction, as they are delivered again on the day that is due."""
    repriced = lines.fate == REPRICED
    new_price: Ints = np.array(_NEW_PRICE, dtype=np.int64)[lines.order % len(_NEW_PRICE)]
    price = np.where(repriced, np.maximum(lines.price * new_price // 100, 1), lines.price)
    ended = (lines.fate == DROPPED) | (lines.fate == VOIDED)
    return lines.with_(
        delivered=lines.due,
        price=price,
        discount=lines.discount * price // lines.price,
        status=np.where(ended, CANCELLED, COMPLETED),
    )


def brought_back(lines: Lines) -> Lines:
    """Of orders of which something comes back their first line, as it comes back."""
    back = lines.take((lines.fate == BROUGHT_BACK) & (lines.number == 1))
    return back.with_(
        delivered=back.due, sold=back.happens, quantity=-back.quantity, minute=np.zeros_like(back.minute)
    )
