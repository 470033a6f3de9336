"""Local time to UTC and back for whole columns, from a zone's own transitions.

Put clock arithmetic here: numpy datetimes in, numpy datetimes out. Never text, never rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

FIRST_YEAR, LAST_YEAR = 1969, 2101
_SECOND = 1_000_000

Micros = NDArray[np.int64]


@dataclass(frozen=True)
class Zone:
    """Transitions in microseconds since 1970 UTC; `offsets[i]` holds from `starts[i]` on."""

    starts: Micros
    offsets: Micros

    def to_local(self, utc: Micros) -> Micros:
        """Wall-clock microseconds of UTC microseconds."""
        return utc + self.offsets[np.searchsorted(self.starts, utc, side="right") - 1]

    def to_utc(self, local: Micros) -> tuple[Micros, NDArray[np.bool_], NDArray[np.bool_]]:
        """UTC of wall-clock times, which of them were skipped, and which came twice: of a repeated hour the
        first pass is taken."""
        # an offset's reign in wall-clock time begins at its start seen by itself; taking the offset before
        # the last transition whose *old* reading is still ahead gives the earlier of two readings
        ends_by_old = self.starts[1:] + self.offsets[:-1]
        index = np.searchsorted(ends_by_old, local, side="right")
        utc = local - self.offsets[index]
        skipped = utc < self.starts[index]
        following = np.minimum(index + 1, len(self.starts) - 1)
        twice = (local - self.offsets[following] >= self.starts[following]) & (following > index)
        return utc, skipped, twice


@lru_cache(maxsize=64)
def zone(name: str) -> Zone:
    """The transitions of a zone between 1969 and 2101, found by halving each day on which the offset
    changed."""
    info = ZoneInfo(name)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)

    def offset(at: int) -> int:
        found = info.utcoffset((epoch + timedelta(seconds=at)).astimezone(info))
        return int((found or timedelta(0)).total_seconds())

    first = int((datetime(FIRST_YEAR, 1, 1, tzinfo=UTC) - epoch).total_seconds())
    last = int((datetime(LAST_YEAR, 1, 1, tzinfo=UTC) - epoch).total_seconds())
    starts, offsets = [first], [offset(first)]
    step = 7 * 86_400
    for week in range(first, last, step):
        low, high = week, week + step
        while offset(high) != offsets[-1]:
            left, right = low, high
            while right - left > 1:
                middle = (left + right) // 2
                if offset(middle) == offsets[-1]:
                    left = middle
                else:
                    right = middle
            starts.append(right)
            offsets.append(offset(right))
            low = right
    starts[0] = -(2**62) // _SECOND
    return Zone(np.array(starts, np.int64) * _SECOND, np.array(offsets, np.int64) * _SECOND)
