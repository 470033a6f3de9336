"""Order keys: 64 bits of a hash of (source, scope, order id), the same on every machine and in every version.

The hash is FNV-1a with 64 bits (Fowler, Noll, Vo; draft-eastlake-fnv) over the UTF-8 bytes, closed by the
mixer of SplitMix64 (Steele, Lea, Flood 2014), so that keys of running numbers spread evenly. Computed for a
whole batch at once: md5 of each id cost as much as parsing the file. Changing anything here changes every
key: never do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ingestion.reading import views

if TYPE_CHECKING:
    import pyarrow as pa

_MASK = (1 << 64) - 1
_BASIS = 0xCBF29CE484222325
_PRIME = 0x100000001B3


def order_keys(texts: pa.Array, *, source: str) -> pa.Array:
    """Return an int64 array: the key of each text within `source`, null where the text is null.

    `texts` is an Arrow string array: the order id, or scope and order id joined by the unit separator.
    """
    import pyarrow as pa  # noqa: PLC0415

    count = len(texts)
    if texts.null_count == count:
        return pa.nulls(count, pa.int64())
    _, offsets_buffer, bytes_buffer = texts.buffers()
    offsets = np.frombuffer(offsets_buffer, np.int32)[texts.offset : texts.offset + count + 1]
    data = np.frombuffer(bytes_buffer or b"\0", np.uint8)
    keys = _mixed(_hashed(offsets[:-1], np.diff(offsets), data, start=_fnv(f"{source}\x1f".encode())))
    return views.array(
        keys.view(np.int64), pa.int64(), known=views.known(texts) if texts.null_count else None
    )


def _fnv(text: bytes) -> int:
    state = _BASIS
    for byte in text:
        state = (state ^ byte) * _PRIME & _MASK
    return state


def _hashed(
    starts: NDArray[np.int32], lengths: NDArray[np.int32], data: NDArray[np.uint8], *, start: int
) -> NDArray[np.uint64]:
    state = np.full(len(starts), start, np.uint64)
    prime = np.uint64(_PRIME)
    shortest, longest = (int(lengths.min()), int(lengths.max())) if len(lengths) else (0, 0)
    if shortest == longest:  # as ids mostly are: each position is a column of the bytes
        first = int(starts[0]) if len(starts) else 0
        for column in data[first : first + longest * len(starts)].reshape(len(starts), longest).T:
            state = (state ^ column) * prime
        return state
    for position in range(longest):
        if position < shortest:
            state = (state ^ data[starts + position]) * prime
        else:
            rest = np.flatnonzero(lengths > position)
            state[rest] = (state[rest] ^ data[starts[rest] + position]) * prime
    return state


def _mixed(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))
