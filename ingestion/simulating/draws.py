"""Chance as whole numbers: the same seed gives the same draws on any machine.

Put here: streams of random bits and how they become numbers, choices and shares. Never here: what is drawn.
Only raw bits are taken from numpy (their streams are guaranteed never to change; those of its distributions
are not), and only integer arithmetic follows: no rounding differs from processor to processor. A longer draw
begins with the shorter one, so a day's orders do not depend on the days after it.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bits = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

MILLION = 1_000_000
_SLOTS = 16  # bits of a draw that choose among weights


def bits(seed: int, subject: str, number: int, count: int) -> Bits:
    """`count` draws of 32 bits of the stream that belongs to seed, subject and number."""
    sequence = np.random.SeedSequence([seed, zlib.crc32(subject.encode()), number])
    drawn: Bits = np.random.PCG64(sequence).random_raw(count)
    return drawn >> np.uint64(32)


def below(drawn: Bits, limit: int | Ints) -> Ints:
    """Whole numbers from 0 to limit − 1, one for each draw."""
    limits = np.asarray(limit, dtype=np.uint64)
    return ((drawn * limits) >> np.uint64(32)).astype(np.int64)


def happens(drawn: Bits, per_million: int | Ints) -> Flags:
    """True for that share of the draws."""
    flags: Flags = below(drawn, MILLION) < np.asarray(per_million, dtype=np.int64)
    return flags


def rounded_by_chance(millionths: Sequence[int] | Ints, drawn: Bits) -> Ints:
    """Whole numbers whose mean is that many millionths each."""
    counts: Ints = (np.asarray(millionths, dtype=np.int64) + below(drawn, MILLION)) // MILLION
    return counts


class Choice:
    """Picks positions 0 … n − 1 with chances in the ratio of `weights`, to one part in 65,536."""

    def __init__(self, weights: Sequence[int] | Ints) -> None:
        ends = np.cumsum(np.asarray(weights, dtype=np.int64))
        if not len(ends) or ends[-1] <= 0:
            raise ValueError("a choice needs a weight above 0")
        bounds = (ends << _SLOTS) // ends[-1]
        self._slots: Ints = np.repeat(np.arange(len(ends)), np.diff(bounds, prepend=0))

    def pick(self, drawn: Bits) -> Ints:
        """One position for each draw."""
        picked: Ints = self._slots[drawn >> np.uint64(32 - _SLOTS)]
        return picked
